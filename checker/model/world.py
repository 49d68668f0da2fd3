"""What elaboration knows of the spec as a whole: types, constants, roles, variables, messages, functions.

Everything is found on demand and remembered, so declarations may stand in any order; a definition that needs itself is
reported (PSM204) instead of recursing. Constants are bound here: an override from a check or from the command line
replaces the default, and every constant defined from it is computed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field

from checker.base.data import dataclass
from checker.base.diagnostics import Reporter
from checker.base.source import Span
from checker.lang import ast
from checker.lang.resolve import Symbols, unknown
from checker.model import ir
from checker.model.context import Bad, Use
from checker.model.fold import FoldError, NotConstant, fold
from checker.model.machine import Function, History, Procedure
from checker.model.types import (
    BOOL,
    MAX_INDEX,
    BagT,
    EnumT,
    IdT,
    IntT,
    MapT,
    OptT,
    ProcT,
    RecordT,
    RoleInfo,
    SeqT,
    SetT,
    Type,
    TypeTooLarge,
    cardinality,
    has_where,
    show,
)
from checker.model.values import Value, conforms, show_value, width

MAX_WIDTH = 1 << 18
"""The most bits that one variable or one field of a message may need."""

MAX_PROCESSES = 64
"""The most processes that a machine may have; far above what can be explored."""


@dataclass(slots=True)
class World:
    """See the module. `translate` is set by the elaborator: it turns a constant expression into the typed representation."""

    symbols: Symbols
    reporter: Reporter
    overrides: Mapping[str, ast.Expr | Value]
    translate: Callable[[ast.Expr], ir.Expr]
    constants: dict[str, tuple[Type, Value]] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    roles: dict[str, RoleInfo] = field(default_factory=dict)
    variables: dict[tuple[str | None, str], ir.Var] = field(default_factory=dict)
    messages: dict[str, tuple[tuple[str, Type], ...]] = field(default_factory=dict)
    senders: dict[str, ProcT] = field(default_factory=dict)
    soups: set[str] = field(default_factory=set)
    fifos: set[str] = field(default_factory=set)
    lossy: bool = False
    synchrony: bool = False
    """Whether some timeout asks a failure detector, by itself or through a function."""
    functions: dict[str, Function] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    """The objects of `linearizable`, by their names."""
    function_uses: dict[str, tuple[tuple[Use, str], ...]] = field(default_factory=dict)
    procedures: dict[str, Procedure] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    _busy: list[str] = field(default_factory=list)
    _locals: int = 0

    def local(self, name: str, type_: Type) -> ir.Local:
        """A fresh local."""
        self._locals += 1
        return ir.Local(self._locals, name, type_)

    def check_shadow(self, name: ast.Ident, role: RoleInfo | None, scope: Mapping[str, ir.Local]) -> None:
        """Reports PSM203 where a new local would hide something."""
        hidden = None
        if name.text == "_":
            return
        if name.text in scope:
            hidden = "another local of this name"
        elif name.text in self.symbols.globals or name.text in self.symbols.enum_values:
            hidden = self.symbols.kind_of(name.text)
        elif role is not None and name.text in self.symbols.roles[role.name].names():
            hidden = f"a member of role {role.name}"
        if hidden is not None:
            self.reporter.error(
                "PSM203",
                f"`{name.text}` shadows {hidden}",
                name.span,
                help="rename one of them; no name may hide another",
            )
            raise Bad

    @contextmanager
    def defining(self, name: str, span: Span) -> Iterator[None]:
        """Guards a definition against needing itself."""
        if name in self._busy:
            chain = " needs ".join([*self._busy[self._busy.index(name) :], name])
            self.reporter.error("PSM204", f"definitions go round in a circle: {chain}", span, help="break the circle")
            raise Bad
        if name in self.failed:
            raise Bad  # reported already
        self._busy.append(name)
        try:
            yield
        except Bad:
            self.failed.add(name)
            raise
        finally:
            self._busy.pop()

    # ---- constants

    def constant(self, name: str) -> tuple[Type, Value]:
        """The type and value of a constant, with overrides applied."""
        if name in self.constants:
            return self.constants[name]
        decl = self.symbols.globals[name]
        assert isinstance(decl, ast.ConstDecl)
        with self.defining(name, decl.name.span):
            override = self.overrides.get(name)
            declared = None if decl.type is None else self.type(decl.type)
            if override is None or isinstance(override, ast.Node):
                node = decl.value if override is None else override
                e = self.translate(node)  # type: ignore[arg-type]
                value, kind, span = self.value_of(e, node.span), e.type, node.span
            else:
                value, span = override, decl.name.span
                if isinstance(value, str):
                    kind, value = self._enum_value(name, value, span)
                else:
                    kind = BOOL if isinstance(value, bool) else IntT(value, value)
            if declared is None:
                result = (kind, value)
            else:
                self._check_constant(name, declared, kind, value, span)
                result = (declared, value)
            if isinstance(result[0], IntT):
                result = (IntT(value, value), value)
        self.constants[name] = result
        return result

    def _enum_value(self, const: str, text: str, span: Span) -> tuple[Type, Value]:
        enum = self.symbols.enum_values.get(text)
        if enum is None:
            self.reporter.error(
                "PSM501",
                f"`{text}` is no value for {const}",
                span,
                help="give a number, true, false, or a value of an enum of the spec",
            )
            raise Bad
        type_ = self.type(ast.NamedType(span, enum))
        assert isinstance(type_, EnumT)
        return type_, type_.values.index(text)

    def _check_constant(self, name: str, declared: Type, kind: Type, value: Value, span: Span) -> None:
        same_kind = type(declared) is type(kind) and (not isinstance(declared, EnumT) or declared == kind)
        if not same_kind:
            self.reporter.error("PSM301", f"{name} must be {show(declared)}, not {show(kind)}", span)
            raise Bad
        if not conforms(declared, value):
            self.reporter.error(
                "PSM501",
                f"{name} = {show_value(kind, value)} is outside {show(declared)}",
                span,
                help=f"choose a value in {show(declared)}, or widen the type of {name}",
            )
            raise Bad

    def value_of(self, e: ir.Expr, span: Span) -> Value:
        """The value of an expression that must be constant. Reports PSM310 otherwise."""
        try:
            return fold(e)
        except NotConstant:
            self.reporter.error("PSM310", "only constants can stand here", span, help="use numbers and `const` names")
        except FoldError as problem:
            self.reporter.error("PSM308", f"this has no value: {problem}", span)
        raise Bad

    def number(self, node: ast.Expr, what: str, lo: int, hi: int = MAX_INDEX) -> int:
        """A constant integer between lo and hi. Reports PSM308 or PSM301."""
        e = self.translate(node)
        if not isinstance(e.type, IntT):
            self.reporter.error("PSM301", f"{what} must be a number, not {show(e.type)}", node.span)
            raise Bad
        value = self.value_of(e, node.span)
        if not lo <= value <= hi:
            self.reporter.error("PSM308", f"{what} is {value:,}, and must be from {lo} to {hi:,}", node.span)
            raise Bad
        return int(value)

    # ---- types

    def type(self, node: ast.Type) -> Type:
        """A written type, closed."""
        match node:
            case ast.BoolType():
                return BOOL
            case ast.RangeType(_, lo, hi):
                low = self.number(lo, "the lower end", -(1 << 62), 1 << 62)
                high = self.number(hi, "the upper end", -(1 << 62), 1 << 62)
                if low > high:
                    self.reporter.error("PSM308", f"the range {low}..{high} is empty", node.span)
                    raise Bad
                return IntT(low, high)
            case ast.NamedType(_, name):
                return self.named(ast.Ident(node.span, name))
            case ast.OptType(_, inner):
                if isinstance(inner, ast.OptType):
                    self.reporter.error("PSM308", "`??` has no meaning: a value is none or it is not", node.span)
                    raise Bad
                t = self.type(inner)
                if isinstance(t, OptT):
                    self.reporter.error("PSM308", f"{show(t)} is optional already", node.span, help="drop the `?`")
                    raise Bad
                return OptT(t)
            case ast.SetType(_, elem, limit):
                e = self.type(elem)
                self._indexable(e, "a set", node.span)
                return SetT(e, None if limit is None else self.number(limit, "the size of a set", 0))
            case ast.MapType(_, key, value):
                k = self.type(key)
                self._indexable(k, "a map's keys", node.span)
                if has_where(k):
                    self.reporter.error("PSM308", f"{show(k)} has a `where`, so it cannot be a map's key", key.span)
                    raise Bad
                return MapT(k, self.type(value))
            case ast.SeqType(_, elem, limit):
                return SeqT(self.type(elem), self.number(limit, "the length of a sequence", 0, 1024))
            case ast.BagType(_, elem, limit):
                return BagT(self.type(elem), self.number(limit, "the size of a bag", 0, 1024))

    def stored_type(self, node: ast.Type) -> Type:
        """The type of a variable or of a message's field, which has to fit in a state."""
        t = self.type(node)
        bits = width(t)
        if bits > MAX_WIDTH:
            self.reporter.error(
                "PSM307",
                f"a value of {show(t)} may need more than {MAX_WIDTH:,} bits",
                node.span,
                help="make its parts narrower or fewer",
            )
            raise Bad
        return t

    def _indexable(self, t: Type, what: str, span: Span) -> None:
        try:
            count = cardinality(t)
        except TypeTooLarge:
            count = MAX_INDEX + 1
        if count > MAX_INDEX:
            self.reporter.error(
                "PSM307",
                f"{what} over {show(t)} may not have more than {MAX_INDEX:,} values",
                span,
                help="make the type narrower",
            )
            raise Bad

    def named(self, name: ast.Ident) -> Type:
        """The type of that name: an alias, an enum, ids, a record, or a role."""
        if name.text in self.types:
            return self.types[name.text]
        decl = self.symbols.globals.get(name.text)
        if decl is None:
            known = [n for n, d in self.symbols.globals.items() if not isinstance(d, ast.ConstDecl | ast.FunDecl)]
            unknown(self.reporter, name, "type", known)
            raise Bad
        with self.defining(name.text, name.span):
            match decl:
                case ast.TypeDecl():
                    result = self.type(decl.type)
                case ast.EnumDecl():
                    result = EnumT(decl.name.text, tuple(v.text for v in decl.values))
                case ast.IdDecl():
                    result = IdT(decl.name.text, self.number(decl.size, "the number of ids", 1), decl.symmetric)
                case ast.RecordDecl():
                    fields: dict[str, Type] = {}
                    for param in decl.fields:
                        if param.name.text in fields:
                            self.reporter.error("PSM202", f"field `{param.name.text}` stands twice", param.name.span)
                            raise Bad
                        fields[param.name.text] = self.type(param.type)
                    result = RecordT(decl.name.text, tuple(fields.items()), decl.where is not None)
                case ast.RoleDecl():
                    result = ProcT((self.role(decl.name),))
                case _:
                    what = self.symbols.kind_of(name.text)
                    self.reporter.error("PSM205", f"`{name.text}` is {what}, not a type", name.span)
                    raise Bad
        self.types[name.text] = result
        return result

    def role(self, name: ast.Ident) -> RoleInfo:
        """The instances of a role. All roles are numbered at once, in their order."""
        if not self.roles:
            base = 0
            for role_name, members in self.symbols.roles.items():
                decl = members.decl
                size = 1
                try:
                    if decl.size is not None:
                        size = self.number(decl.size, f"the number of {role_name}", 0, MAX_PROCESSES)
                except Bad:
                    self.failed.add(role_name)  # the other roles are still good
                self.roles[role_name] = RoleInfo(role_name, base, size, decl.size is None, decl.symmetric)
                base += size
            if base > MAX_PROCESSES:
                self.reporter.error("PSM507", f"{base} processes are more than {MAX_PROCESSES}", name.span)
                raise Bad
        found = self.roles.get(name.text)
        if found is None:
            unknown(self.reporter, name, "role", list(self.roles))
            raise Bad
        if name.text in self.failed:
            raise Bad  # reported already
        return found
