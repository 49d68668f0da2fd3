"""The surroundings of real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from refimpl.runtime import tcp


def test_only_the_beginning_of_what_is_told_is_kept_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "MOST_TRACED", 3)
    env = tcp.TcpEnvironment("n1", {}, tmp_path)
    for number in range(5):
        env.trace("Server.Client", number=number)
    assert [observed["number"] for _, _, observed in env.traced] == [0, 1, 2]
    assert env.untold == 2
    assert [record.getMessage() for record in caplog.records] == [
        "n1 has told of 3 steps; what it tells from now on is not kept"
    ]
