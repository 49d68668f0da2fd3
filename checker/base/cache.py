"""What was made of a spec, on disk, so that a second check of the same spec starts at once: its syntax tree, and native code.

An entry is a file whose name is a digest of all that its content depends on. Other processes may read, write and remove
entries at the same time, a machine may lose power, and a disk may be full, so nothing here is trusted and nothing is
fatal: an entry is written under another name and then put in place in one step; it begins with the digest of what follows,
and one that does not match is removed and treated as absent; where there is no directory that can be written, there is no cache.

Native code is run, and trees are unpickled, which is no less. So the directory belongs to the user alone, and one that others
may write to is not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from functools import cache
from pathlib import Path

MAGIC = b"LOCKSTEP"
VERSION = 1
MOST_BYTES = 256 << 20
VARIABLE = "LOCKSTEP_CACHE_DIR"
"""An environment variable that names another directory, or is `off`."""

_SUFFIX = ".o"
_HEADER = len(MAGIC) + 4 + 32


def digest(*parts: str | bytes) -> str:
    """The key of an entry that depends on some texts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def version_of(*folders: str) -> str:
    """A digest of the sources in some folders of the checker: what is kept depends on the program that made it."""
    return digest(*map(_version, folders))


@cache
def _version(folder: str) -> str:
    root = Path(__file__).resolve().parents[1] / folder
    paths = sorted(path for path in root.rglob("*") if path.suffix in {".py", ".lark"})
    if not paths:  # as in an archive: nobody knows what program this is, so nobody finds what it keeps
        return os.urandom(32).hex()
    states = ((path.name, path.stat()) for path in paths)
    return digest(*(f"{name} {state.st_size} {state.st_mtime_ns}" for name, state in states))


def default_directory() -> Path | None:
    """Where the user's cache is; None where there is none."""
    named = os.environ.get(VARIABLE)
    if named == "off":
        return None
    return Path(named) if named else users_directory()


def users_directory() -> Path | None:
    """Where the user's cache is if nobody names another: for what depends on the program alone, as its compiled modules do."""
    try:
        from platformdirs import user_cache_dir
    except ImportError:  # in a browser
        return None
    try:
        return Path(user_cache_dir("lockstep"))
    except RuntimeError:  # whoever runs this has no home
        return None


class Cache:
    """Entries in a directory. Never raises for what is wrong with it."""

    def __init__(self, directory: Path | None, most_bytes: int = MOST_BYTES) -> None:
        self._directory = directory
        self._most_bytes = most_bytes

    def get(self, key: str) -> bytes | None:
        """The entry with a key, if there is a sound one."""
        if self._directory is None or not _is_private(self._directory):
            return None
        path = self._directory / (key + _SUFFIX)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        payload = _unpack(key, data)
        with contextlib.suppress(OSError):
            if payload is None:
                path.unlink()
            else:
                os.utime(path)  # what is used is not what is removed first
        return payload

    def put(self, key: str, payload: bytes) -> None:
        """Keeps an entry, if that is possible."""
        if self._directory is None:
            return
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_private(self._directory):
                return
            self._prune(len(payload))
            handle, name = tempfile.mkstemp(prefix=".new-", dir=self._directory)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_pack(key, payload))
                Path(name).replace(self._directory / (key + _SUFFIX))
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
        except OSError:
            return

    def _prune(self, more: int) -> None:
        """Removes what was not used for longest until there is room, and what a killed process left half-written."""
        assert self._directory is not None
        files = []
        for path in self._directory.iterdir():
            if path.suffix == _SUFFIX or path.name.startswith(".new-"):
                with contextlib.suppress(OSError):
                    info = path.stat()
                    files.append((info.st_mtime, info.st_size, path))
        total = more + sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._most_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size


def _is_private(directory: Path) -> bool:
    """Whether nobody else can put something into a directory."""
    try:
        info = directory.stat()
    except OSError:
        return False
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(info.st_mode)
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o022


def _pack(key: str, payload: bytes) -> bytes:
    return MAGIC + VERSION.to_bytes(4, "little") + _checksum(key, payload) + payload


def _unpack(key: str, data: bytes) -> bytes | None:
    payload = data[_HEADER:]
    return payload if data == _pack(key, payload) else None


def _checksum(key: str, payload: bytes) -> bytes:
    """The key counts, too: an entry under a wrong name is none."""
    return hashlib.sha256(key.encode() + b"\n" + payload).digest()
