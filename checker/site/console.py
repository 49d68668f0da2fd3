"""Commands of the tutorial, run while the site is built, with what they print.

`docs/tutorial/commands.toml` lists them: a name, files to begin with, changes to these, and one command, which is `lockstep`
or `pytest` with its arguments. Each runs in an empty directory of its own, without a shell. What it printed becomes a piece of
HTML, `console-NAME.html`, which the tutorial includes, so that the tutorial cannot promise what does not happen.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from checker.base.data import dataclass
from checker.site.text import escape

PROGRAMS = {"lockstep": "checker", "pytest": "pytest"}
"""Programs that may be run, and their modules."""

LONGEST = 120
COLUMNS = 92

_PACKAGES = Path(__file__).resolve().parents[2]
_SECONDS = re.compile(r"\b(in) [0-9.]+s\b")


@dataclass(frozen=True, slots=True)
class Command:
    """One command with the texts of the files that it is given."""

    name: str
    command: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed, and its exit code."""

    name: str
    command: str
    text: str
    code: int


def read_commands(folder: Path) -> tuple[Command, ...]:
    """The commands of a tutorial; none, where it lists none.

    Raises:
        ValueError: the list names a file, a program or a change that cannot be.
    """
    listed = folder / "commands.toml"
    if not listed.is_file():
        return ()
    found = []
    for run in tomllib.loads(listed.read_text(encoding="utf-8"))["run"]:
        files = {name: (folder / source).read_text(encoding="utf-8") for name, source in run.get("files", {}).items()}
        for name, (old, new) in run.get("change", {}).items():
            if old not in files[name]:
                raise ValueError(f"{listed.name}: {run['name']} changes what is not in {name}: {old}")
            files[name] = files[name].replace(old, new)
        if shlex.split(run["command"])[0] not in PROGRAMS:
            raise ValueError(f"{listed.name}: {run['command']} runs none of {', '.join(PROGRAMS)}")
        found.append(Command(run["name"], run["command"], files))
    return tuple(found)


def run_command(name: str, command: str, *files: str) -> Printed:
    """Runs a command. `files` are names and texts in turn."""
    program, *arguments = shlex.split(command)
    with tempfile.TemporaryDirectory() as folder:
        for file, text in zip(files[::2], files[1::2], strict=True):
            (Path(folder) / file).write_text(text, encoding="utf-8")
        path = os.pathsep.join([str(_PACKAGES), folder])
        done = subprocess.run(  # noqa: S603 - the list of commands is part of the documentation
            [sys.executable, "-m", PROGRAMS[program], *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": str(COLUMNS), "NO_COLOR": "1", "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LONGEST,
            check=False,
        )
        text = done.stdout.decode("utf-8", "replace").replace(folder + os.sep, "").replace(folder, ".")
    return Printed(name, command, _SECONDS.sub(r"\1 a moment", text).strip("\n"), done.returncode)


def build_consoles(printed: Iterable[Printed]) -> dict[str, str]:
    """A piece of HTML for each command, by its file name."""
    return {f"console-{one.name}.html": console_html(one) for one in printed}


def console_html(printed: Printed) -> str:
    """A command and what it printed, as in a terminal."""
    lines = "\n".join(escape(line.rstrip()) or "" for line in printed.text.split("\n"))
    shown = f'<span class="ls-prompt">$</span> <strong>{escape(printed.command)}</strong>\n{lines}'
    return f'<div class="highlight ls-console"><pre tabindex="0"><code>{shown}\n</code></pre></div>\n'
