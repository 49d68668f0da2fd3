"""`lockstep mutate`: how strong are the tests?"""

from __future__ import annotations

import click

from checker.cli.arguments import PATH, complete_check, count, seconds, seed, some_of
from checker.cli.commands.conform import MODES, NO_MODE
from checker.cli.exits import Exit

WAYS = tuple(mode for mode in MODES if mode != "scenes")
"""Scenes are no mode here but places, where all that can be done there is done."""

KINDS = ("spec", "implementation", "trace")


@click.command("mutate")
@click.argument("path", metavar="SPEC", type=PATH)
@click.option("--check", "checks", multiple=True, metavar="NAME", shell_complete=complete_check,
              help="Which checks; by default all with small graphs. May be repeated.")  # fmt: skip
@click.option("--adapter", metavar="MODULE:CLASS", help="The adapter of an implementation that is right.")
@click.option("kinds_", "--kind", type=some_of(KINDS, "cannot be broken; give any of"),
              default="spec,implementation,trace", show_default=True, metavar="KIND,…",
              help=f"What is broken, any of {', '.join(KINDS)}; all but the spec need an adapter.")  # fmt: skip
@click.option("modes_", "--mode", type=some_of(WAYS, NO_MODE), default="replay,probe,explore", show_default=True,
              metavar="MODE,…", help=f"How implementations are driven, any of {', '.join(WAYS)}.")  # fmt: skip
@click.option("--max-states", type=count, default="5000", show_default=True, metavar="N",
              help="Leave checks with more states out, unless `--check` names them.")  # fmt: skip
@click.option("--runs", type=count, default="100", show_default=True, metavar="N", help="Of each exploration.")
@click.option("seed_", "--seed", type=seed, default="0", show_default=True, metavar="N",
              help="Decides explorations and traces.")  # fmt: skip
@click.option("--time", "time_", type=seconds, default="600", show_default=True, metavar="S",
              help="Seconds for everything; what is left then is not run.")  # fmt: skip
@click.option("--min-score", type=click.FloatRange(0, 100), default=0.0, metavar="PERCENT",
              help="Not less than so many mutants of the spec, and of the implementation, have to be killed.")  # fmt: skip
@click.option("--output", "-o", type=PATH, metavar="FILE", help="Write the kill matrix as JSON.")
@click.option("format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
def command(
    path: str,
    checks: tuple[str, ...],
    adapter: str | None,
    kinds_: tuple[str, ...],
    modes_: tuple[str, ...],
    max_states: int,
    runs: int,
    seed_: int,
    time_: float,
    min_score: float,
    output: str | None,
    format_: str,
) -> Exit:
    """Break a spec, an implementation and recorded traces on purpose, and count what is noticed.

    A mutant of the spec has one small mistake: a condition left out, a quorum too small, an update forgotten, a vote sent before
    it is written. Its checks should notice, and so should an implementation of the original. With `--adapter`, the wrong
    implementations that the adapter lists are driven, too, and runs of the right one are recorded and falsified.

    Exit codes: 0 the score is as demanded, 1 it is not, 2 the spec or the command line is wrong, 3 some mutants were not run.
    """
    import sys
    from pathlib import Path

    from checker.base.diagnostics import error
    from checker.cli.adapting import load_adapter
    from checker.cli.output import print_json, write_atomically
    from checker.cli.specs import load_one, unknown_names
    from checker.conformance.jsonlines import dump
    from checker.conformance.modes import Mode
    from checker.conformance.mutation.matrix import document_of
    from checker.conformance.mutation.report import lines_of
    from checker.conformance.mutation.score import Effort, NoChecks, kill_matrix

    spec = load_one(path)
    unknown = unknown_names([spec], checks, ())
    if unknown:
        from checker.base.diagnostics import SpecError

        raise SpecError(unknown)
    right = None if adapter is None else load_adapter(adapter)

    def tell(kind: str, number: int, name: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[Kmutants of the {kind}: {number} ({name})")
            sys.stderr.flush()

    effort = Effort(
        kinds=kinds_,
        modes=tuple(Mode(mode) for mode in modes_),
        seconds=time_,
        most_states=max_states,
        runs=runs,
        seed=seed_,
    )
    try:
        matrix = kill_matrix(spec, effort, checks=checks or None, adapter=right, name=adapter or "", tell=tell)
    except NoChecks as problem:
        raise error("PSM901", str(problem), help="give a larger `--max-states`, or name a `--check`") from None
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
    document = document_of(matrix)
    if output is not None:
        write_atomically(Path(output), (dump(document) + "\n").encode())
    if format_ == "json":
        print_json(document)
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines_of(matrix)))
        sys.stdout.flush()
    scores = [group.score for group in matrix.groups if group.kind != "trace" and group.score is not None]
    if any(score * 100 < min_score for score in scores):
        return Exit.UNMET
    return Exit.MET if matrix.complete else Exit.INCOMPLETE
