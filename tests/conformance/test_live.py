"""Live services: a store in this process with and without mistakes, and a real Redis."""

from __future__ import annotations

import os
import runpy
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checker.conformance.histories.verdict import Verdict
from checker.conformance.live import Connect, Perform, use
from checker.conformance.operations import Failed
from checker.properties.kinds import Json
from tests.conformance.test_simulation import free_ports


def choose(random: Random, number: int) -> tuple[str, Json]:
    return random.choice((("read", None), ("write", number)))


class Store:
    """A register, with a cache for each client that may be stale."""

    def __init__(self, *, cached: bool = False) -> None:
        self.value: Any = None
        self.cached = cached
        self.lock = threading.Lock()

    @contextmanager
    def connect(self, number: int) -> Iterator[Perform]:
        old, reads = None, 0

        def perform(f: str, value: Any) -> Json:
            nonlocal old, reads
            time.sleep(0.0005)
            with self.lock:
                if f == "write":
                    self.value = value
                    return None
                reads += 1
                if not self.cached or reads % 3 == 1:
                    old = self.value
                return old

        yield perform


def test_a_report_tells_what_is_wrong_and_what_was_raised() -> None:
    text = use(Store(cached=True).connect, choose, model="register", operations=400).text()
    assert "illegal (register, linearizable)" in text and "cannot be placed" in text

    @contextmanager
    def broken(number: int) -> Iterator[Perform]:
        def perform(f: str, value: Any) -> Json:
            raise ConnectionError("the line is dead")

        yield perform

    text = use(broken, choose, model="register", operations=10).text()
    assert "incomplete (register" in text and "raised 10 times: ConnectionError: the line is dead" in text


def test_a_right_store_passes() -> None:
    report = use(Store().connect, choose, model="register", operations=200)
    assert report.judgement.verdict is Verdict.OK
    assert len(report.history.succeeded) == 200 and report.history.overlapping
    assert report.errors == ()


def test_a_stale_cache_is_found() -> None:
    assert use(Store(cached=True).connect, choose, model="register").judgement.verdict is Verdict.ILLEGAL


def failing(store: Store, problem: Callable[[int], Exception | None], effect: bool) -> Connect:
    """A store whose operations fail sometimes, with their effect or without."""
    count = 0

    @contextmanager
    def connect(number: int) -> Iterator[Perform]:
        with store.connect(number) as perform:

            def shaky(f: str, value: Any) -> Json:
                nonlocal count
                count += 1
                error = problem(count)
                result = perform(f, value) if effect or error is None else None
                if error is not None:
                    raise error
                return result

            yield shaky

    return connect


@pytest.mark.parametrize("effect", [True, False])
def test_a_broken_connection_may_or_may_not_have_had_an_effect(effect: bool) -> None:
    connect = failing(Store(), lambda n: ConnectionError("gone") if n % 20 == 0 else None, effect)
    report = use(connect, choose, model="register", operations=200)
    assert report.judgement.verdict is Verdict.OK
    assert report.errors == (("ConnectionError: gone", 10),)


def test_failed_claims_that_there_was_no_effect() -> None:
    def problem(n: int) -> Exception | None:
        return Failed("refused") if n % 4 == 0 else None

    assert use(failing(Store(), problem, False), choose, model="register").judgement.verdict is Verdict.OK
    assert use(failing(Store(), problem, True), choose, model="register").judgement.verdict is Verdict.ILLEGAL


def test_a_client_that_never_succeeds_is_incomplete() -> None:
    report = use(failing(Store(), lambda _: KeyError("x"), False), choose, model="register", operations=20)
    assert report.judgement.verdict is Verdict.INCOMPLETE
    assert report.errors == (("KeyError: 'x'", 20),)

    def unreachable(number: int) -> Any:
        raise OSError("no route")

    report = use(unreachable, choose, model="register", operations=20)
    assert report.judgement.verdict is Verdict.INCOMPLETE
    assert report.errors == (("OSError: no route", 20),)


# ---- Redis


@contextmanager
def redis() -> Iterator[Callable[..., bytes | None]]:
    """A connection to Redis, by its protocol: arrays of texts in, one value out."""
    with socket.create_connection(("127.0.0.1", 6379), timeout=5) as connection, connection.makefile("rwb") as file:

        def command(*parts: object) -> bytes | None:
            words = [str(part).encode() for part in parts]
            file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
            file.flush()
            head = file.readline()
            if head[:1] == b"$":
                size = int(head[1:])
                return None if size < 0 else file.read(size + 2)[:-2]
            if head[:1] == b"-":
                raise RuntimeError(head.decode())
            return head[1:-2]

        yield command


@pytest.fixture
def key() -> Iterator[str]:
    """A key that nobody else uses."""
    name = f"lockstep-test-{uuid.uuid4()}"
    try:
        with redis() as command:
            assert command("PING") == b"PONG"
    except OSError as problem:
        if os.environ.get("LOCKSTEP_REQUIRE_SERVICES") == "1":
            pytest.fail(f"this test needs Redis at 127.0.0.1:6379: {problem}")
        pytest.skip("needs Redis at 127.0.0.1:6379")
    yield name
    with redis() as command:
        command("DEL", name)


def test_redis_is_a_linearizable_register(key: str) -> None:
    @contextmanager
    def connect(number: int) -> Iterator[Perform]:
        with redis() as command:

            def perform(f: str, value: Any) -> Json:
                if f == "write":
                    command("SET", key, value)
                    return None
                found = command("GET", key)
                return None if found is None else int(found)

            yield perform

    report = use(connect, choose, model="register", operations=500)
    assert report.judgement.verdict is Verdict.OK, report.errors
    assert len(report.history.succeeded) == 500


@pytest.mark.parametrize("mistake", ["", "stale"])
def test_the_example_of_the_documentation(mistake: str) -> None:
    """A service in another language; its test passes, and fails with what was wrong."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no `node`")
    folder = Path(__file__).resolve().parents[2] / "docs/conformance"
    example = runpy.run_path(str(folder / "test_register.py"))
    (port,) = free_ports(1)
    with subprocess.Popen([node, "register.js", str(port), mistake], cwd=folder, stdout=subprocess.PIPE) as service:
        try:
            assert service.stdout is not None and service.stdout.readline() == b"ready\n"
            test = example["test_register"]
            test.__globals__["ADDRESS"] = ("127.0.0.1", port)
            if mistake:
                with pytest.raises(AssertionError, match="cannot be placed before it ends"):
                    test()
            else:
                test()
        finally:
            service.kill()
