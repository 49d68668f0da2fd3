"""What the text report says of a simulation: how much was tried, where a finding came from, how to make it again."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from checker.engine.interface import Origin, Sample
from checker.properties.kinds import CheckResult
from checker.render.plain import Signs, duration, fitted, plural


def numbers(result: CheckResult, sample: Sample, speed: str | None, *, quiet: bool) -> str:
    """The line of numbers. States are those that were met; how many there are, a simulation does not know."""
    runs, seconds = plural(sample.runs, "run"), duration(result.seconds)
    if quiet:
        return f"{runs} · {seconds}"
    parts = [
        runs,
        plural(result.transitions, "step") + (f" ({speed})" if speed else ""),
        ("" if sample.counted else "more than ") + plural(result.states, "state") + " met",
        f"longest run {result.depth}",
        seconds,
        f"schedule {sample.schedule}, seed {sample.seed}",
    ]
    return " · ".join(parts)


def origin(found: Origin) -> str:
    """The line below a trace."""
    why = "without any one step it shows nothing" if found.minimal else "given up before it was as short as it can be"
    return f"       from a run of {plural(found.steps, 'step')}, made short: {why}"


def again(commands: Iterable[str], signs: Signs, *, quiet: bool) -> list[Text]:
    """The commands that make findings again, each once and on one line."""
    lines = [Text(fitted(f"    {command}", signs), no_wrap=True) for command in dict.fromkeys(commands)]
    head = Text("  to find it again:", "bold")
    return [head, *lines, Text("")] if quiet else [Text(""), head, *lines]
