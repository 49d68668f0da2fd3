"""`lockstep conform --node` that is interrupted: no process is left, whatever the nodes do about it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.support import hearing

STUBBORN = """
import json, os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "300"])
while True:
    for line in sys.stdin:
        m = json.loads(line)
        body = {"type": m["body"]["type"] + "_ok", "in_reply_to": m["body"]["msg_id"], "echo": m["body"].get("echo")}
        print(json.dumps({"src": m["dest"], "dest": m["src"], "body": body}), flush=True)
        if "echo" in m["body"]:
            with open(sys.argv[1] + "/" + m["dest"], "w") as file:
                file.write(f"{os.getpid()} {child.pid} \\n")
"""
"""A node that ignores that it should end, and so does what it has started."""


def state(pid: str) -> str:
    """That of a process, as a letter; empty where there is none."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_no_process_is_left(number: signal.Signals, tmp_path: Path) -> None:
    program = tmp_path / "stubborn.py"
    program.write_text(STUBBORN)
    told = tmp_path / "told"
    told.mkdir()
    command = shlex.join([sys.executable, str(program), str(told)])
    args = ["conform", "--node", command, "--workload", "echo", "--nodes", "2", "--time", "1000"]
    with hearing():
        run = subprocess.Popen(
            [sys.executable, "-m", "checker", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    try:
        deadline = time.monotonic() + 60
        pids: list[str] = []
        while len(pids) < 4 and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            pids = [pid for file in told.iterdir() for pid in file.read_text().split()]
        if pids:
            os.kill(int(pids[0]), signal.SIGSTOP)  # as `--fault pause` does
        run.send_signal(number)
        _, err = run.communicate(timeout=60)
    finally:
        run.kill()
    assert len(pids) == 4, err
    deadline = time.monotonic() + 30
    while any(state(pid) not in ("", "Z") for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [state(pid) for pid in pids if state(pid) not in ("", "Z")] == []
    assert run.returncode == 128 + number
    assert err == ("interrupted\n" if number is signal.SIGINT else f"ended by {number.name}\n")
