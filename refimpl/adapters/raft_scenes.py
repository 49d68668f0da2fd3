"""Situations of Raft that take several terms or entries, and so are in no small graph."""

from __future__ import annotations

from typing import Final

from checker.conformance.adapter import Instance, Scene

_FIRST_ENTRY = (
    "Server0.Elect()",
    "Server2.Ask(1, 0, 0) <- Server0",
    "Server0.Vote(1) <- Server2",
    "Server0.Lead()",
    "Server0.Client()",
)
"""Server 0 leads term 1, and has an entry of it."""

_THIRD_LEADER = (
    "Server0.Elect()",
    "Server1.Ask(3, 1, 1) <- Server0",
    "Server2.Ask(3, 1, 1) <- Server0",
    "Server0.Vote(3) <- Server2",
    "Server0.Lead()",
)
"""It leads term 3, too, by the vote of server 2."""

FIGURE_8: Final = Scene(
    "entries of earlier terms",
    Instance("small", {"TERMS": 3}),
    (
        # server 0 leads term 1, and nobody gets its entry
        *_FIRST_ENTRY,
        # server 1 leads term 2, and has another entry in the same place
        "Server1.Ask(1, 0, 0) <- Server0",
        "Server1.Elect()",
        "Server2.Ask(2, 0, 0) <- Server1",
        "Server1.Vote(2) <- Server2",
        "Server1.Lead()",
        "Server1.Client()",
        # server 0 asks for term 3; server 1 has a log as long as this and of a later term, and does not vote
        "Server0.Ask(2, 0, 0) <- Server1",
        *_THIRD_LEADER,
        # what it sends fits nowhere at first; then a majority has its entry of term 1, and nothing is committed by that
        "Server0.Replicate(Server2)",
        "Server2.Append(3, 1, 1, none, 0) <- Server0",
        "Server0.Ack(3, false, 1) <- Server2",
        "Server0.Replicate(Server2)",
        "Server2.Append(3, 0, 0, 1, 0) <- Server0",
        "Server0.Ack(3, true, 1) <- Server2",
        # server 1 gives its own entry up
        "Server0.Replicate(Server1)",
        "Server1.Append(3, 1, 1, none, 0) <- Server0",
        "Server0.Ack(3, false, 1) <- Server1",
        "Server0.Replicate(Server1)",
        "Server1.Append(3, 0, 0, 1, 0) <- Server0",
    ),
)
"""Figure 8 of the paper: counting copies of an entry of term 1 would commit what a later leader may overwrite."""

LATE_MESSAGES: Final = Scene(
    "messages that come late and twice",
    Instance("alone"),
    (
        *_FIRST_ENTRY,
        "Server0.Client()",
        "Server0.Replicate(Server1)",
        "Server1.Append(1, 0, 0, 1, 0) <- Server0",
        "Server0.Ack(1, true, 1) <- Server1",
        "Server0.Replicate(Server1)",
        "Server1.Append(1, 1, 1, 1, 1) <- Server0",
        "Server0.Ack(1, true, 2) <- Server1",
        # both entries are there and committed; now comes again what was said of the first
        "Server1.Append(1, 0, 0, 1, 0) <- Server0",
        "Server0.Ack(1, true, 1) <- Server1",
        "Server0.Replicate(Server2)",
    ),
)
"""What is known of a follower only grows, and one that has the first entry alone is not told that the second is committed."""

STEPPING_DOWN: Final = Scene(
    "a leader and a candidate step down",
    Instance("small", {"TERMS": 3}),
    (
        *_FIRST_ENTRY,
        "Server0.Replicate(Server2)",
        "Server2.Append(1, 0, 0, 1, 0) <- Server0",
        "Server0.Ack(1, true, 1) <- Server2",
        # server 1 has heard of nothing, and begins term 2
        "Server1.Elect()",
        "Server1.Elect()",
        "Server0.Ask(2, 0, 0) <- Server1",
        # server 0 begins term 3, of which server 1 hears while it still collects votes
        *_THIRD_LEADER,
    ),
)
"""Who steps down forgets what only a candidate or a leader knows; what was sent in term 1 is passed over in term 3."""

SCENES: Final = (FIGURE_8, LATE_MESSAGES, STEPPING_DOWN)
