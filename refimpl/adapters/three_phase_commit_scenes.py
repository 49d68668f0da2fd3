"""Situations of three-phase commit in which leaders change, which takes more processes or steps than small graphs have."""

from __future__ import annotations

from typing import Final

from checker.conformance.adapter import Instance, Scene

TWO_LEADERS_FAIL: Final = Scene(
    "two leaders fail",
    Instance("survivor", {"N": 3}),
    (
        "TM.Begin()",
        "RM0.Prepare() <- TM [branch 1]",
        "RM1.Prepare() <- TM [branch 1]",
        "RM2.Prepare() <- TM [branch 1]",
        "TM.Vote(true) <- RM0",
        "TM.Vote(true) <- RM1",
        "TM.Vote(true) <- RM2",
        # of the three, one hears of the votes
        "TM.PreCommit() [reached RM1, stop after 2 effects]",
        "RM1.PreCommit() <- TM",
        # RM0 leads, and learns it from RM1
        "RM0.MissTM()",
        "RM0.TakeOver()",
        "RM1.Inquire() <- RM0",
        "RM2.Inquire() <- RM0",
        "RM0.Report(true) <- RM1",
        "RM0.Report(false) <- RM2",
        # what it has to say reaches both, and RM2 too late
        "RM0.Settle()",
        "RM1.PreCommit() <- RM0",
        "RM0.crash",
        # RM1 leads, and RM2 no longer listens to RM0
        "RM1.MissTM()",
        "RM1.Miss(RM0)",
        "RM1.TakeOver()",
        "RM2.Inquire() <- RM1",
        "RM1.Report(false) <- RM2",
        "RM1.Settle()",
        "RM2.PreCommit() <- RM1",
        "RM1.Ack() <- RM2",
        "RM1.Commit()",
        "RM2.Decide(commit) <- RM1",
        # RM0 had forgotten all but its vote, and is told
        "RM0.restart",
        "RM0.Decide(commit) <- RM1",
    ),
)
"""Acknowledgements and reports count for one leader alone, and who was down does not decide."""

DECISION_COMES_LATE: Final = Scene(
    "a decision comes late",
    Instance("gone"),
    (
        "TM.Begin()",
        "RM0.Prepare() <- TM [branch 1]",
        "RM1.Prepare() <- TM [branch 1]",
        "TM.Vote(true) <- RM0",
        "TM.Vote(true) <- RM1",
        "TM.PreCommit()",
        "RM0.PreCommit() <- TM",
        "RM1.PreCommit() <- TM",
        "TM.Ack() <- RM0",
        "TM.Ack() <- RM1",
        "TM.Commit() [reached RM1, stop after 2 effects]",
        # RM0 does not know that the decision is on its way to RM1, which is asked before it arrives
        "RM0.MissTM()",
        "RM0.TakeOver()",
        "RM1.Inquire() <- RM0",
        "RM0.Report(true) <- RM1",
        "RM0.Settle()",
        "RM1.Decide(commit) <- TM",
        # so RM1 has nothing to acknowledge any more, and says how it ended
        "RM1.PreCommit() <- RM0",
        "RM0.Decide(commit) <- RM1",
    ),
)
"""A participant hears the outcome while a new leader still works on it."""

SCENES: Final = (TWO_LEADERS_FAIL, DECISION_COMES_LATE)
