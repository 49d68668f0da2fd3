"""Linearizability and sequential consistency: known verdicts, a brute-force checker, hard cases and speed."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from checker.base.diagnostics import SpecError
from checker.conformance.histories.history import History, Moment, history_of
from checker.conformance.histories.models import MODELS
from checker.conformance.histories.ordered import Budget, linearizable, sequential
from checker.conformance.histories.verdict import Verdict
from tests.conformance.histories import brute
from tests.conformance.histories.worlds import simulate, world

KEYED = ("kv", "list")
KINDS = ("register", "kv", "list", "lock")
"""Those of the known verdicts."""


def history(*events: tuple[Any, ...]) -> History:
    """Events as (process, type, f, value)."""
    return history_of(Moment(p, t, f, v, None, -1, n) for n, (p, t, f, v) in enumerate(events, 1))


def keys(kind: str) -> int:
    return 3 if kind in KEYED else 1


# ---- known verdicts: at least 200, half of them illegal


def options(seed: int) -> dict[str, Any]:
    """Sizes and crashes: some histories have thousands of operations."""
    size = 3_000 if seed % 13 == 12 else (40, 90, 150, 300)[seed % 4]
    return {
        "operations": size,
        "clients": 3 + seed % 6,
        "crash": (0.0, 0.01, 0.04)[seed % 3] if size < 1_000 else 0.002,
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(26))
def test_legal_by_construction(kind: str, seed: int) -> None:
    """Each operation took effect at one moment while it ran."""
    judgement = linearizable(world(kind, seed, keys=keys(kind), **options(seed)), MODELS[kind])
    assert judgement.verdict is Verdict.OK


def planted(kind: str, seed: int) -> History:
    """One read sees what cannot be: a value that nobody wrote, an element that is missing; two hold a lock at once."""
    rng = random.Random(seed)
    moments = simulate(kind, rng, keys=keys(kind), **options(seed))
    if kind == "lock":
        return history_of([*moments, *twice_acquired(len(moments))])
    reads = [n for n, m in enumerate(moments) if m.type == "ok" and m.f == "read"]
    if kind == "list":
        reads = [n for n in reads if moments[n].value[1]]  # type: ignore[index]
    at = rng.choice(reads)
    value: Any = moments[at].value
    match kind:
        case "register":
            value = "nobody wrote this"
        case "kv":
            value = [value[0], "nobody wrote this"]
        case "list":
            value = [value[0], [*value[1][:-1], "nobody appended this", value[1][-1]]]
    moments[at] = moments[at]._replace(value=value)
    return history_of(moments)


def twice_acquired(line: int) -> list[Moment]:
    """Two new clients that acquire and release a lock at the same time: each holds it at one moment of both."""
    order = [(a, f, t) for f in ("acquire", "release") for t in ("invoke", "ok") for a in ("a", "b")]
    return [Moment(p, t, f, None, None, -1, line + n) for n, (p, f, t) in enumerate(order, 1)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(26))
def test_illegal_by_construction(kind: str, seed: int) -> None:
    judgement = linearizable(planted(kind, seed), MODELS[kind])
    assert judgement.verdict is Verdict.ILLEGAL
    (finding,) = judgement.findings
    assert finding.remarks[-1] == "cannot be placed"


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("seed", range(8))
def test_a_stale_replica_is_found(kind: str, seed: int) -> None:
    """One in five reads is served by a replica that is several writes behind; a strict one must still be found in order.

    The history is illegal if some read returns a value (all are unique) that had been replaced before the read began.
    """
    rng = random.Random(seed)
    log: list[Any] = []
    moments: list[Moment] = []
    for n in range(60):  # one operation after the other, so that what is stale is certain
        process = n % 3
        if rng.random() < 0.5 or len(log) < 4:
            f, asked, answered = ("append" if kind == "list" else "write"), n, n
            log.append(n)
        else:
            f, asked = "read", None
            back = 3 if n == 50 or rng.random() < 0.2 else 0
            answered = log[: len(log) - back] if kind == "list" else log[-1 - back]  # type: ignore[assignment]
        wrap = (lambda v: [0, v]) if kind in KEYED else (lambda v: v)
        moments += [
            Moment(process, "invoke", f, wrap(asked), None, -1, 0),
            Moment(process, "ok", f, wrap(answered), None, -1, 0),
        ]
    assert linearizable(history_of(moments), MODELS[kind]).verdict is Verdict.ILLEGAL


# ---- against the definition


def changed(rng: random.Random, moments: list[Moment], kind: str) -> list[Moment]:
    """Answers exchanged or altered, operations made shorter: the result may be legal or not."""
    moments = list(moments)
    for _ in range(rng.randrange(4)):
        answers = [n for n, m in enumerate(moments) if m.type == "ok" and m.f in ("read", "dequeue")]
        refused = [n for n, m in enumerate(moments) if m.type == "fail" and kind == "lock"]
        luck = rng.random()
        if refused and luck < 0.6:
            at = rng.choice(refused)
            moments[at] = moments[at]._replace(type="ok")
        elif answers and luck < 0.7:
            at = rng.choice(answers)
            value: Any = moments[at].value
            value = [value[0], altered(rng, value[1], kind)] if kind in KEYED else altered(rng, value, kind)
            moments[at] = moments[at]._replace(value=value)
        else:
            at = rng.randrange(1, len(moments))
            if moments[at].type != "invoke" and moments[at - 1].process != moments[at].process:
                moments[at - 1], moments[at] = moments[at], moments[at - 1]
    return moments


def altered(rng: random.Random, value: Any, kind: str) -> Any:
    if not isinstance(value, list):
        return rng.randrange(3)
    value = list(value)
    if value and rng.random() < 0.5:
        value.pop(rng.randrange(len(value)))
    else:
        value.insert(rng.randrange(len(value) + 1), rng.randrange(3))
    return sorted(set(value)) if kind == "set" else value


def compare(kind: str, seeds: range) -> tuple[int, int]:
    """How many of the histories were illegal: not linearizable, not sequential."""
    counts = [0, 0]
    for seed in seeds:
        rng = random.Random(seed)
        moments = simulate(
            kind, rng, operations=rng.randrange(2, 7), clients=rng.randrange(2, 4),
            keys=1 + seed % 2 if kind in KEYED else 1, values=2, crash=(0.15, 0.3)[seed % 2], goes_on=seed % 4 > 1,
        )  # fmt: skip
        tiny = history_of(changed(rng, moments, kind))
        for at, (mine, theirs) in enumerate(((linearizable, brute.linearizable), (sequential, brute.sequential))):
            expected = Verdict.OK if theirs(kind, tiny) else Verdict.ILLEGAL
            assert mine(tiny, MODELS[kind]).verdict is expected, (kind, seed, mine.__name__)
            counts[at] += expected is Verdict.ILLEGAL
    return counts[0], counts[1]


@pytest.mark.parametrize("kind", MODELS)
def test_as_all_orders_tried_out(kind: str) -> None:
    assert min(compare(kind, range(120))) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_as_all_orders_tried_out_thousands_of_times(kind: str) -> None:
    assert min(compare(kind, range(1_000, 6_000))) >= 250


# ---- hard cases


def test_one_hard_key_does_not_hide_an_easy_refutation() -> None:
    hard = [Moment(f"h{n}", "invoke", "write", ["hard", n], None, -1, n) for n in range(60)]
    hard += [Moment("r", "invoke", "read", ["hard", None], None, -1, 0)]
    hard += [Moment(f"h{n}", "ok", "write", ["hard", n], None, -1, n) for n in range(60)]
    hard += [Moment("r", "ok", "read", ["hard", "never"], None, -1, 0)]
    easy: list[Moment] = []
    for n in range(100):
        easy += [
            Moment("e", "invoke", "write", ["easy", n], None, -1, 0),
            Moment("e", "ok", "write", ["easy", n], None, -1, 0),
        ]
    easy += [
        Moment("e", "invoke", "read", ["easy", None], None, -1, 0),
        Moment("e", "ok", "read", ["easy", 3], None, -1, 0),
    ]
    alone = linearizable(history_of(hard), MODELS["kv"], budget=Budget(10_000))
    assert alone.verdict is Verdict.UNKNOWN
    assert alone.reason == 'the budget of 10,000 situations ran out with key "hard" open'
    begin = time.process_time()
    both = linearizable(history_of([*hard, *easy]), MODELS["kv"])
    assert time.process_time() - begin < 1
    assert both.verdict is Verdict.ILLEGAL
    assert both.findings[0].message.startswith('key "easy"')


def test_unknown_names_the_budget_of_time() -> None:
    moments = [Moment(n, "invoke", "write", n, None, -1, n) for n in range(60)]
    moments += [Moment("r", "invoke", "read", None, None, -1, 0)]
    moments += [Moment(n, "ok", "write", n, None, -1, n) for n in range(60)]
    moments += [Moment("r", "ok", "read", "never", None, -1, 0)]
    judgement = linearizable(history_of(moments), MODELS["register"], budget=Budget(10**9, 0.1))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.reason == "the budget of 0.1 seconds ran out"


def test_many_crashed_operations_that_do_the_same_do_not_matter() -> None:
    moments = [Moment(f"c{n}", t, "write", n % 2, None, -1, 0) for n in range(200) for t in ("invoke", "info")]
    for n in range(50):
        moments += [Moment("r", "invoke", "read", None, None, -1, 0), Moment("r", "ok", "read", n % 2, None, -1, 0)]
    begin = time.process_time()
    assert linearizable(history_of(moments), MODELS["register"]).verdict is Verdict.OK
    assert time.process_time() - begin < 2


def test_a_thousand_operations_at_once_do_not_take_all_memory() -> None:
    moments = [Moment(n, "invoke", "write", n, None, -1, n) for n in range(1_500)]
    moments += [Moment(n, "ok", "write", n, None, -1, n) for n in range(1_500)]
    begin = time.process_time()
    verdict = linearizable(history_of(moments), MODELS["register"], budget=Budget(20_000)).verdict
    assert verdict in (Verdict.OK, Verdict.UNKNOWN)
    assert time.process_time() - begin < 10


# ---- what operations mean


def test_a_crashed_write_may_take_effect_late_or_never() -> None:
    begin = [(0, "invoke", "write", 1), (0, "info", "write", 1), (1, "invoke", "write", 2), (1, "ok", "write", 2)]
    read = [(1, "invoke", "read", None), (1, "ok", "read", 1)]
    other = [(1, "invoke", "read", None), (1, "ok", "read", 2)]
    assert linearizable(history(*begin, *read), MODELS["register"]).verdict is Verdict.OK
    assert linearizable(history(*begin, *other), MODELS["register"]).verdict is Verdict.OK
    assert linearizable(history(*begin, *read, *other), MODELS["register"]).verdict is Verdict.ILLEGAL


def test_a_failed_write_took_no_effect() -> None:
    events = [(0, "invoke", "write", 1), (0, "fail", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", 1)]
    assert linearizable(history(*events), MODELS["register"]).verdict is Verdict.ILLEGAL


def test_values_are_not_confused() -> None:
    """In Python, True is 1."""
    events = [(0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", True)]
    assert linearizable(history(*events), MODELS["register"]).verdict is Verdict.ILLEGAL


def test_an_initial_value() -> None:
    events = [(0, "invoke", "read", None), (0, "ok", "read", 0)]
    assert linearizable(history(*events), MODELS["register"], initial=0).verdict is Verdict.OK
    assert linearizable(history(*events), MODELS["register"]).verdict is Verdict.ILLEGAL


def test_the_finding_is_the_first_end_that_cannot_be_explained() -> None:
    events = [
        (0, "invoke", "write", 1), (0, "ok", "write", 1),
        (0, "invoke", "write", 2), (1, "invoke", "read", None), (1, "ok", "read", 3), (0, "ok", "write", 2),
        (1, "invoke", "read", None), (1, "ok", "read", 1),
    ]  # fmt: skip
    (finding,) = linearizable(history(*events), MODELS["register"]).findings
    assert finding.message == "`read -> 3` cannot be placed before it ends; just before that the state is 1 or 2"
    assert [(op.line, remark) for op, remark in zip(finding.operations, finding.remarks, strict=True)] == [
        (1, "ends before"), (3, "overlaps"), (4, "cannot be placed"),
    ]  # fmt: skip
    assert [op.line for op in finding.order] == [1]


def test_the_finding_in_a_list_is_the_read_and_not_an_append() -> None:
    """The search for an order refuses the first append already, since it knows the read."""
    events = [
        (0, "invoke", "append", ["x", 1]), (0, "ok", "append", ["x", 1]),
        (0, "invoke", "append", ["x", 2]), (0, "ok", "append", ["x", 2]),
        (1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", [2, 1]]),
    ]  # fmt: skip
    (finding,) = linearizable(history(*events), MODELS["list"]).findings
    assert finding.operations[-1].f == "read"
    assert "just before that the state is [1 2]" in finding.message


def test_a_process_that_goes_on_does_not_wait_for_what_crashed() -> None:
    """Its write takes effect after its own later read; and what it had ended before still comes first."""
    crashed = [(0, "invoke", "write", 1), (0, "info", "write", 1)]
    own = [(0, "invoke", "read", None), (0, "ok", "read", None)]
    other = [(1, "invoke", "read", None), (1, "ok", "read", 1), (1, "invoke", "read", None), (1, "ok", "read", None)]
    for judge in (linearizable, sequential):
        assert judge(history(*crashed, *own, *other[:2]), MODELS["register"]).verdict is Verdict.OK
        assert judge(history(*crashed, *own, *other), MODELS["register"]).verdict is Verdict.ILLEGAL
    write = [(0, "invoke", "write", 2), (0, "ok", "write", 2)]
    seen = [(1, "invoke", "read", None), (1, "ok", "read", 1), (1, "invoke", "read", None), (1, "ok", "read", 2)]
    (finding,) = sequential(history(*write, *crashed, *seen), MODELS["register"]).findings
    assert [op.line for op in finding.operations] == [7]


def test_sequential_consistency_lets_processes_lag() -> None:
    """The read is stale in real time, and fine in the order of its own process."""
    events = [(0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", None)]
    assert linearizable(history(*events), MODELS["register"]).verdict is Verdict.ILLEGAL
    assert sequential(history(*events), MODELS["register"]).verdict is Verdict.OK


def test_sequential_consistency_is_not_a_matter_of_single_keys() -> None:
    """Each key by itself has an order, the two together have none (store buffering)."""
    events = [
        (0, "invoke", "write", ["x", 1]), (0, "ok", "write", ["x", 1]),
        (1, "invoke", "write", ["y", 1]), (1, "ok", "write", ["y", 1]),
        (0, "invoke", "read", ["y", None]), (0, "ok", "read", ["y", None]),
        (1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", None]),
    ]  # fmt: skip
    judgement = sequential(history(*events), MODELS["kv"])
    assert judgement.verdict is Verdict.ILLEGAL
    assert len(judgement.findings[0].operations) > 0


@pytest.mark.parametrize(
    ("kind", "f", "value", "result", "message"),
    [
        ("register", "enqueue", 1, 1, "`enqueue` is no operation of the model"),
        ("register", "cas", 1, 1, "`1` is not what `cas` takes"),
        ("kv", "read", None, None, "`nil` has no key"),
        ("list", "read", ["x", None], ["x", 3], "`3` is no list"),
        ("counter", "add", "x", "x", '`"x"` is no whole number'),
        ("counter", "read", None, [], "`[]` is no whole number"),
        ("set", "read", None, 3, "`3` is no set"),
    ],
)
def test_what_the_model_does_not_have_is_refused(kind: str, f: str, value: Any, result: Any, message: str) -> None:
    with pytest.raises(SpecError) as problem:
        linearizable(history((0, "invoke", f, value), (0, "ok", f, result)), MODELS[kind])
    assert f"line 1: {message}" in problem.value.diagnostics[0].message


# ---- speed


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_small_histories_take_a_second(kind: str) -> None:
    histories = [world(kind, s, operations=90, clients=5, keys=keys(kind), crash=0.03) for s in range(100)]
    best = 99.0
    for _ in range(3):
        begin = time.process_time()
        assert all(linearizable(h, MODELS[kind]).verdict is Verdict.OK for h in histories)
        best = min(best, time.process_time() - begin)
    assert best <= 1
