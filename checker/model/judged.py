"""What is judged: properties, where stopping is fine, what is expected."""

from __future__ import annotations

from checker.base.diagnostics import Reporter
from checker.lang import ast
from checker.lang.resolve import BUILTIN_PROPERTIES, unknown
from checker.model import ir
from checker.model.bodies import Bodies
from checker.model.context import Mode
from checker.model.liveness import live_property
from checker.model.machine import Counts, Expectation, Property
from checker.model.types import BOOL


def property_of(bodies: Bodies, decl: ast.PropDecl | ast.LiveDecl) -> Property:
    """A property; one that this version does not judge is typed, and has no body."""
    if isinstance(decl, ast.LiveDecl):
        return live_property(bodies, decl)
    body = bodies.body(Mode.STEP if decl.kind == "step" else Mode.PROPERTY)
    value = body.bool(decl.body)
    antecedents = tuple(_antecedents(value, bodies.reporter)) if decl.kind != "reach" else ()
    return Property(decl.name.text, decl.kind, value, antecedents, decl.span, decl.doc)


def final_of(bodies: Bodies, check: ast.CheckDecl | None) -> ir.Expr | None:
    """Where stopping is fine: what the check says, or else the spec."""
    for item in check.items if check else ():
        if isinstance(item, ast.CheckFinal):
            return bodies.body(Mode.PROPERTY).bool(item.cond)
    if bodies.world.symbols.final is None:
        return None
    return bodies.body(Mode.PROPERTY).bool(bodies.world.symbols.final.cond)


def bound_of(bodies: Bodies, check: ast.CheckDecl | None) -> ir.Expr | None:
    """What the check explores no further; several bounds hold together."""
    bounds = [i.cond for i in (check.items if check else ()) if isinstance(i, ast.Bound)]
    if not bounds:
        return None
    parts = tuple(bodies.body(Mode.BOUND).bool(b) for b in bounds)
    return parts[0] if len(parts) == 1 else ir.Logic("and", parts, bounds[0].span)


def expectations_of(
    bodies: Bodies, check: ast.CheckDecl | None, *, judged: bool
) -> tuple[dict[str, Expectation], Counts | None]:
    """What the author expects: verdicts by property, the built-in ones included, and counts."""
    expectations: dict[str, Expectation] = {}
    counts: Counts | None = None
    known = [*bodies.world.symbols.properties, *BUILTIN_PROPERTIES]
    for item in check.items if check else ():
        if isinstance(item, ast.ExpectCounts):
            counts = Counts(item.states, item.transitions, item.depth, judged=judged)
        elif isinstance(item, ast.Expect):
            for name in item.names:
                if name.text not in known:
                    unknown(bodies.reporter, name, "property", known)
                elif name.text in expectations:
                    bodies.reporter.error("PSM506", f"`{name}` is expected twice", name.span)
                expectations[name.text] = Expectation(item.verdict, name.span)
    for builtin in BUILTIN_PROPERTIES:
        expectations.setdefault(builtin, Expectation("holds", bodies.world.symbols.spec.name.span))
    return expectations, counts


def _antecedents(e: ir.Expr, reporter: Reporter) -> list[tuple[str, ir.Expr]]:
    """For each implication under universal quantifiers: its text, and the closed question whether it was ever true."""
    match e:
        case ir.Quant("forall", local, domain, body):
            return [(t, ir.Quant("exists", local, domain, b, BOOL)) for t, b in _antecedents(body, reporter)]
        case ir.Logic("and", items):
            return [a for i in items for a in _antecedents(i, reporter)]
        case ir.Logic("implies", (left, right), span):
            text = reporter.source.quoted(span).split("=>")[0].rstrip()
            inner = [(t, ir.Logic("and", (left, b), span)) for t, b in _antecedents(right, reporter)]
            return [(text, left), *inner]
    return []
