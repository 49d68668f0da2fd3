"""PBFT does what its spec says, along every transition; and what it would look like if it did not."""

from __future__ import annotations

import pytest

import checker
from checker.properties.kinds import Verdict
from refimpl.adapters.pbft import Pbft
from refimpl.consensus.pbft_mistakes import MISTAKES
from tests.conformance.consensus import SPECS, Caught, conforms, graph_of, refuses

ONE_VIEW = {"VIEWS": 1}
THREE = {"N": 3, "Q": 2}
"""Three replicas and quorums of two: no protocol to rely on, and small enough for a change of view."""


@pytest.mark.parametrize(
    ("check", "constants", "transitions", "tried"),
    [
        ("f1", ONE_VIEW, 2_388, 4_374),
        pytest.param("f1", THREE, 13_532, 44_124, marks=pytest.mark.slow),
        pytest.param("q2", {}, 9_612, 11_922, marks=pytest.mark.slow),
    ],
)
def test_every_transition_is_as_in_the_spec(
    check: str, constants: dict[str, int], transitions: int, tried: int
) -> None:
    graph = graph_of("pbft", check, **constants)
    conforms(Pbft, graph, transitions)
    refuses(Pbft, graph, tried)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(("check", "transitions"), [("f1", 223_934), ("f2", 37_820)])
def test_every_transition_of_the_checks_as_they_are(check: str, transitions: int) -> None:
    conforms(Pbft, graph_of("pbft", check), transitions)


@pytest.mark.slow
def test_three_views_agree() -> None:
    """The third view is the first that can hear of a certificate which the view before it did not have."""
    result = checker.load(SPECS / "pbft.psm").check("f1", constants={"VIEWS": 3})
    assert (result.states, result.transitions, result.depth) == (2_411_180, 11_787_200, 27)
    assert {p.name: p.verdict for p in result.properties}["Agreement"] is Verdict.HOLDS


WHERE = {"one view": ONE_VIEW, "three": THREE}

CAUGHT = [
    Caught("NeedsHalf", "probe", "one view", 1, "Rep1.SendCommit()", ("network",)),
    Caught("AcceptsOldViews", "probe", "three", 2, "Rep2.PrePrepare(0, Val0) <- Rep0", ("Rep2.accepted", "network")),
    Caught("BelievesTheLeader", "probe", "three", 2, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("BelievesOneReport", "replay", "three", 3, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("IgnoresCertificates", "probe", "three", 2, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("CommitsUnprepared", "probe", "one view", 1, "Rep1.SendCommit()", ("network",)),
    Caught("ExecutesWhatIsPrepared", "probe", "one view", 3, "Rep1.Execute(0, Val0)", ("Rep1.executed",)),
    Caught("ExecutesAtOneCommit", "probe", "one view", 0, "Rep1.Execute(0, Val0)", ("Rep1.executed",)),
    Caught("ReportsNothing", "replay", "three", 1, "Rep1.NextView()", ("network",)),
    Caught("ProposesTwice", "probe", "one view", 1, "Rep0.Propose(Val1)", ("network",)),
]

ELSEWHERE = {
    "AcceptsTwice",
    "AcceptsFromAnyone",
    "ChecksNoSignatures",
    "CountsSignaturesTwice",
    "CountsEveryPrepare",
    "ReportsTheLastViewAlone",
}
"""What a liar must not get away with and the spec does not let it say, such as a signature of somebody else, or what probes do
not try, since they make nothing up, or what takes three views: `test_pbft_service` shows these to one replica alone."""


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake)
def test_mistake_is_caught(caught: Caught) -> None:
    caught.check(Pbft.mistakes()[caught.mistake], graph_of("pbft", "f1", **WHERE[caught.where]))


def test_every_mistake_is_caught_somewhere() -> None:
    assert {caught.mistake for caught in CAUGHT} | ELSEWHERE == {mistake.__name__ for mistake in MISTAKES}
