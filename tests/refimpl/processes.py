"""Members of a protocol as real processes with sockets and files, which are killed and started again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from refimpl.runtime.tcp import Place
from tests.conformance.test_simulation import free_ports

ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Processes of `python -m refimpl.consensus`; those that run at the end of the context are killed."""

    def __init__(self, protocol: str, members: Sequence[str], clients: Sequence[str], folder: Path) -> None:
        self.members = tuple(members)
        names = [*members, *clients]
        self.places: dict[str, Place] = {
            name: ("127.0.0.1", port) for name, port in zip(names, free_ports(len(names)), strict=True)
        }
        self.folder = folder
        self._protocol = protocol
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        places = [f"{n}={host}:{port}" for n, (host, port) in self.places.items()]
        command = [sys.executable, "-m", "refimpl.consensus", self._protocol, name, "--folder", str(self.folder / name)]
        self._running[name] = subprocess.Popen([*command, "--member", *self.members, "--place", *places], cwd=ROOT)

    def kill(self, name: str) -> None:
        """As `kill -9` does: the process can do nothing about it."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL, f"{name} had ended before"

    def __enter__(self) -> Self:
        for name in self.members:
            self.start(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._running):
            process = self._running.pop(name)
            process.kill()
            process.wait(10)
