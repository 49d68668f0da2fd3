"""Nodes in JavaScript as black boxes: those that are right pass, planted mistakes are found, and nothing passes for nothing."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checker.conformance.histories.reading import parse_history
from checker.conformance.histories.verdict import Verdict
from checker.conformance.links import Quality
from checker.conformance.nodes.conform import Plan, Report, Result, conform
from checker.conformance.nodes.report import document_of, text_of
from checker.conformance.operations import history_of_record
from checker.conformance.record import Kind, read_record
from checker.conformance.record import text_of as record_text

NODES = Path(__file__).parent / "nodes"


@pytest.fixture(scope="module", autouse=True)
def node() -> None:
    if shutil.which("node") is None:
        if os.environ.get("LOCKSTEP_REQUIRE_SERVICES") == "1":
            pytest.fail("these tests need `node` (JavaScript), and LOCKSTEP_REQUIRE_SERVICES forbids to skip them")
        pytest.skip("needs `node` (JavaScript)")


def run(
    program: str,
    folder: Path,
    *,
    workload: str = "",
    bug: str = "",
    faults: tuple[str, ...] = (),
    time: float = 0.4,
    patience: float = 15.0,
    nodes: int = 3,
    rate: float = 150.0,
) -> Report:
    return conform(
        Plan(
            ("node", str(NODES / f"{program}.js"), bug, str(folder)),
            workload or program.replace("_", "-"),
            nodes=nodes,
            time=time,
            rate=rate,
            timeout=0.4,
            patience=patience,
            seed=1,
            faults=faults,
            quality=Quality(latency=0.002),
        )
    )


def until_decided(program: str, folder: Path, *, wanted: Result, time: float, **options: Any) -> Report:
    """Runs again and longer, if a slow machine has shown too little. What is decided otherwise stays so."""
    report = run(program, folder, time=time, **options)
    for factor in (3, 10):
        decided = report.result is wanted or (wanted is Result.PASSED and report.result is Result.FAILED)
        if decided:
            break
        report = run(program, folder, time=time * factor, **options)
    return report


def kinds(report: Report) -> set[str]:
    assert report.judgement is not None, report.problem
    return {finding.kind for finding in report.judgement.findings}


@pytest.mark.parametrize(
    ("program", "faults", "time"),
    [
        ("echo", (), 0.3),
        ("unique_ids", ("kill",), 0.5),
        ("broadcast", ("partition", "loss"), 0.5),
        ("g_set", ("partition", "duplicate"), 0.5),
        ("pn_counter", ("partition", "loss"), 0.5),
        ("lin_kv", ("partition", "kill"), 1.0),
        pytest.param("lin_kv", ("partition", "kill", "pause", "loss", "duplicate"), 10.0, marks=pytest.mark.slow),
        pytest.param("broadcast", ("partition", "pause", "loss", "duplicate"), 8.0, marks=pytest.mark.slow),
        pytest.param("g_counter", ("loss",), 3.0, marks=pytest.mark.slow),
    ],
)
def test_right_nodes_pass(program: str, faults: tuple[str, ...], time: float, tmp_path: Path) -> None:
    report = until_decided(program, tmp_path, wanted=Result.PASSED, faults=faults, time=time)
    assert report.result is Result.PASSED, text_of(report)
    assert report.history.succeeded
    assert not faults or report.overlapped
    assert {w.kind for w in report.windows} == set(faults)


@pytest.mark.parametrize(
    ("program", "bug", "faults", "found"),
    [
        pytest.param("echo", "tired", (), "other answer", marks=pytest.mark.slow),
        ("unique_ids", "counter-only", (), "duplicate id"),
        pytest.param("unique_ids", "forgets-restarts", ("kill",), "duplicate id", marks=pytest.mark.slow),
        pytest.param("broadcast", "sends-once", ("partition",), "lost element", marks=pytest.mark.slow),
        ("pn_counter", "lost-updates", ("partition",), "wrong sum"),
        ("lin_kv", "commits-alone", ("partition",), "not linearizable"),
        pytest.param("lin_kv", "reads-alone", ("partition",), "not linearizable", marks=pytest.mark.slow),
    ],
)
def test_planted_mistakes_are_found(
    program: str, bug: str, faults: tuple[str, ...], found: str, tmp_path: Path
) -> None:
    report = until_decided(program, tmp_path, wanted=Result.FAILED, bug=bug, faults=faults, time=0.5, patience=0.4)
    assert report.result is Result.FAILED
    assert kinds(report) == {found}
    assert "again: lockstep conform --node 'node " in text_of(report)


@pytest.mark.parametrize(
    ("program", "result"),
    [pytest.param("counter", Result.FAILED, marks=pytest.mark.slow), ("counter_repaired", Result.PASSED)],
)
def test_the_example_of_the_documentation(program: str, result: Result, tmp_path: Path) -> None:
    report = until_decided(
        f"../../../docs/conformance/{program}", tmp_path, wanted=result, workload="pn-counter", faults=("partition",),
        time=0.4, patience=0.4 if result is Result.FAILED else 15.0,
    )  # fmt: skip
    assert report.result is result, text_of(report)


@pytest.mark.slow
def test_without_the_fault_the_mistake_hides(tmp_path: Path) -> None:
    """So faults are what finds them."""
    assert run("pn_counter", tmp_path, bug="lost-updates").result is Result.PASSED


@pytest.mark.parametrize(
    ("service", "right"),
    [
        ("lin-kv", True),
        pytest.param("seq-kv", False, marks=pytest.mark.slow),
        pytest.param("lww-kv", False, marks=pytest.mark.slow),
    ],
)
def test_services_are_as_consistent_as_their_names(service: str, right: bool, tmp_path: Path) -> None:
    """A node that passes everything on to a service is linearizable if the service is."""
    wanted = Result.PASSED if right else Result.FAILED
    report = until_decided(
        "kv_proxy", tmp_path, wanted=wanted, workload="lin-kv", bug=service, time=0.3 if right else 1.5
    )
    assert report.result is wanted, text_of(report)


@pytest.mark.parametrize(
    ("bug", "found"),
    [
        ("", set[str]()),
        pytest.param("forgets", {"lost write"}, marks=pytest.mark.slow),
        pytest.param("everyone-leads", {"two messages at one offset", "lost write"}, marks=pytest.mark.slow),
    ],
)
def test_logs(bug: str, found: set[str], tmp_path: Path) -> None:
    wanted = Result.FAILED if found else Result.PASSED
    report = until_decided(
        "leader", tmp_path, wanted=wanted, workload="kafka", bug=bug, patience=0.3, time=0.5, rate=250
    )
    assert report.result is wanted
    assert kinds(report) == found


@pytest.mark.parametrize("workload", ["txn-list-append", pytest.param("txn-rw-register", marks=pytest.mark.slow)])
@pytest.mark.parametrize("bug", ["", pytest.param("everyone-leads", marks=pytest.mark.slow)])
def test_transactions(workload: str, bug: str, tmp_path: Path) -> None:
    """One leader is strictly serializable; when every node leads, the stores differ."""
    wanted = Result.FAILED if bug else Result.PASSED
    report = until_decided("leader", tmp_path, wanted=wanted, workload=workload, bug=bug, time=0.3)
    assert report.result is wanted, text_of(report)


# ---- nothing passes for nothing


def test_a_run_without_a_successful_operation_is_incomplete(tmp_path: Path) -> None:
    report = run("echo", tmp_path, workload="unique-ids")
    assert report.result is Result.INCOMPLETE
    assert report.shortcomings == ("no operation succeeded",)
    assert "not-supported (10): no handler for generate" in record_text(report.record)


def test_a_fault_that_no_operation_overlapped_is_incomplete(tmp_path: Path) -> None:
    report = run("echo", tmp_path, faults=("partition",), rate=1.0, time=0.1)
    assert report.result is Result.INCOMPLETE
    assert "no operation overlapped a fault" in report.shortcomings


def test_a_node_without_a_final_answer_is_incomplete(tmp_path: Path) -> None:
    report = run("final_silence", tmp_path, workload="g-set", patience=0.3)
    assert report.result is Result.INCOMPLETE
    assert report.shortcomings == ("no final answer from n2",)
    assert report.judgement is not None and report.judgement.verdict is Verdict.OK


# ---- the record


def test_the_record_tells_everything_and_can_be_judged_again(tmp_path: Path) -> None:
    report = until_decided("g_set", tmp_path, wanted=Result.PASSED, faults=("partition",), time=0.5)
    again = read_record(io.StringIO(record_text(report.record)))
    assert again == report.record
    assert history_of_record(again) == report.history
    elsewhere = parse_history(record_text(report.record))
    assert [(op.f, op.value, op.result, op.outcome) for op in elsewhere.operations] == [
        (op.f, op.value, op.result, op.outcome) for op in report.history.operations
    ]
    found = {e.kind for e in again.entries}
    assert found == {Kind.SEND, Kind.RECV, Kind.INVOKE, Kind.RETURN, Kind.FAULT}
    assert [e.name for e in again.entries if e.kind is Kind.FAULT] == ["cut", "heal"]
    assert again.about["seed"] == 1
    document = document_of(report)
    assert document["result"] == "passed" and document["judgement"]["verdict"] == "ok"
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in listed, "nothing is left running"
