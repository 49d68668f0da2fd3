"""`lockstep explain`: why a check has so many states, and what to lower."""

from __future__ import annotations

import click

from checker.cli.arguments import PATH, SET_HELP, bindings, complete_check, constant, count, seconds, size
from checker.cli.exits import Exit, worst


@click.command("explain")
@click.argument("path", type=PATH)
@click.option(
    "names", "--check", multiple=True, metavar="NAME", shell_complete=complete_check,
    help="Only checks of this name. May be repeated.",
)  # fmt: skip
@click.option("constants", "--set", multiple=True, type=constant, metavar="CONST=VALUE", help=SET_HELP)
@click.option("format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
@click.option("--timeout", type=seconds, metavar="S", default=60.0, show_default=True,
              help="Seconds for each check: half to explore it, half for lowered forms of it.")  # fmt: skip
@click.option("--max-states", type=count, metavar="N", help="Stop an exploration at so many states.")
@click.option("--max-memory", type=size, metavar="SIZE", help="Stop an exploration at so much memory, such as 2G.")
def command(
    path: str,
    names: tuple[str, ...],
    constants: tuple[tuple[str, int | bool | str], ...],
    format_: str,
    timeout: float,
    max_states: int | None,
    max_memory: int | None,
) -> int:
    """Show why a check has so many states.

    For each check: how many values each variable and message takes and what it multiplies the states by, which steps
    found how many states, how many there are at each depth, and how many are left with one constant or fault budget
    lowered by one.

    Exit codes: 0 done, 2 the spec or the command line is wrong, 3 a check was not explored to its end, 130 interrupted.
    """
    import sys

    from checker.cli.output import console, print_json, print_note, print_text, signs_of
    from checker.cli.progress import ProgressLine
    from checker.cli.specs import load_one, unknown_names
    from checker.engine.interface import Limits, Stop
    from checker.render.explanation import ExplanationText, explanation_object
    from checker.render.schema import VERSION

    spec, values = load_one(path), bindings(constants)
    unknown = unknown_names([spec], names, values)
    if unknown:
        from checker.base.diagnostics import SpecError

        raise SpecError(unknown)
    limits = Limits(max_states, max_memory, timeout)
    line, codes, documents = ProgressLine(), [Exit.MET], []
    writer = ExplanationText(signs_of(sys.stdout))
    for check in spec.checks:
        if names and check not in names:
            continue
        line.start(check, limits)
        try:
            found = spec.explain(
                check, constants=values, limits=limits, observe=line.observe if line.enabled else None, tell=print_note
            )
        finally:
            line.stop()
        if format_ == "json":
            documents.append(explanation_object(found))
        else:
            print_text(console(sys.stdout), *([""] if len(codes) > 1 else []), writer.all(found))
        if found.stop is not Stop.DONE:
            codes.append(Exit.INTERRUPTED if found.stop is Stop.INTERRUPTED else Exit.INCOMPLETE)
        else:
            codes.append(Exit.MET)
        if found.stop is Stop.INTERRUPTED:
            break
    if format_ == "json":
        print_json({"version": VERSION, "explanations": documents})
    return int(worst(codes))
