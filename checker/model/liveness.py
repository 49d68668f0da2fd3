"""Liveness properties as the machine has them: families spread out, and which fairness a check assumes.

A family `live L(a in S): …` stands for one property for each value of the type of `a`. Where S is all of that type,
nothing more is to be said; otherwise `a in S` becomes part of the property: a premise of `P ~> Q`, and a condition
under which `eventually P` and its like ask for P.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from itertools import islice
from typing import Any, Literal

from checker.base.data import names_of
from checker.lang import ast
from checker.model import ir
from checker.model.bodies import Bodies, Body
from checker.model.context import Bad, Mode
from checker.model.machine import LiveCase, Machine, Procedure, Property, Step
from checker.model.types import BOOL, show
from checker.model.values import Value, domain, show_value
from checker.model.walk import statements_in

MAX_CASES = 1024
"""The most properties of one family."""

Fairness = Literal["", "weak", "strong"]


def asked(machine: Machine) -> list[Property]:
    """The live properties that are to be judged: those that the check lists; all, where the spec declares no check."""
    live = [p for p in machine.properties if p.kind == "live"]
    return live if not machine.declared else [p for p in live if p.name in machine.expectations]


def live_property(bodies: Bodies, decl: ast.LiveDecl) -> Property:
    """A live property, with a case for each member of its family; one, unless it is a family.

    The left side of `~>` is an antecedent: where it is true of no member in any state, the property says nothing.
    """
    body = bodies.body(Mode.PROPERTY)
    binders: list[tuple[ir.Local, ir.Expr]] = []
    for binder in decl.binders:
        over = body.domain(binder.domain)
        local = body.binder(binder, over)
        body.ctx.scope[binder.name.text] = local
        binders.append((local, over))
    before = bodies.reporter.source.text[: decl.left.span.start].rstrip()
    if decl.form == "leads" and isinstance(decl.left, ast.Quant) and not before.endswith("("):
        bodies.reporter.error(
            "PSM406",
            "the quantifier left of `~>` ends before it and would read wrongly",
            decl.left.span,
            help=f"put it in parentheses, or write `live {decl.name}(x in S): … ~> …` for one property for each x",
        )
        raise Bad
    left = body.bool(decl.left)
    right = None if decl.right is None else body.bool(decl.right)
    for local, over in reversed(binders):
        if not isinstance(over, ir.DomainSet):
            member = ir.In(ir.GetLocal(local), over)
            left = ir.Logic("implies" if right is None else "and", (member, left), decl.left.span)
    cases = tuple(_spread(body, decl, LiveCase("", decl.form, left, right, decl.span), [local for local, _ in binders]))
    ever = left
    for local, over in reversed(binders):
        ever = ir.Quant("exists", local, over, ever, BOOL)
    antecedents = () if right is None else ((bodies.reporter.source.quoted(decl.left.span), ever),)
    return Property(decl.name.text, "live", None, antecedents, decl.span, decl.doc, cases)


def _spread(body: Body, decl: ast.LiveDecl, case: LiveCase, locals_: list[ir.Local]) -> Iterator[LiveCase]:
    """One case for each combination of values of the bound variables."""
    cases = [case]
    for binder, local in zip(decl.binders, locals_, strict=True):
        values = list(islice(domain(local.type), MAX_CASES + 1))
        if len(values) * len(cases) > MAX_CASES:
            body.reporter.error(
                "PSM307",
                f"`{decl.name}` is a family of more than {MAX_CASES:,} properties",
                binder.span,
                help=f"{show(local.type)} has too many values: range over a smaller type",
            )
            raise Bad
        cases = [_bound(c, local, value) for c in cases for value in values]
    yield from cases


def _bound(case: LiveCase, local: ir.Local, value: Value) -> LiveCase:
    """A case for one value of a variable."""
    told = f"{local.name} = {show_value(local.type, value)}"
    constant = ir.Const(value, local.type)
    return LiveCase(
        f"{case.instance}, {told}" if case.instance else told,
        case.form,
        substituted(case.left, local, constant),
        None if case.right is None else substituted(case.right, local, constant),
        case.span,
    )


def substituted(e: Any, local: ir.Local, by: ir.Const) -> Any:
    """An expression with every use of a local replaced. Locals have numbers of their own, so nothing is captured."""
    if isinstance(e, ir.GetLocal):
        return by if e.local.number == local.number else e
    if type(e) is tuple:
        parts = tuple(substituted(part, local, by) for part in e)
        return parts if any(new is not old for new, old in zip(parts, e, strict=True)) else e
    if not is_dataclass(e) or isinstance(e, type) or not type(e).__module__.startswith(ir.__name__):
        return e
    changes = {name: substituted(old, local, by) for name in names_of(type(e)) if (old := getattr(e, name)) is not None}
    changed = {name: new for name, new in changes.items() if new is not getattr(e, name)}
    return replace(e, **changed) if changed else e


# ---- fairness


def fairness_of(machine: Machine, step: Step) -> Fairness:
    """How fair the runs that a check looks at are to a step."""
    if step.kind == "fault":
        return ""
    if f"{step.role.name}.{step.name}" in machine.strong:
        return "strong"
    return "weak" if step.fair else ""


def tick_fairness(machine: Machine) -> Fairness:
    """The same for the tick, which moves all clocks: it is as fair as the least fair of them."""
    found = {fairness_of(machine, step) for step in machine.steps if step.kind == "tick"}
    return "" if "" in found else "weak" if "weak" in found else "strong"


def tosses(body: tuple[ir.Stmt, ...], procedures: Mapping[str, Procedure]) -> bool:
    """Whether a body can toss a coin, itself or through procedures."""
    return any(
        (isinstance(s, ir.EitherS) and s.kind == "toss")
        or (isinstance(s, ir.DoProc) and tosses(procedures[s.proc].body, procedures))
        for s in statements_in(body)
    )


_USUAL = {"message": "messages", "timeout": "timeouts", "restart": "restarts", "tick": "ticks"}


def fairness_text(machine: Machine) -> str:
    """What a verdict on liveness assumes, in words: `weak fairness of messages and P.Enter, strong fairness of P.Take`."""
    weak: dict[str, None] = {}
    strong: dict[str, None] = {}
    unfair: dict[str, None] = {}
    for step in machine.steps:
        name = f"{step.role.name}.{step.name}"
        match fairness_of(machine, step):
            case "strong":
                strong[name] = None
            case "weak":
                usual = "message" if step.kind == "ignore" else step.kind
                weak[_USUAL.get(usual, name)] = None
            case "" if step.kind in _USUAL:
                unfair[name] = None
    crashing = {b.roles[0].name for b in machine.budgets if b.kind == "crash" and b.count}
    if crashing - {s.role.name for s in machine.steps if s.kind == "restart"}:
        weak["restarts"] = None
    if any(b.kind == "cut" and b.count for b in machine.budgets):
        weak["healing"] = None
    order = [*_USUAL.values(), "healing"]
    weak = dict.fromkeys(sorted(weak, key=lambda name: order.index(name) if name in order else len(order)))
    parts = [f"weak fairness of {_listed(weak)}"] if weak else []
    parts += [f"strong fairness of {_listed(strong)}"] if strong else []
    parts += [f"no fairness of {_listed(unfair)}"] if unfair else []
    return ", ".join(parts) if weak or strong else "no fairness"


def _listed(names: Mapping[str, None]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
