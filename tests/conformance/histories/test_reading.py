"""Reading histories: Jepsen's EDN and JSON, records of runs, and what strangers may send instead."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.base.diagnostics import SpecError
from checker.conformance.histories import edn
from checker.conformance.histories.edn import Keyword, MalformedError
from checker.conformance.histories.history import NEVER, Outcome
from checker.conformance.histories.isolation import isolated
from checker.conformance.histories.judge import judge
from checker.conformance.histories.reading import FORMATS, load_history, parse_history, write_history
from checker.conformance.histories.verdict import Verdict
from tests.conformance.histories.databases import database
from tests.conformance.histories.worlds import world

JEPSEN = """\
; a comment
{:type :invoke, :f :read, :value nil, :process 0, :time 12, :index 0}
{:type :info, :f :start, :process :nemesis, :time 13, :value #{"n1" :n2}}
#jepsen.history.Op{:type :ok, :f :read, :value 3, :process 0, :time 19, :index 2}
#_ {:type :ok, :f :read, :value 4, :process 0}
{:type :invoke, :f :cas, :value [3 4], :process 1, :time 20, :error [:timeout "no answer"]}
{:type :info, :f :cas, :value [3 4], :process 1, :time 21}
"""


@pytest.mark.parametrize(
    "events",
    [
        [
            '{"process": "nemesis", "type": "info", "f": "start", "value": null}',
            '{"process": 0, "type": "invoke", "f": "write", "value": 1}',
            '{"process": 1, "type": "invoke", "f": "write", "value": 2}',
            '{"process": 0, "type": "ok", "f": "write", "value": 1}',
            '{"process": 1, "type": "ok", "f": "write", "value": 2}',
        ],
        [
            '{"t": 0, "node": "n1", "kind": "fault", "name": "crash"}',
            '{"t": 0, "node": "c1", "kind": "invoke", "name": "write", "args": {"value": 1}}',
            '{"t": 0, "node": "c2", "kind": "invoke", "name": "write", "args": {"value": 2}}',
            '{"t": 0, "node": "c1", "kind": "return", "name": "write", "obs": {"type": "ok", "value": 1}}',
            '{"t": 0, "node": "c2", "kind": "return", "name": "write", "obs": {"type": "ok", "value": 2}}',
        ],
    ],
    ids=["Jepsen", "record"],
)
def test_a_fault_after_everything_has_shown_nothing(events: list[str]) -> None:
    during = judge(parse_history("\n".join(events)), "register")
    assert during.verdict is Verdict.OK
    after = judge(parse_history("\n".join([*events[1:], events[0]])), "register")
    assert (after.verdict, after.reason) == (Verdict.INCOMPLETE, "no operation was under way at or after a fault")
    healed = events[0].replace("crash", "heal")
    if healed != events[0]:
        assert judge(parse_history("\n".join([*events[1:], healed])), "register").verdict is Verdict.OK


def test_edn_of_jepsen() -> None:
    history = parse_history(JEPSEN)
    read, cas = history.operations
    assert (read.process, read.f, read.value, read.result, read.outcome, read.line) == (
        0,
        "read",
        None,
        3,
        Outcome.OK,
        2,
    )
    assert (cas.value, cas.outcome, cas.end, cas.line) == ([3, 4], Outcome.INFO, NEVER, 6)
    assert history.cut is None


def test_edn_of_jepsen_in_one_vector() -> None:
    assert parse_history(f"\n[{JEPSEN}]\n").operations == tuple(
        op._replace(line=op.line + 1) for op in parse_history(JEPSEN).operations
    )


@pytest.mark.parametrize("text", [
    '{"type":"invoke","f":"read","process":0,"value":null}\n{"type":"ok","f":"read","process":0,"value":3}',
    '[{"type":"invoke","f":"read","process":0,"value":null},\n {"type":"ok","f":"read","process":0,"value":3}]',
    '{"format":"lockstep-run","version":1,"about":{}}\n'
    '{"t":0.5,"node":"c","kind":"invoke","name":"read","args":{"value":null}}\n'
    '{"t":0.6,"node":null,"kind":"fault","name":"cut"}\n'
    '{"t":0.7,"node":"c","kind":"return","name":"read","obs":{"type":"ok","value":3}}\n{"end":3}\n',
])  # fmt: skip
def test_json(text: str) -> None:
    history = parse_history(text)
    (op,) = history.operations
    assert (op.f, op.value, op.result, op.outcome) == ("read", None, 3, Outcome.OK)
    assert history.cut is None


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["kv", "lock", "set"])
def test_what_is_written_is_read_again(format: str, kind: str) -> None:
    history = world(kind, 5, operations=80, crash=0.1)
    again = parse_history(write_history(history, format))
    assert again.cut is None
    assert [(op.f, op.value, op.result, op.outcome) for op in again.operations] == [
        (op.f, op.value, op.result, op.outcome) for op in history.operations
    ]
    pairs = [(a, b) for a in range(80) for b in range(80)]
    before = {(a, b) for a, b in pairs if history.operations[a].end < history.operations[b].begin}
    assert before == {(a, b) for a, b in pairs if again.operations[a].end < again.operations[b].begin}


def test_keywords_in_transactions() -> None:
    text = write_history(database(1, transactions=50), "edn").replace('"append"', ":append").replace('"r"', ":r")
    assert ":append" in text
    assert isolated(parse_history(text), "list-append").verdict is Verdict.OK


# ---- what is cut off


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_is_cut_off_anywhere_says_so_or_is_refused(format: str) -> None:
    text = write_history(world("register", 1, operations=6, crash=0.1), format)
    for length in range(1, len(text) - 1):
        try:
            history = parse_history(text[:length])
        except SpecError:
            continue
        whole = text[:length].count("\n") + text[:length].endswith("}")
        assert history.cut is not None or all(
            op.end != NEVER or op.outcome is Outcome.INFO for op in history.operations
        ), whole
        if format == "run":
            assert history.cut is not None


def test_pending_operations_cut_a_history_off() -> None:
    history = parse_history('{"type":"invoke","f":"read","process":0}')
    assert history.cut == "1 operation has no completion"
    assert "the record is cut off" in history.shortcomings[1]


# ---- what is no history

RUN = [
    '{"format":"lockstep-run","version":1,"about":{}}',
    '{"t":0.5,"node":"c","kind":"invoke","name":"read","args":{"value":null}}',
    '{"t":0.7,"node":"c","kind":"return","name":"read","obs":{"type":"ok","value":3}}',
]


@pytest.mark.parametrize(("lines", "message"), [
    ([*RUN, '{"end":400}'], "line 4: the record tells of `400` entries, but 2 stand before its end"),
    ([*RUN, '{"end":"2"}'], 'line 4: the record tells of `"2"` entries, but 2 stand before its end'),
    ([*RUN, '{"end":true}'], "line 4: the record tells of `true` entries, but 2 stand before its end"),
    ([*RUN, '{"end":2}', *RUN[1:]], "follows the end of the record"),
    ([*RUN[:2], '{"end":1}', RUN[2]], "follows the end of the record"),
    ([*RUN, '{"end":2}', '{"end":2}'], "line 5: `{\"end\" 2}` follows the end of the record"),
    ([*RUN, *RUN], "line 4: a record of a run begins in the middle"),
    ([RUN[0], *RUN], "line 2: a record of a run begins in the middle"),
    ([RUN[0].replace("1", "99"), *RUN[1:], '{"end":2}'], "line 1: version `99` of a record of a run cannot be read"),
    (['{"format":"lockstep-run"}', *RUN[1:], '{"end":2}'], "line 1: version `nil` of a record of a run cannot be read"),
])  # fmt: skip
def test_a_record_of_a_run_that_contradicts_itself_is_refused(lines: list[str], message: str) -> None:
    with pytest.raises(SpecError) as problem:
        parse_history("\n".join(lines))
    (diagnostic,) = problem.value.diagnostics
    assert diagnostic.code == "PSM851"
    assert message in diagnostic.message


@pytest.mark.parametrize(("text", "message"), [
    ("", "`history` is empty"),
    ("{:type :ok, :f :read, :process 0}", "line 1: process 0 completes what it never invoked"),
    ("{:type :invoke, :f :a, :process 0}\n{:type :invoke, :f :b, :process 0}", "line 2: process 0 invokes while"),
    ("{:type :invoke, :f :a, :process 0}\n{:type :ok, :f :b, :process 0}", "line 2: process 0 completes `b`"),
    ("{:type :began, :f :a, :process 0}", "is no type of an event"),
    ("{:type :invoke, :process 0}", "line 1: an event without `f`"),
    ("{:type :invoke, :f :a}", "line 1: an event without `process`"),
    ("{:f :a, :process 0}", "line 1: an event without `type`"),
    ("{:type :invoke, :f :a, :process [1]}", "line 1: `[1]` is no process"),
    ('{"type": ["ok"], "f": "a", "process": 0}', 'line 1: `["ok"]` is no type of an event'),
    ('{"type": "ok", "f": ["a"], "process": 0}', 'line 1: `["a"]` is no name of an operation'),
    ('{"type": "ok", "f": "a", "process": 0, "value": ' + "[" * 200 + "]" * 200 + "}", "more than 100 levels"),
    ("{:type :invoke, :f :a, :process 0]", "line 1: `]` closes nothing"),
    ("\n{:type :invoke :f}", "line 2: a map with a key and no value"),
    ("{:a 1 :a 2}", "line 1: a map with the same key twice"),
    ('{"type": "invoke",, "f": 1}\n{}', "line 1: no JSON"),
    ("{'type': 1}\n{}", "line 1: no JSON"),
    ('{"type": NaN}\n', "`NaN` is no number of JSON"),
    ("3", "line 1: `3` is no event"),
    ("hello", "no JSON"),
    ("[" * 200_000, "line 1"),
    ("{:a " * 5_000, "more than 100 levels of brackets"),
    ('{"a":' * 100_000, "nested too deeply"),
    ("{:a " + "9" * 5_000 + "}", "a number of 5,000 characters"),
    ('{"a": ' + "9" * 5_000 + "}", "line 1: no JSON that can be read"),
    ("#" * 50 + "{", "is no EDN"),
    ("#a " * 5_000, "more than 100 tags"),
    ('{:type :info, :f :start, :process :nemesis}', "has no event of a client"),
])  # fmt: skip
def test_what_is_no_history_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(SpecError) as problem:
        parse_history(text)
    assert message in problem.value.diagnostics[0].message


@given(st.text(alphabet='{}[]()":;#_\\,.-+0123456789aeinotfvk \n', max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse_history(text)
    except SpecError:
        return


def test_files(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="PSM001"):
        load_history(tmp_path / "none.edn")
    with pytest.raises(SpecError, match="PSM006"):
        load_history(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="PSM003"):
        load_history(tmp_path / "binary")


# ---- EDN


@pytest.mark.parametrize(("text", "value"), [
    ("nil", None), ("true", True), ("-3", -3), ("12N", 12), ("1.5", 1.5), ("2e3", 2000.0), ("1M", 1.0), ("+7", 7),
    ('"a\\n\\"\\u00e9"', 'a\n"é'), ("\\newline", "\n"), ("\\a", "a"), (":a/b", Keyword("a/b")), ("foo", "foo"),
    ("[1 2,3]", [1, 2, 3]), ("[1 -2 nil]", [1, -2, None]), ("(1 (2))", [1, [2]]), ("#{1 2}", frozenset((1, 2))), ("[]", []),
    ('{:a 1, "b" [2]}', {Keyword("a"): 1, "b": [2]}), ("{[1 2] 3}", {(1, 2): 3}), ('#inst "2020"', "2020"),
    ("#_1 2", 2), ("[1 #_ 2 3]", [1, 3]), ("#_ #_ 1 2 3", 3), ("[#a #b 1]", [1]),
])  # fmt: skip
def test_edn(text: str, value: Any) -> None:
    ((read, offset),) = edn.read(f"  {text} ; the end")
    assert read == value
    assert type(read) is type(value)
    assert offset == 2 or text.startswith("#_")


@pytest.mark.parametrize("text", ["[1", "{:a 1", '"abc', "#{", "#_", "#tag"])
def test_edn_that_ends_too_early(text: str) -> None:
    with pytest.raises(MalformedError) as problem:
        list(edn.read(text))
    assert problem.value.ends


@pytest.mark.parametrize("text", ["]", "[1)", "{:a}", "[1-2]", '"\\q"', "[#_]", "@a"])
def test_edn_that_is_none(text: str) -> None:
    with pytest.raises(MalformedError) as problem:
        list(edn.read(text))
    assert not problem.value.ends


def test_edn_is_written_as_it_is_read() -> None:
    rng = random.Random(1)

    def value(depth: int) -> Any:
        match rng.randrange(8 if depth else 5):
            case 0:
                return None
            case 1:
                return rng.choice((True, False))
            case 2:
                return rng.randrange(-99, 99)
            case 3:
                return rng.choice(('a "quoted"\n\\text', "é", ""))
            case 4:
                return Keyword("k")
            case 5:
                return {f"k{n}": value(depth - 1) for n in range(3)}
            case _:
                return [value(depth - 1) for _ in range(3)]

    for _ in range(200):
        made = value(4)
        ((read, _),) = edn.read(edn.show(made))
        assert read == made
