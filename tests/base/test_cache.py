"""The cache of compiled code: what is damaged is absent, and nothing about a disk is fatal."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from checker.base.cache import VARIABLE, Cache, default_directory, digest

KEY = digest("a", b"b")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache"


def test_what_was_put_is_found(directory: Path) -> None:
    Cache(directory).put(KEY, b"code")
    assert Cache(directory).get(KEY) == b"code"
    assert Cache(directory).get(digest("ab", b"")) is None
    assert directory.stat().st_mode & 0o777 == 0o700


def test_keys_depend_on_where_a_part_ends() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", "")}) == 4


def test_a_damaged_entry_is_absent_and_removed(directory: Path) -> None:
    cache = Cache(directory)
    cache.put(KEY, bytes(range(256)))
    (path,) = directory.iterdir()
    good = path.read_bytes()
    damaged = [b"", good[:7], good[:50], good[:-1], good + b"x", b"X" + good[1:], good[:9] + b"\7" + good[10:]]
    numbers = random.Random(1)
    for _ in range(50):
        at = numbers.randrange(len(good))
        damaged.append(good[:at] + bytes([good[at] ^ 1 << numbers.randrange(8)]) + good[at + 1 :])
    for data in damaged:
        path.write_bytes(data)
        assert cache.get(KEY) is None
        assert not path.exists()
    path.write_bytes(good)
    assert cache.get(KEY) == bytes(range(256))


def test_an_entry_under_a_wrong_name_is_absent(directory: Path) -> None:
    cache = Cache(directory)
    cache.put(KEY, b"code")
    (path,) = directory.iterdir()
    path.rename(path.with_stem(digest("other")))
    assert cache.get(digest("other")) is None


def test_a_directory_that_cannot_be_used_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for directory in (None, tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing")):
        cache = Cache(directory)
        cache.put(KEY, b"code")
        assert cache.get(KEY) is None


def test_a_directory_that_others_may_write_to_is_not_trusted(directory: Path) -> None:
    cache = Cache(directory)
    cache.put(KEY, b"code")
    directory.chmod(0o777)
    assert cache.get(KEY) is None
    cache.put(digest("more"), b"code")
    assert len(list(directory.iterdir())) == 1


def test_the_oldest_entries_make_room(directory: Path) -> None:
    cache = Cache(directory, most_bytes=1000)
    for n in range(8):
        cache.put(digest(str(n)), bytes(200))
        os.utime(next(p for p in directory.iterdir() if p.name.startswith(digest(str(n)))), (n + 1, n + 1))
        if n == 2:
            assert cache.get(digest("0")) is not None  # used again, so it is the youngest now
    kept = [n for n in range(8) if cache.get(digest(str(n))) is not None]
    assert kept == [0, 5, 6, 7]


def test_concurrent_use(directory: Path) -> None:
    wrong: list[bytes] = []

    def work(seed: int) -> None:
        numbers = random.Random(seed)
        cache = Cache(directory, most_bytes=20000)
        for _ in range(60):
            n = numbers.randrange(5)
            cache.put(digest(str(n)), bytes([n]) * 5000)
            found = cache.get(digest(str(n)))
            if found is not None and found != bytes([n]) * 5000:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert not [p for p in directory.iterdir() if p.name.startswith(".new-")]


def test_the_environment_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert default_directory() == tmp_path
    monkeypatch.setenv(VARIABLE, "off")
    assert default_directory() is None
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    found = default_directory()
    assert found is not None and "lockstep" in str(found)


def test_who_has_no_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", nowhere)
    assert default_directory() is None
