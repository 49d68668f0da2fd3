"""Running the command in tests: in this process for speed, or in one of its own where streams and signals matter.

Golden files hold what a user sees, with times replaced. `LOCKSTEP_UPDATE_GOLDEN=1 pytest tests/cli` writes them anew; then
read the difference as a user would.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checker.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"

TRANSFER = """\
spec Transfer

message Pay, Paid
network soup

role Client {
  durable done: bool = false
  action Ask when not done { send Pay to Bank }
  on Paid when not done { done := true }
}

role Bank {
  durable balance: 0..3 = 3
  on Pay from c when balance > 0 {
    balance -= 1
    send Paid to c
  }
}

invariant PaidOnce: Bank.balance >= 2
reach Finished: Client.done
final: Client.done

check calm { expect holds PaidOnce, Finished }
"""
"""Fails: the money is taken twice after three steps."""

COUNTER = """\
spec Counter
const N: 1..4 = 2
const TOP: 1..9 = N
enum Mode { slow, fast }
const MODE: Mode = slow
const STRICT: bool = false
enum Light { red, green, broken }
role R[N] {
  durable x: 0..TOP = 0
  durable light: Light = red
  action Up when x < TOP { x += 1 }
  action Switch when light == red { light := green }
  action Never when x > 9 { x := 0 }
}
invariant Low: forall r in R: r.x < TOP
invariant Fine: forall r in R: r.x <= TOP
invariant Empty: forall r in R: r.light == broken => r.x == 0
reach Top: forall r in R: r.x == TOP
reach Far: exists r in R: r.light == broken
final: true
check small { expect holds Fine, Top  expect fails Low  expect states 36 transitions 84 depth 6 }
check one { N = 1  expect holds Fine  expect fails Low }
"""
"""Passes, has counts and constants of all kinds, and leaves much unexercised."""

OVERFLOW = """\
spec Overflow
const UPS: 0..9 = 0
const KNOCKS: 0..9 = 0
message Ping
network bag[1]
role A {
  durable x: 0..2 = 0
  action Up when x < UPS { x += 1 }
}
role B {
  durable n: 0..9 = 0
  action Knock when n < KNOCKS { n += 1  send Ping to A }
}
final: true
check range { UPS = 5 }
check capacity { KNOCKS = 2  expect fails NoError }
"""
"""A range and a capacity that are exceeded: the first is not expected, the second is."""

LARGE = """\
spec Large
role R[6] {
  durable x: 0..30 = 0
  action Up when x < 30 { x += 1 }
  action Down when x > 0 { x -= 1 }
}
invariant Fine: forall r in R: r.x <= 30
invariant Small: forall r in R: r.x < 3
check one { expect holds Fine  expect fails Small }
check two { expect holds Fine  expect fails Small }
"""
"""31 to the power of 6 states: far more than a test waits for."""

LIVE = """\
spec Live
role R { durable x: 0..2 = 0  fair action Up when x < 2 { x += 1 } }
live Ends: eventually R.x == 2
final: R.x == 2
check soon { bound R.x <= 2  expect holds Ends }
"""
"""Under a `bound`, liveness is refused: a verdict that is `incomplete`."""

LASSO = """\
spec Semaphore
enum At { idle, waiting, inside }
shared free: bool = true
role P[2] {
  durable pc: At = idle
  timeout Want when pc == idle { pc := waiting }
  timeout Enter when pc == waiting and free { free := false  pc := inside }
  timeout Leave when pc == inside { pc := idle  free := true }
}
live Served(p in P): p.pc == waiting ~> p.pc == inside
live Busy: always eventually free
check weak { expect holds Served  expect fails Busy }
check strong_ { strong Enter  expect holds Served }
"""
"""Somebody is overtaken for ever, a run with a cycle that was not expected; another property holds although it should fail."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run of the command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def lockstep(*args: str | Path, stdin: str = "", columns: int = 80, encoding: str = "utf-8") -> Done:
    """Runs the command in this process, with streams that are no terminals."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    real, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(a) for a in args])
    finally:
        sys.stdin = real
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return Done(code, *(stream.buffer.getvalue().decode(encoding) for stream in (out, err)))


def process(*args: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    return subprocess.run(
        command(*args), env=environment(), capture_output=True, text=True, timeout=60, check=False, **more
    )


def command(*args: str | Path) -> list[str]:
    """The command line of a process of its own."""
    return [sys.executable, "-m", "checker", *(str(a) for a in args)]


def environment() -> dict[str, str]:
    """The environment of such a process: it finds the package wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONUTF8": "1"}


@contextlib.contextmanager
def hearing() -> Iterator[None]:
    """Processes that are started here hear all signals, also those that whoever runs the tests ignores, as `nohup` does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write(folder: Path, **specs: str) -> None:
    """Writes specs, one `name.psm` for each argument."""
    for name, text in specs.items():
        (folder / f"{name}.psm").write_text(text, encoding="utf-8")


_TIME = re.compile(r"\b(under 1 ms|\d+ ms|\d+\.\d+ s)\b")
_RATE = re.compile(r" \([\d,]+/s\)")


def steady(text: str) -> str:
    """Text without what differs from run to run."""
    return _RATE.sub("", _TIME.sub("TIME", text))


def assert_golden(name: str, text: str) -> None:
    """Compares a text with a golden file, or writes it where the environment asks for that."""
    path = GOLDEN / name
    if os.environ.get("LOCKSTEP_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process that is about to end has printed. One that does not end is not left behind."""
    try:
        return process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


def has_worked(process: subprocess.Popen[str], seconds: float) -> None:
    """Waits until a process has used so much time of a processor, which means the same on a busy machine as on a quiet one."""
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        time.sleep(seconds)
        return
    while process.poll() is None:
        user, system = stat.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
        if (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") >= seconds:
            return
        time.sleep(0.01)
