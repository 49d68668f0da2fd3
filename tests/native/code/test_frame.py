"""The words of a frame."""

from __future__ import annotations

from checker.native.code import frame


def test_no_two_things_share_a_word() -> None:
    words = (
        frame.OUT, frame.END, frame.PROBE, frame.ALIVE, frame.FAILED, frame.TRANSITIONS, frame.LIMIT_CUT, frame.DROPPED,
        frame.STUTTERED, frame.NOTES, frame.STATES, frame.EXTRA, frame.CUT, frame.KEY, frame.CLASSES, frame.FIRED,
    )  # fmt: skip
    assert list(words) == list(range(len(words)))
