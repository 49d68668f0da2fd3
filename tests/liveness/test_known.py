"""Liveness and fairness: small cases whose verdicts are known, from the literature or by hand, with their sources.

The pages in `cases` have the form of the language reference (`tests/test_cases.py`). A `run` block beside them shows a lasso:
the steps of its stem, then those of its cycle, the first of which has `again:` before it; or `stutters`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import checker
from checker.native import jit
from checker.properties.kinds import CheckResult
from tests.test_cases import Block, Case, differences, parts_of, run

PAGES = sorted((Path(__file__).parent / "cases").glob("*.md"))
LEAST = 40
"""How many checks there have to be."""


def cases() -> list[Case]:
    found: list[Case] = []
    for page in PAGES:
        heading, count = page.stem, 0
        for part in parts_of(page.read_text("utf-8")):
            if isinstance(part, str):
                heading, count = part, 0
            elif part.kind == "psm":
                count += 1
                found.append(Case(f"{page.stem}: {heading}{f' ({count})' if count > 1 else ''}", part, ()))
            else:
                assert part.kind == "run"
                found[-1] = replace(found[-1], shown=(*found[-1].shown, part))
    return found


CASES = cases()


def lasso(result: CheckResult, name: str) -> list[str]:
    trace = result.property(name).trace
    assert trace is not None and trace.loop is not None
    lines = [step.step for step in trace.steps]
    if trace.stutters:
        return [*lines, "stutters"]
    lines[trace.loop] = f"again: {lines[trace.loop]}"
    return lines


def wrong_run(block: Block, results: dict[str, CheckResult]) -> list[str]:
    check, _, name = block.title.partition(".")
    found = lasso(results[check], name)
    return [] if found == block.text.splitlines() else [f"{block.title}:", *found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_known_verdicts(case: Case) -> None:
    outcome = run(case.spec.text)
    wrong = differences(replace(case, shown=()), outcome)
    for block in case.shown:
        wrong += wrong_run(block, dict(outcome.checks))
    assert not wrong, f"the block in line {case.spec.line} of its page\n" + "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_known_verdicts_of_native_code(case: Case) -> None:
    spec = checker.loads(case.spec.text)
    for name in spec.checks:
        first, second = (spec.check(name, engine=engine) for engine in ("python", "native"))
        assert [replace(p, diagnostic=None) for p in first.properties] == [
            replace(p, diagnostic=None) for p in second.properties
        ]


def test_there_are_enough_of_them() -> None:
    judged = 0
    for case in CASES:
        spec = checker.loads(case.spec.text)
        judged += sum(bool({p.name for p in m.properties if p.kind == "live"} & set(m.expectations))
                      for m in map(spec.machine, spec.checks))  # fmt: skip
    assert judged >= LEAST
