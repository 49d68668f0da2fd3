"""The entry point: which command runs, and what becomes of everything that can go wrong.

Commands are imported when they are needed, so `lockstep --version` costs little more than starting Python. A command
returns its exit code. What it raises ends here, and never as a traceback: bad input is a `SpecError` or an error of click
and becomes diagnostics; a closed pipe is silent; output that does not fit on its disk and an interruption are said in a word.
What remains is a mistake of this program: it gets one line, and a report in a file that can be sent to its authors.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from typing import Any

import click

from checker import __version__
from checker.cli.exits import Exit

NAME = "lockstep"
COMPLETE = "_LOCKSTEP_COMPLETE"
"""The environment variable by which shells ask for completions."""

COMMANDS = (
    "check",
    "explain",
    "inspect",
    "fmt",
    "graph",
    "trace",
    "export",
    "import-trace",
    "conform",
    "mutate",
    "new",
    "docs",
    "completion",
)
"""In the order of the help: what a user needs first stands first. Each is a module of `checker.cli.commands`."""


class LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"checker.cli.commands.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Adds what was probably meant to the message about an unknown command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as problem:
            from checker.base.diagnostics import did_you_mean

            near = did_you_mean(args[0], self.list_commands(ctx))
            if near is None and args[0].endswith(".psm"):
                near = f"did you mean `{NAME} check {args[0]}`?"
            raise click.UsageError(f"there is no command `{args[0]}`", ctx) from _Hint(near, problem)


class _Hint(Exception):
    def __init__(self, help: str | None, cause: BaseException) -> None:
        super().__init__(help)
        self.help = help
        self.cause = cause


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message=f"{NAME} %(version)s")
def cli() -> None:
    """Specify a distributed protocol, model-check it, and see what goes wrong.

    Start with `lockstep new NAME`, which writes a spec to look at, and `lockstep check NAME.psm`.

    Exit codes: 0 every expectation is met, 1 one is not, 2 a spec or the command line is wrong, 3 incomplete,
    130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    _prepare_streams()
    try:
        code = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return int(Exit.PIPE)
    except KeyboardInterrupt:
        _say("interrupted")
        return int(Exit.INTERRUPTED)
    except OSError as problem:
        if not _is_full(problem):
            return _internal(problem, args)
        _drop_output()
        _tell_of_output(problem)
        return int(Exit.WRONG)
    except Exception as problem:  # noqa: BLE001 - the last resort, so that no user sees a traceback
        return _internal(problem, args)
    return int(code)


def _run(args: list[str]) -> int:
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, NAME, COMPLETE, os.environ[COMPLETE])
    try:
        _refuse_to_be_nowhere()
        with cli.make_context(NAME, args) as ctx:
            result: Any = cli.invoke(ctx)
            return int(result or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as problem:
        return _usage(problem, args)
    except Exception as problem:
        from checker.base.diagnostics import SpecError

        if not isinstance(problem, SpecError):
            raise
        from checker.cli.output import report_failure

        report_failure(problem.diagnostics, json="json" in _format(args))
        return int(Exit.WRONG)


def _refuse_to_be_nowhere() -> None:
    """A working directory that was removed has no files, and nobody can say where a path leads from it."""
    try:
        os.getcwd()  # noqa: PTH109 - a completion should not wait for pathlib
    except OSError as problem:
        from checker.base.diagnostics import error

        what = f"the current directory cannot be used: {problem.strerror}"
        raise error("PSM006", what, help="change to one that exists") from None


def _usage(problem: click.ClickException, args: list[str]) -> int:
    """An error that click found, as the diagnostic PSM901."""
    from checker.base.diagnostics import Diagnostic
    from checker.cli.output import report_failure

    if isinstance(problem, click.exceptions.NoArgsIsHelpError):
        click.echo(problem.format_message(), err=True)
        return int(Exit.WRONG)
    message = problem.format_message().rstrip(".")
    if message[:1].isupper() and not message[:2].isupper():
        message = message[0].lower() + message[1:]
    hint = problem.__cause__.help if isinstance(problem.__cause__, _Hint) else None
    path = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx is not None else NAME
    help = hint or f"`{path} --help` lists the arguments and options"
    report_failure([Diagnostic("PSM901", message, help=help)], json="json" in _format(args))
    return int(Exit.WRONG)


def _format(args: list[str]) -> list[str]:
    """The values of `--format`, read without click, which may have refused the rest; `--json` is one, too."""
    values = ["json"] if "--json" in args else []
    values += [a.removeprefix("--format=") for a in args if a.startswith("--format=")]
    return values + [b for a, b in pairwise(args) if a == "--format"]


# ---- streams


def _prepare_streams() -> None:
    """What a stream cannot encode is written as an escape: output never fails for a character in a file name.

    A stream that whoever started the command has closed takes everything, and keeps nothing.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _is_full(problem: OSError) -> bool:
    """Whether there is no room for what is written to a stream: it has no name, as a file has."""
    return problem.filename is None and problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _tell_of_output(problem: OSError) -> None:
    """Says that output is lost, on the other stream, unless that is lost as well."""
    from checker.base.diagnostics import Diagnostic
    from checker.cli.output import report_failure

    what = f"the output cannot be written: {problem.strerror}"
    with suppress(OSError):
        report_failure([Diagnostic("PSM007", what, help="make room where it goes to")], json=False)


def _drop_output() -> None:
    """Points standard output at nothing, so that Python's own flush at exit does not complain about what it still holds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(nowhere)


def _say(text: str) -> None:
    with suppress(OSError):
        click.echo(text, err=True)


def _internal(problem: Exception, args: list[str]) -> int:
    """One line about a mistake of this program, and the whole story in a file; or whose mistake it is."""
    from checker.cli.bugs import raised_outside, report

    text = " ".join(str(problem).split())[:300]
    what = f"{type(problem).__name__}{f': {text}' if text else ''}"
    if places := raised_outside(problem):
        from checker.base.diagnostics import Diagnostic
        from checker.cli.output import report_failure

        help = "is it made for this spec? If so, the mistake is there"
        report_failure([Diagnostic("PSM873", what, notes=tuple(places), help=help)], json="json" in _format(args))
        return int(Exit.WRONG)
    _say(f"internal error: {what}; {report(problem, args)}")
    return int(Exit.INTERNAL)
