"""Drawings as DOT, the language of Graphviz: the state graph, its quotient by a view, and the roles of a protocol.

Everything here is a pure function from data to text; `render` alone draws, in process, with the Graphviz that the wheel of
`pygraphviz` carries. The drawings of the command line and of the site are the same.

Node ids are stable: `s7` is the state that the search numbers 7, `q2` the third value of a view in the order of the
search. Names and values come from specs, which come from strangers, so every label is escaped, and none is read as HTML.
Nodes and edges have classes (`initial`, `violating`, `fault`), which SVG keeps for style sheets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from checker.base.data import dataclass
from checker.base.diagnostics import error
from checker.engine.graph import StateGraph
from checker.engine.labels import StateView
from checker.engine.runtime import State
from checker.model.machine import Machine
from checker.model.types import ProcT
from checker.render.plain import clean, plural, shortened
from checker.render.values import Names

if TYPE_CHECKING:
    import graphviz

LONGEST = 36
"""The most characters of one value in a label."""

MERGED = 4
"""The most names of steps that stand at one arrow."""

FORMATS = ("dot", "svg", "png")

_ALL = "all"  # a keyword, so that no role has this name

_FONT = "Helvetica,Arial,sans-serif"
_VIOLATION = "#b3261e"
_FAULT = "#8a6d00"
_QUIET = "#6b7280"


@dataclass(frozen=True, slots=True)
class Arrow:
    """Steps between two nodes that are drawn as one arrow."""

    source: str
    target: str
    names: tuple[str, ...]
    fault: bool


def state_graph_dot(
    graph: StateGraph,
    *,
    violations: Mapping[int, tuple[str, ...]] | None = None,
    loops: bool = False,
    changed: bool = False,
) -> str:
    """Every state and step of a small check.

    Args:
        graph: what to draw.
        violations: for each violating state, the properties that it violates (see `marks.violating_states`).
        loops: draw steps that change nothing, too.
        changed: a state names only what is not as in the first one.
    """
    marked = violations or {}
    drawing = _digraph(f"{graph.machine.spec}.{graph.machine.check}")
    texts = _differing(graph, changed=changed)
    for number in range(len(graph.states)):
        lines = [f"{number}", *texts[number], *(f"violates {name}" for name in marked.get(number, ()))]
        tooltip = _whole_state(graph.labels, graph.states[number])
        _node(drawing, f"s{number}", lines, number in graph.initial, number in marked, tooltip)
    _starts(drawing, [f"s{number}" for number in graph.initial])
    steps = ((f"s{e.source}", f"s{e.target}", e.label, e.fault) for e in graph.edges if loops or e.source != e.target)
    _arrows(drawing, merge_arrows(steps))
    return str(drawing.source)


def quotient_dot(
    graph: StateGraph,
    view: Callable[[State], str],
    *,
    title: str = "",
    violations: Mapping[int, tuple[str, ...]] | None = None,
) -> str:
    """One node for each value of a view, with how many states have it; one arrow for each pair of values and handler.

    Args:
        graph: what to draw.
        view: the value of a state, as text.
        title: the expression that gives the value.
        violations: as for `state_graph_dot`; a value is marked if one of its states is.
    """
    values, of_state = group_states(graph, view)
    counts = [0] * len(values)
    marks: list[dict[str, None]] = [{} for _ in values]
    initial: dict[int, None] = {}
    for number, group in enumerate(of_state):
        counts[group] += 1
        marks[group].update(dict.fromkeys((violations or {}).get(number, ())))
        if number in graph.initial:
            initial[group] = None
    drawing = _digraph(f"{graph.machine.spec}.{graph.machine.check}", title)
    for group, value in enumerate(values):
        lines = [*_wrapped(value), plural(counts[group], "state"), *(f"violates {name}" for name in marks[group])]
        _node(drawing, f"q{group}", lines, group in initial, bool(marks[group]), value)
    _starts(drawing, [f"q{group}" for group in initial])
    pairs = ((of_state[e.source], of_state[e.target], e.unit, e.fault) for e in graph.edges)
    _arrows(drawing, merge_arrows((f"q{a}", f"q{b}", unit, fault) for a, b, unit, fault in pairs if a != b))
    return str(drawing.source)


def group_states(graph: StateGraph, view: Callable[[State], str]) -> tuple[list[str], list[int]]:
    """The values of a view in the order in which the search meets them, and the position of each state's value."""
    positions: dict[str, int] = {}
    of_state = [positions.setdefault(view(state), len(positions)) for state in graph.states]
    return list(positions), of_state


def role_diagram_dot(machine: Machine) -> str:
    """Roles as nodes, and an arrow from sender to receiver for the messages that pass between them.

    A message that no handler takes is for all to look up: its arrow leads to `all`.
    """
    drawing = _digraph(machine.spec)
    drawing.attr(rankdir="LR")
    for role in machine.roles.values():
        count = "" if role.single else plural(role.size, "instance")
        label = _text([role.name, *([count] if count else [])], "\\n")
        drawing.node(f"role_{role.name}", label=label, peripheries="1" if role.single else "2", **{"class": "role"})
    sent: dict[tuple[str, str], list[str]] = {}
    for message in machine.messages.values():
        fields = f"({', '.join(name for name, _ in message.fields)})" if message.fields else ""
        for sender in _roles(message.senders):
            for receiver in _roles(message.receivers) or [_ALL]:
                sent.setdefault((sender, receiver), []).append(message.name + fields)
    if any(receiver == _ALL for _, receiver in sent):
        drawing.node(f"role_{_ALL}", label=_ALL, shape="plaintext")
    for (sender, receiver), names in sent.items():
        more = {"class": "message", **({"style": "dashed"} if receiver == _ALL else {})}
        drawing.edge(f"role_{sender}", f"role_{receiver}", label=_text(names, "\\n"), **more)
    return str(drawing.source)


def render(dot: str, format: str) -> bytes:
    """A drawing as `dot`, `svg` or `png`.

    Raises:
        SpecError: PSM902 where `pygraphviz` is missing, PSM901 for another format.
    """
    if format == "dot":
        return dot.encode()
    if format not in FORMATS:
        raise error("PSM901", f"there is no format `{format}`", help=f"choose one of {', '.join(FORMATS)}")
    try:
        import pygraphviz
    except ImportError:
        raise error(
            "PSM902",
            f"drawing {format.upper()} needs `pygraphviz`, which is not installed",
            help="run `pip install pygraphviz`, or use `--format dot` and draw it with Graphviz",
        ) from None
    graph = pygraphviz.AGraph(dot)
    if format == "png":
        graph.graph_attr["bgcolor"] = "white"  # a viewer with a dark background would swallow the text
    with _hushed():
        drawn = graph.draw(prog="dot", format=format)
    return drawn if isinstance(drawn, bytes) else str(drawn).encode()


@contextmanager
def _hushed() -> Iterator[None]:
    """Keeps what the C libraries below say to the terminal from it: they complain about fonts that nobody asked for."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no such stream
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


# ---- parts


def _digraph(name: str, title: str = "") -> graphviz.Digraph:
    import graphviz

    drawing = graphviz.Digraph(name=name)
    drawing.attr("graph", bgcolor="transparent", fontname=_FONT, fontsize="11", nodesep="0.3", ranksep="0.45")
    drawing.attr("node", shape="box", style="rounded", fontname=_FONT, fontsize="10", margin="0.12,0.06", color=_QUIET)
    drawing.attr("edge", fontname=_FONT, fontsize="9", color=_QUIET, arrowsize="0.7")
    if title:
        drawing.attr(label=_text([title], "\\n"), labelloc="t")
    return drawing


def _node(drawing: graphviz.Digraph, name: str, lines: list[str], initial: bool, violating: bool, tooltip: str) -> None:
    classes = ["state", *(["initial"] if initial else []), *(["violating"] if violating else [])]
    more: dict[str, Any] = {"class": " ".join(classes), "tooltip": _text([tooltip], "")}
    if initial:
        more["penwidth"] = "2"
    if violating:
        more |= {"color": _VIOLATION, "fontcolor": _VIOLATION, "peripheries": "2"}
    drawing.node(name, label=_text(lines, "\\n"), **more)


def _starts(drawing: graphviz.Digraph, names: Iterable[str]) -> None:
    """An arrow from nowhere to each initial node."""
    for name in names:
        drawing.node(f"start_{name}", label="", shape="point", width="0.08", **{"class": "start"})
        drawing.edge(f"start_{name}", name, **{"class": "start"})


def merge_arrows(steps: Iterable[tuple[str, str, str, bool]]) -> list[Arrow]:
    """Steps as arrows: those between the same two nodes are one, faults apart from the rest; equal names stand once."""
    merged: dict[tuple[str, str, bool], dict[str, None]] = {}
    for source, target, name, fault in steps:
        merged.setdefault((source, target, fault), {})[name] = None
    return [Arrow(a, b, tuple(names), fault) for (a, b, fault), names in merged.items()]


def _arrows(drawing: graphviz.Digraph, arrows: Iterable[Arrow]) -> None:
    for arrow in arrows:
        names = [*arrow.names[:MERGED]]
        if len(arrow.names) > MERGED:
            names.append(f"… and {len(arrow.names) - MERGED} more")
        more = {"class": "fault" if arrow.fault else "step", "tooltip": _text(arrow.names, "\\n")}
        if arrow.fault:
            more |= {"style": "dashed", "color": _FAULT, "fontcolor": _FAULT}
        drawing.edge(arrow.source, arrow.target, label=_text([f" {name} " for name in names], "\\n"), **more)


def _text(lines: Iterable[str], line_end: str) -> str:
    """A label that says exactly these lines."""
    import graphviz

    return str(graphviz.nohtml(line_end.join(graphviz.escape(clean(line)) for line in lines)))


def _wrapped(text: str) -> list[str]:
    """A long value on several lines, broken behind commas."""
    return [shortened(line, 2 * LONGEST) for line in _lines(text.split(", "), ", ")]


def _lines(parts: Iterable[str], between: str) -> list[str]:
    """Parts on as few lines as they fit on."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) <= LONGEST:
            lines[-1] += between + part
        else:
            lines[-1:] = [lines[-1] + between.rstrip(), part] if lines else [part]
    return lines


def _differing(graph: StateGraph, *, changed: bool = False) -> list[list[str]]:
    """For each state its variables that are not the same everywhere, lines for each process; then its network.

    `changed`: of these only those that are not as in the first state.
    """
    names = Names(graph.machine)
    texts = [_variable_texts(graph.labels, names, state) for state in graph.states]
    networks = [len(graph.labels.network(state)) for state in graph.states]
    owners: dict[str, list[str]] = {}
    telling: set[str] = set()
    for name in texts[0] if texts else ():
        values = {text[name] for text in texts}
        if len(values) > 1:
            owners.setdefault(name.rpartition(".")[0], []).append(name)
        if all(value.isidentifier() for value in values) and not values & {"true", "false"}:
            telling.add(name)  # a word says by itself what it is the value of, a number does not
    result = []
    for text, messages in zip(texts, networks, strict=True):
        lines = []
        for owner, variables in owners.items():
            shown = [n for n in variables if not changed or text is texts[0] or text[n] != texts[0][n]]
            parts = [f"{n.rpartition('.')[2]}={shortened(text[n], LONGEST)}" for n in shown]
            if owner and variables == shown[:1] and variables[0] in telling:
                parts = [text[variables[0]]]
            if parts and owner:
                parts[0] = f"{owner}: {parts[0]}"
            lines += _lines(parts, " ")
        if len(set(networks)) > 1:
            lines.append(plural(messages, "message"))
        result.append(lines)
    return result


def _variable_texts(view: StateView, names: Names, state: State) -> dict[str, str]:
    return {name: names.show(name, value) for name, value in view.variables(state).items()}


def _whole_state(view: StateView, state: State) -> str:
    texts = _variable_texts(view, Names(view.machine), state)
    return "; ".join([*(f"{name} = {value}" for name, value in texts.items()), *view.network(state)])


def _roles(t: ProcT) -> list[str]:
    return [role.name for role in t.roles]
