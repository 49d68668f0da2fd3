"""`lockstep trace`: one way through a spec, at random, chosen step by step, or the shortest one to a property."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from checker.cli.arguments import bindings, count, one_spec, seed
from checker.cli.exits import Exit

if TYPE_CHECKING:
    from checker.api import LoadedSpec
    from checker.base.diagnostics import Diagnostic
    from checker.model.machine import Machine
    from checker.properties.kinds import PropertyResult, Trace

STEPS = 20


@click.command("trace")
@one_spec
@click.option("seed_", "--seed", type=seed, default=None, metavar="N", help="Another random walk; 0 by default.")
@click.option("--steps", type=count, default=None, metavar="N", help=f"How many steps at most; {STEPS} by default.")
@click.option(
    "--to", "--property", metavar="PROPERTY", help="The shortest way to a violation of it, or to where it is reached."
)
@click.option("--choose", is_flag=True, help="Choose each step from a list; reads standard input.")
@click.option("--max-states", type=count, metavar="N", help="With `--to`: give up after so many states.")
@click.option("format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
def command(
    path: str,
    check: str | None,
    constants: tuple[tuple[str, int | bool | str], ...],
    seed_: int | None,
    steps: int | None,
    to: str | None,
    choose: bool,
    max_states: int | None,
    format_: str,
) -> int:
    """Walk through a check of a spec.

    Without options the walk is random, and the same for the same seed. With `--choose` the enabled steps are listed with
    numbers: enter one, `u` to go back, `q` to stop. With `--to NAME` the exit code is 1 if there is no such way, and 3 if
    none was found within the limit.
    """
    from checker.cli.specs import machine_of

    if choose and (to is not None or seed_ is not None):
        raise click.UsageError("`--choose` excludes `--to` and `--seed`")
    if to is not None and (seed_ is not None or steps is not None):
        raise click.UsageError("`--to` excludes `--seed` and `--steps`")
    if to is None and max_states is not None:
        raise click.UsageError("`--max-states` belongs to `--to`")
    spec, machine = machine_of(path, check, bindings(constants))
    show = Show(spec, machine, format_ == "json")
    if to is not None:
        return _to(machine, to, max_states, show)
    if choose:
        return _choose(machine, steps, show)
    return _random(machine, seed_ or 0, steps or STEPS, show)


class Show:
    """Prints one trace, as text or as a document."""

    def __init__(self, spec: LoadedSpec, machine: Machine, json: bool) -> None:
        self.spec = spec
        self.machine = machine
        self.json = json

    def trace(
        self, trace: Trace | None, *, how: str, end: str, diagnostic: Diagnostic | None = None, **more: object
    ) -> None:
        """The whole trace; `how` it was found, and why it `end`s."""
        if self.json:
            self._document(trace, end, diagnostic, more)
            return
        import sys

        from rich.text import Text

        from checker.cli.output import console, print_text, signs_of
        from checker.render.plain import ASCII, ascii_only, fitted
        from checker.render.traces import TraceText
        from checker.render.values import Names

        out, signs = console(sys.stdout), signs_of(sys.stdout)
        head = Text.assemble(
            (self.spec.name, "bold underline"), "  ", (fitted(self.spec.path, signs), "dim"), "  check ",
            (self.machine.check, "bold"), f"  {how}",
        )  # fmt: skip
        last = Text(ascii_only(end) if signs is ASCII else end, "dim")
        body = [] if trace is None else [TraceText(Names(self.machine), signs, out.width).trace(trace, diagnostic), ""]
        print_text(out, head, "", *body, last)

    def _document(self, trace: Trace | None, end: str, diagnostic: Diagnostic | None, more: dict[str, object]) -> None:
        from checker.cli.output import print_json
        from checker.render.schema import VERSION, abstract_object, diagnostic_object, steps_list

        print_json(
            {
                "version": VERSION,
                "path": self.spec.path,
                "spec": self.spec.name,
                "check": self.machine.check,
                **more,
                "initial": None if trace is None else dict(trace.initial),
                "trace": None if trace is None else steps_list(trace),
                "error_step": None if trace is None else trace.error,
                "loop": None if trace is None else trace.loop,
                "abstract": None if trace is None else abstract_object(trace.abstract),
                "end": end,
                "diagnostics": [] if diagnostic is None else [diagnostic_object(diagnostic)],
            }
        )


def _random(machine: Machine, seed_: int, steps: int, show: Show) -> Exit:
    from checker.engine.walk import random_walk
    from checker.properties.safety import trace

    walk, end = random_walk(machine, seed_, steps)
    error = None if walk.failed is None else walk.failed.error
    show.trace(trace(walk.path(), walk.view), how=f"seed {seed_}", end=end.value, diagnostic=error, seed=seed_)
    return Exit.MET


# ---- to a property


def _to(machine: Machine, name: str, max_states: int | None, show: Show) -> Exit:
    from checker.cli.paths import explored
    from checker.properties.kinds import Verdict

    _, checked = explored(machine, name, max_states)
    result = checked.property(name)
    show.trace(
        result.trace, how=f"to {name}", end=_outcome(result), diagnostic=result.diagnostic,
        property=name, verdict=result.verdict.value,
    )  # fmt: skip
    if result.trace is not None:
        return Exit.MET
    return Exit.INCOMPLETE if result.verdict is Verdict.INCOMPLETE else Exit.UNMET


def _outcome(result: PropertyResult) -> str:
    from checker.properties.kinds import Verdict

    match result.verdict:
        case Verdict.HOLDS:
            return (
                f"{result.name} is reached" if result.trace else f"{result.name} holds: there is no way to a violation"
            )
        case Verdict.VIOLATED:
            return f"{result.name} is violated"
        case Verdict.UNREACHED:
            return f"{result.name} is not reached: no state satisfies it"
        case Verdict.INCOMPLETE:
            return f"{result.name} is open: {result.reason}"
        case Verdict.ERROR:
            return f"{result.name} cannot be evaluated here"


# ---- chosen


def _choose(machine: Machine, steps: int | None, show: Show) -> Exit:
    from checker.cli.choosing import Chooser
    from checker.engine.walk import End, Walk
    from checker.properties.safety import trace

    walk = Walk(machine)
    end = Chooser(walk, machine, to_stderr=show.json).run(steps)
    error = None if walk.failed is None else walk.failed.error
    if show.json or walk.names or end is not End.STOPPED:
        show.trace(trace(walk.path(), walk.view), how="chosen", end=end.value, diagnostic=error)
    return Exit.MET
