"""The checker and the oracles beside this module count the same of the same specs."""

from __future__ import annotations

import pytest

import checker
from checker.properties.kinds import CheckResult, Kind, Verdict
from tests.oracles import two_phase_commit
from tests.oracles.bfs import Count, Oracle

ALL: list[Oracle] = [*two_phase_commit.ORACLES]


def counted(result: CheckResult) -> Count:
    """What the checker found, in the terms of an oracle."""
    assert result.reason is None and not [d for d in result.diagnostics if d.severity.value == "error"], result
    lengths = {}
    for found in result.properties:
        assert found.verdict in (Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNREACHED), found
        if found.trace is not None and (found.verdict is Verdict.VIOLATED or found.kind is Kind.REACH):
            lengths[found.name] = len(found.trace.steps)
    return Count(result.states, result.transitions, result.depth, lengths)


@pytest.mark.parametrize(
    "oracle", [pytest.param(o, id=o.name, marks=[pytest.mark.slow] if o.slow else []) for o in ALL]
)
def test_the_checker_counts_what_the_oracle_counts(oracle: Oracle) -> None:
    assert counted(checker.loads(oracle.text).check(oracle.check)) == oracle.count()


@pytest.mark.parametrize(
    ("reading", "states", "transitions"),
    [("in order", None, None), ("all or none", 4882, 21056), ("between steps", 3240, None)],
)
def test_other_readings_of_a_torn_multicast(
    reading: two_phase_commit.Reading, states: int | None, transitions: int | None
) -> None:
    found = two_phase_commit.count(2, 1, reading)
    print(found)
    assert states is None or found.states == states
    assert transitions is None or found.transitions == transitions
