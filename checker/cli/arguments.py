"""Arguments and options that several commands share, and how their values are read.

Each refusal says what was given and what is needed; click adds the name of the option, `main` makes it a diagnostic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])

SET_HELP = "Give a constant another value: a number, true, false, or a value of an enum. May be repeated."

DIGITS = 18
"""Of a number from outside, at most."""

_INTEGER = re.compile(rf"-?[0-9]{{1,{DIGITS}}}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(?:([KMGT])(i?B)?|B)?", re.IGNORECASE)


class FilePath(click.Path):
    """A path that says something: an empty one, as of a variable of the shell that is not set, would be this directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("the path is empty", param, ctx)
        return super().convert(value, param, ctx)


PATH = FilePath()


def constant(text: str) -> tuple[str, int | bool | str]:
    """`N=3`, `STRICT=true`, `MODE=fast`: a constant and its value from outside."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not _NAME.fullmatch(name):
        raise click.BadParameter(f"`{text}` is not of the form CONST=VALUE, such as N=3")
    if _INTEGER.fullmatch(value):
        return name, int(value)
    if value in ("true", "false"):
        return name, value == "true"
    if _NAME.fullmatch(value):
        return name, value
    if re.fullmatch("-?[0-9]+", value):
        raise click.BadParameter(f"`{value}` is too large for {name}: a number has at most {DIGITS} digits")
    raise click.BadParameter(f"`{value}` is no value for {name}: give a number, true, false, or a value of an enum")


def size(text: str) -> int:
    """`512M`, `2G`, `1.5GiB`: bytes. K, M, G and T count in steps of 1,024; KB, MB, GB and TB in steps of 1,000."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter(f"`{text}` is no size; write it like 512M, 2G or 1.5GiB")
    number, unit, suffix = match.groups()
    step = 1000 if (suffix or "").upper() == "B" else 1024
    result = int(float(number) * (step ** (" KMGT".index(unit.upper()) if unit else 0)))
    if result < 1:
        raise click.BadParameter(f"`{text}` is too small: a limit on memory is at least one byte")
    return result


def seconds(text: str) -> float:
    """A positive number of seconds."""
    try:
        result = float(text)
    except ValueError:
        raise click.BadParameter(f"`{text}` is no number of seconds") from None
    if not math.isfinite(result) or result <= 0:
        raise click.BadParameter(f"`{text}` is not a positive number of seconds")
    return result


def count(text: str) -> int:
    """A whole number, at least 1."""
    if not _INTEGER.fullmatch(text):
        raise click.BadParameter(f"`{text}` is no whole number")
    if int(text) < 1:
        raise click.BadParameter(f"{text} is too small: at least 1 is needed")
    return int(text)


def seed(text: str) -> int:
    """Any whole number."""
    if not _INTEGER.fullmatch(text):
        raise click.BadParameter(f"`{text}` is no whole number")
    return int(text)


def some_of(known: Sequence[str], refusal: str) -> Callable[[str], tuple[str, ...]]:
    """For `replay,probe`: some of the names that are known, each once. `refusal` stands between a name that is not and those."""

    def convert(text: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        for name in given:
            if name not in known:
                raise click.BadParameter(f"`{name}` {refusal} {', '.join(known)}")
        return given

    return convert


def complete_check(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The checks of the specs that stand on the command line already."""
    from checker.api import load
    from checker.base.diagnostics import SpecError

    given = ctx.params.get("paths") or ctx.params.get("path") or ()
    names: dict[str, None] = {}
    # while the option has no value yet, click leaves the paths among the arguments that it could not place
    for path in (*((given,) if isinstance(given, str) else given), *(a for a in ctx.args if not a.startswith("-"))):
        try:
            names.update(dict.fromkeys(load(path).checks))
        except SpecError:
            continue
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def one_spec(function: F) -> F:
    """The argument PATH and the options `--check` and `--set` of commands that look at one check."""
    function = click.option("constants", "--set", multiple=True, type=constant, metavar="CONST=VALUE", help=SET_HELP)(
        function
    )
    function = click.option(
        "check", "--check", metavar="NAME", shell_complete=complete_check, help="Which check; the first one by default."
    )(function)
    return click.argument("path", type=PATH)(function)


def bindings(pairs: tuple[tuple[str, int | bool | str], ...]) -> dict[str, int | bool | str]:
    """The values of `--set` by constant.

    Raises:
        click.UsageError: a constant is given two values.
    """
    result: dict[str, int | bool | str] = {}
    for name, value in pairs:
        if name in result and result[name] != value:
            raise click.UsageError(
                f"`--set` gives {name} two values: {show_constant(result[name])} and {show_constant(value)}"
            )
        result[name] = value
    return result


def show_constant(value: int | bool | str) -> str:
    """A value as it is written after `--set`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
