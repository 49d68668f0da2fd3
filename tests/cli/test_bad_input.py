"""Bad input of all kinds: each gets its own message and exit code, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import COUNTER, OVERFLOW, TRANSFER, environment, lockstep, process, write


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, transfer=TRANSFER, counter=COUNTER, overflow=OVERFLOW)
    (tmp_path / "empty.psm").write_bytes(b"")
    (tmp_path / "blank.psm").write_bytes(b" \n\t\n")
    (tmp_path / "binary.psm").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "latin.psm").write_bytes("spec A # é\n".encode("latin-1"))
    (tmp_path / "large.psm").write_bytes(b"spec A\n" + b"# a comment that says nothing\n" * 350_000)
    (tmp_path / "line.psm").write_bytes(b"spec A\ninvariant B: " + b"a + " * 200_000 + b"a\n")
    (tmp_path / "deep.psm").write_bytes(b"spec A\ninvariant B: " + b"(" * 10_000 + b"1" + b")" * 10_000)
    (tmp_path / "nots.psm").write_bytes(b"spec A\ninvariant B: " + b"not " * 10_000 + b"true\n")
    (tmp_path / "name.psm").write_text(TRANSFER.replace("balance > 0", "balanse > 0"), encoding="utf-8")
    (tmp_path / "type.psm").write_text(TRANSFER.replace("done := true", "done := 1"), encoding="utf-8")
    (tmp_path / "escape.psm").write_bytes(b"spec A \x1b[2J\nrole R { durable x: bool = y } # \xe2\x80\xae\n")
    (tmp_path / "nothing").mkdir()
    os.mkfifo(tmp_path / "pipe.psm")
    twice = ("expect states 36 expect states 36", "N = 1 N = 1", "final: true final: true")
    checks = "".join(f"check {name} {{ {text} }}\n" for name, text in zip("abc", twice, strict=True))
    networks = "message M\nnetwork soup\ncheck d { network soup network soup }\n"
    (tmp_path / "twice.psm").write_text(f"{COUNTER}{checks}{networks}", encoding="utf-8")
    squares = "".join(f"const C{i} = C{i - 1} * C{i - 1}\n" for i in range(1, 40))
    (tmp_path / "squares.psm").write_text(f"spec Squares\nconst C0 = 2\n{squares}", encoding="utf-8")
    role = "role R { durable n: 0..1000000000000 = 1  action Up when n < 1000000000 { n := n * 100 } }"
    for name, end in (("range", "9223372036854775806"), ("growing", "R.n")):
        text = f"spec Wide\n{role}\ninvariant Wide: forall x in 0..{end}: x >= 0\nfinal: true\ncheck c {{}}\n"
        (tmp_path / f"{name}.psm").write_text(text, encoding="utf-8")
    products = "".join(f"let a{i} = a{i - 1} * a{i - 1}  " for i in range(1, 40))
    role = f"role R {{ durable x: 0..9 = 0  action Up {{ let a0 = sum i in 0..3: i  {products} x := a39 }} }}"
    (tmp_path / "sums.psm").write_text(f"spec Sums\n{role}\nfinal: true\ncheck c {{}}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["empty.psm"], "PSM005", "empty.psm is empty"),
        (["blank.psm"], "PSM005", "blank.psm is empty"),
        (["binary.psm"], "PSM003", "binary.psm is a binary file"),
        (["latin.psm"], "PSM003", "latin.psm is not UTF-8: byte 0xe9 at offset 9"),
        (["large.psm"], "PSM004", "large.psm has 10,500,007 bytes, and a spec may have at most 1,048,576"),
        (["line.psm"], "PSM", "line.psm"),
        (["deep.psm"], "PSM103", "more than 100 brackets are open here"),
        (["nots.psm"], "PSM103", "nested more than 80 deep"),
        (["missing.psm"], "PSM001", "missing.psm does not exist"),
        (["nothing"], "PSM002", "there are no specs in nothing or below it"),
        (["x" * 5000], "PSM006", "cannot be read: File name too long"),
        (["name.psm"], "PSM201", "did you mean `balance`?"),
        (["type.psm"], "PSM301", "`done` must be bool, not 1"),
        (["escape.psm"], "PSM", "escape.psm:1:"),
        (
            ["counter.psm", "--check", "smal"],
            "PSM502",
            "counter.psm has no check `smal`\n   help: did you mean `small`?",
        ),
        (["counter.psm", "--check", ""], "PSM502", "counter.psm has no check ``"),
        (["counter.psm", "--set", "N=99"], "PSM501", "N = 99 is outside 1..4"),
        (["counter.psm", "--set", "N=-1"], "PSM501", "N = -1 is outside 1..4"),
        (["counter.psm", "--set", "N=true"], "PSM301", "N must be 1..4, not bool"),
        (["counter.psm", "--set", "MODE=medium"], "PSM501", "`medium` is no value for MODE"),
        (["counter.psm", "--set", "M=1"], "PSM503", "counter.psm has no constant `M`"),
        (["counter.psm", "--set", "N"], "PSM901", "`N` is not of the form CONST=VALUE, such as N=3"),
        (["counter.psm", "--set", "=3"], "PSM901", "`=3` is not of the form CONST=VALUE"),
        (["counter.psm", "--set", "N="], "PSM901", "`` is no value for N"),
        (["counter.psm", "--set", "N=1.5"], "PSM901", "`1.5` is no value for N"),
        (["counter.psm", "--set", f"N={'9' * 5000}"], "PSM901", "is too large for N: a number has at most 18 digits"),
        ([""], "PSM901", "invalid value for 'PATH...': the path is empty"),
        (["counter.psm", "--checkpoint", ""], "PSM901", "invalid value for '--checkpoint': the path is empty"),
        (["range.psm"], "PSM307", "range.psm:3:1: error PSM307: 0..9223372036854775806 has too many values"),
        (["growing.psm", "--engine", "native"], "PSM307", "0 .. 100000000 has too many values to go through them all"),
        (["growing.psm", "--engine", "python"], "PSM307", "0 .. 100000000 has too many values to go through them all"),
        (["twice.psm", "--check", "a"], "PSM506", "the check says twice how many states to expect"),
        (["twice.psm", "--check", "b"], "PSM506", "the check says twice what `N` is"),
        (["twice.psm", "--check", "c"], "PSM506", "the check says twice what is `final`"),
        (["twice.psm", "--check", "d"], "PSM506", "the check says twice which network there is"),
        (["pipe.psm"], "PSM003", "pipe.psm is no file"),
        (["squares.psm"], "PSM113", "this may be larger than 2^1024"),
        (["sums.psm"], "PSM113", "a product is larger than 2^1024"),
        (["sums.psm", "--engine", "python"], "PSM113", "a product is larger than 2^1024"),
        (["counter.psm", "--set", "N=1", "--set", "N=2"], "PSM901", "`--set` gives N two values: 1 and 2"),
        (["counter.psm", "--max-memory", "lots"], "PSM901", "`lots` is no size; write it like 512M, 2G or 1.5GiB"),
        (["counter.psm", "--max-memory", "-5M"], "PSM901", "`-5M` is no size"),
        (["counter.psm", "--max-memory", "0"], "PSM901", "`0` is too small"),
        (["counter.psm", "--max-states", "0"], "PSM901", "0 is too small: at least 1 is needed"),
        (["counter.psm", "--max-states", "-7"], "PSM901", "-7 is too small"),
        (["counter.psm", "--max-states", "many"], "PSM901", "`many` is no whole number"),
        (["counter.psm", "--timeout", "-1"], "PSM901", "`-1` is not a positive number of seconds"),
        (["counter.psm", "--timeout", "nan"], "PSM901", "`nan` is not a positive number of seconds"),
        (["counter.psm", "--timeout", "soon"], "PSM901", "`soon` is no number of seconds"),
        (["counter.psm", "--workers", "0"], "PSM901", "0 is too small"),
        (
            ["counter.psm", "--engine", "python", "--fingerprints"],
            "PSM902",
            "the python engine has no `--fingerprints`",
        ),
        (["counter.psm", "--resume", "nowhere"], "PSM904", "there is no directory nowhere"),
        (["counter.psm", "--resume", "a", "--checkpoint", "b"], "PSM901", "excludes `--checkpoint`"),
        (["counter.psm", "--engine", "warp"], "PSM901", "'warp' is not one of 'auto', 'native', 'python'"),
        (["counter.psm", "--max-stats", "3"], "PSM901", "--max-states"),
        (["counter.psm", "-q", "-v"], "PSM901", "`--quiet` and `--verbose` exclude each other"),
        ([], "PSM901", "missing argument"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_check(args: list[str], code: str, message: str) -> None:
    done = lockstep("check", *args)
    assert done.code == 2
    assert f"error {code}" in done.err
    assert message in done.err
    assert "Traceback" not in done.err + done.out
    assert "\x1b" not in done.err + done.out


def test_range_overflow_in_a_run() -> None:
    done = lockstep("check", "overflow.psm", "--check", "range")
    assert done.code == 1
    assert done.err == ""
    assert "✗ NoError     built-in   violated after 2 steps, but expected to hold" in done.out
    assert "overflow.psm:8:33: error PSM601: 3 is outside 0..2, the type of `x`" in done.out


def test_capacity_overflow_in_a_run(here: Path) -> None:
    done = lockstep("check", "overflow.psm", "--check", "capacity", columns=100)
    assert done.code == 0
    assert "✓ NoError     built-in   violated after 1 step, as expected: the network is full for Ping" in done.out
    text = OVERFLOW.replace("expect fails NoError", "")
    (here / "overflow.psm").write_text(text, encoding="utf-8")
    done = lockstep("check", "overflow.psm", "--check", "capacity")
    assert done.code == 1
    assert "overflow.psm:12:42: error PSM602: the network is full for Ping" in done.out


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(here: Path) -> None:
    (here / "counter.psm").chmod(0)
    done = lockstep("check", "counter.psm")
    assert done.code == 2
    assert "error PSM006: counter.psm cannot be read: Permission denied" in done.err


def test_link_to_itself(here: Path) -> None:
    (here / "loop.psm").symlink_to("loop.psm")
    done = lockstep("check", "loop.psm")
    assert done.code == 2
    assert "error PSM006: loop.psm cannot be read" in done.err


def test_name_of_a_file_with_an_escape_sequence(here: Path) -> None:
    (here / "a\x1b[31mb.psm").write_text(TRANSFER, encoding="utf-8")
    done = lockstep("check", "a\x1b[31mb.psm", "no\x1bthing.psm")
    assert "a\\x1b[31mb.psm" in done.out
    assert "no\\x1bthing.psm does not exist" in done.err
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize(
    "args",
    [
        ["check", "missing.psm"],
        ["check", "name.psm"],
        ["check", "deep.psm"],
        ["check", "nothing"],
        ["check", "counter.psm", "--check", "nope"],
        ["check", "counter.psm", "--set", "N"],
        ["check", "counter.psm", "--engine", "python", "--fingerprints"],
        ["check"],
        ["inspect", "missing.psm"],
        ["trace", "name.psm"],
        ["trace", "counter.psm", "--to", "Nothing"],
    ],
    ids=" ".join,
)
def test_json_is_one_document_whatever_happens(args: list[str]) -> None:
    done = lockstep(*args, "--format", "json")
    assert done.code == 2
    document = done.json
    assert document["version"] == 1
    found = [d for spec in document["specs"] for d in spec["diagnostics"]] + document.get("diagnostics", [])
    found += [d for spec in document["specs"] for check in spec["checks"] for d in check["diagnostics"]]
    assert [d for d in found if d["severity"] == "error"]
    assert "error PSM" in done.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["chek", "counter.psm"], "error PSM901: there is no command `chek`\n   help: did you mean `check`?"),
        (["counter.psm"], "help: did you mean `lockstep check counter.psm`?"),
        (["--verison"], "error PSM901: no such option '--verison'"),
        (["inspect"], "missing argument 'PATH'"),
        (["inspect", "nothing"], "error PSM901: nothing is a directory, and this command looks at one spec"),
        (["inspect", "counter.psm", "--check", "nope"], "error PSM502"),
        (["graph", "counter.psm", "--set", "X=1"], "error PSM503"),
        (["trace", "counter.psm", "--steps", "0"], "0 is too small"),
        (["trace", "counter.psm", "--seed", "x"], "`x` is no whole number"),
        (["trace", "counter.psm", "--choose", "--to", "Low"], "`--choose` excludes"),
        (["new"], "missing argument 'NAME'"),
        (["completion", "cmd"], "'cmd' is not one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_other_commands(args: list[str], message: str) -> None:
    done = lockstep(*args)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(os.name == "nt", reason="streams are closed by a shell")
@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_stream_that_is_closed_keeps_nothing(stream: str, here: Path) -> None:
    command = f'"{sys.executable}" -m checker check counter.psm missing.psm {stream}>&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 2
    assert ("PSM001" in done.stderr) == (stream == "1")
    assert ("small  pass" in done.stdout) == (stream == "2")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="the system has no /dev/full")
@pytest.mark.parametrize("args", [["counter.psm"], ["counter.psm", "--format", "json"], ["--help"]], ids=str)
def test_output_without_room(args: list[str], here: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "checker", "check", *args],
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "error PSM007: the output cannot be written: No space left on device",
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_in_place_of_a_file_is_written_to(here: Path) -> None:
    os.mkfifo(here / "pipe")
    handle = os.open(here / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert lockstep("graph", "counter.psm", "--check", "small", "-o", "pipe", "--format", "dot").code == 0
        assert os.read(handle, 1 << 16).startswith(b"digraph")
    finally:
        os.close(handle)
    assert (here / "pipe").is_fifo()


@pytest.mark.parametrize("args", [["check", "../counter.psm"], ["new", "abc"]], ids=" ".join)
def test_a_directory_that_is_gone(args: list[str], here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    done = lockstep(*args)
    monkeypatch.chdir(here)
    assert done.code == 2
    assert done.err.startswith("error PSM006: the current directory cannot be used: No such file or directory\n")


def test_in_a_process_of_its_own() -> None:
    """The same through the real entry point, once: streams, encoding and exit code."""
    done = process("check", "binary.psm", "name.psm", "missing.psm")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert [line.split(":")[0] for line in done.stderr.splitlines() if "PSM00" in line] == [
        "error PSM003",
        "error PSM001",
    ]
    assert done.stderr.endswith("\n3 errors\n")
