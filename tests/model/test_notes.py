"""What a machine notes about the assumptions behind its verdicts."""

from __future__ import annotations

import pytest

import checker

SPEC = """spec Watch
network soup
role B {{ durable x: bool = false }}
role A {{
  durable gave_up: bool = false
  durable silent_once: bool = false
  fun gone: bool = {gone}
  timeout GiveUp when {guard} {{ gave_up := true }}
}}
final: true
"""


@pytest.mark.parametrize(
    ("gone", "guard", "notes"),
    [
        ("gave_up", "not gave_up and silent(B)", ("assumes synchrony",)),
        ("silent(B)", "not gave_up and gone", ("assumes synchrony",)),
        ("silent(B)", "not gave_up", ()),
        ("gave_up", "not gone and not silent_once", ()),
    ],
)
def test_a_verdict_assumes_synchrony_where_a_timeout_asks_a_failure_detector(
    gone: str, guard: str, notes: tuple[str, ...]
) -> None:
    text = SPEC.format(gone=gone, guard=guard)
    assert checker.loads(text).machine().notes == notes
