"""`lockstep fmt`: what it writes, and that it writes nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.support import lockstep

UGLY = "spec  A   # why\nrole R {durable x:bool=false\n}\n\n\n\nfinal:true\n"
PRETTY = "spec A  # why\nrole R { durable x: bool = false }\n\nfinal: true\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ugly.psm").write_text(UGLY, encoding="utf-8")
    return tmp_path


def formatted() -> str:
    return lockstep("fmt", "-", stdin=UGLY).out


def test_standard_input() -> None:
    done = lockstep("fmt", "-", stdin=UGLY)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("spec A")
    assert "# why" in done.out
    assert lockstep("fmt", "-", stdin=done.out).out == done.out


def test_file_is_rewritten(here: Path) -> None:
    path = here / "ugly.psm"
    path.chmod(0o640)
    done = lockstep("fmt", "ugly.psm")
    assert (done.code, done.out, done.err) == (0, "", "formatted ugly.psm\n")
    assert path.read_text(encoding="utf-8") == formatted()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in here.iterdir()] == ["ugly.psm"]
    again = lockstep("fmt", "ugly.psm")
    assert (again.code, again.err) == (0, "1 spec is formatted already\n")


def test_file_that_is_formatted_is_not_touched(here: Path) -> None:
    path = here / "ugly.psm"
    lockstep("fmt", "ugly.psm")
    os.utime(path, (1, 1))
    lockstep("fmt", ".")
    assert path.stat().st_mtime == 1


def test_check_changes_nothing(here: Path) -> None:
    done = lockstep("fmt", "--check", ".")
    assert (done.code, done.err) == (1, "would change ugly.psm\n")
    assert (here / "ugly.psm").read_text(encoding="utf-8") == UGLY
    lockstep("fmt", ".")
    assert lockstep("fmt", "--check", ".").code == 0


def test_diff(here: Path) -> None:
    done = lockstep("fmt", "--diff", "ugly.psm")
    assert done.code == 0
    assert done.out.startswith("--- a/ugly.psm\n+++ b/ugly.psm\n@@ ")
    assert "-spec  A   # why\n" in done.out
    assert (here / "ugly.psm").read_text(encoding="utf-8") == UGLY
    assert lockstep("fmt", "--diff", "--check", "ugly.psm").code == 1


def test_link_stays_a_link(here: Path) -> None:
    (here / "link.psm").symlink_to("ugly.psm")
    lockstep("fmt", "link.psm")
    assert (here / "link.psm").is_symlink()
    assert (here / "ugly.psm").read_text(encoding="utf-8") == formatted()


def test_line_ends_and_byte_order_mark(here: Path) -> None:
    (here / "ugly.psm").write_bytes(b"\xef\xbb\xbf" + formatted().replace("\n", "\r\n").encode())
    assert lockstep("fmt", "ugly.psm").code == 0
    assert (here / "ugly.psm").read_bytes() == formatted().encode()


def test_wrong_file_does_not_stop_the_others(here: Path) -> None:
    (here / "broken.psm").write_text("spec A\nrole {", encoding="utf-8")
    done = lockstep("fmt", "broken.psm", "ugly.psm")
    assert done.code == 2
    assert "broken.psm:2:6: error PSM111" in done.err
    assert (here / "broken.psm").read_text(encoding="utf-8") == "spec A\nrole {"
    assert (here / "ugly.psm").read_text(encoding="utf-8") == formatted()


def test_bad_input() -> None:
    assert lockstep("fmt", "-", "ugly.psm").code == 2
    assert "PSM002" in lockstep("fmt", "missing_dir_or_file").err or "PSM001" in lockstep("fmt", "nowhere.psm").err
    assert lockstep("fmt", "-", stdin="spec").code == 2
    assert lockstep("fmt", "-", stdin="").code == 2
