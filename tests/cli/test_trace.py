"""`lockstep trace`: random walks, chosen ones, and the shortest way to a property."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker.engine.liveness.verdicts import BOUND
from tests.cli.support import COUNTER, LARGE, LASSO, LIVE, OVERFLOW, TRANSFER, assert_golden, lockstep, write

MANY = """\
spec Many
role R { durable x: 0..2 = any 0..2  action Down when x > 0 { x -= 1 } }
final: true
check every { }
"""


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(
        tmp_path, transfer=TRANSFER, counter=COUNTER, overflow=OVERFLOW, large=LARGE, live=LIVE, lasso=LASSO, many=MANY
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_random_walk() -> None:
    done = lockstep("trace", "transfer.psm", "--seed", "7")
    assert (done.code, done.err) == (0, "")
    assert_golden("walk.txt", done.out)


def test_same_seed_same_walk() -> None:
    walks = [lockstep("trace", "large.psm", "--seed", str(seed)).out for seed in (0, 1, 0)]
    assert walks[0] == walks[2] != walks[1]
    assert lockstep("trace", "large.psm").out == walks[0]


def test_length() -> None:
    document = lockstep("trace", "large.psm", "--steps", "33", "--format", "json").json
    assert len(document["trace"]) == 33
    assert document["end"] == "as long as asked for"
    assert all(step["changes"] for step in document["trace"])


def test_walk_into_an_error() -> None:
    done = lockstep("trace", "overflow.psm", "--format", "json")
    assert done.json["error_step"] == "A.Up()"
    assert done.json["end"] == "a step went wrong"
    assert done.json["diagnostics"][0]["code"] == "PSM601"
    assert "✗  A.Up()         this step goes wrong" in lockstep("trace", "overflow.psm").out


def test_to_a_violation() -> None:
    done = lockstep("trace", "transfer.psm", "--to", "PaidOnce")
    assert done.code == 0
    assert_golden("to.txt", done.out)


@pytest.mark.parametrize(
    ("args", "code", "end", "steps"),
    [
        (["transfer.psm", "--to", "Finished"], 0, "Finished is reached", 3),
        (["transfer.psm", "--to", "NoError"], 1, "NoError holds: there is no way to a violation", None),
        (["counter.psm", "--to", "Far"], 1, "Far is not reached: no state satisfies it", None),
        (["overflow.psm", "--to", "NoError"], 0, "NoError is violated", 2),
        (
            ["large.psm", "--to", "Fine", "--max-states", "500"],
            3,
            "Fine is open: the limit on states was reached",
            None,
        ),
        (["live.psm", "--to", "Ends"], 3, f"Ends is open: {BOUND}", None),
        (["lasso.psm", "--to", "Served"], 0, "Served is violated", 4),
        (["lasso.psm", "--check", "strong_", "--to", "Busy"], 1, "Busy holds: there is no way to a violation", None),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_to(args: list[str], code: int, end: str, steps: int | None) -> None:
    done = lockstep("trace", *args, "--format", "json")
    assert done.code == code
    assert done.json["end"] == end
    assert (None if done.json["trace"] is None else len(done.json["trace"])) == steps
    assert lockstep("trace", *args).code == code


def test_to_an_unknown_property() -> None:
    done = lockstep("trace", "transfer.psm", "--to", "PaidOne")
    assert done.code == 2
    assert "error PSM901: transfer.psm has no property `PaidOne`\n   help: did you mean `PaidOnce`?" in done.err


def test_choosing() -> None:
    done = lockstep("trace", "transfer.psm", "--choose", stdin="1\n1\nu\nnonsense\n0\n99\n2\nu\nu\nu\n1\n1\n1\nq\n")
    assert done.code == 0
    assert_golden("choose.txt", done.out)


def test_end_of_input_ends_the_walk() -> None:
    done = lockstep("trace", "transfer.psm", "--choose")
    assert done.code == 0
    assert "at the start" in done.out


def test_choosing_an_initial_state() -> None:
    done = lockstep("trace", "many.psm", "--choose", "--format", "json", stdin="3\n1\n1\n")
    assert done.code == 0
    assert done.json["initial"] == {"R.x": 2, "network": []}
    assert [step["changes"] for step in done.json["trace"]] == [{"R.x": 1}, {"R.x": 0}]
    assert done.json["end"] == "no step changes anything"
    assert "3 initial states" in done.err


def test_choosing_an_error() -> None:
    done = lockstep("trace", "overflow.psm", "--choose", "--format", "json", stdin="1\n1\n1\n")
    assert done.json["error_step"] == "A.Up()"
    assert done.json["end"] == "a step went wrong"


def test_choosing_so_many_steps() -> None:
    done = lockstep("trace", "large.psm", "--choose", "--steps", "2", "--format", "json", stdin="1\n" * 9)
    assert len(done.json["trace"]) == 2


def test_a_run_without_end() -> None:
    done = lockstep("trace", "lasso.psm", "--to", "Served", "--format", "json")
    steps = [step["step"] for step in done.json["trace"]]
    assert steps == ["P0.Want()", "P1.Want()", "P1.Enter()", "P1.Leave()"]
    assert done.json["loop"] == 1
    text = lockstep("trace", "lasso.psm", "--to", "Served").out
    assert text.splitlines()[-3].split() == "↻ back to 1 steps 2 to 4 again and again".split()
