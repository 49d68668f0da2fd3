"""A log on disk: what a process wrote there, it still knows after a crash.

Protocols that survive crashes rest on one operation, the *forced* write: `force` returns only when the record would be
found again even if the power failed in the next instant. What matters is the order. A promise may be sent once the record
of it is forced, never before.

`DiskLog` keeps its records in one file of a disk, a record in each line, and syncs after each, since a write alone ends in a
cache of the operating system. A crash can cut the last line short; such a line was never forced, nobody was told of it, and it
is removed when the log is opened. The disk is that of the process's surroundings: real, or simulated. `FileLog` is the same in
a file of its own. `MemoryLog` is a list, for tests in which processes come and go and their disks stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from refimpl.runtime.files import FileDisk
from refimpl.runtime.interface import Disk


class Log(Protocol):
    """Records in the order in which they were forced."""

    def force(self, record: str) -> None:
        """Appends a record, and returns once it is safe."""

    def records(self) -> Sequence[str]:
        """Everything that was forced so far."""


class MemoryLog:
    """A log that is as safe as the object that holds it."""

    def __init__(self, records: Sequence[str] = ()) -> None:
        self._records = list(records)

    def force(self, record: str) -> None:
        self._records.append(record)

    def records(self) -> Sequence[str]:
        return tuple(self._records)


class DiskLog:
    """A log in one file of a disk."""

    def __init__(self, disk: Disk, file: str = "transaction.log") -> None:
        self._disk = disk
        self._file = file
        data = disk.read(file)
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            disk.write(file, data[:whole])
            disk.sync(file)

    def force(self, record: str) -> None:
        if "\n" in record:
            raise ValueError("a record is one line")
        self._disk.append(self._file, record.encode() + b"\n")
        self._disk.sync(self._file)

    def records(self) -> Sequence[str]:
        return tuple(self._disk.read(self._file).decode().split("\n")[:-1])


class FileLog(DiskLog):
    """A log in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(FileDisk(path.parent), path.name)
