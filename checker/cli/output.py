"""Writing: diagnostics to standard error, results to standard output, files in one piece.

`rich` is imported only where a person reads the result. Diagnostics on a terminal are coloured, everywhere else they are
plain text; both come from the same lines.
"""

from __future__ import annotations

import json as json_
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from checker.base.diagnostics import Diagnostic, error
from checker.base.source import display_name
from checker.render.diagnostics import count_line, diagnostic_lines, plain_text
from checker.render.plain import Signs, signs_for
from checker.render.schema import VERSION, diagnostic_object

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_BLANKS = re.compile(r" +$", re.MULTILINE)

WIDTH = 100
"""The width of text that does not go to a terminal."""

LEAST_WIDTH, MOST_WIDTH = 20, 1000
"""What COLUMNS is taken for where it says less, or more. Where it says 0, or no number, it says nothing."""


def signs_of(stream: TextIO) -> Signs:
    """The signs that a stream can show."""
    return signs_for(getattr(stream, "encoding", None))


def console(stream: TextIO) -> Console:
    """A terminal, or a file that gets the same without colour."""
    from rich.console import Console

    named = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else WIDTH
    if named.isdecimal() and (columns := int(named[:9])):
        width = min(max(columns, LEAST_WIDTH), MOST_WIDTH)
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def print_text(out: Console, *parts: RenderableType) -> None:
    """Text on a console, without blanks at the ends of lines; flushed, so that it stays in order with standard error.

    Text that is marked `no_wrap` stays on one line, however long, so that it can be copied.
    """
    with out.capture() as captured:
        for part in parts:
            out.print(part, soft_wrap=bool(getattr(part, "no_wrap", False)))
    out.file.write(_BLANKS.sub("", captured.get()))
    out.file.flush()


def print_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Diagnostics on standard error, a blank line between them."""
    if not diagnostics:
        return
    sys.stdout.flush()
    stream = sys.stderr
    signs = signs_of(stream)
    blocks = [diagnostic_lines(d, signs) for d in diagnostics]
    if stream.isatty():
        from rich.text import Text

        from checker.render.traces import styled

        text = Text("\n\n").join(styled(lines) for lines in blocks)
        console(stream).print(text, soft_wrap=True)
    else:
        stream.write("\n".join(plain_text(lines) for lines in blocks))
    stream.flush()


def print_count(diagnostics: Sequence[Diagnostic]) -> None:
    """How many there were, on standard error; nothing where there was one or none."""
    text = count_line(diagnostics)
    if text is not None and len(diagnostics) > 1:
        sys.stderr.write(f"\n{text}\n")
        sys.stderr.flush()


def print_note(text: str) -> None:
    """A remark on standard error."""
    sys.stderr.write(f"note: {text}\n")
    sys.stderr.flush()


def print_json(document: Any) -> None:
    """One document on standard output, in ASCII, so that it is valid under every encoding."""
    sys.stdout.write(json_.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def report_failure(diagnostics: Sequence[Diagnostic], *, json: bool) -> None:
    """What is left to say when a command cannot do its work; with `--format json` it is a document, too."""
    print_diagnostics(diagnostics)
    print_count(diagnostics)
    if json:
        print_json({"version": VERSION, "specs": [], "diagnostics": [diagnostic_object(d) for d in diagnostics]})


def make_folder(path: Path) -> None:
    """Makes a directory, and those above it, where there is none.

    Raises:
        SpecError: PSM007, with what the system says.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise error(
            "PSM007",
            f"{display_name(path)} cannot be made a directory: {problem.strerror or problem}",
            help="check the directory and its permissions",
        ) from None


def write_atomically(path: Path, data: bytes, *, exclusive: bool = False) -> None:
    """Writes a file in one piece: a reader sees the old content or the new, whatever happens meanwhile.

    A file that exists keeps its mode; a link stays a link. `exclusive`: the file must not exist. A device and a pipe are written
    to as they are: there is nothing to be kept whole, and another file in their place would be in everybody's way.

    Raises:
        SpecError: PSM007, with what the system says.
        FileExistsError: the file exists, and `exclusive` was asked for.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir() and not exclusive:
            target.write_bytes(data)
            return
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if exclusive:
                Path(name).chmod(0o666 & ~_umask())
                _publish(name, target)
            else:
                Path(name).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
                Path(name).replace(target)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()
    except FileExistsError:
        raise
    except OSError as problem:
        raise error(
            "PSM007",
            f"{display_name(path)} cannot be written: {problem.strerror or problem}",
            help="check the directory and its permissions",
        ) from None


def _publish(name: str, target: Path) -> None:
    """Gives a finished file its name, unless something has that name."""
    try:
        os.link(name, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with target.open("xb") as file:
            file.write(Path(name).read_bytes())


def _umask() -> int:
    """The mask that takes permissions from new files; the system tells it only in exchange for another."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
