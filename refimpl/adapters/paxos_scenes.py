"""A situation of Paxos that takes three ballots, and so is in no small graph."""

from __future__ import annotations

from typing import Final

from checker.conformance.adapter import Instance, Scene

SCENES: Final = (
    Scene(
        "the higher vote is heard of first",
        Instance("safe", {"BALLOTS": 3}),
        (
            # ballot 0 gets one vote, for Val0
            "Leader0.Start()",
            "Acceptor0.Prepare(Leader0) <- Leader0",
            "Acceptor1.Prepare(Leader0) <- Leader0",
            "Leader0.Promise(Leader0, none) <- Acceptor0",
            "Leader0.Promise(Leader0, none) <- Acceptor1",
            "Leader0.Propose(Val0)",
            "Acceptor0.Accept(Leader0, Val0) <- Leader0",
            # ballot 1 does not hear of it, and gets one vote for Val1
            "Leader1.Start()",
            "Acceptor1.Prepare(Leader1) <- Leader1",
            "Acceptor2.Prepare(Leader1) <- Leader1",
            "Leader1.Promise(Leader1, none) <- Acceptor1",
            "Leader1.Promise(Leader1, none) <- Acceptor2",
            "Leader1.Propose(Val1)",
            "Acceptor1.Accept(Leader1, Val1) <- Leader1",
            # both promise ballot 2, and tell of their votes
            "Leader2.Start()",
            "Acceptor0.Prepare(Leader2) <- Leader2",
            "Acceptor1.Prepare(Leader2) <- Leader2",
            "Leader2.Promise(Leader2, Vote(Leader1, Val1)) <- Acceptor1",
            "Leader2.Promise(Leader2, Vote(Leader0, Val0)) <- Acceptor0",
            "Leader2.Propose(Val1)",
        ),
    ),
)
"""No leader before that of the third ballot can hear of two votes. It has to take the value of the higher one."""
