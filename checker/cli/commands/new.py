"""`lockstep new`: a first spec, with comments that say what each part is for."""

from __future__ import annotations

import click

from checker.cli.arguments import PATH
from checker.cli.exits import Exit


@click.command("new")
@click.argument("name")
@click.option("--dir", "folder", type=PATH, default=".", help="Where to write it; here by default.")
def command(name: str, folder: str) -> int:
    """Write NAME.psm, a commented spec that checks.

    NAME is made of lower-case letters, digits and underscores. A file that exists is never overwritten.
    """
    import re
    import sys
    from importlib.resources import files
    from pathlib import Path

    from checker.base.diagnostics import error
    from checker.base.source import display_name
    from checker.cli.output import write_atomically

    bare = name.removesuffix(".psm")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", bare):
        raise error(
            "PSM901",
            f"`{name}` cannot name a spec",
            help="use lower-case letters, digits and underscores, and begin with a letter: `lockstep new money_transfer`",
        )
    if not Path(folder).is_dir():
        raise error("PSM001", f"there is no directory {display_name(Path(folder))}", help="create it first")
    path = Path(folder, f"{bare}.psm")
    title = "".join(part.capitalize() for part in bare.split("_")) or "Spec"
    template = files("checker.cli").joinpath("template.psm").read_text(encoding="utf-8")
    try:
        write_atomically(path, template.replace("spec Template", f"spec {title}").encode(), exclusive=True)
    except FileExistsError:
        raise error(
            "PSM901",
            f"{display_name(path)} exists, and is not overwritten",
            help="choose another name, or remove it first",
        ) from None
    shown = display_name(path)
    sys.stdout.write(f"wrote {shown}\nnext: lockstep check {shown}\n")
    return Exit.MET
