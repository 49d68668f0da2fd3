"""Pages in another language: every sentence of ours is translated, numbers are the same, and what is not translated says so."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import checker
from checker.conformance.adapter import Mistake
from checker.engine.interface import Limits
from checker.engine.liveness import verdicts
from checker.properties.kinds import Trace, TraceStep
from checker.render.events import read_events
from checker.render.sequence import sequence_svg
from checker.render.values import Change, all_changes
from checker.site.annotated import pieces
from checker.site.conformance import conformance_section
from checker.site.conforming import BLIND, CALM, CROWDED, PARTIAL, adapter_in, adapters
from checker.site.facts import CheckFacts, Conformance, Kills, Replayed, SpecFacts
from checker.site.gather import SpecFile, gather
from checker.site.pages import build_pages
from checker.site.store import Store
from checker.site.svg import translated_svg
from checker.site.text import paragraphs
from checker.site.told import placed, told
from checker.site.words import ENGLISH, Words, key_of, read_catalogue
from refimpl.adapters.outbox import OutboxAdapter
from refimpl.adapters.postgres import NO_POSTGRES
from refimpl.adapters.redis_lock import NO_REDIS, RedisLockAdapter
from refimpl.adapters.row_places import NO_MARIADB
from refimpl.adapters.row_update import RowUpdateAdapter

ROOT = Path(__file__).resolve().parents[2]
WORDS = ROOT / "docs" / "zh" / "words.json"


class Noting(Words):
    """Chinese that remembers what it had no translation for."""

    missed: set[str] = set()  # noqa: RUF012

    def __call__(self, text: str, **values: object) -> str:
        if text not in self.catalogue:
            self.missed.add(text)
        return super().__call__(text, **values)

    def count(self, number: int, one: str, many: str | None = None) -> str:
        if f"# {one}" not in self.catalogue:
            self.missed.add(f"# {one}")
        return super().count(number, one, many)


MATRIX = {
    "complete": False,
    "checks": ["small"],
    "groups": [
        {"kind": kind, "detectors": [], "killed": 1, "survived": 3, "mutants": [
            {"name": "m", "text": "", "fate": fate, "cells": {}} for fate in ("killed", "survived", "invalid", "not run")
        ]}
        for kind in ("spec", "implementation", "trace")
    ],
}  # fmt: skip

HELD = Conformance(
    "refimpl.adapters.relay",
    (
        Replayed("small", "conforms", 8, 8, 0, 2, 9, 3, 4, 5),
        Replayed("lossy", "mismatch", 1, 8, 2, 1, 1, 3, 4, 5, "no\n<b>"),
        Replayed("three", "sampled", 1, 800, 0, 2, 9, 3, 4, 5),
        Replayed("strict", "left"),
        *(Replayed("crash", "incomplete", 1, 8, 0, 2, 9, 3, 4, 5, why=why) for why in (CALM, CROWDED, PARTIAL, BLIND)),
        Replayed("small", "conforms", 8, 8, 0, 2, 9, 3, 4, 5, scene="relay"),
    ),
    ("Sink.Slip",),
    ("Redis",),
)
ABSENT = [
    Conformance(kind.__module__, (), absent=reason)
    for kind, reason in ((OutboxAdapter, NO_POSTGRES), (RedisLockAdapter, NO_REDIS), (RowUpdateAdapter, NO_MARIADB))
]


def test_every_sentence_is_translated(relay: SpecFacts, hostile: SpecFacts) -> None:
    words = Noting("zh", read_catalogue(WORDS))
    Noting.missed.clear()
    held = replace(relay, words=words, conformance=(HELD, *ABSENT))
    matrices = [replace(held, kills=Kills(MATRIX, built=built)) for built in (True, False)]
    bounded = replace(relay.checks[0], setting=replace(relay.checks[0].setting, bound="true and " * 20, networks=()))
    wide = replace(held, checks=(bounded, *relay.checks[1:]))
    build_pages([held, *matrices, replace(hostile, words=words), wide])
    names = {"relay", *(spec.title for spec in (relay, hostile))} | {"Toys", "B-toys"}
    assert Noting.missed - names == set()


def sentences(script: str) -> set[str]:
    """What a script says: the texts in its calls of `say`, by themselves or as a constant, and what it counts."""
    constants = dict(re.findall(r'^const ([A-Z]+) =\s*"([^"]*)";$', script, re.MULTILINE))
    calls = re.findall(r'(?<![\w.])say\(((?:"[^"]*"|[^"{}()])*)', script)
    said = {text for call in calls for text in re.findall(r'"([^"]*)"', re.sub(r'=== "[^"]*"', "", call))}
    said |= {constants[name] for call in calls for name in re.findall(r"^[A-Z]+", call)}
    said |= set(re.findall(r'"([^"\n]*\{name\}[^"\n]*)"', script))
    return said | {f"# {one}" for one in re.findall(r'(?<![\w.])count\([^"()]*, "([^"]*)"', script)}


def test_every_sentence_of_a_script_is_translated() -> None:
    scripts = [*(ROOT / "docs" / "assets").glob("*.js"), *(ROOT / "checker" / "site").rglob("*.*js")]
    texts = [path.read_text(encoding="utf-8") for path in scripts if "docs/assets/editor" not in path.as_posix()]
    said = set().union(*map(sentences, texts))
    assert {"The run", "Enlarge", "Edit this spec", "is reached in {length}", "# step"} <= said
    assert said - set(read_catalogue(WORDS)) == set()


def test_mistakes_and_scenes_are_translated() -> None:
    """What authors say of them, for a reader who is to judge why some survive."""
    known = read_catalogue(WORDS)
    for path in sorted((ROOT / "specs").rglob("*.psm")):
        for module in adapters(f"specs/{path.parent.name}/{path.name}"):
            kind = adapter_in(module)
            assert kind is not None
            said = {scene.name for scene in kind.scenes}
            for name, mistake in kind.mistakes().items():
                assert isinstance(mistake, Mistake), name
                said |= {mistake.text, mistake.reason} - {""}
            assert said - known.keys() == set(), module


def test_every_translation_names_the_same_values() -> None:
    for english, chinese in read_catalogue(WORDS).items():
        wanted = {"{n}"} if english.startswith("# ") else set(re.findall(r"\{\w+\}", english))
        assert set(re.findall(r"\{\w+\}", chinese)) == wanted, english


TERMS = {
    r"\bexplorer\b": "状态浏览器",
    r"\bballots?\b": "轮次",
}


def test_a_thing_has_one_name() -> None:
    """Where the English text speaks of it, the Chinese one has the same word for it everywhere."""
    files = [WORDS, *(ROOT / "docs" / "zh" / "specs").rglob("*.json")]
    known = {key: value for path in files for key, value in read_catalogue(path).items()}
    for form, term in TERMS.items():
        spoken = {english: chinese for english, chinese in known.items() if re.search(form, english)}
        silent = {"The explorer loads its data when it comes into view."}  # which needs no name
        assert {english for english, chinese in spoken.items() if term not in chinese} <= silent, term


def test_numbers_are_those_of_the_english_page(relay: SpecFacts) -> None:
    words = Words("zh", read_catalogue(WORDS))
    english, chinese = (build_pages([replace(relay, words=w)])["toys/relay.md"] for w in (ENGLISH, words))

    def numbers(page: str) -> list[str]:
        cells = re.findall(r'<td class="ls-number-cell">([\d,]+)', page)
        return cells + re.findall(r'<span class="ls-step">([^<]*\d[^<]*)</span>', page)

    assert numbers(english) == numbers(chinese) != []


def test_doc_comments_without_a_translation_are_marked(relay: SpecFacts) -> None:
    known = key_of(relay.question[0])
    words = Words("zh").about({known: "传递一个数 `n`。"})
    page = build_pages([replace(relay, words=words)])["toys/relay.md"]
    assert "<p>传递一个数 <code>n</code>。</p>" in page
    assert '<div lang="en"><p>Nothing is upset, which is wrong.</p></div>' in page


def test_a_translation_is_escaped(relay: SpecFacts) -> None:
    words = Words("zh").about({key_of(relay.question[0]): "<script>alert(1)</script>"})
    assert "<script" not in build_pages([replace(relay, words=words)])["toys/relay.md"]


def test_what_a_run_is_about_is_translated() -> None:
    words = Words("zh", read_catalogue(WORDS))
    assert told("for o = Order0", words) == "对于 o = Order0"
    assert told("for o = Order0, whatever the coins show, the run can go on like this", words).startswith(
        "对于 o = Order0，无论"
    )
    assert told("something else", words) == "something else"


def test_why_a_property_is_not_judged_is_translated() -> None:
    known = read_catalogue(WORDS)
    reasons = (verdicts.LIMITED, verdicts.BOUND, verdicts.UNLISTED, verdicts.TIME, verdicts.MEMORY, verdicts.TOO_LARGE)
    assert set(reasons) - set(known) == set()
    published = checker.load(ROOT / "specs" / "transactions" / "two_phase.psm").check("three")
    unjudged = {found.reason for found in published.properties if found.reason}
    assert len(unjudged) == 2 and unjudged - set(known) == set(), "one live property, and one refinement"


def test_why_a_check_ended_early_is_translated() -> None:
    known = read_catalogue(WORDS)
    text = "spec B\nrole R { durable x: 0..9 = 0 action Up when x < 9 { x += 1 } }\nfinal: true\ncheck c { }\n"
    reason = checker.loads(text).check("c", limits=Limits(max_states=3)).reason
    assert reason is not None and "states" in reason and reason in known


def test_diagrams_are_translated() -> None:
    words = Words("zh", read_catalogue(WORDS))
    change = Change("respond", "Register", "R", "Read()", answer="Val0")
    assert (change.brief("R", words), change.brief("S", words)) == ("Read() 返回 Val0", "R 的 Read() 返回 Val0")
    steps = ("A.Go() [x = 1, crash after 2 effects, forged]", "lose M() A -> B")
    told = Trace({}, tuple(TraceStep(step, {}) for step in steps))
    first, second = read_events(told, ("A", "B"), all_changes(told), say=words)
    assert (first.changes, second.text) == ("x = 1, 2 个操作之后 crash, 伪造", "丢失：M")
    assert first.forged and first.down and second.lost
    assert 'aria-label="2 步的时序图"' in sequence_svg(told, ("A", "B"), say=words)


def test_drawings_are_translated(relay: SpecFacts) -> None:
    words = Words("zh", read_catalogue(WORDS))
    state = (
        '<svg class="ls-graph" role="img" aria-label="Graph"><text>left of Sink.Slip=1</text><text>2 messages</text>'
        "<text>violates Calm</text></svg>"
    )
    told = translated_svg(state, "图", words)
    assert re.findall(r">([^<>]+)<", told) == ["剩余 Sink.Slip=1", "2 条消息", "违反 Calm"]
    assert 'aria-label="图"' in told and translated_svg(state, "x", ENGLISH) == state
    pages = build_pages([replace(relay, words=words)])["toys/relay.md"]
    assert 'aria-label="角色及其之间的消息"' in pages and "Roles and the messages" not in pages
    assert 'aria-label="第 1 行"' not in pages and 'aria-label="第 7 行"' in pages
    assert not re.search(r'aria-label="(?:line|State graph|The states|Sequence)\b', pages)


def test_where_something_stands_is_translated() -> None:
    words = Words("zh", read_catalogue(WORDS))
    assert placed("line 86: R.M when <x>", words) == "第 86 行：<code>R.M when &lt;x&gt;</code>"
    assert placed("line 86: R.M when <x>", ENGLISH) == "line 86: <code>R.M when &lt;x&gt;</code>"
    assert placed("R.M, 3 times: x", words) == "<code>R.M, 3 times: x</code>"


def test_scenes_are_translated_in_the_table_of_mistakes(relay: SpecFacts) -> None:
    words = Words("zh", read_catalogue(WORDS))
    noticed = {"killed": True, "decided": True, "seconds": 0.5, "how": "R.M()"}
    cells = {"replay": {**noticed, "check": "small (A = 1, B = 2), entries of earlier terms"},
             "probe": {**noticed, "check": "small (A = 1, B = 2)"}}  # fmt: skip
    mutant = {"name": "m", "text": "", "fate": "killed", "cells": cells}
    group = {
        "kind": "implementation",
        "detectors": ["replay", "probe"],
        "killed": 1,
        "survived": 0,
        "mutants": [mutant],
    }
    matrix = Kills({"complete": True, "checks": ["small"], "groups": [group]})
    shown = conformance_section(replace(relay, words=words, kills=matrix))
    assert ">small (A = 1, B = 2)，早先任期的条目：R.M()<" in shown and ">small (A = 1, B = 2)：R.M()<" in shown


def test_translations_are_of_what_specs_say() -> None:
    for path in sorted((ROOT / "docs" / "zh" / "specs").rglob("*.json")):
        spec = ROOT / "specs" / path.relative_to(ROOT / "docs" / "zh" / "specs").with_suffix(".psm")
        assert spec.is_file(), f"{path.name} translates a spec that is gone"
        text = spec.read_text(encoding="utf-8")
        facts = SpecFacts(f"specs/{spec.parent.name}/{spec.name}", text, ())
        said = [
            *facts.question,
            *facts.limits,
            *facts.sources,
            *(p for piece in pieces(text) for p in paragraphs(piece.doc)),
        ]
        assert set(read_catalogue(path)) - set(map(key_of, said)) == set(), (
            f"{path.name} translates what the spec no longer says"
        )


def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "words.json"
    assert read_catalogue(file) == {}
    file.write_text("[1]")
    with pytest.raises(ValueError, match=r"words\.json"):
        read_catalogue(file)


def test_a_check_that_failed_to_run_has_a_chinese_page() -> None:
    text = "spec B\nrole R { durable x: 0..1 = yes }\ncheck c { expect holds NoError }\n"
    (facts,) = gather([SpecFile("specs/a/b.psm", text)], Store(None))
    assert isinstance(facts.checks[0], CheckFacts)
    page = build_pages([replace(facts, words=Words("zh", read_catalogue(WORDS)))])["a/b.md"]
    assert "出错" in page and "PSM201" in page
