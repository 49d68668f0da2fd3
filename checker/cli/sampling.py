"""The options of `lockstep check --simulate`, and the command that makes a finding again.

A finding of a simulation stands for one run, so it is shown with a command line that makes that run and no other. It needs
the seed of the run and everything else that the run depends on: the check, its constants, the length of runs and the schedule.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from checker.engine.interface import Engine
    from checker.model.machine import Machine
    from checker.properties.kinds import CheckResult

RUNS, STEPS, BUG_DEPTH = 1_000, 100, 3
"""What holds where an option is not given."""

SCHEDULES = ("mixed", "random", "pct")
"""Those of `engine.simulation.schedules`, which is imported only when it is needed."""

_NAMES = {"seed_": "--seed", "runs": "--runs", "depth": "--depth", "schedule": "--schedule", "bug_depth": "--bug-depth"}


def check_sampling(given: Mapping[str, int | str | None], *, simulate: bool, others: Mapping[str, bool]) -> None:
    """Whether the options of a simulation fit together.

    Args:
        given: The options that only a simulation has.
        simulate: Whether it is one.
        others: The options that only an exploration has, and whether they are given.

    Raises:
        click.UsageError: If not.
    """
    if not simulate:
        for name, option in _NAMES.items():
            if given[name] is not None:
                raise click.UsageError(f"`{option}` belongs to `--simulate`")
        return
    for option, is_given in others.items():
        if is_given:
            raise click.UsageError(f"`--simulate` excludes `{option}`: it samples runs and explores nothing")
    if given["bug_depth"] is not None and given["schedule"] == "random":
        raise click.UsageError("`--bug-depth` belongs to the schedules `pct` and `mixed`")
    from checker.engine.simulation.simulator import MOST_STEPS

    if isinstance(given["depth"], int) and given["depth"] > MOST_STEPS:
        raise click.UsageError(f"`--depth {given['depth']}` is too long: a run has at most {MOST_STEPS:,} steps")


def simulator(given: Mapping[str, int | str | None], *, timed: bool) -> Engine:
    """The engine that samples. Without `--runs`, a limit on time decides how many runs there are."""
    from checker.engine.simulation.simulator import Plan, Simulator

    def number(name: str, default: int) -> int:
        value = given[name]
        return value if isinstance(value, int) else default

    runs = None if timed and given["runs"] is None else number("runs", RUNS)
    schedule = given["schedule"]
    return Simulator(
        Plan(
            seed=number("seed_", 0),
            runs=runs,
            steps=number("depth", STEPS),
            schedule=schedule if isinstance(schedule, str) else SCHEDULES[0],
            depth=number("bug_depth", BUG_DEPTH),
        )
    )


def commands(result: CheckResult, machine: Machine | None) -> dict[str, str]:
    """For each finding of a simulation, by the name of its property: the command that makes it again."""
    if result.sample is None or machine is None:
        return {}
    from checker.model.values import show_value

    sample = result.sample
    words = ["lockstep", "check", machine.source.name, "--check", machine.check]
    for name in machine.overrides:
        words += ["--set", f"{name}={show_value(*machine.constants[name])}"]
    words += ["--simulate", "--runs", "1"]
    if sample.length != STEPS:
        words += ["--depth", str(sample.length)]
    if sample.schedule != SCHEDULES[0]:
        words += ["--schedule", sample.schedule]
    if sample.depth != BUG_DEPTH and sample.schedule != "random":
        words += ["--bug-depth", str(sample.depth)]
    return {name: shlex.join([*words, "--seed", str(origin.seed)]) for name, origin in sample.origins.items()}
