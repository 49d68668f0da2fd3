"""Searches on disk, so that what a long one has found outlives its process.

**What is kept.** A search between two levels is the arenas with its states, in the order in which they were found,
and some hundred numbers (`Mark`). Arenas only grow and what stands in them never changes. So a checkpoint appends to
a file for each arena what is new, and writes one small file, the manifest, that says how much of each file counts. A
manifest replaces the last one in one step, and only once everything that it speaks of is on disk. Whenever the
process is killed, or the machine loses power, the last manifest and the files, cut to the lengths that it gives, are
a search that was never further than that.

**What is trusted.** Nothing. The manifest carries its own digest, and for each file its length and a checksum of all
of it, which goes on from one checkpoint to the next. What is damaged or cut off is refused before anything is
explored, and so is a search of another text, check, constant or version: its states would mean something else. That
is PSM904, with what differs.

**Who waits.** Nobody, as long as the search goes on: a thread writes while the workers search, since they never touch
what it reads. At the end, what is new since is written while the user waits.

A directory has a lock, so two processes cannot write the same checkpoint. It is the system's, so a killed process
leaves none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from checker.base.data import dataclass
from checker.base.diagnostics import SpecError, error
from checker.base.source import display_name
from checker.native.code.module import Plan
from checker.native.store import ArenaState, Snapshot

FORMAT = 1
MANIFEST = "manifest"
PIECE = 1 << 23
"""Bytes that are read or written at a time."""

EVERY = 2.0
"""Seconds from the end of a checkpoint to the next."""

Words = tuple[int, ...]
Read = Callable[[int, int, int], memoryview]
"""The words of an arena between two offsets."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where checkpoints go, one directory for each check below `directory`, and whether to go on from there."""

    directory: Path
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A finding: `violations`, `reached` or `broken`, of which property, and the states of its path.

    The interpreter can say the rest again.
    """

    kind: str
    name: str
    states: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A search between two levels, but for its arenas.

    Attributes:
        snapshot: what the explorer says.
        block: the merged blocks of the workers (`tallies`).
        ordered: whether states stand in the interpreter's order, because one worker has found them all.
        noticed: the numbers of items that have to be looked for again.
        found: the findings so far.
        seconds: how long the search has taken.
    """

    snapshot: Snapshot
    block: tuple[int, ...]
    ordered: bool
    noticed: tuple[int, ...]
    found: tuple[Found, ...]
    seconds: float


class Checkpoint:
    """The directory of one search. To be closed."""

    def __init__(self, keeping: Keeping, plan: Plan, tell: Callable[[str], None]) -> None:
        """Opens a directory, which is made if there is none.

        Raises:
            SpecError: PSM904 where it cannot be used: another process does, or a search in it would be overwritten.
        """
        self._tell = tell
        self._identity = identity(plan)
        machine = plan.machine
        self.name = f"{machine.spec} {machine.check}"
        self.top = keeping.directory
        self.path = keeping.directory / f"{machine.spec}-{machine.check}"
        if keeping.resume and not self.top.is_dir():
            raise _unusable(
                f"there is no directory {display_name(self.top)}", "name the one that `--checkpoint` was given"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.path)
        except OSError as problem:
            raise _unusable(
                f"{display_name(self.path)} cannot be written: {problem.strerror or problem}",
                "check the directory and its permissions",
            ) from None
        self._kept: list[tuple[int, int]] = []
        """For each arena, the bytes on disk that the manifest speaks of, and their checksum."""
        self._written: Mark | None = None
        self._latest: Mark | None = None
        self._thread: threading.Thread | None = None
        self._again = 0.0
        self._failed = False
        if not keeping.resume and (self.path / MANIFEST).exists():
            self.close()
            raise _unusable(
                f"{display_name(self.path)} holds a checkpoint already",
                f"`--resume {display_name(self.top)}` goes on from it; or remove it, or name another directory",
            )

    # ---- reading

    def load(self) -> Mark | None:
        """The search that was kept here; None where there is none.

        Raises:
            SpecError: PSM904 where it is damaged, or another search.
        """
        try:
            content = self._manifest()
            if content is None:
                self._tell(
                    f"{display_name(self.top)} has no checkpoint of {self.name}, which starts from its beginning"
                )
                return None
            mark, kept = _mark_from(content)
            for number, (size, checksum) in enumerate(kept):
                self._verify(number, size, checksum)
        except (KeyError, TypeError, ValueError):
            raise self._damaged(f"{MANIFEST} cannot be understood") from None
        except OSError as problem:
            raise self._damaged(f"{problem.strerror or problem}") from None
        self._kept, self._written = kept, mark
        return mark

    def _manifest(self) -> dict[str, Any] | None:
        try:
            data = (self.path / MANIFEST).read_bytes()
        except FileNotFoundError:
            return None
        digest, _, body = data.partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            raise self._damaged(f"{MANIFEST} does not have the digest that it names")
        content: dict[str, Any] = json.loads(body)
        for key, value in self._identity.items():
            if content["identity"].get(key) != value:
                raise _unusable(
                    f"the checkpoint in {display_name(self.path)} is of another search: {_REASONS[key]} since",
                    "check without `--resume`, or with what it was made from",
                )
        return content

    def _verify(self, number: int, size: int, checksum: int) -> None:
        left, found = size, 0
        with self._arena(number).open("rb") as file:
            while left and (piece := file.read(min(PIECE, left))):
                found = zlib.crc32(piece, found)
                left -= len(piece)
        if left:
            raise self._damaged(f"{self._arena(number).name} is too short")
        if found != checksum:
            raise self._damaged(f"{self._arena(number).name} does not have the checksum that it should have")

    def read(self, number: int, first: int, into: memoryview) -> None:
        """Fills memory with the words of an arena from an offset on."""
        with self._arena(number).open("rb", buffering=0) as file:
            file.seek(8 * (first - 1))
            done = 0
            while done < len(into):
                got = file.readinto(into[done:])
                if not got:
                    raise self._damaged(f"{self._arena(number).name} is too short")
                done += got

    def _arena(self, number: int) -> Path:
        return self.path / f"arena-{number}"

    def _damaged(self, what: str) -> SpecError:
        return _unusable(
            f"the checkpoint in {display_name(self.path)} is damaged: {what}",
            "remove it, and check from the beginning with `--checkpoint`",
        )

    # ---- writing

    def reached(self, mark: Mark, read: Read) -> None:
        """A level is done. Writes it, in a thread, if the last checkpoint is some seconds old."""
        self._latest = mark
        if self._thread is not None and self._thread.is_alive():
            return
        if time.monotonic() >= self._again:
            self._thread = threading.Thread(target=self._write, args=(mark, read), name="checkpoint", daemon=True)
            self._thread.start()

    def stop(self, read: Read) -> None:
        """The search stops before its end: writes what is not on disk yet, and says how to go on."""
        self.pause()
        if self._latest is not None and self._latest is not self._written:
            self._write(self._latest, read)
        if self._written is not None:
            self._tell(f"{self.name} is kept, and `--resume {display_name(self.top)}` goes on from there")

    def finish(self) -> None:
        """The search is at its end, so there is nothing to go on from."""
        self.pause()
        with contextlib.suppress(OSError):
            (self.path / MANIFEST).unlink(missing_ok=True)
            for path in self.path.glob("arena-*"):
                path.unlink()

    def close(self) -> None:
        """Others may use the directory."""
        self.pause()
        self._lock.close()

    def pause(self) -> None:
        """Waits for the thread that writes. Until the next mark, nothing reads arenas."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _write(self, mark: Mark, read: Read) -> None:
        """Appends what is new, then says that it counts. What fails leaves the last checkpoint as it was."""
        try:
            kept = [self._append(n, 8 * (arena.end - 1), read) for n, arena in enumerate(mark.snapshot.arenas)]
            body = json.dumps({"identity": self._identity, "kept": kept, "mark": asdict(mark)}).encode()
            new = self.path / f"{MANIFEST}.new"
            with new.open("wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
                _to_disk(file)
            new.replace(self.path / MANIFEST)
            _directory_to_disk(self.path)
            self._kept, self._written, self._failed = kept, mark, False
        except OSError as problem:
            if not self._failed:
                reason = problem.strerror or str(problem)
                self._tell(
                    f"the checkpoint in {display_name(self.path)} cannot be written: {reason}; the last one stays"
                )
            self._failed = True
        self._again = time.monotonic() + EVERY

    def _append(self, number: int, size: int, read: Read) -> tuple[int, int]:
        """Brings the file of an arena to a size, and gives that and the checksum."""
        done, checksum = self._kept[number] if number < len(self._kept) else (0, 0)
        path = self._arena(number)
        with path.open("r+b" if path.exists() else "w+b", buffering=0) as file:
            file.truncate(done)  # what a killed process wrote behind its last manifest
            file.seek(done)
            while done < size:
                piece = read(number, 1 + done // 8, 1 + min(size, done + PIECE) // 8)
                checksum = zlib.crc32(piece, checksum)
                while piece:
                    count = file.write(piece)
                    done += count
                    piece = piece[count:]
            _to_disk(file)
        return size, checksum


# ---- what makes a search this one

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "format": "the form of checkpoints has changed",
        "sources": "Lockstep has been updated",
        "check": "the check is another one",
        "text": "the spec has changed",
        "symmetry": "`--no-symmetry` was given or left out",
        "constants": "`--set` has changed",
        "kind": "`--fingerprints` was given or left out",
        "layout": "the layout of states has changed",
    }
)


def identity(plan: Plan) -> dict[str, object]:
    """What has to be equal for a search to go on."""
    machine = plan.machine
    layout = (plan.fixed_words, plan.memo, plan.has_bound, plan.has_steps, plan.shape, plan.units, plan.kinds)
    items = [(item.kind, item.name) for item in plan.items]
    return {
        "format": FORMAT,
        "sources": _sources(),
        "check": [machine.spec, machine.check],
        "text": hashlib.sha256("\0".join(machine.texts).encode()).hexdigest(),
        "symmetry": [g.name for g in machine.symmetric],
        "constants": sorted([name, repr(value)] for name, value in machine.overrides.items()),
        "kind": plan.table_kind,
        "layout": hashlib.sha256(repr((layout, items)).encode()).hexdigest(),
    }


@cache
def _sources() -> str:
    """A digest of what decides how states look and what is counted."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for folder in ("lang", "model", "engine", "native"):
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()


def _mark_from(content: dict[str, Any]) -> tuple[Mark, list[tuple[int, int]]]:
    """A mark, and what is kept of each arena. Raises KeyError, TypeError or ValueError where it is none."""
    data = dict(content["mark"])
    snapshot = dict(data["snapshot"])
    arenas = tuple(ArenaState(**arena) for arena in snapshot.pop("arenas"))
    kept = [(int(size), int(checksum)) for size, checksum in content["kept"]]
    if [size for size, _ in kept] != [8 * (arena.end - 1) for arena in arenas]:
        raise ValueError
    found = tuple(Found(f["kind"], f["name"], tuple(map(tuple, f["states"]))) for f in data.pop("found"))
    data |= {name: tuple(data[name]) for name in ("block", "noticed")}
    data["snapshot"] = Snapshot(arenas, tuple(snapshot.pop("levels")), **snapshot)
    return Mark(found=found, **data), kept


# ---- the disk


def _locked(path: Path) -> IO[bytes]:
    """The open lock of a directory. Raises `SpecError` where another process has it."""
    lock = (path / "lock").open("ab")
    try:
        import fcntl
    except ImportError:  # a system without locks of that kind
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise _unusable(
            f"{display_name(path)} is used by another process", "wait for it, or name another directory"
        ) from None
    return lock


def _to_disk(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _directory_to_disk(path: Path) -> None:
    """So that the new name is on disk, too, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unusable(what: str, help: str) -> SpecError:
    return error("PSM904", what, help=help)
