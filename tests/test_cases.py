"""The literate language tests: every `psm` block of docs/language does what its page says.

The language reference is a set of pages with complete specs in them, and this module runs all of them, so that no page can
say what the checker does not do. The conventions, which docs/language/index.md tells its readers, too:

- A fenced block marked `psm` is a whole file. It is parsed, and all its checks are run. Each must have the verdict
  `pass`; what is expected of a check is written in it, with `expect`.
- `# error: PSM301` at the end of a line says that this line has that diagnostic; `# error: PSM301 "must be bool"` also
  quotes a part of its message. `# warning: PSM705` is written alike. A block has exactly the diagnostics that it names,
  in the lines that name them; where it cannot be run, warnings need not be named. An error at run time is a diagnostic
  of the line that erred.
- A spec that a block `refines` is another block of its page.
- `# incomplete` in the line in which a check begins says that this check has the verdict `incomplete`. A check of which
  a property cannot be evaluated has the verdict `error`; the line of the property says so with an `# error`.
- A `trace` block with `title="check.Property"` shows the counterexample (or witness) of the last `psm` block above it:
  one step in each line, as it is printed everywhere. `initial state` stands for a path without steps. The step that
  violates `NoError` comes last, as `error: PSM601 Counter.Up()`.
- A `coverage` block with `title="check"` shows parts of that check's coverage, each as `name: value`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, UnexpectedInput
from lark.grammar import Rule

import checker
from checker.base.diagnostics import CODES, Diagnostic, Severity
from checker.engine import histories, refinement
from checker.engine.program import MAX_BINDINGS, MAX_INITIAL
from checker.engine.runtime import MAX_DOMAIN, MAX_TEARS
from checker.lang.build import KEYWORDS
from checker.lang.lalr import MAX_DEPTH, MAX_ERRORS
from checker.lang.library import Library
from checker.lang.parser import MAX_BRACKETS, MAX_TOKENS
from checker.lang.resolve import BUILTIN_FUNCTIONS, BUILTIN_NAMES, BUILTIN_PROPERTIES
from checker.model.checks import MAX_CUT
from checker.model.elaborate import DEFAULT_CHECK
from checker.model.liveness import MAX_CASES
from checker.model.types import MAX_INDEX
from checker.model.world import MAX_PROCESSES, MAX_WIDTH
from checker.properties.kinds import CheckResult, CheckVerdict, Coverage, Verdict

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "language"
GRAMMAR = ROOT / "checker" / "lang" / "grammar.lark"

NOT_SHOWN = {
    "PSM103": "it takes a hundred open brackets",
    "PSM502": "a check is named on the command line alone",
}
"""Codes of the front end and of runs that no block shows, with the reason."""

_FENCE = re.compile(r"```(\w*)(?: title=\"([^\"]*)\")?")
_MARK = re.compile(r"# (error|warning): (PSM\d{3})(?: \"([^\"]*)\")?")
_INCOMPLETE = re.compile(r"^\s*check (\w+) .*# incomplete$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its mark, its title, the line in which it begins, and what is in it."""

    kind: str
    title: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """A `psm` block with the blocks below it that show its results."""

    name: str
    spec: Block
    shown: tuple[Block, ...]
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a block: its diagnostics, each once, and the results of the checks that could run."""

    diagnostics: tuple[Diagnostic, ...]
    checks: Mapping[str, CheckResult]


# ---- reading pages


def cases_of(page: str, text: str) -> list[Case]:
    """The cases of a page, named by the page and the heading above them."""
    found: list[Case] = []
    names: Counter[str] = Counter()
    heading = page
    blocks = [part for part in parts_of(text) if isinstance(part, Block) and part.kind == "psm"]
    specs = {words[1]: b.text for b in blocks if (words := b.text.split())[:1] == ["spec"] and words[1:]}
    for part in parts_of(text):
        if isinstance(part, str):
            heading = part
        elif part.kind == "psm":
            names[heading] += 1
            count = f" ({names[heading]})" if names[heading] > 1 else ""
            found.append(Case(f"{page}: {heading}{count}", part, (), specs))
        elif part.kind in ("trace", "coverage"):
            assert found, f"{page}.md:{part.line}: no spec above"
            found[-1] = replace(found[-1], shown=(*found[-1].shown, part))
    return found


def parts_of(text: str) -> Iterator[str | Block]:
    """The headings and fenced blocks of a page, in order."""
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if line.startswith("#"):
            yield line.lstrip("# ").split(" {")[0]
        elif line.startswith("```"):
            fence = _FENCE.fullmatch(line)
            assert fence is not None, f"line {number}: {line}"
            content = takewhile(lambda item: item[1] != "```", lines)
            yield Block(fence[1], fence[2] or "", number, "".join(inside + "\n" for _, inside in content))


def every_case() -> list[Case]:
    return [case for path in sorted(PAGES.glob("*.md")) for case in cases_of(path.stem, path.read_text("utf-8"))]


# ---- running one


def run(text: str, others: Mapping[str, str] | None = None) -> Outcome:
    """Runs all checks of a spec; problems become part of the outcome. `others` are the specs that it may refine."""
    diagnostics: list[Diagnostic] = []
    checks: dict[str, CheckResult] = {}
    try:
        spec = checker.loads(text, "block", library=Library(texts=others or {}))
    except checker.SpecError as problem:
        return Outcome(problem.diagnostics, {})
    for name in spec.checks:
        try:
            result = spec.check(name)
        except checker.SpecError as problem:
            diagnostics += problem.diagnostics
            continue
        checks[name] = result
        diagnostics += result.diagnostics
        diagnostics += [p.diagnostic for p in result.properties if p.diagnostic is not None]
    return Outcome(tuple(dict.fromkeys(diagnostics)), checks)


def differences(case: Case, outcome: Outcome) -> list[str]:
    """Everything in which the outcome is not what the page says."""
    wrong = [*_wrong_diagnostics(case, outcome.diagnostics)]
    incomplete = set(_INCOMPLETE.findall(case.spec.text))
    for name, result in outcome.checks.items():
        wanted = CheckVerdict.INCOMPLETE if name in incomplete else CheckVerdict.PASS
        if any(p.verdict is Verdict.ERROR for p in result.properties):
            wanted = CheckVerdict.ERROR  # its diagnostic was looked at above
        if result.verdict is not wanted or any(p.met is False for p in result.properties):
            wrong.append(f"check {name} has the verdict {result.verdict.value}: {_summary(result)}")
        elif result.counts is not None and result.counts.met is False:
            wrong.append(f"check {name} has other counts: {_summary(result)}")
    for block in case.shown:
        wrong += _wrong_block(block, outcome.checks)
    return wrong


def _summary(result: CheckResult) -> str:
    lines = [f"states {result.states} transitions {result.transitions} depth {result.depth}"]
    for p in result.properties:
        if p.met is False or p.verdict is Verdict.ERROR:
            lines.append(f"  {p.name} is {p.verdict.value}: {p.reason or ''}")
            lines += [f"    {step}" for step in path_of(result, p.name)]
    return "\n".join(lines)


def marks(text: str) -> list[tuple[int, str, str, str]]:
    """Line, severity, code and quoted part of message of every mark."""
    return [
        (number, found[1], found[2], found[3] or "")
        for number, line in enumerate(text.splitlines(), 1)
        for found in _MARK.finditer(line)
    ]


def _wrong_diagnostics(case: Case, diagnostics: Sequence[Diagnostic]) -> list[str]:
    broken = any(d.severity is Severity.ERROR and d.code < "PSM600" for d in diagnostics)
    left = [(*_place(d), d.message) for d in diagnostics if not broken or d.severity is Severity.ERROR]
    wrong = []
    for number, severity, code, part in marks(case.spec.text):
        key = (number, severity, code)
        match = next((d for d in left if d[:3] == key and part in d[3]), None)
        if match is None:
            wrong.append(f"line {number}: no {severity} {code} {part!r}")
        else:
            left.remove(match)
    return wrong + [f"line {line}: {severity} {code}: {message}" for line, severity, code, message in left]


def _place(d: Diagnostic) -> tuple[int, str, str]:
    line = 0 if d.source is None or d.span is None else d.source.place(d.span.start).line
    return line, d.severity.value, d.code


def _wrong_block(block: Block, checks: Mapping[str, CheckResult]) -> list[str]:
    check, _, name = block.title.partition(".")
    if check not in checks:
        return [f"line {block.line} of the page: no check `{check}` was run"]
    found = path_of(checks[check], name) if block.kind == "trace" else _covered(checks[check].coverage, block)
    if block.text.splitlines() == found:
        return []
    return [f"line {block.line} of the page, {block.kind} of {block.title}:", *(f"  {line}" for line in found)]


def path_of(result: CheckResult, name: str) -> list[str]:
    """The counterexample or witness of a property as a `trace` block has it; nothing where there is none."""
    of = result.property(name)
    if of.trace is None:
        return []
    lines = [step.step for step in of.trace.steps]
    if of.trace.error is not None:
        code = of.diagnostic.code if of.diagnostic is not None else "?"
        lines.append(f"error: {code} {of.trace.error}")
    return lines or ["initial state"]


def _covered(coverage: Coverage, block: Block) -> list[str]:
    """The lines of a coverage block with their true values."""
    lines = []
    for line in block.text.splitlines():
        name, _, given = line.partition(": ")
        key = name.replace(" ", "_")
        value = getattr(coverage, key, None) if key in {f.name for f in fields(coverage)} else None
        if isinstance(value, Mapping):
            named = [pair.rpartition(" ")[0] for pair in given.split(", ")]
            text = ", ".join(f"{k} {value[k]}" for k in named if k in value)
        elif isinstance(value, tuple):
            text = ", ".join(value) or "none"
        else:
            text = str(value)
        lines.append(f"{name}: {text}")
    return lines


# ---- the tests

CASES = every_case()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_page_tells_the_truth(case: Case) -> None:
    wrong = differences(case, run(case.spec.text, case.others))
    assert not wrong, f"the block in line {case.spec.line} of its page\n" + "\n".join(wrong)


def test_every_code_of_the_language_is_shown() -> None:
    shown = {code for case in CASES for _, _, code, _ in marks(case.spec.text)}
    wanted = {code for code in CODES if "PSM100" <= code < "PSM700"}
    assert wanted - shown == set(NOT_SHOWN)


def test_the_keywords_are_those_of_the_language() -> None:
    page = (PAGES / "names.md").read_text("utf-8")
    (listed,) = (part.text for part in parts_of(page) if isinstance(part, Block) and part.kind == "text")
    assert set(listed.split()) == KEYWORDS
    assert all(f"`{name}`" in page for name in (BUILTIN_NAMES | BUILTIN_FUNCTIONS) - {"_"})


def test_every_word_is_in_the_index() -> None:
    """Keywords, words of the grammar that are free as names, and what is built in."""
    grammar = re.sub(r"^//.*", "", GRAMMAR.read_text("utf-8"), flags=re.MULTILINE)
    quoted = set(re.findall(r'"([A-Za-z]+)"', grammar))
    patterns = {word for found in re.findall(r"/\(?([a-z|]+)\)?\\b/", grammar) for word in found.split("|")}
    built_in = BUILTIN_NAMES | BUILTIN_FUNCTIONS | {*BUILTIN_PROPERTIES, DEFAULT_CHECK}
    page = (PAGES / "words.md").read_text("utf-8").partition("## Signs")[0]
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert listed == sorted(listed, key=lambda word: (word == "_", word.lower(), word))
    assert set(listed) == KEYWORDS | quoted | patterns | built_in


def test_every_construct_is_shown() -> None:
    """Of each rule of the grammar, each symbol that it may have is in some block; comments may stand everywhere."""
    lark = Lark(GRAMMAR.read_text("utf-8"), parser="lalr", maybe_placeholders=True)
    parser: Any = lark.parser
    callbacks: dict[Rule, Callable[[Any], Any]] = parser.parser.parser.callbacks
    used: set[Rule] = set()

    def noted(rule: Rule, build: Callable[[Any], Any], children: Any) -> Any:
        used.add(rule)
        return build(children)

    for rule, build in callbacks.items():
        callbacks[rule] = partial(noted, rule, build)
    for case in CASES:
        with suppress(UnexpectedInput):
            lark.parse(case.spec.text)

    def parts(rules: Iterable[Rule]) -> set[tuple[str, str | None, str]]:
        return {(rule.origin.name, rule.alias, symbol.name) for rule in rules for symbol in rule.expansion}

    doc = next(symbol.name for rule in lark.rules if rule.origin.name == "start" for symbol in rule.expansion)
    assert {part for part in parts(callbacks) - parts(used) if part[2] != doc} == set()


def test_limits_are_those_of_the_checker() -> None:
    page = (PAGES / "limits.md").read_text("utf-8")
    limits = [MAX_TOKENS, MAX_BRACKETS, MAX_DEPTH, MAX_ERRORS, MAX_PROCESSES, MAX_CUT, MAX_INDEX, MAX_DOMAIN, MAX_WIDTH]
    limits += [MAX_BINDINGS, MAX_TEARS, MAX_CASES, MAX_INITIAL, refinement.MAX_STATES, refinement.MAX_EDGES]
    limits += [histories.MAX_STATES, histories.MAX_NUMBERS]
    assert [limit for limit in limits if not re.search(rf"\b{limit:,}\b", page)] == []


def test_names_of_cases_are_unique() -> None:
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


_COUNTER = """spec Counter
role Counter {
  durable n: 0..2 = 0
  action Up { n += 1 }            # error: PSM601 "3 is outside"
}
check over { expect fails NoError  expect states 3 transitions 2 depth 2 }
"""
_TRACE = Block("trace", "over.NoError", 8, "Counter.Up()\nCounter.Up()\nerror: PSM601 Counter.Up()\n")
_COVERAGE = Block("coverage", "over", 13, "steps: Counter.Up 2\nempty choices: \nbound cut: 0\n")


def test_a_true_block_passes() -> None:
    case = Case("true", Block("psm", "", 1, _COUNTER), (_TRACE,))
    assert differences(case, run(case.spec.text)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('# error: PSM601 "3 is outside"', ""),
        ("PSM601", "PSM602"),
        ("3 is outside", "4 is outside"),
        ("# error", "# warning"),
        ("role Counter {", "role Counter {  # error: PSM601"),
        ("expect fails NoError ", ""),
        ("states 3", "states 4"),
        ("check over {", "check over {  # incomplete\n"),
        ("spec Counter", "spec"),
    ],
)
def test_a_false_block_fails(old: str, new: str) -> None:
    assert old in _COUNTER
    case = Case("false", Block("psm", "", 1, _COUNTER.replace(old, new)), ())
    assert differences(case, run(case.spec.text)) != []


@pytest.mark.parametrize(
    "shown",
    [
        Block("trace", "over.NoError", 8, "Counter.Up()\nerror: PSM601 Counter.Up()\n"),
        Block("trace", "over.NoDeadlock", 8, "Counter.Up()\n"),
        Block("trace", "under.NoError", 8, "Counter.Up()\n"),
        Block("coverage", "over", 8, "steps: Counter.Up 3\n"),
        Block("coverage", "over", 8, "dropped: 1\n"),
    ],
)
def test_a_false_trace_or_coverage_fails(shown: Block) -> None:
    case = Case("false", Block("psm", "", 1, _COUNTER), (shown,))
    assert differences(case, run(case.spec.text)) != []


def test_blocks_are_read_with_what_belongs_to_them() -> None:
    page = "# Top\n\n```psm\nspec A\n```\n\n## Next { #next }\n\n```sh\n# no heading\n```\n\n```psm\nspec B\n```\n\n"
    page += '```trace title="c.P"\nA.b()\n```\n\n```psm\nspec C\n```\n'
    found = cases_of("page", page)
    assert [case.name for case in found] == ["page: Top", "page: Next", "page: Next (2)"]
    assert [case.spec.text for case in found] == ["spec A\n", "spec B\n", "spec C\n"]
    assert found[1].shown == (Block("trace", "c.P", 17, "A.b()\n"),)
