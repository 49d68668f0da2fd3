"""`lockstep docs`: generates the pages of the protocols for the documentation site.

The pages come from running every check. What is known already is not run again, so a second call takes no time.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from checker.cli.arguments import count
from checker.cli.exits import Exit


@click.command("docs")
@click.argument("root", type=click.Path(), default=".")
@click.option(
    "--workers", type=count, metavar="N", help="How many checks run at once; as many as there are processors."
)
def command(root: str, workers: int | None) -> int:
    """Generate the pages of the protocols.

    ROOT is the directory with `specs/` and `docs/`, by default the current one. Every check is run, and the pages are
    written to `docs/protocols/`. `mkdocs build` makes the site of them.
    """
    from checker.render.plain import duration, plural
    from checker.site.publish import Project, publish

    started = time.perf_counter()
    published = publish(Project(Path(root)), workers=workers)
    took = duration(time.perf_counter() - started)
    click.echo(
        f"{plural(len(published.specs), 'spec')}, {plural(published.files, 'file')}, {published.changed} written, {took}"
    )
    return int(Exit.MET)
