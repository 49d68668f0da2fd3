"""The mapping of a `refines`: which abstract state a state stands for.

A spec refines a more abstract one if each of its steps, seen through a mapping, is a step of the abstract spec or changes
nothing there, and each of its initial states is an initial one there (Abadi and Lamport, "The existence of refinement
mappings", 1991). The mapping gives every variable of the abstract spec a value in terms of the concrete state. This module types
it; `engine.refinement` makes the property that is judged.

**What corresponds.** The two specs share nothing but names. Constants of equal names have the value of the concrete spec. A
role, an id type or a record of the abstract spec is the one of equal name here, which must have the same size or fields. An
enum is one with the same values in the same order, whatever it is called, since enum values are unique in a spec. What is
symmetric here must be symmetric there too, or a spec could tell apart what it says are alike.

Of the abstract spec only what moves counts: its properties and checks are left out, and it has neither messages nor faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from checker.base.diagnostics import Reporter, did_you_mean
from checker.base.source import Span
from checker.lang import ast
from checker.model import ir
from checker.model.bodies import Bodies
from checker.model.context import Bad, Mode
from checker.model.convert import store
from checker.model.machine import Abstraction, Function, Machine, Property
from checker.model.types import (
    BagT,
    BoolT,
    EnumT,
    IdT,
    IntT,
    MapT,
    NeverT,
    OptT,
    ProcT,
    RecordT,
    RoleInfo,
    SeqT,
    SetT,
    Type,
)
from checker.model.values import Value
from checker.model.world import World

_JUDGING = ast.PropDecl | ast.LiveDecl | ast.RefinesDecl | ast.LinearDecl | ast.FinalDecl | ast.CheckDecl


def abstract_part(tree: ast.Spec, name: ast.Ident, reporter: Reporter) -> ast.Spec:
    """What of a spec is looked at where another refines it. Reports PSM413 and raises `Bad` where it cannot be used."""
    if tree.name.text != name.text:
        reporter.error(
            "PSM413",
            f"the file for {name} begins with `spec {tree.name}`",
            name.span,
            help="the name of a spec and of its file belong together",
        )
        raise Bad
    if any(isinstance(d, ast.MessageDecl) for d in tree.decls):
        reporter.error(
            "PSM413",
            f"{name} has messages, so its state is more than its variables",
            name.span,
            help="an abstract spec says what happens, not how: use shared variables and actions",
        )
        raise Bad
    return replace(tree, decls=tuple(d for d in tree.decls if not isinstance(d, _JUDGING)))


def shared_constants(world: World, tree: ast.Spec) -> dict[str, Value]:
    """The constants of an abstract spec that the concrete one has, too."""
    found: dict[str, Value] = {}
    for decl in tree.decls:
        if isinstance(decl, ast.ConstDecl) and decl.name.text in world.constants:
            t, value = world.constants[decl.name.text]
            found[decl.name.text] = t.values[value] if isinstance(t, EnumT) else value
    return found


def refinement_of(bodies: Bodies, decl: ast.RefinesDecl, abstract: Machine) -> Property:
    """The property with its typed mapping. Reports PSM412, and what is wrong with the expressions."""
    mapped = _mapped(bodies.reporter, decl, abstract)
    same = Counterparts(bodies.world, decl.name.text)
    fields: list[tuple[str, Type]] = []
    values: list[ir.Expr] = []
    for var in abstract.variables:
        node = mapped[_name(var)]
        t = same.type(var.type, node.value.span)
        if var.role is not None:
            role = same.role(abstract.roles[var.role], node.value.span)
            t = t if abstract.roles[var.role].single else MapT(ProcT((role,)), t)
        value = bodies.body(Mode.PROPERTY).expr(node.value)
        fields.append((_name(var), t))
        values.append(store(value, t, node.value.span, bodies.reporter, f"`{node.target}`", fill=True))
    record = RecordT(decl.name.text, tuple(fields))
    image = f"refines {decl.name}"
    bodies.world.functions[image] = Function(image, None, (), record, ir.MakeRecord(tuple(values), record))
    abstraction = Abstraction(abstract, image, record, dict(same.shift))
    return Property(decl.name.text, "refines", None, (), decl.name.span, decl.doc, abstraction=abstraction)


def unjudged_refinement(bodies: Bodies, decl: ast.RefinesDecl) -> Property:
    """The property where the abstract spec cannot be looked for. What the mapping says is typed for itself."""
    for node in decl.mapping:
        bodies.body(Mode.PROPERTY).expr(node.value)
    why = f"{decl.name} is not looked for, since this spec was not read from a file"
    return Property(decl.name.text, "refines", None, (), decl.name.span, decl.doc, unjudged=why)


def _name(var: ir.Var) -> str:
    return var.name if var.role is None else f"{var.role}.{var.name}"


def _mapped(reporter: Reporter, decl: ast.RefinesDecl, abstract: Machine) -> Mapping[str, ast.Mapped]:
    """What is mapped, by the variables of the abstract spec: each of them once."""
    known = [_name(var) for var in abstract.variables]
    found: dict[str, ast.Mapped] = {}
    before = len(reporter.errors)
    for node in decl.mapping:
        place = Span((node.role or node.name).span.start, node.name.span.end)
        if node.target not in known:
            inside = [name for name in known if name.endswith(f".{node.name}")] if node.role is None else []
            help_ = f"did you mean `{inside[0]}`?" if inside else did_you_mean(node.target, known)
            reporter.error(
                "PSM412",
                f"{decl.name} has no variable `{node.target}`",
                place,
                help=help_ or f"it has {', '.join(known) or 'none'}",
            )
        elif node.target in found:
            reporter.error("PSM412", f"`{node.target}` is mapped twice", place, help="drop one of them")
        found[node.target] = node
    missing = [name for name in known if name not in found]
    if missing and len(reporter.errors) == before:
        reporter.error(
            "PSM412",
            f"`{missing[0]}` of {decl.name} is not mapped",
            decl.name.span,
            help=f"say what it is here: `{missing[0]} = …`",
        )
    if len(reporter.errors) > before:
        raise Bad
    return found


class Counterparts:
    """Finds for each type of the abstract spec that of this one. `shift` notes how processes are numbered.

    `symmetric`: whether identifiers may be symmetric here; whoever says no to that looks at it by itself.
    """

    def __init__(self, world: World, abstract: str, *, symmetric: bool = True) -> None:
        self.world = world
        self.abstract = abstract
        self.symmetric = symmetric
        self.shift: dict[str, int] = {}

    def type(self, t: Type, span: Span) -> Type:
        """The type here."""
        match t:
            case NeverT() | BoolT() | IntT():
                return t
            case EnumT():
                return self._enum(t, span)
            case IdT():
                return self._id(t, span)
            case ProcT(roles):
                return ProcT(tuple(self.role(role, span) for role in roles))
            case RecordT():
                return self._record(t, span)
            case OptT(inner):
                return OptT(self.type(inner, span))
            case SetT(elem, limit):
                return SetT(self.type(elem, span), limit)
            case MapT(key, value):
                return MapT(self.type(key, span), self.type(value, span))
            case SeqT(elem, limit):
                return SeqT(self.type(elem, span), limit)
            case BagT(elem, limit):
                return BagT(self.type(elem, span), limit)
        assert_never(t)

    def role(self, role: RoleInfo, span: Span) -> RoleInfo:
        """The role here."""
        found = self._named(role.name, "role", span)
        if not isinstance(found, ProcT):
            raise self.refuse(f"{role.name} is a role of {self.abstract}, and something else here", span)
        (here,) = found.roles
        if here.size != role.size:
            raise self._sizes(role.name, here.size, role.size, span)
        self._symmetry(role.name, here.symmetric, role.symmetric, span)
        self.shift[role.name] = here.base - role.base
        return here

    def _id(self, t: IdT, span: Span) -> Type:
        here = self._named(t.name, "id type", span)
        if not isinstance(here, IdT):
            raise self.refuse(f"{t.name} is an id type of {self.abstract}, and something else here", span)
        if here.size != t.size:
            raise self._sizes(t.name, here.size, t.size, span)
        self._symmetry(t.name, here.symmetric, t.symmetric, span)
        return here

    def _enum(self, t: EnumT, span: Span) -> Type:
        for decl in self.world.symbols.globals.values():
            if isinstance(decl, ast.EnumDecl) and tuple(v.text for v in decl.values) == t.values:
                return self.world.named(decl.name)
        values = ", ".join(t.values)
        raise self.refuse(
            f"no enum here has the values of {t.name} of {self.abstract}", span, f"it is enum {t.name} {{ {values} }}"
        )

    def _record(self, t: RecordT, span: Span) -> Type:
        here = self._named(t.name, "record", span)
        wanted = tuple((name, self.type(field, span)) for name, field in t.fields)
        if not isinstance(here, RecordT) or (here.fields, here.constrained) != (wanted, t.constrained):
            raise self.refuse(f"{t.name} is not the record that it is in {self.abstract}", span)
        return here

    def _named(self, name: str, kind: str, span: Span) -> Type:
        if name not in self.world.symbols.globals:
            help_ = f"declare {name} here, as {self.abstract} does, or choose other names there"
            raise self.refuse(f"there is no {kind} {name} here, as in {self.abstract}", span, help_)
        return self.world.named(ast.Ident(span, name))

    def _sizes(self, name: str, here: int, there: int, span: Span) -> Bad:
        return self.refuse(
            f"{name} has {here} here and {there} in {self.abstract}",
            span,
            "give its size by a constant that has the same name in both: the abstract one then takes the value from here",
        )

    def _symmetry(self, name: str, here: bool, there: bool, span: Span) -> None:
        if here and not there and self.symmetric:
            raise self.refuse(
                f"{name} is symmetric here, and not in {self.abstract}", span, "write `symmetric` in both"
            )

    def refuse(self, message: str, span: Span, help: str | None = None) -> Bad:
        """Reports PSM412, and gives what is to be raised."""
        self.world.reporter.error("PSM412", message, span, help=help)
        return Bad()
