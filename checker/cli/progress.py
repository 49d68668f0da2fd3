"""How far an exploration is: one line that rewrites itself, on a terminal and nowhere else.

    five: 1,204,311 states · 93,000/s · depth 17 · queue 12,345 · 13 s · about 40 s left

How much is left is not known, since the states that nobody has seen cannot be counted. What can be measured is how many
new states an explored one still brings. While that is one or more, the search grows and any number would be invented. Once
it is below one, the states in the queue bring at most `queue / (1 - ratio)` more explorations, if the ratio does not rise
again; in a breadth-first search behind its widest level it falls. So the estimate appears late, and errs on the long side.
"""

from __future__ import annotations

import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from checker.engine.interface import Limits, Progress
from checker.render.plain import duration, fitted, plural, rate, signs_for

if TYPE_CHECKING:
    from rich.live import Live

DELAY = 0.4
"""Seconds before the line appears: most checks are done by then."""

SPAN = 2.0
"""Seconds over which rates and ratios are measured."""

CERTAIN = 0.9
"""The highest ratio of new to explored states from which something is concluded."""


BAR = 20
"""The width of a bar."""


class Estimate:
    """How many seconds are left, from the reports of an exploration."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._window: deque[Progress] = deque()

    def add(self, progress: Progress) -> None:
        """Takes the next report."""
        self._window.append(progress)
        while len(self._window) > 2 and progress.seconds - self._window[1].seconds >= SPAN:
            self._window.popleft()

    def transitions_per_second(self) -> str:
        """The rate over the last seconds."""
        if not self._window:
            return "—"
        first, last = self._window[0], self._window[-1]
        if first is last:
            return rate(last.transitions, last.seconds) or "—"
        return rate(last.transitions - first.transitions, last.seconds - first.seconds) or "—"

    def seconds_left(self) -> float | None:
        """Until the end, or until a limit ends it before; None where nothing honest can be said."""
        if len(self._window) < 2:
            return None
        first, last = self._window[0], self._window[-1]
        passed = last.seconds - first.seconds
        if passed < SPAN / 4:
            return None
        found = last.states - first.states
        explored = found - (last.queue - first.queue)
        guesses = []
        if last.runs is not None and first.runs is not None:
            explored = 0
            if last.planned is not None and last.runs > first.runs:
                guesses.append((last.planned - last.runs) / ((last.runs - first.runs) / passed))
        if explored > 0 and found / explored <= CERTAIN:
            guesses.append(last.queue / (1 - found / explored) / (explored / passed))
        if self._limits.timeout is not None:
            guesses.append(self._limits.timeout - last.seconds)
        if self._limits.max_states is not None and found > 0 and not guesses:
            guesses.append((self._limits.max_states - last.states) / (found / passed))
        return max(0.0, min(guesses)) if guesses else None


def progress_line(name: str, progress: Progress, estimate: Estimate) -> str:
    """The line, without its colours."""
    left = estimate.seconds_left()
    if progress.runs is not None:
        return _runs_line(name, progress, estimate.transitions_per_second(), left)
    parts = [
        plural(progress.states, "state"),
        estimate.transitions_per_second(),
        f"depth {progress.depth}",
        f"queue {progress.queue:,}",
        duration(progress.seconds) if progress.seconds >= 10 else f"{progress.seconds:.1f} s",
        "— left" if left is None else f"about {_rounded(left)} left",
    ]
    return f"{name}: {' · '.join(parts)}"


def _runs_line(name: str, progress: Progress, speed: str, left: float | None) -> str:
    """The line of a simulation, with a bar where the number of runs is known."""
    runs, planned = progress.runs or 0, progress.planned
    bar = ""
    if planned is not None:
        full = runs * BAR // planned
        bar = f"[{'=' * full}{' ' * (BAR - full)}] "
    parts = [
        f"{bar}{runs:,} of {plural(planned, 'run')}" if planned is not None else plural(runs, "run"),
        plural(progress.transitions, "step"),
        speed,
        plural(progress.states, "state") + " met",
        duration(progress.seconds) if progress.seconds >= 10 else f"{progress.seconds:.1f} s",
        "— left" if left is None else f"about {_rounded(left)} left",
    ]
    return f"{name}: {' · '.join(parts)}"


def _rounded(seconds: float) -> str:
    return duration(seconds) if seconds >= 60 else f"{max(1, round(seconds))} s"


class ProgressLine:
    """Shows the progress of one check after another. Use it as a context, so that the line is gone at the end."""

    def __init__(self, *, enabled: bool | None = None) -> None:
        self.enabled = sys.stderr.isatty() if enabled is None else enabled
        self._live: Live | None = None
        self._name = ""
        self._estimate = Estimate()

    def start(self, name: str, limits: Limits) -> None:
        """A check begins."""
        self._name = name
        self._estimate = Estimate(limits)

    def observe(self, progress: Progress) -> None:
        """Called by the engine a few times a second."""
        self._estimate.add(progress)
        if not self.enabled or progress.seconds < DELAY:
            return
        from rich.text import Text

        line = progress_line(self._name, progress, self._estimate)
        text = Text(fitted(line, signs_for(sys.stderr.encoding)), no_wrap=True, overflow="ellipsis")
        text.stylize("bold", 0, len(self._name))
        text.stylize("cyan", len(self._name) + 1)
        if self._live is None:
            from rich.live import Live

            from checker.cli.output import console

            self._live = Live(
                text, console=console(sys.stderr), transient=True, auto_refresh=False,
                redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._live.start()
        self._live.update(text, refresh=True)

    def stop(self) -> None:
        """Clears the line."""
        if self._live is not None:
            live, self._live = self._live, None
            with suppress(OSError):
                live.stop()
