"""`lockstep export` and `lockstep import-trace`, as users run them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import checker
from checker.engine.interface import Limits
from checker.engine.labels import StateView
from checker.model.layout import Layout
from checker.native.choose import engine_named
from checker.properties.kinds import Json
from checker.properties.safety import trace
from checker.render.exchange.itf import document
from checker.render.schema import steps_list
from tests.cli.support import COUNTER, OVERFLOW, ROOT, TRANSFER, assert_golden, lockstep, write


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, transfer=TRANSFER, counter=COUNTER, overflow=OVERFLOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- there and back


def expected_failures() -> list[object]:
    found: list[object] = []
    for path in sorted((ROOT / "specs").glob("*/*.psm")):
        spec = checker.load(path)
        for check in spec.checks:
            machine = spec.machine(check)
            fails = [n for n, e in machine.expectations.items() if e.verdict == "fails"]
            if fails:
                found.append(pytest.param(path, check, fails, id=f"{path.stem}-{check}"))
    return found


@pytest.mark.parametrize(("path", "check", "names"), expected_failures())
def test_every_expected_failure_there_and_back(path: Path, check: str, names: list[str]) -> None:
    machine = checker.load(path).machine(check)
    found = engine_named("auto").explore(machine, Limits(timeout=60))
    view = StateView(Layout(machine))
    for name in names:
        finding = found.violations.get(name)
        if finding is None:  # a `reach` that is not reached has no trace
            assert name in {p.name for p in machine.properties if p.kind == "reach"}
            continue
        Path("t.json").write_text(json.dumps(document(finding.path, view)), encoding="utf-8")
        done = lockstep("import-trace", "t.json", "--spec", path, "--check", check, "--format", "json")
        assert (done.code, done.err) == (0, "")
        told = trace(finding.path, view)
        assert done.json["initial"] == told.initial
        assert done.json["trace"] == steps_list(told)
        assert done.json["error_step"] == told.error
        assert done.json["matched"] is True
        assert done.json["unseen"] == []


def test_export_and_import() -> None:
    assert lockstep("export", "transfer.psm", "--property", "PaidOnce", "-o", "t.itf.json").code == 0
    done = lockstep("import-trace", "t.itf.json", "--spec", "transfer.psm")
    assert done.code == 0
    assert_golden("imported.txt", done.out)
    shown = lockstep("trace", "transfer.psm", "--to", "PaidOnce").out
    assert done.out.splitlines()[2:-1] == shown.splitlines()[2:-1]


def test_an_error_there_and_back() -> None:
    lockstep("export", "overflow.psm", "--property", "NoError", "-o", "t.json")
    done = lockstep("import-trace", "t.json", "--spec", "overflow.psm", "--format", "json")
    assert (done.code, done.json["error_step"], done.json["diagnostics"][0]["code"]) == (0, "A.Up()", "PSM601")


def altered(change: dict[str, Json], state: int) -> None:
    lockstep("export", "transfer.psm", "--property", "PaidOnce", "-o", "t.json")
    document = json.loads(Path("t.json").read_text(encoding="utf-8"))
    document["states"][state] |= change
    Path("t.json").write_text(json.dumps(document), encoding="utf-8")


def test_where_the_spec_does_not_allow_it() -> None:
    altered({"Bank.balance": {"#bigint": "0"}}, 3)
    done = lockstep("import-trace", "t.json", "--spec", "transfer.psm")
    assert done.code == 1
    assert_golden("not-allowed.txt", done.out)
    assert lockstep("import-trace", "t.json", "--spec", "transfer.psm", "--format", "json").json["matched"] is False


def test_where_it_does_not_even_begin() -> None:
    altered({"Client.done": True}, 0)
    done = lockstep("import-trace", "t.json", "--spec", "transfer.psm")
    assert done.code == 1
    wanted = (
        "state 0 of the trace is no initial state: in the nearest of 1, Client.done is false, but true in the trace"
    )
    assert wanted in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{}", "PSM905"), (b"[" * 100_000, "PSM905"), (b"x" * (9 << 20), "PSM905"), (None, "PSM001")],
    ids=["empty", "deep", "large", "missing"],
)
def test_unusable_traces(content: bytes | None, code: str) -> None:
    if content is not None:
        Path("t.json").write_bytes(content)
    done = lockstep("import-trace", "t.json", "--spec", "transfer.psm")
    assert done.code == 2
    assert f"error {code}: t.json " in done.err


def test_a_directory_is_no_trace(tmp_path: Path) -> None:
    done = lockstep("import-trace", tmp_path, "--spec", "transfer.psm")
    assert done.code == 2
    assert "PSM006" in done.err


# ---- formats


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("export.mmd", ["--to", "mermaid"]),
        ("export.log", ["--to", "shiviz"]),
        ("export.itf.json", ["--to", "itf"]),
        ("export.dot", ["--to", "dot"]),
    ],
)
def test_formats(name: str, args: list[str]) -> None:
    done = lockstep("export", "transfer.psm", "--property", "PaidOnce", *args)
    assert (done.code, done.err) == (0, "")
    assert_golden(name, done.out)


def test_svg_has_its_own_ground() -> None:
    assert lockstep("export", "transfer.psm", "--property", "PaidOnce", "-o", "t.svg").code == 0
    root = ET.fromstring(Path("t.svg").read_text(encoding="utf-8"))
    ground = root.find("{http://www.w3.org/2000/svg}rect")
    assert ground is not None
    assert ground.attrib["fill"] == "#fff"


def test_named_steps() -> None:
    steps = ["--step", "Client.Ask()", "--step", "Bank.Pay() <- Client"]
    done = lockstep("export", "transfer.psm", *steps, "--to", "itf")
    assert [s["#meta"].get("step") for s in done.json["states"]] == [None, "Client.Ask()", "Bank.Pay() <- Client"]
    wrong = lockstep("export", "transfer.psm", *steps, "--step", "Client.Paid() <- Bnk", "--to", "itf")
    assert wrong.code == 2
    assert (
        "step 3, `Client.Paid() <- Bnk`, is not possible there\n   help: did you mean `Client.Paid() <- Bank`?"
        in wrong.err
    )


def test_a_random_walk() -> None:
    document = lockstep("export", "counter.psm", "--seed", "4", "--length", "3", "--to", "itf").json
    walk = lockstep("trace", "counter.psm", "--seed", "4", "--steps", "3", "--format", "json").json
    assert [s["#meta"]["step"] for s in document["states"][1:]] == [s["step"] for s in walk["trace"]]


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        (["--to", "itf"], 2, "say which path"),
        (["--seed", "1", "--step", "A", "--to", "itf"], 2, "say which path"),
        (["--seed", "1"], 2, "say which format with `--to`"),
        (["--seed", "1", "-o", "t.txt"], 2, "`t.txt` ends in none of"),
        (["--property", "PaidOnce", "--length", "3", "--to", "itf"], 2, "`--length` belongs to `--seed`"),
        (["--seed", "1", "--max-states", "3", "--to", "itf"], 2, "`--max-states` belongs to `--property`"),
        (["--property", "PaidOne", "--to", "itf"], 2, "did you mean `PaidOnce`?"),
        (["--property", "NoError", "--to", "itf"], 1, "there is no path to export: NoError holds"),
        (["--property", "PaidOnce", "--max-states", "1", "--to", "itf"], 3, "no path to PaidOnce was found"),
    ],
)
def test_what_cannot_be_exported(args: list[str], code: int, text: str) -> None:
    done = lockstep("export", "transfer.psm", *args)
    assert (done.code, done.out) == (code, "")
    assert text in done.err


# ---- runs without end


LASSO = """spec Semaphore
enum Pc { idle, waiting, critical }
shared free: bool = true
role P[2] {
  durable pc: Pc = idle
  fair action Want when pc == idle { pc := waiting }
  fair action Enter when pc == waiting and free { pc := critical  free := false }
  fair action Leave when pc == critical { pc := idle  free := true }
}
live Served(p in P): p.pc == waiting ~> p.pc == critical
live Ever: eventually not free
final: true
check c { expect fails Served }
"""


def test_a_run_without_end_comes_back() -> None:
    Path("lasso.psm").write_text(LASSO, encoding="utf-8")
    assert lockstep("export", "lasso.psm", "--property", "Served", "-o", "lasso.itf.json").code == 0
    written = json.loads(Path("lasso.itf.json").read_text(encoding="utf-8"))
    assert (len(written["states"]), written["loop"]) == (5, 2)
    done = lockstep("import-trace", "lasso.itf.json", "--spec", "lasso.psm")
    assert done.code == 0
    assert "the spec allows this trace; and it goes on for ever from state 2" in done.out
    written["loop"] = 1
    Path("lasso.itf.json").write_text(json.dumps(written), encoding="utf-8")
    assert lockstep("import-trace", "lasso.itf.json", "--spec", "lasso.psm").code == 1, "step 2 was needed to get there"


def test_how_a_run_goes_on_is_no_step() -> None:
    Path("lasso.psm").write_text(LASSO, encoding="utf-8")
    drawn = lockstep("export", "lasso.psm", "--property", "Served", "--to", "mermaid").out
    assert drawn.splitlines()[1].endswith("Served is violated by a run of 1 step and then 3 for ever, for p = P0")
    assert drawn.splitlines()[-1] == "    Note over p0,p1: ↻ back to 1: steps 2 to 4 again and again"
    log = lockstep("export", "lasso.psm", "--property", "Served", "--to", "shiviz").out.splitlines()
    assert len(log) == 2 + 4
    assert "surroundings" not in log[-1]


def test_a_run_that_stops_stays_where_it_is() -> None:
    Path("stop.psm").write_text(LASSO.replace("fair action Want", "action Want"), encoding="utf-8")
    assert lockstep("export", "stop.psm", "--property", "Ever", "-o", "stop.itf.json").code == 0
    written = json.loads(Path("stop.itf.json").read_text(encoding="utf-8"))
    assert (len(written["states"]), written["loop"]) == (1, 0)
    assert lockstep("import-trace", "stop.itf.json", "--spec", "stop.psm").code == 0


def test_the_directory_of_a_module_is_made() -> None:
    Path("lasso.psm").write_text(LASSO, encoding="utf-8")
    assert lockstep("export", "lasso.psm", "--to", "tla", "-o", "new/tla").code == 0
    assert sorted(p.name for p in Path("new/tla").iterdir()) == ["Semaphore_c.cfg", "Semaphore_c.tla"]
    done = lockstep("export", "lasso.psm", "--to", "tla", "-o", "lasso.psm")
    assert done.code == 2
    assert "error PSM007: lasso.psm cannot be made a directory" in done.err
