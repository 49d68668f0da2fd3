"""Liveness on what the interpreter explored."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from checker.engine.labels import Labels
from checker.engine.liveness.graph import Recorder
from checker.engine.liveness.lassos import Interrupted, Judge, Plain
from checker.engine.liveness.predicates import Predicates
from checker.engine.liveness.verdicts import TIME, LiveFindings, judge_all, refusals
from checker.engine.liveness.witness import Witness
from checker.engine.runtime import State
from checker.engine.steps import Steps


class Clock:
    """A cell that is 1 once a time has come, for kernels to look at."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def __getitem__(self, at: int, /) -> int:
        return int(self._deadline < math.inf and time.perf_counter() > self._deadline)

    def __setitem__(self, at: int, value: int, /) -> None:
        raise TypeError("time is only read")


def judge_recorded(
    steps: Steps,
    labels: Labels,
    states: Sequence[State],
    initial: Sequence[int],
    recorder: Recorder,
    deadline: float,
) -> LiveFindings:
    """Judges the live properties of a machine whose graph was recorded as a whole. Raises `NoWitness` where a lasso is none."""
    program = steps.program
    predicates = Predicates(program)
    judge = Judge(recorder.graph(initial), Plain(Clock(deadline)))
    try:
        return judge_all(
            program.machine,
            judge,
            lambda case: predicates.label(case, states, judge.mark),
            states.__getitem__,
            Witness(steps, labels),
            predicates,
        )
    except Interrupted:
        return LiveFindings(open=refusals(program.machine, reason=TIME))
