"""Mistakes that are made with a log, whatever the protocol above it. Nothing that keeps its log in memory can show them."""

from __future__ import annotations

from refimpl.runtime.log import DiskLog


class NeverSyncs(DiskLog):
    """Writes, and does not wait until it is written."""

    def force(self, record: str) -> None:
        self._disk.append(self._file, record.encode() + b"\n")
