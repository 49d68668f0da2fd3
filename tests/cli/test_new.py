"""`lockstep new`: the template checks, is formatted, and overwrites nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.support import lockstep


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_template_checks(here: Path) -> None:
    done = lockstep("new", "money_transfer")
    assert (done.code, done.out, done.err) == (
        0, "wrote money_transfer.psm\nnext: lockstep check money_transfer.psm\n", "",
    )  # fmt: skip
    assert "spec MoneyTransfer" in (here / "money_transfer.psm").read_text(encoding="utf-8")
    checked = lockstep("check", "money_transfer.psm", "--format", "json")
    assert (checked.code, checked.err) == (0, "")
    verdicts = {
        (p["name"], p["expected"], p["verdict"]) for c in checked.json["specs"][0]["checks"] for p in c["properties"]
    }
    assert ("Once", "fails", "violated") in verdicts
    assert ("Honest", "holds", "holds") in verdicts
    assert all(not c["coverage"]["never_fired"] for c in checked.json["specs"][0]["checks"])


def test_template_is_formatted() -> None:
    lockstep("new", "first")
    assert lockstep("fmt", "--check", "first.psm").code == 0


def test_every_line_has_at_most_120_columns(here: Path) -> None:
    lockstep("new", "first")
    assert max(len(line) for line in (here / "first.psm").read_text(encoding="utf-8").splitlines()) <= 120


def test_refuses_to_overwrite(here: Path) -> None:
    (here / "mine.psm").write_text("precious", encoding="utf-8")
    done = lockstep("new", "mine")
    assert done.code == 2
    assert "error PSM901: mine.psm exists, and is not overwritten" in done.err
    assert (here / "mine.psm").read_text(encoding="utf-8") == "precious"
    assert [p.name for p in here.iterdir()] == ["mine.psm"]


@pytest.mark.parametrize("name", ["Transfer", "2pc", "../up", "a b", "", "-", "é", "a.b", "x" * 65])
def test_names(name: str, here: Path) -> None:
    done = lockstep("new", "--", name)
    assert done.code == 2
    assert "error PSM901" in done.err
    assert [p.name for p in here.iterdir()] == []


def test_directory(here: Path) -> None:
    (here / "specs").mkdir()
    assert lockstep("new", "first.psm", "--dir", "specs").code == 0
    assert (here / "specs" / "first.psm").exists()
    done = lockstep("new", "first", "--dir", "nowhere")
    assert done.code == 2
    assert "error PSM001: there is no directory nowhere" in done.err


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_follow_the_umask(here: Path) -> None:
    before = os.umask(0o027)
    try:
        lockstep("new", "first")
    finally:
        os.umask(before)
    assert (here / "first.psm").stat().st_mode & 0o777 == 0o640
