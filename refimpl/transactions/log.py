"""A log on disk: what a process wrote there, it still knows after a crash.

Protocols that survive crashes rest on one operation, the *forced* write: `force` returns only when the record would be
found again even if the power failed in the next instant. What matters is the order. A promise may be sent once the record
of it is forced, never before.

There are two logs here with the same interface. `FileLog` is a file. Each record is one line, and is followed by `fsync`,
since a write alone ends in a cache of the operating system. A crash can cut the last line short; such a line was never
forced, nobody was told of it, and it is removed when the log is opened. `MemoryLog` is a list, for tests and simulations in
which processes come and go and their disks stay.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


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


class FileLog:
    """A log in a file, one record in each line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            path.touch()
            self._sync(path.parent)  # the name of a new file is written in its directory
        self._drop_torn_record()

    def force(self, record: str) -> None:
        if "\n" in record:
            raise ValueError("a record is one line")
        with self._path.open("ab") as file:
            file.write(record.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def records(self) -> Sequence[str]:
        return tuple(self._path.read_bytes().decode().split("\n")[:-1])

    def _drop_torn_record(self) -> None:
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with self._path.open("rb+") as file:
                file.truncate(whole)
                os.fsync(file.fileno())

    def _sync(self, directory: Path) -> None:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
