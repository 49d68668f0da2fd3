"""The record of a run: written, read again, cut off, and forged."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.conformance.jsonlines import LineError, canonical, parse_object
from checker.conformance.record import (
    SHIVIZ,
    Entry,
    Kind,
    Record,
    Recorder,
    RecordError,
    concurrent,
    lines_of,
    read_record,
    shiviz_of,
    text_of,
)

texts = st.text(max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, json_values, max_size=3)
entries = st.builds(
    Entry,
    t=st.floats(0, 1e6),
    node=st.none() | texts,
    kind=st.sampled_from(Kind),
    name=texts,
    args=objects,
    obs=objects,
    vc=st.dictionaries(texts, st.integers(0, 99), max_size=3),
)
records = st.builds(
    Record,
    entries=st.lists(entries, max_size=5).map(lambda es: tuple(sorted(es, key=lambda e: e.t))),
    about=objects,
    truncated=st.booleans(),
)


def read(text: str) -> Record:
    return read_record(io.StringIO(text))


@settings(max_examples=40)
@given(records)
def test_what_was_written_is_read(record: Record) -> None:
    assert read(text_of(record)) == record


@settings(max_examples=40)
@given(records, st.data())
def test_what_is_cut_off_is_truncated_and_never_wrong(record: Record, data: st.DataObject) -> None:
    text = text_of(record)
    head = len(next(lines_of(record))) + 1
    cut = data.draw(st.integers(head, max(head, len(text) - 2)))
    found = read(text[:cut])
    assert found.truncated
    assert found.entries == record.entries[: len(found.entries)]


GOOD = '{"format":"lockstep-run","version":1,"about":{}}\n'
ENTRY = '{"t":1,"node":"n1","kind":"send","name":"x","args":{},"obs":{},"vc":{"n1":1}}\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no record of a run"),
        ("{}\n", "no record of a run"),
        ("spec Lock\n", "not JSON"),
        (GOOD.replace("1,", "9,"), "version 9"),
        (GOOD + ENTRY.replace("1,", "-1,", 1), "`t` should be a number of seconds"),
        (GOOD + ENTRY.replace("1,", "true,", 1), "`t` should be"),
        (GOOD + ENTRY.replace('"send"', '"sent"'), "`kind` should be one of action, send"),
        (GOOD + ENTRY.replace('"node":"n1"', '"node":7'), "`node` should be a text or null and is '7'"),
        (GOOD + ENTRY.replace('"n1":1', '"n1":"1"'), "`vc` should be"),
        (GOOD + ENTRY + ENTRY.replace('"t":1', '"t":0.5'), "line 3: time goes back, from 1 to 0.5"),
        (GOOD + ENTRY + '{"end":2}\n', "tells of 2 entries, but 1"),
        (GOOD + '{"end":0}\n' + ENTRY, "follows the end"),
        (GOOD + "[" * 100_000 + "\n", "line 2"),
        (GOOD + '{"t":NaN}\n', "NaN is not a JSON value"),
        (GOOD + '{"t":' + "9" * 5_000 + "}\n", "line 2"),
        (GOOD + '{"name":"' + "x" * 1_000_001 + '"}\n', "longer than 1,000,000 characters"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(RecordError, match=re.escape(complaint)):
        read(text)


def test_vector_clocks_tell_what_knew_of_what() -> None:
    r = Recorder({"seed": 1})
    sent = r.add(0, "a", Kind.SEND, "m")
    r.add(1, "c", Kind.ACTION, "alone")
    r.add(2, "b", Kind.RECV, "m", after=sent)
    r.add(3, "b", Kind.ACTION, "later")
    first, alone, got, later = r.record().entries
    assert (got.vc, later.vc) == ({"a": 1, "b": 1}, {"a": 1, "b": 2})
    assert concurrent(alone, first) and concurrent(alone, later)
    assert not concurrent(first, later)


def test_a_recorder_has_a_limit() -> None:
    r = Recorder(limit=2)
    for t in range(3):
        r.add(t, "a", Kind.ACTION, "x")
    assert len(r.record().entries) == 2 and r.record().truncated


def test_shiviz_reads_it() -> None:
    r = Recorder()
    r.add(1, "b", Kind.RECV, "Vote", args={"yes": True}, after=r.add(0, "a", Kind.SEND, "Vote"))
    r.add(2, None, Kind.FAULT, "cut")
    pattern = re.compile(SHIVIZ.replace("(?<", "(?P<"))
    found = [(m["host"], m["clock"], m["event"]) for m in pattern.finditer(shiviz_of(r.record()))]
    assert found == [("a", '{"a":1}', "send Vote {}"), ("b", '{"a":1,"b":1}', 'recv Vote {"yes":true}')]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[1]", "not a JSON object"),
        ("{", "not JSON"),
        ('{"a":' + "[" * 200 + "]" * 200 + "}", "nested deeper"),
        ("x" * 9, "longer"),
    ],
)
def test_lines_from_strangers(line: str, complaint: str) -> None:
    with pytest.raises(LineError, match=complaint):
        parse_object(line, max_length=8 if line[0] == "x" else None)


def test_equality_of_json_is_strict() -> None:
    assert canonical({"b": 1, "a": [True]}) == canonical({"a": [True], "b": 1})
    assert len({canonical(v) for v in (1, True, "1", 1.0)}) == 4
