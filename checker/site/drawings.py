"""Which graphs of a spec are drawn: the largest one that can still be read.

A graph of hundreds of states is a hairball, and most checks have thousands. Tried for each spec are:

- its roles and messages;
- the whole state graph of a small instance: of each check, with its constants as they are and made smaller, one that has at
  most sixty states, in an order that puts few faults and few changes first and prefers more states. Where there is none, one
  of at most three hundred, which a reader moves and enlarges. Every instance that is drawn can be made again on the
  command line;
- a check merged by what its processes are about: the value of every variable over a small finite set of names, with
  processes of a symmetric role counted instead of named;
- where neither came out, the surroundings of the first state of the first check, as many steps as can be read.

The work is bounded by numbers of states, never by time, so that the same spec gives the same drawings everywhere. Whatever is
drawn or not, the page shows how many states each depth has, unless there are two of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product

from checker.api import LoadedSpec
from checker.base.data import dataclass
from checker.base.diagnostics import SpecError
from checker.engine.graph import StateGraph, state_graph
from checker.engine.interface import Limits
from checker.engine.runtime import State
from checker.lang import ast
from checker.model.ir import Var
from checker.model.machine import Machine
from checker.model.types import BoolT, EnumT, IntT, OptT, Type
from checker.model.values import instance_name, show_value
from checker.render.dot import group_states, quotient_dot, render, role_diagram_dot, state_graph_dot
from checker.render.marks import violating_states
from checker.render.plain import plural
from checker.site.facts import Drawing, Figures
from checker.site.svg import inline_svg

MOST_NODES = 60
MOST_ARROWS = 150
FEWEST_NODES = 4
MOST_MOVED = 300
"""The most states of a drawing that a reader moves and enlarges."""
MOST_MERGED = 3_000
"""The most states of a check that is explored to be merged."""
MOST_EXPLORED = 9_000
"""The most states that are explored for that in all."""
MOST_NEAR = 40
"""The most states of a neighbourhood."""
_TRIES = 80


@dataclass(frozen=True, slots=True)
class Instance:
    """A check with constants set from outside."""

    check: str
    constants: Mapping[str, int]


def draw(spec: LoadedSpec) -> Figures:
    """All drawings of a spec; None for those that are impossible or could not be read."""
    try:
        machine = spec.machine()
    except SpecError:
        return Figures()
    graph, quotient = _whole(spec, instances(spec), MOST_NODES, MOST_ARROWS), _merged(spec)
    if graph is None and quotient is None:
        graph = _whole(spec, instances(spec), MOST_MOVED, 3 * MOST_MOVED)
    if graph is None and quotient is None:  # of a check that is as small as that, it is all there is
        graph = _whole(spec, (Instance(check, {}) for check in spec.checks), FEWEST_NODES, MOST_ARROWS, 1)
    return Figures(
        roles=inline_svg(render(role_diagram_dot(machine), "svg"), "Roles and the messages between them", "roles"),
        graph=graph,
        quotient=quotient,
        near=_near(spec) if graph is None and quotient is None else None,
    )


def _svg(dot: str, title: str, name: str) -> str:
    """A graph from left to right: where it is wider than the page, a reader begins with the initial state."""
    return inline_svg(render(dot.replace("{\n", "{\n\trankdir=LR\n", 1), "svg"), title, name)


# ---- the whole graph of a small instance


def _whole(
    spec: LoadedSpec, candidates: Iterable[Instance], nodes: int, arrows: int, fewest: int = FEWEST_NODES
) -> Drawing | None:
    best: tuple[tuple[int, ...], Instance, StateGraph] | None = None
    for _, instance in zip(range(_TRIES), candidates, strict=False):
        try:
            machine = spec.machine(instance.check, constants=instance.constants)
        except SpecError:
            continue  # a value that a derived constant or a type does not allow
        graph = small_graph(machine, nodes, arrows, fewest)
        if graph is None:
            continue
        rank = (
            len({e.unit for e in graph.edges if not e.fault}),
            -sum(b.count for b in machine.budgets),
            -len(instance.constants),
            len(graph.states),
        )
        if best is None or rank > best[0]:
            best = rank, instance, graph
    if best is None:
        return None
    _, instance, graph = best
    dot = state_graph_dot(graph, violations=violating_states(graph))
    constants = {name: str(value) for name, value in instance.constants.items()}
    states = len(graph.states)
    return Drawing(
        _svg(dot, f"State graph with {states} states", "graph"),
        instance.check,
        constants,
        states,
        len(graph.edges),
        states,
    )


def small_graph(
    machine: Machine, nodes: int = MOST_NODES, arrows: int = MOST_ARROWS, fewest: int = FEWEST_NODES
) -> StateGraph | None:
    """The graph of a machine if it is complete, is not too small to show anything, and has at most so many nodes and arrows."""
    graph = state_graph(machine, Limits(max_states=nodes + 1))
    drawn = {(e.source, e.target) for e in graph.edges if e.source != e.target}
    readable = fewest <= len(graph.states) <= nodes and len(drawn) <= arrows
    return graph if graph.complete and readable else None


def instances(spec: LoadedSpec) -> Iterator[Instance]:
    """The checks of a spec, as they are and then with smaller constants, larger values first.

    Constants that are computed from others are left to follow them.
    """
    plain = {d.name.text for d in spec.tree.decls if isinstance(d, ast.ConstDecl) and isinstance(d.value, ast.Int)}
    for check in spec.checks:
        try:
            machine = spec.machine(check)
        except SpecError:
            continue
        choices = [
            [(name, None), *((name, v) for v in range(value - 1, 0, -1))]
            for name, (t, value) in machine.constants.items()
            if name in plain and isinstance(t, IntT)
        ]
        for chosen in product(*choices):
            yield Instance(check, {name: value for name, value in chosen if value is not None})


# ---- a check, merged


def _merged(spec: LoadedSpec) -> Drawing | None:
    """The first check that gives a readable quotient."""
    left = MOST_EXPLORED
    for check in spec.checks:
        try:
            machine = spec.machine(check)
        except SpecError:
            continue
        view, words = control_view(machine)
        if not words:
            continue
        if left <= 0:
            break
        graph = state_graph(machine, Limits(max_states=min(MOST_MERGED, left)))
        left -= len(graph.states)
        if not graph.complete:
            continue
        values, of_state = group_states(graph, view)
        arrows = {(of_state[e.source], of_state[e.target]) for e in graph.edges}
        arrows = {(a, b) for a, b in arrows if a != b}
        if not FEWEST_NODES <= len(values) <= MOST_NODES or len(arrows) > MOST_ARROWS:
            continue
        dot = quotient_dot(graph, view, violations=violating_states(graph))
        title = f"State graph of {check} with {len(graph.states)} states, merged to {len(values)}"
        return Drawing(_svg(dot, title, "quotient"), check, {}, len(graph.states), len(graph.edges), len(values), words)
    return None


# ---- the surroundings of the first state


def _near(spec: LoadedSpec) -> Drawing | None:
    """As many steps from the first state of the first check as can be read."""
    for check in spec.checks:
        try:
            machine = spec.machine(check)
        except SpecError:
            continue
        graph = state_graph(machine, Limits(max_states=10 * MOST_NEAR))
        deepest = max(graph.depths)
        steps = next((d for d in range(deepest, 0, -1) if _readable(graph, d)), 0)
        if not steps:
            continue
        near = _within(graph, steps)
        dot = state_graph_dot(near, violations=violating_states(near), changed=True)
        title = f"The states of {check} within {plural(steps, 'step')}"
        count = len(near.states)
        return Drawing(_svg(dot, title, "near"), check, {}, count, len(near.edges), count, steps=steps)
    return None


def _within(graph: StateGraph, steps: int) -> StateGraph:
    """The part of a graph at most so many steps from the initial states. States are numbered in order of depth."""
    count = sum(depth <= steps for depth in graph.depths)
    edges = tuple(e for e in graph.edges if e.source < count and e.target < count)
    return replace(graph, states=graph.states[:count], depths=graph.depths[:count], edges=edges, complete=False)


def _readable(graph: StateGraph, steps: int) -> bool:
    near = _within(graph, steps)
    arrows = {(e.source, e.target) for e in near.edges if e.source != e.target}
    return len(near.states) <= MOST_NEAR and len(arrows) <= MOST_ARROWS


def control_view(machine: Machine) -> tuple[Callable[[State], str], str]:
    """What the processes are about in a state, as text, and the names of the variables that say it."""
    variables = [v for v in machine.variables if _is_control(v.type) and v.keep != "ghost"]
    owners: dict[str | None, list[Var]] = {}
    for var in variables:
        owners.setdefault(var.role, []).append(var)

    def value(state: State, mine: list[Var], offset: int) -> str:
        return " ".join(show_value(v.type, state[v.slot + offset]) for v in mine)

    def view(state: State) -> str:
        parts: list[str] = []
        for owner, mine in owners.items():
            if owner is None:
                parts += [f"{v.name}: {show_value(v.type, state[v.slot])}" for v in mine]
                continue
            role = machine.roles[owner]
            values = [value(state, mine, i) for i in range(role.size)]
            if role.single or not role.symmetric:
                parts += [f"{instance_name(role, p)}: {values[p - role.base]}" for p in role.processes]
            else:
                parts += [f"{n} {owner}: {text}" for text, n in sorted(Counter(values).items())]
        return ", ".join(parts)

    return view, ", ".join(v.name if v.role is None else f"{v.role}.{v.name}" for v in variables)


def _is_control(t: Type) -> bool:
    """Whether values of a type are names: enums, Booleans, and these or nothing."""
    match t:
        case EnumT() | BoolT():
            return True
        case OptT(inner):
            return _is_control(inner)
    return False
