"""The JSON document: its keys, its types, and that the page that documents it names them all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import COUNTER, OVERFLOW, ROOT, TRANSFER, lockstep, write

PAGE = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")

SPEC = {"path": str, "spec": (str, type(None)), "checks": list, "diagnostics": list}
CHECK = {
    "name": str, "verdict": str, "reason": (str, type(None)), "states": int, "transitions": int, "depth": int,
    "seconds": float, "engine": str, "missed": (float, type(None)), "sample": (dict, type(None)),
    "orbits": (int, type(None)), "reduced": bool, "counts": (dict, type(None)), "properties": list, "coverage": dict,
    "notes": list, "diagnostics": list,
}  # fmt: skip
PROPERTY = {
    "name": str, "kind": str, "expected": (str, type(None)), "verdict": str, "reason": (str, type(None)),
    "trace": (list, type(None)), "initial": (dict, type(None)), "error_step": (str, type(None)),
    "loop": (int, type(None)), "abstract": (dict, type(None)), "fairness": (str, type(None)),
    "diagnostic": (dict, type(None)),
}  # fmt: skip
COVERAGE = {
    "steps": dict, "never_fired": list, "faults": dict, "unused_faults": list, "unreached": list, "vacuous": list,
    "never_false": list,
    "enum_values": list, "never_received": list, "empty_choices": dict, "bound_cut": int, "limit_cut": int,
    "dropped": int,
}  # fmt: skip
DIAGNOSTIC = {
    "code": str, "severity": str, "message": str, "path": (str, type(None)), "line": (int, type(None)),
    "column": (int, type(None)), "end_line": (int, type(None)), "end_column": (int, type(None)), "notes": list,
    "help": (str, type(None)),
}  # fmt: skip


def fits(value: dict[str, Any], shape: dict[str, Any]) -> None:
    assert list(value) == list(shape)
    for key, kind in shape.items():
        assert isinstance(value[key], kind), (key, value[key])


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("specs")
    write(folder, transfer=TRANSFER, counter=COUNTER, overflow=OVERFLOW, wrong=COUNTER.replace("x += 1", "y += 1"))
    (folder / "broken.psm").write_text("spec", encoding="utf-8")
    return lockstep("check", folder, folder / "missing.psm", "--format", "json").json


def test_shape(document: Any) -> None:
    assert list(document) == ["version", "specs"]
    assert document["version"] == 1
    for spec in document["specs"]:
        fits(spec, SPEC)
        for diagnostic in spec["diagnostics"]:
            fits(diagnostic, DIAGNOSTIC)
        for check in spec["checks"]:
            fits(check, CHECK)
            fits(check["coverage"], COVERAGE)
            for diagnostic in check["diagnostics"]:
                fits(diagnostic, DIAGNOSTIC)
            for prop in check["properties"]:
                fits(prop, PROPERTY)
                for step in prop["trace"] or ():
                    fits(step, {"step": str, "changes": dict})
                if prop["diagnostic"] is not None:
                    fits(prop["diagnostic"], DIAGNOSTIC)


def test_every_file_is_there(document: Any) -> None:
    found = {Path(s["path"]).stem: (s["spec"], [c["verdict"] for c in s["checks"]]) for s in document["specs"]}
    assert found == {
        "broken": (None, []),
        "counter": ("Counter", ["pass", "pass"]),
        "missing": (None, []),
        "overflow": ("Overflow", ["fail", "pass"]),
        "transfer": ("Transfer", ["fail"]),
        "wrong": ("Counter", ["error", "error"]),
    }


def by_name(document: Any, spec: str, check: str) -> Any:
    (found,) = [c for s in document["specs"] if s["spec"] == spec for c in s["checks"] if c["name"] == check][:1]
    return found


def test_counterexample(document: Any) -> None:
    prop = by_name(document, "Transfer", "calm")["properties"][0]
    assert prop["initial"] == {"Client.done": False, "Bank.balance": 3, "network": []}
    assert prop["trace"] == [
        {"step": "Client.Ask()", "changes": {"network": {"added": ["Pay() Client -> Bank"], "removed": []}}},
        {
            "step": "Bank.Pay() <- Client",
            "changes": {"Bank.balance": 2, "network": {"added": ["Paid() Bank -> Client"], "removed": []}},
        },
        {"step": "Bank.Pay() <- Client", "changes": {"Bank.balance": 1}},
    ]
    assert (prop["kind"], prop["expected"], prop["verdict"]) == ("invariant", "holds", "violated")


def test_error_step(document: Any) -> None:
    check = by_name(document, "Overflow", "range")
    prop = next(p for p in check["properties"] if p["name"] == "NoError")
    assert prop["error_step"] == "A.Up()"
    assert len(prop["trace"]) == 2
    assert prop["diagnostic"]["code"] == "PSM601"
    assert (prop["diagnostic"]["line"], prop["diagnostic"]["column"]) == (8, 33)


def test_counts_and_coverage(document: Any) -> None:
    check = by_name(document, "Counter", "small")
    assert check["counts"] == {"states": 36, "transitions": 84, "depth": 6, "met": True}
    assert check["coverage"]["never_fired"] == ["R.Never"]
    assert check["coverage"]["unreached"] == ["Far"]
    assert check["coverage"]["enum_values"] == ["Light.broken"]


def test_page_names_every_key() -> None:
    named = set(re.findall(r"[`\"]([a-z_]+)[`\"]", PAGE))
    assert {*SPEC, *CHECK, *PROPERTY, *COVERAGE, *DIAGNOSTIC, "version", "specs", "step", "changes"} - named == set()


def test_page_of_the_command_line_names_every_option() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    for name in ("check", "explain", "inspect", "fmt", "graph", "trace", "export", "import-trace", "new"):
        options = set(re.findall(r"--[a-z-]+", lockstep(name, "--help").out)) - {"--help"}
        assert {option for option in options if f"{option}" not in page} == set(), name
