"""The comparison with other checkers reads what they print and computes what it says; its models are the same graphs."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

import checker
from benchmarks import limits, peers, promptness, run
from benchmarks.cases import CASES, MODELS, ROOT, SMALLEST, Case
from benchmarks.compiling import measure_compilation
from benchmarks.figures import COMPARISONS, Prompt, Result, Spread, document, ratio
from benchmarks.peers import PEERS, Apart, Lockstep, Sample, Spin, parse_lockstep, parse_spin, parse_tlc
from benchmarks.process import Failed, Measured, measure, two_numbers
from benchmarks.promptness import LONG, SECONDS, measure_promptness
from benchmarks.provenance import machine, versions
from checker.native import jit
from checker.properties.kinds import CheckVerdict

SPIN = """
(Spin Version 6.5.2 -- 6 December 2019)

Full statespace search for:
	never claim         	- (none specified)
	assertion violations	+
	cycle checks       	- (disabled by -DSAFETY)
	invalid end states	+

State-vector 20 byte, depth reached 10, errors: 0
      288 states, stored
      858 states, matched
     1146 transitions (= stored+matched)
        0 atomic steps
hash conflicts:         0 (resolved)

   32.653	total actual memory usage

pan: elapsed time 1.25 seconds
"""
TLC = """\
Progress(9) at 2025-01-01 12:00:00: 1,100 states generated (1,100 s/min), 280 distinct states found, 12 states left on queue.
1146 states generated, 288 distinct states found, 0 states left on queue.
The depth of the complete state graph search is 11.
"""
CASE = Case("toy", "toy.psm", "c", 100, 400)


def sample(explore: float, verdict: float = 1.0, peak: int | None = 8_000) -> Sample:
    return Sample(100, 400, explore, verdict, peak)


class Fake:
    """A peer that takes its samples from a list."""

    def __init__(
        self, name: str, samples: list[Sample | Failed], absent: str | None = None, alone: str | None = None
    ) -> None:
        self.name = name
        self.samples = samples
        self.absent = absent
        self.against = {} if alone is None else {"one_worker": alone}

    def missing(self) -> str | None:
        return self.absent

    def skips(self, case: Case) -> str | None:
        return None

    def run(self, case: Case) -> Sample:
        found = self.samples.pop(0)
        if isinstance(found, Failed):
            raise found
        return found


# ---- reading --------------------------------------------------------------------------------------------------------


def test_spin_output() -> None:
    assert parse_spin(SPIN) == (288, 1_145, 1.25)


@pytest.mark.parametrize(
    "cut", ["error: max search depth too small", "pan: out of memory", "pan:1: assertion violated"]
)
def test_spin_search_that_was_cut_short_counts_as_failed(cut: str) -> None:
    with pytest.raises(Failed, match="pan says"):
        parse_spin(f"{cut}\n{SPIN}")


def test_unexpected_output() -> None:
    for parse in (parse_spin, parse_tlc, parse_lockstep, limits.parse):
        with pytest.raises(Failed):
            parse("something else")


def test_tlc_output() -> None:
    assert parse_tlc(TLC) == (288, 1_145)


def test_limits_output() -> None:
    found = limits.parse("dependent 180.1\nindependent 11.2\nbatched 11.7\nchecksum 5\n")
    assert found == {"dependent": 180.1, "independent": 11.2, "batched": 11.7}


# ---- computing ------------------------------------------------------------------------------------------------------


def test_medians() -> None:
    result = Result(CASE, "ours", (sample(1.0, 9.0), sample(4.0, 2.0), sample(2.0, 5.0)))
    assert result.rate == Spread(200.0, 100.0, 400.0)
    assert result.verdict == Spread(5.0, 2.0, 9.0)
    assert result.bytes_a_state == Spread(80.0, 80.0, 80.0)


def test_median_of_an_even_number() -> None:
    assert Spread.of([1.0, 2.0, 4.0, 9.0]).median == 3.0


def test_ratios_are_to_spin_on_the_same_case() -> None:
    ours, spin = Result(CASE, "ours", (sample(0.5),)), Result(CASE, "Spin", (sample(2.0),))
    other = Result(replace(CASE, name="other"), "Spin", (sample(1.0),))
    assert ratio(ours, [other, ours, spin]) == 4.0
    assert ratio(spin, [other, ours, spin]) == 1.0
    assert ratio(ours, [other, ours]) is None
    assert ratio(ours, [ours, Result(CASE, "Spin", absent="not installed")]) is None


def test_workers_are_compared_with_one_worker_on_the_same_case() -> None:
    case = replace(CASE, states=run.ENOUGH)
    one, two = (
        Result(case, "ours", (sample(3.0),)),
        Result(case, "ours, 2", (sample(2.0),), against={"one_worker": "ours"}),
    )
    slow = Result(case, "ours, slow", (sample(4.0),))
    three = replace(two, against={"one_worker": "ours", "one_processor": "ours, slow"})
    small = Result(CASE, "ours, 2", (sample(2.0),), against={"one_worker": "ours"})
    assert ratio(two, [one, two], "ours") == 1.5
    assert ratio(one, [one, two], None) is None
    assert run.scaling([one, two, small]) == ["toy: ours, 2: 1.50 times as fast as one worker"]
    assert run.scaling([one, slow, three]) == [
        "toy: ours, 2: 1.50 times as fast as one worker, 2.00 times as fast as one on one processor"
    ]
    (*_, last) = document([one, slow, three], "gcc is not installed", 1, description={})["results"]
    assert (last["one_processor"], last["one_processor_ratio"]) == ("ours, slow", 2.0)
    written = document([one, two], "gcc is not installed", 1, description={})["results"]
    assert [result["one_worker_ratio"] for result in written] == [None, 1.5]
    assert [result["one_worker"] for result in written] == [None, "ours"]


def test_who_is_compared_with_whom() -> None:
    names = {peer.name for peer in PEERS}
    compared = {peer.name: peer.against for peer in PEERS if peer.against}
    assert compared == {
        "lockstep native, 2 workers": {
            "one_worker": "lockstep native",
            "one_processor": "lockstep native, one processor",
            "apart": "lockstep native, 2 processes",
        },
        "lockstep native, 2 processes": {"one_worker": "lockstep native"},
    }
    for against in compared.values():
        assert {*against.values()} < names and {*against} <= {*COMPARISONS}


class Counting:
    """A checker of which each process takes longer than the one before."""

    name = "ours"

    def __init__(self, *counts: int) -> None:
        self.counts = list(counts)
        self.caches: set[str] = set()

    def ask(self, case: Case, cache: str) -> Measured:
        self.caches.add(cache)
        check = {"states": self.counts.pop(0), "transitions": 400, "seconds": 9.0 - len(self.counts)}
        return Measured(0, json.dumps({"specs": [{"checks": [check]}]}), "", 1.0, 8_000)


def test_processes_side_by_side_share_the_time_of_the_slowest() -> None:
    ours = Counting(100, 100, 100)
    found = Apart(cast(Lockstep, ours), 2).run(CASE)
    assert (found.states, found.transitions, found.explore, found.verdict) == (100, 400, 4.5, 1.0)
    assert len(ours.caches) == 1, "the first has filled it for the others"
    assert not ours.counts


def test_processes_side_by_side_that_do_not_agree() -> None:
    with pytest.raises(Failed, match="ours, 2 processes do not agree on toy"):
        Apart(cast(Lockstep, Counting(100, 100, 99)), 2).run(CASE)


def test_cost_of_coverage_is_what_is_slower_than_without_it() -> None:
    counted = Result(CASE, peers.COVERED.name, (sample(1.1),))
    uncounted = Result(CASE, peers.UNCOVERED.name, (sample(1.0),))
    assert run.coverage_cost([counted, uncounted]) == ["toy: coverage costs 10% of the time"]
    assert run.coverage_cost([counted, Result(CASE, peers.UNCOVERED.name, absent="too small")]) == []


def test_exploring_without_coverage_finds_the_known_counts() -> None:
    case = next(case for case in CASES if case.name == "two_phase 5")
    found = peers.UNCOVERED.run(case)
    assert (found.states, found.transitions) == (case.states, case.transitions)
    assert peers.UNCOVERED.skips(case) and not peers.COVERED.skips(case)


def test_nothing_measured() -> None:
    gone = Result(CASE, "Spin", absent="not installed")
    assert (gone.rate, gone.verdict, gone.bytes_a_state, gone.wrong()) == (None, None, None, [])
    assert Result(CASE, "ours", (sample(1.0, peak=None),)).bytes_a_state is None


def test_wrong_counts_are_named() -> None:
    result = Result(CASE, "Spin", (sample(1.0), Sample(99, 400, 1.0, 1.0, None)))
    assert result.wrong() == ["Spin on toy: 99 states, and 100 are known"]


# ---- running --------------------------------------------------------------------------------------------------------


def bench(peers: list[Fake], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[int, dict[str, object]]:
    monkeypatch.setattr(run, "CASES", (CASE,))
    monkeypatch.setattr(run, "limits_missing", lambda: "gcc is not installed")
    monkeypatch.setattr(jit, "unavailable", lambda: "llvmlite is not installed")
    output = tmp_path / "deep" / "results.json"
    code = run.main(["--runs", "2", "--output", str(output)], peers)
    return code, json.loads(output.read_text(encoding="utf-8"))


def test_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peers = [Fake("ours", [sample(1.0), sample(3.0)]), Fake("TLC", [], "java is not installed")]
    code, written = bench(peers, monkeypatch, tmp_path)
    shown = capsys.readouterr().out
    assert code == 0
    assert "TLC: not measured: java is not installed" in shown
    assert "limits of the machine: not measured: gcc is not installed" in shown
    assert "raft: compilation not measured: llvmlite is not installed" in shown
    assert "two_phase 11: promptness not measured: llvmlite is not installed" in shown
    assert written["version"] == 1
    assert isinstance(results := written["results"], list)
    assert results[0]["verdict_seconds"] == {"median": 1.0, "least": 1.0, "greatest": 1.0}
    assert results[1]["absent"] == "java is not installed"


def test_wrong_count_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = bench([Fake("ours", [sample(1.0), Sample(100, 401, 1.0, 1.0, None)])], monkeypatch, tmp_path)
    assert code == 1
    assert "WRONG COUNT: ours on toy: 401 transitions, and 400 are known" in capsys.readouterr().out


def test_failing_peer_fails_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peers = [Fake("broken", [sample(1.0), Failed("out of memory")]), Fake("ours", [sample(1.0), sample(1.0)])]
    code, written = bench(peers, monkeypatch, tmp_path)
    assert code == 1
    assert "broken: not measured: out of memory" in capsys.readouterr().out
    assert isinstance(results := written["results"], list)
    assert [one["failed"] for one in results] == [True, False]


def test_cache_is_empty_or_filled_by_a_run_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has a folder of its own, where only a warm case has run before."""
    seen: list[tuple[Path, int]] = []

    def fake(
        command: Sequence[str | Path], folder: Path, *, environment: Mapping[str, str], processors: int | None
    ) -> Measured:
        assert processors is None
        cache = Path(environment["LOCKSTEP_CACHE_DIR"])
        seen.append((cache, len(list(cache.iterdir()))))
        (cache / str(len(seen))).touch()
        check = {"states": 100, "transitions": 400, "seconds": len(seen) / 10}
        return Measured(0, json.dumps({"specs": [{"checks": [check]}]}), "", float(len(seen)), None)

    monkeypatch.setattr(peers, "measure", fake)
    native = Lockstep("native")
    assert [native.run(CASE).verdict, native.run(CASE).verdict] == [1.0, 2.0]
    assert native.run(replace(CASE, warm=True)).verdict == 4.0
    assert [files for _, files in seen] == [0, 0, 0, 1]
    folders = [folder for folder, _ in seen]
    assert len(set(folders)) == 3 and folders[2] == folders[3]
    monkeypatch.setattr(peers, "MANY", CASE.states)
    large = native.run(CASE)  # code that is compiled already explores in the second of two processes
    assert (large.verdict, large.explore) == (5.0, 0.6)
    assert [files for _, files in seen[4:]] == [0, 1] and seen[4][0] == seen[5][0]
    assert not any(folder.exists() for folder in folders)


def test_cold_start_beside_a_warm_one() -> None:
    warm = {case.warm: case for case in CASES if case.name.startswith("start-up")}
    assert set(warm) == {False, True}
    assert replace(warm[True], name="", warm=False) == replace(warm[False], name="")
    assert Lockstep("python").skips(warm[True]) and not Lockstep("native").skips(warm[True])


def test_document_tells_nothing_about_whose_machine_it_is() -> None:
    description = machine()
    assert set(description) == {"system", "architecture", "processor", "processors", "memory_gib", "python"}
    found = versions()
    assert found["Lockstep"] == checker.__version__ and all(re.fullmatch(r"[\w.+-]+", text) for text in found.values())
    text = json.dumps(document([], "gcc is not installed", 3, description=description, versions=found))
    assert str(ROOT) not in text


def test_process_is_measured_as_a_whole(tmp_path: Path) -> None:
    program = "import sys; block = bytearray(200_000_000); print(len(block)); sys.exit(3)"
    measured = measure([sys.executable, "-c", program], tmp_path)
    assert (measured.code, measured.output) == (3, "200000000\n")
    assert measured.peak is None or measured.peak > 200_000_000


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system confines no process to a processor")
def test_a_process_can_be_kept_on_one_processor(tmp_path: Path) -> None:
    mine = os.sched_getaffinity(0)
    measured = measure([sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"], tmp_path, processors=1)
    assert (measured.output, os.sched_getaffinity(0)) == ("1\n", mine)


def test_process_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="longer than"):
        measure([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, timeout=0.3)
    with pytest.raises(Failed, match="cannot be started"):
        measure([tmp_path / "nothing"], tmp_path)


# ---- the models -----------------------------------------------------------------------------------------------------


def test_cases_have_all_they_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert (ROOT / case.spec).is_file()
        assert case.spin is None or (MODELS / case.spin.file).is_file()
        assert case.tla is None or ((MODELS / f"{case.tla}.tla").is_file() and (MODELS / f"{case.tla}.cfg").is_file())


@pytest.mark.parametrize(
    ("model", "check"),
    [("philosophers", "three"), ("philosophers", "four"), ("raft", "one_candidate")],
)
def test_models_of_our_own_pass(model: str, check: str) -> None:
    assert checker.load(MODELS / f"{model}.psm").check(check).verdict is CheckVerdict.PASS


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("check", ["one_term", "one_entry", "large", "larger"])
def test_larger_rafts_pass(check: str) -> None:
    assert checker.load(MODELS / "raft.psm").check(check).verdict is CheckVerdict.PASS


def test_counts_of_raft_are_those_of_its_spec() -> None:
    text = (MODELS / "raft.psm").read_text(encoding="utf-8")
    cases = [case for case in (*CASES, *SMALLEST.values()) if case.spec.endswith("raft.psm")]
    assert {case.check for case in cases} == {"one_candidate", "one_term", "one_entry", "large", "larger"}
    for case in cases:
        body = text[text.index(f"check {case.check} {{") :]
        assert f"expect states {case.states} transitions {case.transitions} depth" in body[: body.index("\n}")]


def test_rafts_have_a_million_states_and_more() -> None:
    one, other = (case for case in CASES if case.name in ("raft", "raft, three candidates"))
    assert one.full and 1_000_000 <= one.states <= 4_000_000
    assert other.full and other.states > 10_000_000


def test_two_phase_is_as_large_as_computed() -> None:
    """While the manager is open, a database is in one of 4 conditions; after an abort, of 6; after a commit, of 2."""
    cases = [case for case in (*CASES, LONG) if case.name.startswith("two_phase")]
    found = {case.n: (case.states, case.transitions) for case in cases if case.n}
    assert set(found) == {5, 6, 7, 8, 9, 11}
    for n, counts in found.items():
        transitions = (n + 1) * 4**n + 1 + 8 * n * 6 ** (n - 1) + n * 2**n
        assert counts == (4**n + 6**n + 2**n, transitions)


def test_philosophers_are_as_many_as_computed() -> None:
    lucas = [2, 1]
    while len(lucas) <= 30:
        lucas.append(lucas[-1] + lucas[-2])
    found = {case.n: case.states for case in CASES if case.name.startswith("philosophers") and case.n}
    assert found == {n: lucas[3 * n] - 1 for n in found}


def test_interpreter_finds_the_known_counts() -> None:
    case = next(case for case in CASES if case.name == "start-up, cold")
    found = Lockstep("python").run(case)
    assert (found.states, found.transitions) == (case.states, case.transitions)
    assert 0 < found.explore < found.verdict


@pytest.mark.parametrize("case", SMALLEST.values(), ids=SMALLEST)
def test_promela_models_are_the_same_graphs(case: Case) -> None:
    spin = Spin()
    if reason := spin.missing():
        pytest.skip(reason)
    found = spin.run(case)
    assert (found.states, found.transitions) == (case.states, case.transitions)
    assert 0 < found.explore < found.verdict


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("raft")], ids=lambda case: case.name)
def test_promela_model_of_raft_is_the_same_graph(case: Case) -> None:
    spin = Spin()
    if reason := spin.missing():
        pytest.skip(reason)
    found = spin.run(case)
    assert (found.states, found.transitions) == (case.states, case.transitions)


@pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")
def test_compilation() -> None:
    compiled = measure_compilation(SMALLEST["raft.pml"], 2)
    assert 0 < compiled.first.least <= compiled.first.greatest
    assert compiled.first.median < compiled.optimised.median
    written = document([], "gcc is not installed", 2, description={}, compiled=compiled)["compilation"]
    assert written["first_state_seconds"]["median"] == compiled.first.median
    with pytest.raises(Failed, match="unexpected output of the compilation: 'no numbers'"):
        two_numbers("no numbers", "compilation")


def prompt(workers: int) -> Prompt:
    return Prompt(
        CASE, workers, Spread(0.1, 0.05, 0.2), Spread(0.3, 0.2, 0.4), Spread(1.0, 1.0, 1.1), Spread(0.9, 0.8, 1.0)
    )


def test_promptness_is_told() -> None:
    assert run.promptness([prompt(1), prompt(2)]) == [
        "toy: one worker: Ctrl-C answered in 0.10 s, progress every 0.30 s, stopped at 1.000 of a limit on time, "
        "0.900 of one on memory",
        "toy: 2 workers: Ctrl-C answered in 0.10 s, progress every 0.30 s, stopped at 1.000 of a limit on time, "
        "0.900 of one on memory",
    ]
    (written,) = document([], "gcc is not installed", 2, description={}, prompt=[prompt(2)])["promptness"]
    assert (written["workers"], written["interrupt_seconds"]["greatest"]) == (2, 0.2)


@pytest.mark.slow
@pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")
@pytest.mark.parametrize("workers", [1, 2])
def test_promptness(workers: int) -> None:
    found = measure_promptness(LONG, workers, 1)
    assert found.interrupt.median > 0 and 0 < found.report.median < SECONDS
    assert found.time.median >= 1 and found.memory.median > 0.5


def test_what_is_not_cut_off_is_no_measurement() -> None:
    with pytest.raises(Failed, match="unexpected output of the search: 'no numbers'"):
        two_numbers("no numbers", "search")
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a shell
    try:
        with pytest.raises(Failed, match=f"Ctrl-C after 0.10 s ended with -{signal.SIGINT}$"):
            promptness.interrupted([sys.executable, "-c", "import time; time.sleep(60)"], 0.1, {})
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)
