"""`lockstep graph`: the state graph of a check, or its quotient by an expression, as a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from checker.cli.arguments import PATH, bindings, count, one_spec
from checker.cli.exits import Exit

if TYPE_CHECKING:
    from checker.api import LoadedSpec
    from checker.engine.graph import StateGraph

READABLE = 60
"""How many nodes are drawn without being asked twice."""

FORCED = 300
"""How many are drawn with `--force`."""

EXPLORED = 5_000
"""How many states are explored without `--view`, to say how many there are."""

VIEWED = 20_000
"""How many states are explored with `--view`, unless `--max-states` says otherwise."""


@click.command("graph")
@one_spec
@click.option("--view", metavar="EXPR", help="Draw one node for each value of this expression over the state.")
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Where to write; standard output by default.")
@click.option("format_", "--format", type=click.Choice(["dot", "svg", "png"]), default=None,
              help="What to write; by default what FILE ends in, or else DOT.")  # fmt: skip
@click.option("--max-states", type=count, metavar="N", help="Explore at most so many states.")
@click.option("--loops", is_flag=True, help="Draw steps that change nothing, too.")
@click.option("--force", is_flag=True, help=f"Draw up to {FORCED} nodes instead of {READABLE}.")
def command(
    path: str,
    check: str | None,
    constants: tuple[tuple[str, int | bool | str], ...],
    view: str | None,
    output: str | None,
    format_: str | None,
    max_states: int | None,
    loops: bool,
    force: bool,
) -> int:
    """Draw the states of a check, and the steps between them.

    Initial states have a bold border, violating ones are red with a double border, faults are dashed. A graph that nobody
    could read is refused: draw a smaller instance (`--set N=1`), or merge the states that look the same to you:

    \b
      lockstep graph spec.psm --view "TM.log"
      lockstep graph spec.psm --view "{r in RM: r.state}" -o spec.svg
    """  # noqa: D301 - a backspace tells click to keep the lines
    import sys
    from pathlib import Path

    from checker.base.diagnostics import error
    from checker.cli.output import write_atomically
    from checker.cli.specs import load_one
    from checker.render.dot import render

    kind = format_ or _from_name(output)
    if kind == "png" and output is None and sys.stdout.isatty():
        raise error("PSM901", "PNG is no text for a terminal", help="write it to a file with `-o FILE`")
    spec = load_one(path)
    values = bindings(constants)
    nodes = FORCED if force else READABLE
    if view is None:
        dot = _states(spec, check, values, max_states, nodes, loops, force)
    else:
        dot = _quotient(spec, check, values, view, max_states, nodes, force)
    data = render(dot, kind)
    if output is not None:
        write_atomically(Path(output), data)
        return Exit.MET
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return Exit.MET


def _from_name(output: str | None) -> str:
    endings = {".svg": "svg", ".png": "png"}
    return next(
        (kind for ending, kind in endings.items() if output is not None and output.lower().endswith(ending)), "dot"
    )


def _states(
    spec: LoadedSpec,
    check: str | None,
    constants: dict[str, int | bool | str],
    max_states: int | None,
    nodes: int,
    loops: bool,
    forced: bool,
) -> str:
    from checker.engine.graph import state_graph
    from checker.engine.interface import Limits, Stop
    from checker.engine.search import Interpreter
    from checker.render.dot import state_graph_dot
    from checker.render.marks import violating_states

    machine = spec.machine(check, constants=constants)
    found = Interpreter().explore(machine, Limits(max_states=max_states or EXPLORED))
    if found.stop is Stop.INTERRUPTED:
        raise KeyboardInterrupt
    if found.states > nodes:
        at_least = "more than " if found.stop is not Stop.DONE and found.states >= EXPLORED else ""
        _refuse(
            f"check {machine.check} has {at_least}{min(found.states, EXPLORED):,} states", nodes, forced, found.states
        )
    graph = state_graph(machine, Limits(max_states=max_states or EXPLORED))
    _tell_incomplete(graph)
    return state_graph_dot(graph, violations=violating_states(graph), loops=loops)


def _quotient(
    spec: LoadedSpec,
    check: str | None,
    constants: dict[str, int | bool | str],
    view: str,
    max_states: int | None,
    nodes: int,
    forced: bool,
) -> str:
    from checker.base.diagnostics import error
    from checker.engine.graph import state_graph
    from checker.engine.interface import Limits
    from checker.engine.runtime import Fail, State, describe
    from checker.model.values import show_value
    from checker.render.dot import group_states, quotient_dot
    from checker.render.marks import violating_states

    machine, expr, source = spec.view(view, check, constants=constants)
    graph = state_graph(machine, Limits(max_states=max_states or VIEWED))
    program = graph.labels.steps.program
    compute = program.expression(expr)

    def text(state: State) -> str:
        try:
            return show_value(expr.type, compute(state))
        except Fail as problem:
            site = program.names.sites[problem.site]
            message = describe(site, problem.value)
            raise error(
                site.code, message, source=source, span=site.span, help="make the view total: test for `none` first"
            ) from None

    values, _ = group_states(graph, text)
    if len(values) > nodes:
        _refuse(f"the view has {len(values):,} values", nodes, forced, len(values))
    _tell_incomplete(graph)
    return quotient_dot(graph, text, title=view, violations=violating_states(graph))


def _refuse(what: str, nodes: int, forced: bool, count: int) -> None:
    from checker.base.diagnostics import error

    ways = ["draw a smaller instance with `--set`", "merge states with `--view EXPR`"]
    if not forced and count <= FORCED:
        ways.append("or draw it all the same with `--force`")
    raise error("PSM903", f"{what}, and a drawing of more than {nodes} cannot be read", help=", ".join(ways))


def _tell_incomplete(graph: StateGraph) -> None:
    from checker.cli.output import print_note

    if not graph.complete:
        print_note(
            f"this is not the whole graph: {len(graph.states):,} states were explored, and some steps lead outside"
        )
