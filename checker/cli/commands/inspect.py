"""`lockstep inspect`: how large the states of a check are, and what makes them so."""

from __future__ import annotations

import click

from checker.cli.arguments import bindings, one_spec
from checker.cli.exits import Exit


@click.command("inspect")
@one_spec
@click.option("format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
def command(path: str, check: str | None, constants: tuple[tuple[str, int | bool | str], ...], format_: str) -> int:
    """Show the bits of each variable and message of a check.

    Constants, processes and types are shown as the check binds them. A type that is wastefully wide gets a warning:
    an integer of more than 16 bits, a variable or message of more than 64, or a collection that takes more than half
    of a large state.
    """
    import sys

    from checker.cli.output import print_diagnostics, print_json
    from checker.cli.specs import machine_of
    from checker.render.inspection import inspect_machine

    spec, machine = machine_of(path, check, bindings(constants))
    found = inspect_machine(machine, spec.path)
    if format_ == "json":
        from checker.render.inspection_text import inspection_object
        from checker.render.schema import VERSION, diagnostic_object

        print_diagnostics(found.warnings)
        warnings = [diagnostic_object(d) for d in found.warnings]
        print_json({"version": VERSION, **inspection_object(found), "diagnostics": warnings})
        return Exit.MET
    from checker.cli.output import console, print_text, signs_of
    from checker.render.inspection_text import InspectionText

    page = InspectionText(signs_of(sys.stdout)).all(found)
    print_text(console(sys.stdout), page, *([""] if found.warnings else []))
    print_diagnostics(found.warnings)
    return Exit.MET
