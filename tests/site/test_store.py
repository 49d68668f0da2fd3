"""What is stored comes back as it was, or not at all."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from checker.site import gather as gather_module
from checker.site.facts import CheckFacts, Figures, Levels, SpecFacts
from checker.site.gather import SpecFile, gather
from checker.site.store import Store, key


def test_facts_survive(relay: SpecFacts, hostile: SpecFacts, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for spec in (relay, hostile):
        for facts in spec.checks:
            store.put("check", facts)
            assert store.get("check", CheckFacts) == facts
        store.put("figures", spec.figures)
        assert store.get("figures", Figures) == spec.figures


@pytest.mark.parametrize("text", ["", "[]", "{", '{"result": 1}', '{"roles": []}', "\0"])
def test_damaged_files_are_as_good_as_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    assert Store(tmp_path).get("x", CheckFacts) is None


def test_a_second_run_explores_nothing(relay: SpecFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, store = SpecFile(relay.path, relay.text), Store(tmp_path)
    first = gather([file], store)
    monkeypatch.setattr(gather_module, "run_check", None)
    monkeypatch.setattr(gather_module, "run_drawings", None)
    assert [f.checks for f in gather([file], store)] == [f.checks for f in first]


def test_what_is_done_outlives_an_interrupt(tmp_path: Path) -> None:
    """A job that ends is stored at once, also while those that came before it still run."""
    store = Store(tmp_path)

    def interrupted() -> Levels:
        end = time.monotonic() + 20
        while store.get("quick", Levels) is None and time.monotonic() < end:
            time.sleep(0.01)
        raise KeyboardInterrupt

    jobs = gather_module._Jobs(store)
    jobs.add("slow", Levels, interrupted)
    jobs.add("quick", Levels, lambda: Levels((1, 2)))
    with ThreadPoolExecutor(2) as pool, pytest.raises(KeyboardInterrupt):
        jobs._spread(pool)
    assert store.get("quick", Levels) == Levels((1, 2))
    assert store.get("slow", Levels) is None


def test_what_is_asked_for_no_more_is_removed(relay: SpecFacts, tmp_path: Path) -> None:
    gather([SpecFile(relay.path, relay.text)], Store(tmp_path))
    before = set(tmp_path.iterdir())
    store = Store(tmp_path)
    gather([SpecFile(relay.path, relay.text + "\n# changed\n")], store)
    store.clean()
    after = set(tmp_path.iterdir())
    assert len(after) == len(before)
    assert not before & after


def test_keys_depend_on_every_part() -> None:
    assert len({key("a", "bc"), key("ab", "c"), key("abc"), key("a", "bc", "")}) == 4


def test_a_store_without_a_folder_keeps_nothing(relay: SpecFacts) -> None:
    store = Store(None)
    store.put("x", replace(relay.checks[0]))
    assert store.get("x", CheckFacts) is None
