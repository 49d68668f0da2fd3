"""The peers: this checker with each of its engines, Spin, and TLC. Each is asked as its users ask it.

A peer that is not installed is no failure. It says in plain words why it was not measured, and the others go on. A peer
that is there and fails, or answers with something that cannot be read, is a failure (`process.Failed`): a number that
is silently missing would look like one that nobody asked for.

What one run measures:

- *verdict*: the time of the whole process, from start to exit. For Spin these are three processes, the generator, the
  compiler, and the program that comes out of them, since that is what has to happen between an edit and an answer.
- *explore*: the time of the exploration alone, as the peer itself reports it. Spin's clock has steps of 10 ms, and where
  it shows less than 0.1 s, the wall time of its program is used; TLC's has steps of a second, so its wall time is.
- *peak*: resident memory of the whole process that explores.

This checker keeps compiled code in a cache. Each run gets a cache of its own, empty or, where the case says so, filled by
a run before it that is not measured. So nothing depends on what ran earlier, and the user's own cache is left alone.

Spin and TLC count the initial state as a transition, and we do not, so one is taken off.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from benchmarks.cases import MODELS, ROOT, Case
from benchmarks.process import Failed, Measured, measure

MEMORY_LIMIT = 16_384
"""In MiB, for Spin; far above what it needs here."""

COARSE = 0.1
"""Seconds below which the clock of Spin is too coarse."""

CACHE = "LOCKSTEP_CACHE_DIR"
"""The environment variable that tells this checker where its cache is."""

MANY = 100_000
"""States below which the cost of coverage cannot be told from noise, and a run is over before its code is compiled."""

SHARED = 1_000_000
"""States below which searches in several processes are over before all have begun."""

SLOW = 5_000_000
"""Transitions above which the interpreter would take minutes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one peer on one case. Times in seconds, the peak in bytes."""

    states: int
    transitions: int
    explore: float
    verdict: float
    peak: int | None


class Peer(Protocol):
    """Something that explores state graphs."""

    @property
    def name(self) -> str:
        """As it stands in the table."""
        ...

    @property
    def against(self) -> Mapping[str, str]:
        """Names of peers that this one is compared with besides the yardstick, by what they are (`figures.COMPARISONS`)."""
        ...

    def missing(self) -> str | None:
        """Why this peer cannot be measured on this machine; None if it can."""
        ...

    def skips(self, case: Case) -> str | None:
        """Why this peer is not measured on a case; None if it is."""
        ...

    def run(self, case: Case) -> Sample:
        """Explores once. Raises `Failed`."""
        ...


def completed(measured: Measured, what: str) -> Measured:
    """The same, if it ended well. Raises `Failed` with the last words of the process otherwise."""
    if measured.code != 0:
        words = (measured.errors.strip() or measured.output.strip()).splitlines()[-5:]
        raise Failed("\n".join([f"{what} ended with {measured.code}", *words]))
    return measured


# ---- this checker ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lockstep:
    """The command `lockstep check` with one engine. Every run is a process of its own."""

    engine: str
    workers: int = 1
    coverage: bool = True
    """Without it the native engine counts nothing that a verdict does not need (`benchmarks.uncounted`)."""
    processors: int | None = None
    """How many processors it may use; None for all. One worker has its memory made ready on another, if there is one."""

    @property
    def name(self) -> str:
        workers = f", {self.workers} workers" if self.workers > 1 else ""
        processors = ", one processor" if self.processors == 1 else ""
        return f"lockstep {self.engine}{workers}{processors}{'' if self.coverage else ', no coverage'}"

    @property
    def against(self) -> Mapping[str, str]:
        if self.workers == 1:
            return {}
        one = Lockstep(self.engine)
        return {
            "one_worker": one.name,
            "one_processor": replace(one, processors=1).name,
            "apart": Apart(one, self.workers).name,
        }

    def command(self, case: Case) -> list[str]:
        if not self.coverage:
            n = [] if case.n is None else [str(case.n)]
            return [sys.executable, "-m", "benchmarks.uncounted", str(ROOT / case.spec), case.check, *n]
        command = [sys.executable, "-m", "checker", "check", str(ROOT / case.spec), "--check", case.check]
        command += ["--engine", self.engine, "--format", "json", "--no-symmetry"]
        if case.n is not None:
            command += ["--set", f"N={case.n}"]
        if self.engine != "python":
            command += ["--workers", str(self.workers)]
        return command

    def missing(self) -> str | None:
        if self.engine == "python":
            return None
        if self.processors and not hasattr(os, "sched_setaffinity"):
            return "this system confines no process to a processor"
        probe = Case("probe", "specs/transactions/two_phase.psm", "three", 0, 0)
        measured = self.check(probe)
        if measured.code != 2:
            return None
        try:
            return str(json.loads(measured.output)["diagnostics"][0]["message"])
        except (ValueError, KeyError, IndexError) as error:
            raise Failed(f"{self.name} cannot say what is wrong: {measured.output[:200]!r}") from error

    def skips(self, case: Case) -> str | None:
        if self.engine == "python" and case.transitions > SLOW:
            return f"more than {SLOW:,} transitions"
        if (not self.coverage or self.processors) and case.states < MANY:
            return f"fewer than {MANY:,} states"
        if self.engine == "python" and case.warm:
            return "compiles nothing, so it is never warm"
        return None

    def check(self, case: Case) -> Measured:
        """The process, whatever became of it, with an empty cache."""
        with tempfile.TemporaryDirectory() as cache:
            return self._measure(case, cache)

    def run(self, case: Case) -> Sample:
        """One sample, whose time to a verdict is from a cache as the case wants it.

        Once there are MANY states, what they explored alone is told by a second process, which finds the code that the first
        one has compiled: as Spin's own clock leaves out what generating and compiling took.
        """
        with tempfile.TemporaryDirectory() as cache:
            if case.warm:
                self.ask(case, cache)
            measured = self.ask(case, cache)
            states, transitions, explore = parse_lockstep(measured.output)
            if self.engine != "python" and case.states >= MANY:
                *counts, explore = parse_lockstep(self.ask(case, cache).output)
                if counts != [states, transitions]:
                    raise Failed(f"{self.name} counts {case.name} differently the second time: {counts}")
        return Sample(states, transitions, explore, measured.seconds, measured.peak)

    def ask(self, case: Case, cache: str) -> Measured:
        """The process, which has to end well. Raises `Failed`."""
        return completed(self._measure(case, cache), f"{self.name} on {case.name}")

    def _measure(self, case: Case, cache: str) -> Measured:
        return measure(self.command(case), ROOT, environment={CACHE: cache}, processors=self.processors)


@dataclass(frozen=True, slots=True)
class Apart:
    """Processes that explore the same graph at the same time, and share nothing but the machine.

    That is as much as it gives to as many workers, as far as these do not gain from a cache that they share.
    """

    one: Lockstep
    processes: int

    @property
    def name(self) -> str:
        return f"{self.one.name}, {self.processes} processes"

    @property
    def against(self) -> Mapping[str, str]:
        return {"one_worker": self.one.name}

    def missing(self) -> str | None:
        if (os.cpu_count() or 1) < self.processes:
            return f"there are fewer than {self.processes} processors"
        return self.one.missing()

    def skips(self, case: Case) -> str | None:
        """As they do not begin at exactly the same time, short searches tell nothing."""
        return self.one.skips(case) or (f"fewer than {SHARED:,} states" if case.states < SHARED else None)

    def run(self, case: Case) -> Sample:
        """One sample of all together: the time in which each of them explores, for as many states as one has."""
        with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(self.processes) as pool:
            self.one.ask(case, cache)
            all_ = [pool.submit(self.one.ask, case, cache) for _ in range(self.processes)]
            measured = [one.result() for one in all_]
        found = [parse_lockstep(one.output) for one in measured]
        if len({(states, transitions) for states, transitions, _ in found}) != 1:
            raise Failed(f"{self.name} do not agree on {case.name}: {found}")
        states, transitions, _ = found[0]
        explore = max(seconds for _, _, seconds in found) / self.processes
        return Sample(states, transitions, explore, max(one.seconds for one in measured), None)


def parse_lockstep(output: str) -> tuple[int, int, float]:
    """States, transitions and seconds of the only check in the JSON output. Raises `Failed`."""
    try:
        (check,) = json.loads(output)["specs"][0]["checks"]
        return int(check["states"]), int(check["transitions"]), float(check["seconds"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Failed(f"unexpected output of lockstep: {output[:200]!r}") from error


# ---- Spin -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spin:
    """Spin generates a C program for a model, gcc compiles it, and it explores, without partial-order reduction."""

    @property
    def name(self) -> str:
        return "Spin"

    @property
    def against(self) -> Mapping[str, str]:
        return {}

    def missing(self) -> str | None:
        if shutil.which("spin") is None:
            return "spin is not installed (Debian and Ubuntu: apt install spin)"
        if shutil.which("gcc") is None:
            return "gcc is not installed, which Spin needs"
        return None

    def skips(self, case: Case) -> str | None:
        return None if case.spin else "no model of it"

    def run(self, case: Case) -> Sample:
        assert case.spin is not None
        define = [f"-D{one}" for one in case.spin.defines] + ([] if case.n is None else [f"-DN={case.n}"])
        flags = ["-O2", "-DSAFETY", "-DNOREDUCE", f"-DMEMLIM={MEMORY_LIMIT}"]
        if case.spin.breadth_first:
            flags.append("-DBFS")
        if case.spin.unchecked:
            flags.append("-DNOBOUNDCHECK")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            generated = completed(measure(["spin", "-a", *define, MODELS / case.spin.file], folder), "spin")
            program = folder / "pan.c"
            program.write_bytes(program.read_bytes().replace(ROUNDED, EXACT))
            compiled = completed(measure(["gcc", *flags, "-o", "pan", "pan.c"], folder), "gcc")
            # -c0: go on after an error, so that the whole graph is explored. -n: no list of unreached lines.
            explored = completed(measure([folder / "pan", f"-w{case.spin.table}", "-c0", "-n"], folder), "pan")
        states, transitions, elapsed = parse_spin(explored.output)
        verdict = generated.seconds + compiled.seconds + explored.seconds
        return Sample(states, transitions, elapsed if elapsed >= COARSE else explored.seconds, verdict, explored.peak)


ROUNDED, EXACT = b"%9.8g", b"%9.0f"
"""How the generated program prints its counts, and how it has to: eight digits are too few for the large graphs."""

STORED = re.compile(r"^\s*(\d+) states, stored", re.MULTILINE)
SPIN_TRANSITIONS = re.compile(r"^\s*(\d+) transitions \(= stored\+matched\)", re.MULTILINE)
ELAPSED = re.compile(r"^pan: elapsed time ([\d.e+-]+) seconds", re.MULTILINE)


def parse_spin(output: str) -> tuple[int, int, float]:
    """States, transitions without the initial one, and seconds. Raises `Failed` where the search was cut short."""
    for cut in ("max search depth too small", "out of memory", "Search not completed", "assertion violated"):
        if cut in output:
            raise Failed(f"pan says: {cut}")
    states, transitions, elapsed = (found.search(output) for found in (STORED, SPIN_TRANSITIONS, ELAPSED))
    if states is None or transitions is None or elapsed is None:
        raise Failed(f"unexpected output of pan: {output[:200]!r}")
    return int(states[1]), int(transitions[1]) - 1, float(elapsed[1])


# ---- TLC ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tlc:
    """TLC with one worker, from the jar that the environment variable `TLA2TOOLS_JAR` names."""

    @property
    def name(self) -> str:
        return "TLC"

    @property
    def against(self) -> Mapping[str, str]:
        return {}

    def missing(self) -> str | None:
        jar = os.environ.get("TLA2TOOLS_JAR")
        if not jar:
            return "the environment variable TLA2TOOLS_JAR names no jar"
        if not Path(jar).is_file():
            return "TLA2TOOLS_JAR names a file that does not exist"
        if shutil.which("java") is None:
            return "java is not installed"
        return None

    def skips(self, case: Case) -> str | None:
        return None if case.tla else "no model of it"

    def run(self, case: Case) -> Sample:
        assert case.tla is not None
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copy(MODELS / f"{case.tla}.tla", folder)
            config = (MODELS / f"{case.tla}.cfg").read_text(encoding="utf-8")
            (folder / f"{case.tla}.cfg").write_text(re.sub(r"\bN = \d+", f"N = {case.n}", config), encoding="utf-8")
            measured = completed(measure(tlc_command(folder, case.tla), folder), "TLC")
        states, transitions = parse_tlc(measured.output)
        return Sample(states, transitions, measured.seconds, measured.seconds, measured.peak)


def tlc_command(folder: Path, *options: str) -> list[str | Path]:
    """How TLC is run in a folder, on one worker. It does not look for deadlocks, which a graph with an end would have."""
    jar = Path(os.environ["TLA2TOOLS_JAR"]).resolve()
    # TLC unpacks the standard modules among the temporary files, where others might do so at the same time.
    java: list[str | Path] = ["java", "-XX:+UseParallelGC", "-Xss16m", f"-Djava.io.tmpdir={folder}", "-cp", jar]
    return [*java, "tlc2.TLC", "-workers", "1", "-checkpoint", "0", "-deadlock", "-metadir", "states", *options]


TLC_COUNTS = re.compile(r"^([\d,]+) states generated, ([\d,]+) distinct states found, 0 states left", re.MULTILINE)


def parse_tlc(output: str) -> tuple[int, int]:
    """States, and transitions without the initial one. Raises `Failed` where the search was cut short."""
    found = TLC_COUNTS.search(output)
    if found is None:
        raise Failed(f"unexpected output of TLC: {output[-200:]!r}")
    return int(found[2].replace(",", "")), int(found[1].replace(",", "")) - 1


COVERED = Lockstep("native")
UNCOVERED = Lockstep("native", coverage=False)

PEERS: tuple[Peer, ...] = (
    Lockstep("python"),
    COVERED,
    Lockstep("native", processors=1),
    UNCOVERED,
    Lockstep("native", 2),
    Apart(COVERED, 2),
    Spin(),
    Tlc(),
)
