"""`lockstep docs`: generates the pages of the protocols for the documentation site.

The pages come from running every check. What is known already is not run again, so a second call takes no time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.arguments import PATH, count
from checker.cli.exits import Exit

if TYPE_CHECKING:
    from checker.site.publish import Project


@click.command("docs")
@click.argument("root", type=PATH, default=".")
@click.option(
    "--workers", type=count, metavar="N", help="How many checks run at once; as many as there are processors."
)
@click.option(
    "--editor/--no-editor",
    default=True,
    help="Make the editor of specs, with packages from the npm registry, or keep what is there of it.",
)
def command(root: str, workers: int | None, editor: bool) -> int:
    """Generate the pages of the protocols.

    ROOT is the directory with `specs/` and `docs/`, by default the current one. Every check is run, and the pages are
    written to `docs/protocols/`. `mkdocs build` makes the site of them.
    """
    from checker.render.plain import duration, plural
    from checker.site.publish import Project, publish

    started = time.perf_counter()
    project = Project(Path(root))
    if editor and project.specs.is_dir():
        _make_editor(project)
    published = publish(project, workers=workers)
    took = duration(time.perf_counter() - started)
    click.echo(
        f"{plural(len(published.specs), 'spec')}, {plural(published.files, 'file')}, {published.changed} written, {took}"
    )
    return int(Exit.MET)


def _make_editor(project: Project) -> None:
    """Makes the editor, or says that there is none."""
    from checker.render.plain import duration
    from checker.site.editor.build import build_editor

    started = time.perf_counter()
    state = build_editor(project.editor, project.packages)
    if state.ready:
        took = duration(time.perf_counter() - started)
        click.echo(f"editor: {len(state.files)} files, {sum(state.files.values()) / 1e6:.1f} MB, {took}")
    else:
        click.echo(f"note: the site has no editor: {state.why}", err=True)
