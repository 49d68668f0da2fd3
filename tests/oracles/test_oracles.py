"""The checker and the oracles beside this module count the same of the same specs."""

from __future__ import annotations

import pytest

import checker
from checker.base.diagnostics import Severity
from checker.properties.kinds import CheckResult, Kind, Verdict
from tests.oracles import (
    bounds,
    byzantine,
    choices,
    clocks,
    cuts,
    edges,
    ewd998,
    full,
    lamport,
    leases,
    loss,
    mixed,
    own_faults,
    philosophers,
    queues,
    several,
    stops,
    tears,
    termination,
    two_phase_commit,
    values,
)
from tests.oracles.bfs import Count, Oracle

ORACLES: list[Oracle] = [
    *two_phase_commit.ORACLES,
    *queues.ORACLES,
    *loss.ORACLES,
    *full.ORACLES,
    *cuts.ORACLES,
    *stops.ORACLES,
    *mixed.ORACLES,
    *clocks.ORACLES,
    *own_faults.ORACLES,
    *byzantine.ORACLES,
    *choices.ORACLES,
    *tears.ORACLES,
    *edges.ORACLES,
    *bounds.ORACLES,
    *values.ORACLES,
    *several.ORACLES,
    *leases.ORACLES,
    *philosophers.ORACLES,
    *termination.ORACLES,
    *lamport.ORACLES,
    *ewd998.ORACLES,
]


def counted(result: CheckResult) -> Count:
    """What the checker found, in the terms of an oracle."""
    assert result.reason is None
    assert not [d for d in result.diagnostics if d.severity is Severity.ERROR]
    lengths = {}
    for found in result.properties:
        assert found.verdict in (Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNREACHED), found
        if found.verdict is Verdict.VIOLATED or (found.kind is Kind.REACH and found.verdict is Verdict.HOLDS):
            assert found.trace is not None, found
            lengths[found.name] = len(found.trace.steps)
    return Count(result.states, result.transitions, result.depth, lengths)


@pytest.mark.parametrize(
    "oracle", [pytest.param(o, id=o.name, marks=[pytest.mark.slow] if o.slow else []) for o in ORACLES]
)
def test_the_checker_counts_what_the_oracle_counts(oracle: Oracle) -> None:
    found = counted(checker.loads(oracle.text).check(oracle.check))
    assert found == oracle.count()
    assert oracle.published in (None, found.states)


def test_oracles_have_names_of_their_own() -> None:
    assert len({oracle.name for oracle in ORACLES}) == len(ORACLES)


@pytest.mark.parametrize(
    ("reading", "states", "transitions"),
    [
        ("any subset", 7850, 33938),
        ("in order", 6274, 27315),
        ("all or none", 4882, 21056),
        ("between steps", 3240, 13922),
    ],
)
def test_readings_of_a_torn_multicast(reading: two_phase_commit.Reading, states: int, transitions: int) -> None:
    found = two_phase_commit.count(2, 1, two_phase_commit.Variant(reading))
    assert found == Count(states, transitions, 16, {"CanCommit": 8})
