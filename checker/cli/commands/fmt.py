"""`lockstep fmt`: specs in the one canonical style."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from checker.cli.arguments import FilePath
from checker.cli.exits import Exit, worst

if TYPE_CHECKING:
    from pathlib import Path

    from checker.base.source import Source


@click.command("fmt")
@click.argument("paths", nargs=-1, required=True, type=FilePath(allow_dash=True), metavar="PATH...")
@click.option(
    "--check", "only_check", is_flag=True, help="Change nothing; the exit code is 1 if something would change."
)
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
def command(paths: tuple[str, ...], only_check: bool, diff: bool) -> int:
    """Format specs; comments stay.

    PATH is a spec, or a directory: then every .psm file in it and below it is formatted. `-` reads a spec from standard
    input and prints it. A file is replaced in one piece, and only if it changes.
    """
    import sys
    from pathlib import Path

    from checker.base.diagnostics import SpecError
    from checker.base.source import display_name
    from checker.cli.output import print_count, print_diagnostics, write_atomically
    from checker.cli.specs import find_specs
    from checker.lang.parser import read_source
    from checker.lang.printer import format_source

    stdin = "-" in paths
    if stdin and len(paths) > 1:
        raise click.UsageError("`-` stands for standard input, and cannot be combined with other paths")
    files, problems = ([Path("-")], []) if stdin else find_specs(paths)
    codes = [Exit.WRONG] if problems else []
    changed = 0
    for file in files:
        try:
            source = _standard_input() if stdin else read_source(file)
            text = format_source(source)
            same = text == source.text and (stdin or not _has_other_line_ends(file))
            if diff and not same:
                sys.stdout.write(_diff(source, text))
            if stdin and not (only_check or diff):
                sys.stdout.write(text)
            elif not same and not (only_check or diff):
                write_atomically(file, text.encode())
        except SpecError as problem:
            problems += problem.diagnostics
            codes.append(Exit.WRONG)
            continue
        if not same:
            changed += 1
            if not stdin and not diff:
                sys.stderr.write(f"{'would change' if only_check else 'formatted'} {display_name(file)}\n")
            if only_check:
                codes.append(Exit.UNMET)
    print_diagnostics(problems)
    print_count(problems)
    if not stdin and not changed and not problems:
        sys.stderr.write(f"{len(files)} {'spec is' if len(files) == 1 else 'specs are'} formatted already\n")
    return worst(codes)


def _standard_input() -> Source:
    import sys

    from checker.base.diagnostics import error
    from checker.base.source import MAX_BYTES, Source

    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise error("PSM004", f"standard input has more than {MAX_BYTES:,} bytes", help="is it a spec?")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        raise error(
            "PSM003", f"standard input is not UTF-8 at offset {problem.start}", help="a spec is UTF-8 text"
        ) from None
    return Source("<stdin>", text)


def _has_other_line_ends(file: Path) -> bool:
    """Whether reading passed over something that formatting shall change: a byte order mark, Windows line ends."""
    data = file.read_bytes()
    return b"\r\n" in data or data.startswith(b"\xef\xbb\xbf")


def _diff(source: Source, text: str) -> str:
    """A unified diff; what hides in a terminal is made visible."""
    import difflib

    from checker.render.plain import clean

    lines = difflib.unified_diff(
        source.text.splitlines(), text.splitlines(), f"a/{source.name}", f"b/{source.name}", lineterm=""
    )
    return "".join(clean(line) + "\n" for line in lines)
