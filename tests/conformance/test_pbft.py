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
ALL_OF_THREE = {"N": 3, "Q": 3}
"""No quorum without the liar."""


@pytest.mark.parametrize(
    ("check", "constants", "transitions", "tried"),
    [
        ("f1", ONE_VIEW, 2_388, 6_930),
        ("f1", ALL_OF_THREE, 2_208, 16_338),
        pytest.param("f1", THREE, 13_532, 64_150, marks=pytest.mark.slow),
        pytest.param("q2", {}, 9_612, 21_270, marks=pytest.mark.slow),
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


WHERE = {"one view": ONE_VIEW, "three": THREE, "all of three": ALL_OF_THREE}

CAUGHT = [
    Caught("NeedsHalf", "probe", "one view", 1, "Rep1.SendCommit()", ("network",)),
    Caught(
        "AcceptsTwice",
        "probe",
        "one view",
        1,
        "Rep1.PrePrepare(0, Val1) <- Rep0 [forged]",
        ("Rep1.accepted", "network"),
    ),
    Caught(
        "AcceptsFromAnyone",
        "probe",
        "one view",
        0,
        "Rep2.PrePrepare(0, Val0) <- Rep1 [forged]",
        ("Rep2.accepted", "network"),
    ),
    Caught(
        "AcceptsOldViews",
        "probe",
        "three",
        1,
        "Rep1.PrePrepare(0, Val0) <- Rep0 [forged]",
        ("Rep1.accepted", "network"),
    ),
    Caught("BelievesTheLeader", "probe", "three", 2, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("BelievesOneReport", "replay", "three", 3, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("IgnoresCertificates", "probe", "three", 2, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("ChecksNoSignatures", "probe", "three", 2, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("CountsSignaturesTwice", "probe", "three", 2, "Rep1.Propose(Val1)", ("Rep1.accepted", "network")),
    Caught("CountsEveryPrepare", "probe", "all of three", 5, "Rep1.SendCommit()", ("network",)),
    Caught("CommitsUnprepared", "probe", "one view", 1, "Rep1.SendCommit()", ("network",)),
    Caught("ExecutesWhatIsPrepared", "probe", "one view", 3, "Rep1.Execute(0, Val0)", ("Rep1.executed",)),
    Caught("ExecutesAtOneCommit", "probe", "one view", 0, "Rep1.Execute(0, Val0)", ("Rep1.executed",)),
    Caught("ReportsNothing", "replay", "three", 1, "Rep1.NextView()", ("network",)),
    Caught("ProposesTwice", "probe", "one view", 1, "Rep0.Propose(Val1)", ("network",)),
]

ELSEWHERE = {"ReportsTheLastViewAlone"}
"""What takes three views: a scene shows it, see `test_mistakes`."""


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake)
def test_mistake_is_caught(caught: Caught) -> None:
    caught.check(Pbft.mistakes()[caught.mistake], graph_of("pbft", "f1", **WHERE[caught.where]))


def test_every_mistake_is_caught_somewhere() -> None:
    assert {caught.mistake for caught in CAUGHT} | ELSEWHERE == {mistake.__name__ for mistake in MISTAKES}
