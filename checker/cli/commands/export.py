"""`lockstep export`: a path through a spec in the format of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from checker.cli.arguments import PATH, bindings, count, one_spec, seed
from checker.cli.exits import Exit

if TYPE_CHECKING:
    from checker.base.diagnostics import Diagnostic
    from checker.engine.interface import Path
    from checker.engine.labels import StateView
    from checker.model.machine import Machine
    from checker.properties.kinds import PropertyResult

LENGTH = 20

ENDINGS = {".itf.json": "itf", ".json": "itf", ".mmd": "mermaid", ".svg": "svg", ".log": "shiviz", ".dot": "dot"}
"""What a file's name says about its format."""


@click.command("export")
@one_spec
@click.option("to", "--to", type=click.Choice(["itf", "mermaid", "svg", "shiviz", "dot", "tla"]), default=None,
              help="The format; by default what FILE ends in.")  # fmt: skip
@click.option(
    "--property", "name", metavar="NAME", help="The shortest way to a violation of it, or to where it is reached."
)
@click.option("steps", "--step", multiple=True, metavar="NAME", help="The way that these steps make, in their order.")
@click.option("seed_", "--seed", type=seed, default=None, metavar="N", help="A random walk.")
@click.option(
    "--length", type=count, default=None, metavar="N", help=f"With `--seed`: how many steps; {LENGTH} by default."
)
@click.option("--max-states", type=count, metavar="N", help="With `--property`: give up after so many states.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    help="Where to write; standard output by default. With `--to tla`, a directory.",
)
def command(
    path: str,
    check: str | None,
    constants: tuple[tuple[str, int | bool | str], ...],
    to: str | None,
    name: str | None,
    steps: tuple[str, ...],
    seed_: int | None,
    length: int | None,
    max_states: int | None,
    output: str | None,
) -> int:
    """Write a path through a check in the format of another tool, or the check itself for TLC.

    The path leads to a property (a counterexample, or a witness of a `reach`), is made of the steps that are named, or is a
    random walk. Formats: ITF JSON (Apalache, Quint), Mermaid and SVG sequence diagrams, a log for ShiViz, and DOT.

    \b
      lockstep export spec.psm --property Atomic --to itf -o atomic.itf.json
      lockstep export spec.psm --check lossy --property Safe -o safe.svg

    `--to tla` writes the whole check as a TLA+ module with its configuration, in which TLC counts the same states:

    \b
      lockstep export spec.psm --check lossy --to tla -o tla/

    With `--property` the exit code is 1 if there is no such path, and 3 if none was found within the limit.
    """  # noqa: D301 - a backspace tells click to keep the lines
    import sys
    from pathlib import Path

    from checker.cli.output import write_atomically
    from checker.cli.specs import machine_of

    if to == "tla":
        if name is not None or steps or seed_ is not None or length is not None or max_states is not None:
            raise click.UsageError("`--to tla` writes the whole check, and takes no path")
        return _module(machine_of(path, check, bindings(constants))[1], output)
    if sum((name is not None, bool(steps), seed_ is not None)) != 1:
        raise click.UsageError("say which path: one of `--property NAME`, `--step NAME …` and `--seed N`")
    if length is not None and seed_ is None:
        raise click.UsageError("`--length` belongs to `--seed`")
    if max_states is not None and name is None:
        raise click.UsageError("`--max-states` belongs to `--property`")
    kind = to or _from_name(output)
    _, machine = machine_of(path, check, bindings(constants))
    found = _path(machine, name, steps, seed_, length or LENGTH, max_states)
    if isinstance(found, Exit):
        return found
    data = _written(kind, *found, machine).encode()
    if output is not None:
        write_atomically(Path(output), data)
        return Exit.MET
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return Exit.MET


def _module(machine: Machine, folder: str | None) -> int:
    """Writes a check as a TLA+ module and its configuration; without a directory, the module alone to standard output."""
    import sys
    from pathlib import Path

    from checker.base.source import display_name
    from checker.cli.output import make_folder, write_atomically
    from checker.render.tla import export_tla

    module = export_tla(machine)
    if folder is None:
        sys.stdout.write(module.text)
        return Exit.MET
    make_folder(Path(folder))
    for ending, text in (("tla", module.text), ("cfg", module.config)):
        file = Path(folder, f"{module.name}.{ending}")
        write_atomically(file, text.encode())
        sys.stdout.write(f"wrote {display_name(file)}\n")
    return Exit.MET


def _from_name(output: str | None) -> str:
    for ending, kind in ENDINGS.items():
        if output is not None and output.lower().endswith(ending):
            return kind
    given = "" if output is None else f", and `{output}` ends in none of {', '.join(ENDINGS)}"
    raise click.UsageError(f"say which format with `--to`{given}")


def _path(
    machine: Machine, name: str | None, steps: tuple[str, ...], seed_: int | None, length: int, max_states: int | None
) -> tuple[Path, StateView, Diagnostic | None, PropertyResult | None] | Exit:
    """The path, with the states of its machine, what goes wrong at its end, and the property that it is about."""
    from checker.cli.paths import explored, named_walk
    from checker.engine.labels import StateView
    from checker.engine.walk import random_walk
    from checker.model.layout import Layout

    if steps:
        walk = named_walk(machine, steps)
        return walk.path(), walk.view, None if walk.failed is None else walk.failed.error, None
    if name is None:
        walk, _ = random_walk(machine, seed_ or 0, length)
        return walk.path(), walk.view, None if walk.failed is None else walk.failed.error, None
    found, result = explored(machine, name, max_states)
    for findings in (found.violations, found.broken, found.reached):
        if name in findings:
            finding = findings[name]
            return finding.path, StateView(Layout(machine)), finding.error, result.property(name)
    return _no_path(result.property(name).verdict.value, name, result.reason)


def _no_path(verdict: str, name: str, reason: str | None) -> Exit:
    from checker.cli.output import print_note

    if verdict == "incomplete":
        print_note(f"no path to {name} was found{f': {reason}' if reason else ''}")
        return Exit.INCOMPLETE
    print_note(f"there is no path to export: {name} {'holds' if verdict == 'holds' else 'is not reached'}")
    return Exit.UNMET


def _written(
    kind: str, path: Path, view: StateView, diagnostic: Diagnostic | None, prop: PropertyResult | None, machine: Machine
) -> str:
    import json

    from checker.engine.graph import path_graph
    from checker.engine.labels import Labels
    from checker.engine.program import Program
    from checker.engine.steps import Steps
    from checker.properties.safety import trace
    from checker.render.dot import state_graph_dot
    from checker.render.events import cast, read_events
    from checker.render.exchange.itf import document
    from checker.render.exchange.mermaid import mermaid
    from checker.render.exchange.shiviz import shiviz
    from checker.render.sequence import sequence_svg
    from checker.render.text import shows
    from checker.render.values import Names, all_changes, as_trace

    if kind == "itf":
        meta = {"description": "written by lockstep", **({"property": prop.name} if prop else {})}
        return json.dumps(document(path, view, meta=meta), indent=1, ensure_ascii=True) + "\n"
    if kind == "dot":
        return state_graph_dot(path_graph(Labels(Steps(Program(machine))), path))
    people, names = cast(machine), Names(machine)
    told = trace(path, view) if prop is None or prop.trace is None else prop.trace
    reason = None if diagnostic is None else diagnostic.message
    changes = all_changes(told, names)
    if kind == "svg":
        above = told.abstract
        drawn = sequence_svg(
            told,
            people.processes,
            changes=changes,
            above=None if above is None else all_changes(as_trace(above), names.abstract[above.spec]),
            own_faults=people.own_faults,
            timeouts=people.timeouts,
            reason=reason,
            verdict=None if prop is None else shows(prop),
            alone=True,
        )
        return drawn + "\n"
    events = read_events(told, people.processes, changes, people.own_faults, reason, timeouts=people.timeouts)
    if kind == "shiviz":
        return shiviz(events, people.processes)
    title = f"{machine.spec}, check {machine.check}{f': {shows(prop)}' if prop else ''}"
    return mermaid(events, people.processes, title=title)
