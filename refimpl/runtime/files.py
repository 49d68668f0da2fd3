"""A disk that is a directory.

`write` goes through a second file that takes the place of the first: a rename is atomic, so a crash leaves the old content or
the new one. Whether the rename itself lasts is up to the directory, which `sync` flushes, too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


class FileDisk:
    """The files of one process in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, file: str) -> bytes:
        path = self._path(file)
        return path.read_bytes() if path.exists() else b""

    def append(self, file: str, data: bytes) -> None:
        with self._path(file).open("ab") as handle:
            handle.write(data)

    def write(self, file: str, data: bytes) -> None:
        path = self._path(file)
        fresh = path.with_name(f".{file}.new")
        with fresh.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())  # or the name might last and the content not
        fresh.replace(path)

    def sync(self, file: str) -> None:
        for path in (self._path(file), self._folder):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _path(self, file: str) -> Path:
        if not _NAME.fullmatch(file):
            raise ValueError(f"{file!r} is no name for a file: use letters, digits, `_`, `-` and `.`")
        return self._folder / file
