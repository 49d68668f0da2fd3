"""`lockstep import-trace`: a trace from elsewhere, step by step, or where it leaves the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from checker.cli.arguments import PATH, SET_HELP, bindings, complete_check, constant
from checker.cli.exits import Exit

if TYPE_CHECKING:
    from checker.conformance.recorded import Matched, Miss


@click.command("import-trace")
@click.argument("file", type=PATH)
@click.option("--spec", "path", required=True, type=PATH, metavar="PATH", help="The spec that it is a trace of.")
@click.option(
    "check", "--check", metavar="NAME", shell_complete=complete_check, help="Which check; the first one by default."
)
@click.option("constants", "--set", multiple=True, type=constant, metavar="CONST=VALUE", help=SET_HELP)
@click.option("format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
def command(
    file: str, path: str, check: str | None, constants: tuple[tuple[str, int | bool | str], ...], format_: str
) -> int:
    """Follow a trace in the ITF format through a check of a spec.

    Each state is matched with what the steps of the spec make of the one before; variables that the trace leaves out may have
    any value. Shows the steps, or the first state that cannot be reached, and why. The exit code is then 1.
    """
    from checker.cli.commands.trace import Show
    from checker.cli.specs import machine_of
    from checker.conformance.recorded import match
    from checker.properties.safety import trace
    from checker.render.exchange.itf_reader import read_itf

    recorded = read_itf(file)
    spec, machine = machine_of(path, check, bindings(constants))
    found = match(machine, recorded)
    Show(spec, machine, format_ == "json").trace(
        None if found.path is None else trace(found.path, found.labels),
        how="imported",
        end=_told(found),
        diagnostic=found.error,
        matched=found.miss is None,
        states=len(recorded.states),
        unseen=list(found.unseen),
        loop=found.loop,
    )
    return Exit.MET if found.miss is None else Exit.UNMET


def _told(found: Matched) -> str:
    """What came of the trace, in words."""
    if found.miss is not None:
        return _missed(found.miss)
    parts = ["the spec allows this trace"]
    if found.loop is not None:
        parts.append(f"and it goes on for ever from state {found.loop}")
    if found.stutters:
        parts.append(f"in {found.stutters} of its steps nothing happens")
    if found.unseen:
        parts.append(f"not in the trace, and not compared: {', '.join(found.unseen)}")
    return "; ".join(parts)


def _missed(miss: Miss) -> str:
    where = f"state {miss.state} of the trace"
    if miss.variable is None and miss.step is not None:
        return f"{miss.step} does not go wrong at the end of the trace"
    if miss.variable is None:
        return f"{where} cannot be reached: no step is possible there"
    more = (
        f", and {miss.others} more variable{'s' * (miss.others != 1)} differ{'s' * (miss.others == 1)}"
        if miss.others
        else ""
    )
    values = f"{miss.variable} is {miss.spec}, but {miss.trace} in the trace{more}"
    if miss.step is None:
        return f"{where} is no initial state: in the nearest of {miss.possible:,}, {values}"
    steps = f"{miss.possible:,} step{'s' * (miss.possible != 1)}"
    return f"{where} cannot be reached: of {steps} the nearest is {miss.step}, after which {values}"
