"""`linearizable`: the operations of an object, and the ghost that records them.

`linearizable Register` says that what the processes of a spec `invoke` and `respond` looks as if each operation took effect at
one moment between the two, in an order in which the abstract spec `Register` could have taken them as steps (Herlihy and Wing,
"Linearizability: a correctness condition for concurrent objects", 1990). The operations are the actions of the abstract
spec: its parameters are first the arguments, then the results, and its guard says which results fit.

A history of any length is recorded in one number, since all that matters of the past is which operations are pending, and which
states of the object some order explains; `engine.histories` numbers these. So an event is an assignment to a ghost: the value of
a function of the ghost, the process, and the values that the event carries. The functions are made here without a body that
means anything, and the property asks whether the number is that of a history that no order explains.

The number of a history does not follow where symmetric identifiers are exchanged. So no symmetric type may occur in operations,
and no symmetric role may perform them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checker.lang import ast
from checker.model import ir
from checker.model.bodies import Bodies
from checker.model.context import Bad
from checker.model.machine import (
    BEGINNING,
    EVENTS,
    MAX_HISTORIES,
    REFUTED,
    Function,
    History,
    Machine,
    Operation,
    Property,
    Step,
)
from checker.model.refinement import Counterparts
from checker.model.types import IntT, ProcT, RoleInfo, has_where, is_symmetric, show
from checker.model.walk import nested
from checker.model.world import World

NUMBER = IntT(0, MAX_HISTORIES - 1)
"""The type of the ghost."""


def linearizability_of(world: World, decl: ast.LinearDecl) -> Property:
    """The property, over the ghost that was made by `history_of`."""
    name = decl.name.text
    history = world.histories.get(name)
    if history is None:
        why = f"{name} is not looked for, since this spec was not read from a file"
        return Property(name, "linearizable", None, (), decl.name.span, decl.doc, unjudged=why)
    explained = ir.Compare("!=", ir.GetVar(history.var, None), ir.Const(REFUTED, IntT(REFUTED, REFUTED)))
    return Property(name, "linearizable", explained, (), decl.name.span, decl.doc)


def history_of(bodies: Bodies, decl: ast.LinearDecl, machine: Machine, slot: int) -> History:
    """The object of a `linearizable`, its ghost at a slot, and the functions of its events.

    Reports PSM412 to PSM414, and PSM206 for events that do not agree on what an operation is given.
    """
    world, name, span = bodies.world, decl.name.text, decl.name.span
    same = Counterparts(world, name, symmetric=False)
    given = _given(world, decl, machine)
    roles = tuple(role for role in world.roles.values() if any(True for _ in _events(world, role.name, given)))
    if not roles:
        raise same.refuse(
            f"nothing invokes an operation of {name}",
            span,
            "say in handlers where operations begin and end: `invoke Read`",
        )
    for role in roles:
        if role.symmetric:
            raise _symmetric(bodies, role.name, decl)
    operations = {}
    for step in machine.steps:
        if step.kind == "action":
            operations[step.name] = _operation(bodies, decl, step, same, given[step.name], roles)
        elif step.kind != "fault":
            bodies.reporter.error(
                "PSM413", f"{name} has a step that is no action, `{step.label}`", span,
                help="an object does nothing by itself: its actions are its operations",
            )  # fmt: skip
            raise Bad
    for other in world.histories.values():
        for shared in operations.keys() & other.operations.keys():
            bodies.reporter.error("PSM202", f"both {other.name} and {name} have an operation {shared}", span)
            raise Bad
    var = ir.Var(f"history of {name}", NUMBER, None, "ghost", slot, span)
    history = History(name, machine, var, ProcT(roles), operations, dict(same.shift))
    for operation in operations.values():
        for kind in EVENTS:
            key = history.function(kind, operation.name)
            locals_ = [world.local("who", history.processes), *(world.local(n, t) for n, t in operation.values(kind))]
            world.functions[key] = Function(key, None, tuple(locals_), NUMBER, ir.Const(BEGINNING, NUMBER))
    return history


def _given(world: World, decl: ast.LinearDecl, machine: Machine) -> Mapping[str, int]:
    """How many parameters of each action are arguments, as its events say. One that never begins takes all of them."""
    reporter = world.reporter
    actions = {step.name: len(step.params) for step in machine.steps if step.kind == "action"}
    given: dict[str, int] = {}
    for kind in EVENTS:
        for role in world.roles:
            for event in _events(world, role, actions):
                if event.kind != kind:
                    continue
                name, count = event.op.name.text, len(event.op.args)
                wanted = given.get(name, -1)
                if kind == "invoke":
                    wanted = given.setdefault(name, min(count, actions[name]))
                elif wanted < 0:
                    reporter.error("PSM206", f"{name} responds and is never invoked", event.span)
                    raise Bad
                else:
                    wanted = actions[name] - wanted
                if count != wanted:
                    params = ", ".join(p.name for s in machine.steps if s.name == name for p in s.params)
                    reporter.error(
                        "PSM206",
                        f"{kind} {name} has {count} values here, and {wanted} are left for it",
                        event.span,
                        help=f"{decl.name} has {name}({params}): what is not given when it begins is its result",
                    )
                    raise Bad
    return {name: given.get(name, count) for name, count in actions.items()}


def _events(world: World, role: str, operations: Mapping[str, int]) -> Iterator[ast.Event]:
    """The events of some operations in the code of a role."""
    members = world.symbols.roles[role]
    blocks = [s.body for s in members.steps if not isinstance(s, ast.Ignore)]
    blocks += [p.body for p in members.procedures.values()]
    for block in blocks:
        for s in nested(block.stmts):
            if isinstance(s, ast.Event) and s.op.name.text in operations:
                yield s


def _operation(
    bodies: Bodies, decl: ast.LinearDecl, step: Step, same: Counterparts, given: int, roles: tuple[RoleInfo, ...]
) -> Operation:
    """An action of the object in the types of this machine."""
    params = []
    for param in step.params:
        t = same.type(param.type, decl.name.span)
        if is_symmetric(t):
            raise _symmetric(bodies, show(t), decl)
        if has_where(t):
            raise same.refuse(f"{step.name} of {decl.name} takes a record with a `where`", decl.name.span)
        params.append((param.name, t))
    performer = None
    if step.role.name in bodies.world.roles:
        here = same.role(step.role, decl.name.span)
        others = [role.name for role in roles if role != here]
        if others:
            raise same.refuse(f"{others[0]} performs operations of {here.name}", decl.name.span)
        performer = step.role.name
    elif step.role.size > 1:
        raise same.refuse(
            f"{decl.name} has {step.role.size} of {step.role.name}, and there is no such role here",
            decl.name.span,
            "give it one instance, or the name of the role that performs its operations",
        )
    return Operation(step.name, tuple(params), given, performer)


def _symmetric(bodies: Bodies, name: str, decl: ast.LinearDecl) -> Bad:
    bodies.reporter.error(
        "PSM414",
        f"{name} is symmetric, and takes part in operations of {decl.name}",
        decl.name.span,
        help="drop `symmetric`: what is recorded of operations tells identifiers apart",
    )
    return Bad()
