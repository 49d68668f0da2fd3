"""Typing of what is reached from something else: fields, entries, another process, functions, messages.

This is where locality bites: `r.x` reads another process, `f()` reads whatever f reads. Every such reading is noted with
the `Context`, which knows whether this place may do it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from checker.base.diagnostics import Reporter, did_you_mean
from checker.base.source import Span
from checker.lang import ast
from checker.lang.resolve import BUILTIN_FUNCTIONS, unknown
from checker.model import ir
from checker.model.builtins import BuiltinMixin
from checker.model.context import Bad, Use
from checker.model.convert import coerce
from checker.model.types import INT, IntT, MapT, NeverT, OptT, ProcT, RecordT, RoleInfo, SeqT, SetT, Type, join, show


class AccessMixin(BuiltinMixin, ABC):
    """Fields, entries, processes, functions, messages."""

    @abstractmethod
    def domain(self, node: ast.Expr | ast.Range) -> ir.Expr: ...

    @property
    def reporter(self) -> Reporter:
        return self.world.reporter

    def self_(self, span: Span) -> ir.Expr:
        self.ctx.use(Use.SELF, "self", span, self.reporter)
        if self.ctx.role is None:
            self.reporter.error("PSM310", "`self` has a meaning only inside a role", span)
            raise Bad
        return ir.Self(ProcT((self.ctx.role,)))

    def read(self, var: ir.Var, of: ir.Expr | None, span: Span) -> ir.Expr:
        """A variable, with its uses noted."""
        if var.role is None:
            kind, what = Use.SHARED, f"`{var.name}`"
        elif of is None:
            kind, what = Use.OWN, f"`{var.name}`"
        else:
            kind, what = Use.REMOTE, f"`{var.role}.{var.name}`"
        self.ctx.use(kind, what, span, self.reporter)
        if var.keep == "ghost":
            self.ctx.use(Use.GHOST, what, span, self.reporter)
        return ir.GetVar(var, of)

    def needed(self, e: ir.Expr, span: Span) -> ir.Expr:
        """The value inside an optional; an error at run time if it is none."""
        return ir.Unwrap(e, e.type.inner, span) if isinstance(e.type, OptT) else e

    def field(self, span: Span, node: ast.Expr, name: ast.Ident, optional: bool) -> ir.Expr:
        obj = self.expr(node)
        if optional:
            return self.opt_field(obj, name, node.span)
        obj = self.needed(obj, node.span)
        match obj.type:
            case RecordT():
                return self.record_field(obj, obj.type, name)
            case ProcT():
                return self.process_member(obj, name, (), node.span)
        if isinstance(obj.type, SetT) and isinstance(obj.type.elem, ProcT):
            self.reporter.error(
                "PSM303",
                f"`{name}` is asked of a set of processes",
                span,
                help=f"bind one of them: `forall r in … : r.{name}`",
            )
        else:
            self.reporter.error("PSM303", f"{show(obj.type)} has no field `{name}`", name.span)
        raise Bad

    def record_field(self, obj: ir.Expr, t: RecordT, name: ast.Ident) -> ir.Expr:
        index = self.field_index(t, name)
        return ir.GetField(obj, index, t.fields[index][1])

    def field_index(self, t: RecordT, name: ast.Ident) -> int:
        index = t.index(name.text)
        if index is None:
            fields = [f for f, _ in t.fields]
            self.reporter.error(
                "PSM303",
                f"record {t.name} has no field `{name}`",
                name.span,
                help=did_you_mean(name.text, fields) or f"it has {', '.join(fields)}",
            )
            raise Bad
        return index

    def opt_field(self, obj: ir.Expr, name: ast.Ident, span: Span) -> ir.Expr:
        record = obj.type.inner if isinstance(obj.type, OptT) else obj.type
        if not isinstance(record, RecordT):
            self.reporter.error("PSM303", f"`?.` needs an optional record, not {show(obj.type)}", span)
            raise Bad
        index = self.field_index(record, name)
        field = record.fields[index][1]
        return ir.GetOptField(obj, index, field if isinstance(field, OptT) else OptT(field))

    def index(self, span: Span, obj: ir.Expr, key: ast.Expr, obj_span: Span) -> ir.Expr:
        obj = self.needed(obj, obj_span)
        match obj.type:
            case MapT(k, v):
                return ir.GetIndex(obj, coerce(self.expr(key), k, key.span, self.reporter, "the key"), v, span)
            case SeqT(elem):
                return ir.GetIndex(obj, coerce(self.expr(key), INT, key.span, self.reporter, "the index"), elem, span)
        role = obj.type.elem if isinstance(obj.type, SetT) else None
        help = f"write `at({show(role)}, …)` for one of its processes" if isinstance(role, ProcT) else None
        self.reporter.error(
            "PSM301", f"only maps and sequences have entries, not {show(obj.type)}", obj_span, help=help
        )
        raise Bad

    def with_(self, obj: ir.Expr, updates: tuple[ast.Update, ...], span: Span) -> ir.Expr:
        obj = self.needed(obj, span)
        named = [update.name.text for update in updates if update.name is not None]
        for number, update in enumerate(updates):
            if update.name is not None and update.name.text in named[:number]:
                self.reporter.error("PSM202", f"`{update.name}` is given twice", update.span, help="keep one")
            value = self.expr(update.value)
            match obj.type:
                case RecordT() if update.name is not None:
                    index = self.field_index(obj.type, update.name)
                    t = obj.type.fields[index][1]
                    what = f"{obj.type.name}.{update.name}"
                    value = self.stored(value, t, update.value.span, what)
                    obj = ir.WithField(obj, index, value, obj.type)
                case MapT(k, v) if update.key is not None:
                    key = coerce(self.expr(update.key), k, update.key.span, self.reporter, "the key")
                    value, v = self.entry(value, v, update.value.span)
                    obj = ir.WithIndex(obj, key, value, MapT(k, v), update.span)
                case SeqT(elem, limit) if update.key is not None:
                    key = coerce(self.expr(update.key), INT, update.key.span, self.reporter, "the index")
                    value, elem = self.entry(value, elem, update.value.span)
                    obj = ir.WithIndex(obj, key, value, SeqT(elem, limit), update.span)
                case _:
                    self.reporter.error(
                        "PSM301", f"`with` cannot change this in {show(obj.type)}", update.span,
                        help="`with (field = e)` for a record, `with ([key] = e)` for a map",
                    )  # fmt: skip
                    raise Bad
        if isinstance(obj.type, RecordT) and obj.type.constrained:
            return ir.Checked(obj, obj.type, f"record {obj.type.name}", span)
        return obj

    def entry(self, value: ir.Expr, old: Type, span: Span) -> tuple[ir.Expr, Type]:
        """A value that replaces one of type `old` in a copy, and the type of all values then. Ranges grow."""
        if isinstance(old, MapT) and not isinstance(value.type, MapT):
            return self.stored(value, old, span, "an entry"), old
        both = join(old, value.type)
        if both is None or (isinstance(value.type, OptT) and not isinstance(old, OptT)):
            value = coerce(value, old, span, self.reporter, "an entry")
            both = join(old, value.type)
        assert both is not None
        return value, both

    # ---- processes and functions

    def process_member(self, obj: ir.Expr, name: ast.Ident, args: tuple[ast.Expr, ...], span: Span) -> ir.Expr:
        """`r.x` and `r.f(a)`."""
        assert isinstance(obj.type, ProcT)
        if len(obj.type.roles) != 1:
            self.reporter.error(
                "PSM303",
                f"`.{name}` of a process that may be {show(obj.type)}",
                span,
                help="name the sender's role with `from s: Role`, or test with `in` and use a function of that role",
            )
            raise Bad
        role = obj.type.roles[0]
        of = None if self.is_self(obj, role) else obj
        members = self.world.symbols.roles[role.name]
        if (role.name, name.text) in self.world.variables and not args:
            return self.read(self.world.variables[role.name, name.text], of, span)
        if name.text in members.functions:
            return self.call_function(name, args, role.name, of)
        unknown(self.reporter, name, f"member of role {role.name}:", [*members.variables, *members.functions])
        raise Bad

    def is_self(self, obj: ir.Expr, role: RoleInfo) -> bool:
        if isinstance(obj, ir.Self):
            return True
        inside = self.ctx.role is not None and self.ctx.role.name == role.name
        return inside and role.single and isinstance(obj, ir.Const)

    def method(self, node: ast.Expr, name: ast.Ident, args: tuple[ast.Expr, ...]) -> ir.Expr:
        obj = self.needed(self.expr(node), node.span)
        if not isinstance(obj.type, ProcT):
            self.reporter.error("PSM303", f"{show(obj.type)} has no functions", name.span)
            raise Bad
        return self.process_member(obj, name, args, node.span)

    def call(self, span: Span, func: ast.Ident, args: tuple[ast.Expr, ...]) -> ir.Expr:
        """A built-in, a record, or a function."""
        if func.text in BUILTIN_FUNCTIONS:
            return self.builtin(span, func, args)
        decl = self.world.symbols.globals.get(func.text)
        if isinstance(decl, ast.RecordDecl):
            return self.make_record(span, func, args)
        if self.ctx.role is not None and func.text in self.world.symbols.roles[self.ctx.role.name].functions:
            return self.call_function(func, args, self.ctx.role.name, None)
        if isinstance(decl, ast.FunDecl):
            return self.call_function(func, args, None, None)
        if decl is not None or func.text in self.world.symbols.enum_values:
            what = self.world.symbols.kind_of(func.text)
            self.reporter.error("PSM205", f"`{func}` is {what} and cannot be called", func.span)
            raise Bad
        if func.text in self.world.symbols.messages:
            self.reporter.error(
                "PSM205",
                f"`{func}` is a message, not a value",
                func.span,
                help="use it in `send` and in `sent(… from p)`",
            )
            raise Bad
        known = [n for n, d in self.world.symbols.globals.items() if isinstance(d, ast.FunDecl | ast.RecordDecl)]
        if self.ctx.role is not None:
            known += self.world.symbols.roles[self.ctx.role.name].functions
        unknown(self.reporter, func, "function", [*known, *BUILTIN_FUNCTIONS])
        raise Bad

    def make_record(self, span: Span, name: ast.Ident, args: tuple[ast.Expr, ...]) -> ir.Expr:
        t = self.world.named(name)
        assert isinstance(t, RecordT)
        self.arity(f"record {name}", len(t.fields), len(args), span, [f for f, _ in t.fields])
        items = tuple(
            self.stored(self.expr(arg), ft, arg.span, f"{name}.{field}")
            for (field, ft), arg in zip(t.fields, args, strict=True)
        )
        made = ir.MakeRecord(items, t)
        return ir.Checked(made, t, f"record {name}", span) if t.constrained else made

    def arity(self, what: str, wanted: int, given: int, span: Span, names: list[str]) -> None:
        if wanted != given:
            listed = f": {', '.join(names)}" if names else ""
            self.reporter.error(
                "PSM206", f"{what} takes {wanted} argument{'s' if wanted != 1 else ''}{listed}; {given} given", span
            )
            raise Bad

    def call_function(
        self, name: ast.Ident, args: tuple[ast.Expr, ...], role: str | None, of: ir.Expr | None
    ) -> ir.Expr:
        key = name.text if role is None else f"{role}.{name.text}"
        function = self.function(key, name.span)
        self.arity(f"`{name}`", len(function.params), len(args), name.span, [p.name for p in function.params])
        parts = tuple(
            coerce(self.expr(a), p.type, a.span, self.reporter, f"`{p.name}` of `{name}`")
            for p, a in zip(function.params, args, strict=True)
        )
        for kind, what in self.world.function_uses[key]:
            if kind is Use.OWN and of is not None:
                kind = Use.REMOTE
            elif kind is Use.SELF and of is not None:
                continue
            self.ctx.use(kind, what, name.span, self.reporter, via=name.text)
        return ir.CallFun(key, of, parts, function.result)

    # ---- messages

    def message_args(self, name: ast.Ident, args: tuple[ast.Expr, ...], span: Span) -> tuple[ir.Expr, ...]:
        """The fields of a message, converted and checked as they are stored."""
        fields = self.message_fields(name)
        self.arity(f"message {name}", len(fields), len(args), span, [f for f, _ in fields])
        return tuple(
            self.stored(self.expr(a), t, a.span, f"{name}.{f}") for (f, t), a in zip(fields, args, strict=True)
        )

    def message_fields(self, name: ast.Ident) -> tuple[tuple[str, Type], ...]:
        fields = self.world.messages.get(name.text)
        if fields is None:
            unknown(self.reporter, name, "message", list(self.world.messages))
            raise Bad
        return fields

    def sent(self, node: ast.Sent) -> ir.Expr:
        name = node.msg.name
        fields = self.message_fields(name)
        self.ctx.use(Use.SENT, name.text, node.span, self.reporter)
        if name.text not in self.world.soups or self.world.lossy:
            why = "whose messages can be lost in this check" if self.world.lossy else "which is not in a soup"
            self.reporter.error(
                "PSM405", f"`sent` asks for {name}, {why}", node.span,
                help="only a soup without `lose` remembers everything that was sent",
            )  # fmt: skip
            raise Bad
        self.arity(f"message {name}", len(fields), len(node.msg.args), node.msg.span, [f for f, _ in fields])
        args = tuple(
            coerce(self.expr(a), t, a.span, self.reporter, f"{name}.{f}")
            for (f, t), a in zip(fields, node.msg.args, strict=True)
        )
        sender = self.needed(self.expr(node.sender), node.sender.span)
        many = isinstance(sender.type, SetT)
        self.processes(sender, "the sender", node.sender.span)
        return ir.Sent(name.text, args, sender, many)

    def processes(self, e: ir.Expr, what: str, span: Span) -> None:
        t = e.type.elem if isinstance(e.type, SetT) else e.type
        if not isinstance(t, ProcT | NeverT):
            self.reporter.error("PSM301", f"{what} must be a process or a set of them, not {show(e.type)}", span)
            raise Bad

    def inflight(self, node: ast.Inflight) -> ir.Expr:
        self.message_fields(node.message)
        self.ctx.use(Use.INFLIGHT, node.message.text, node.span, self.reporter)
        ends: list[ir.Expr | None] = []
        for what, end in (("the sender", node.sender), ("the receiver", node.receiver)):
            if end is None:
                ends.append(None)
                continue
            e = self.needed(self.expr(end), end.span)
            self.processes(e, what, end.span)
            ends.append(e)
        return ir.Inflight(node.message.text, ends[0], ends[1], IntT(0, None))
