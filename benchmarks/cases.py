"""What is measured: state graphs, each written once for every peer, with the counts that all of them have to find.

A comparison of speeds means something only if everybody did the same work. So the models have equal states and equal
steps, and the exact counts stand here: those of two-phase commit and the states of the philosophers can be computed, as
the tests do, and those of Paxos and Raft are pinned in their specs. A peer that finds another number is wrong or was
given another model; either way its speed is void.

The settings of Spin are those that suit Spin: `table` gives its hash table a slot or two for each state, breadth-first
search is chosen where it was the faster one, on graphs with paths of a million steps, and a model whose indexes are
computed is compiled without the checks of them, which cost it a tenth of its speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "benchmarks" / "models"


@dataclass(frozen=True, slots=True)
class Promela:
    """A model for Spin in `MODELS`. `table` is its `-w`: the logarithm of the slots of the hash table.

    `defines` are constants of the model, such as `LOG=1`, beside the N of the case.
    """

    file: str
    table: int
    breadth_first: bool = False
    defines: tuple[str, ...] = ()
    unchecked: bool = False
    """Compiled with `-DNOBOUNDCHECK`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One state graph: a check of a spec, N where the spec has it, and the same for the peers that have a model.

    `full` marks what is too large for the interpreter and too slow for every day. `warm` says that this checker finds
    what an earlier run of the same check left in its cache; otherwise the cache is empty, as after an edit.
    """

    name: str
    spec: str
    check: str
    states: int
    transitions: int
    n: int | None = None
    spin: Promela | None = None
    tla: str | None = None
    full: bool = False
    warm: bool = False
    safety: str | None = None
    """Of a case with liveness: the case that is the same graph without it."""


def start_up(name: str, *, warm: bool = False) -> Case:
    return Case(name, "specs/transactions/two_phase_commit.psm", "small", 194, 662, warm=warm)


def two_phase(n: int, states: int, transitions: int, table: int, *, full: bool = False) -> Case:
    spin = Promela("two_phase.pml", table)
    spec = "specs/transactions/two_phase.psm"
    return Case(f"two_phase {n}", spec, "three", states, transitions, n, spin, "TwoPhase", full)


def obeyed(n: int, states: int, transitions: int, *, full: bool = False) -> Case:
    """The same graph, on which a live property is judged. No peer has a model with the same fairness."""
    name, spec = f"two_phase {n}, liveness", "specs/transactions/two_phase.psm"
    return Case(name, spec, "obeyed", states, transitions, n, full=full, safety=f"two_phase {n}")


def philosophers(n: int, states: int, transitions: int, table: int, *, full: bool = False) -> Case:
    spin = Promela("philosophers.pml", table, breadth_first=True)
    spec = "benchmarks/models/philosophers.psm"
    return Case(f"philosophers {n}", spec, "three", states, transitions, n, spin, None, full)


def raft(
    name: str,
    check: str,
    states: int,
    transitions: int,
    table: int,
    *defines: str,
    full: bool = False,
) -> Case:
    spin = Promela("raft.pml", table, defines=defines, unchecked=True)
    return Case(name, "benchmarks/models/raft.psm", check, states, transitions, None, spin, None, full)


LARGE = raft("raft", "large", 2_792_337, 30_034_982, 22, full=True)
"""Also the spec whose compilation is measured: of all here it has the longest handlers."""

CASES = (
    start_up("start-up, cold"),
    start_up("start-up, warm", warm=True),
    two_phase(5, 8_832, 58_145, 14),
    two_phase(6, 50_816, 402_305, 17),
    two_phase(7, 296_448, 2_744_705, 19),
    two_phase(8, 1_745_408, 18_507_777, 21, full=True),
    two_phase(9, 10_340_352, 123_558_401, 24, full=True),
    obeyed(7, 296_448, 2_744_705),
    obeyed(8, 1_745_408, 18_507_777, full=True),
    philosophers(7, 24_475, 142_058, 15),
    philosophers(8, 103_681, 687_760, 17),
    philosophers(10, 1_860_497, 15_426_860, 21, full=True),
    Case("paxos safe", "specs/consensus/paxos.psm", "safe", 139_956, 551_145, None, Promela("paxos.pml", 18)),
    raft("raft, one term", "one_term", 22_072, 307_890, 15, "TERMS=1"),
    raft("raft, one entry", "one_entry", 29_265, 235_978, 15, "LOG=1"),
    LARGE,
    raft("raft, three candidates", "larger", 12_310_572, 133_583_874, 24, "CANDIDATES=3", full=True),
)
"""Start-up is a small check, where the time of the whole process is what counts; no other peer has a model of it."""

SMALLEST = {
    "two_phase.pml": two_phase(3, 288, 1_145, 10),
    "philosophers.pml": philosophers(3, 75, 186, 10),
    "raft.pml": raft("raft, one candidate", "one_candidate", 1_591, 13_846, 12, "CANDIDATES=1", "LOG=1"),
}
"""For a quick look at whether a model is still the same graph."""
