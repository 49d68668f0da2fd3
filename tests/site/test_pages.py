"""Pages say what the results say, the same way each time, and nothing in a spec becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import checker
from checker.properties.kinds import CheckResult, CheckVerdict, Verdict
from checker.site.facts import CheckFacts, SpecFacts
from checker.site.gather import SpecFile, find_specs, gather
from checker.site.pages import CARDS, INDEX, build_pages, page_names
from checker.site.publish import MANIFEST, Project, publish, write_files
from checker.site.store import Store
from checker.site.traces import runs

ROOT = Path(__file__).resolve().parents[2]
PAGE = "toys/relay.md"


class Reader(HTMLParser):
    """Tables as lists of rows of texts, ids, addresses, and every element with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._label = ""
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag == "div" and given.get("role") == "region":
            self._label = given.get("aria-label") or ""
        if tag == "table":
            self.tables[self._label] = []
        if tag == "tr" and self._label:
            self.tables[self._label].append([])
        if tag in ("td", "th"):
            self.tables[self._label][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.tables[self._label][-1][-1] += data + " "

    def rows(self, label: str) -> list[list[str]]:
        """The rows of a table without its head, with single blanks."""
        return [[" ".join(cell.split()) for cell in row] for row in self.tables[label][1:]]

    @property
    def ids(self) -> set[str]:
        return {given["id"] or "" for _, given in self.elements if "id" in given}

    @property
    def links(self) -> set[str]:
        return {given["href"] or "" for tag, given in self.elements if tag == "a" and "href" in given}


@pytest.fixture(scope="module")
def page(relay: SpecFacts) -> str:
    return build_pages([relay])[PAGE]


@pytest.fixture(scope="module")
def results(relay: SpecFacts) -> tuple[CheckResult, ...]:
    """The results of another run of the same checks."""
    return checker.loads(relay.text).check_all().checks


def same_time(spec: SpecFacts) -> SpecFacts:
    """The facts as if every check had taken one second."""
    checks = tuple(replace(f, result=replace(f.result, seconds=1.0)) for f in spec.checks)
    return SpecFacts(spec.path, spec.text, checks, spec.figures)


def test_pages_are_the_same_each_time(relay: SpecFacts, hostile: SpecFacts) -> None:
    again = gather([SpecFile(s.path, s.text) for s in (relay, hostile)], Store(None))
    first = build_pages([same_time(relay), same_time(hostile)])
    assert first == build_pages([same_time(s) for s in again])


def test_numbers_of_checks(page: str, results: tuple[CheckResult, ...]) -> None:
    rows = Reader(page).rows("Checks")
    assert len(rows) == len(results)
    for row, result in zip(rows, results, strict=True):
        assert row[0].split()[0] == result.name
        assert row[1].split()[1] == result.verdict.value
        assert row[3].split()[0] == f"{result.states:,}"
        assert row[4:6] == [f"{result.transitions:,}", f"{result.depth:,}"]
    assert "✓ as recorded" in rows[0][3]
    assert "✗ 14 recorded" in rows[2][3]
    assert "faults lose ≤ 1 , Sink.Slip ≤ 1" in rows[1][2]


def test_verdicts_of_properties(page: str, results: tuple[CheckResult, ...]) -> None:
    words = {
        Verdict.HOLDS: ("holds", "reached"),
        Verdict.VIOLATED: ("fails",),
        Verdict.UNREACHED: ("never reached",),
        Verdict.INCOMPLETE: ("not judged",),  # no check lists the live property
    }
    signs = {True: "✓", False: "✗"}
    rows = Reader(page).rows("Properties")
    assert [row[0].split()[0] for row in rows] == [p.name for p in results[0].properties]
    for row, name in zip(rows, [p.name for p in results[0].properties], strict=True):
        for cell, result in zip(row[1:], results, strict=True):
            found = result.property(name)
            assert cell[2:].startswith(words[found.verdict]), (name, result.name)
            assert cell[0] == (
                "…" if found.verdict is Verdict.INCOMPLETE else "·" if found.met is None else signs[found.met]
            )
            if found.trace is not None:
                assert re.search(rf"\b{len(found.trace.steps)} step", cell)


def test_coverage(page: str, results: tuple[CheckResult, ...]) -> None:
    rows = {row[0]: row[1:] for row in Reader(page).rows("How often each step fired")}
    for number, result in enumerate(results):
        for name, times in result.coverage.steps.items():
            assert rows[name][number] == f"{times:,}"
        for name, times in result.coverage.faults.items():
            assert rows[f"fault {name}"][number] == f"{times:,}"


def test_every_counterexample_is_told_step_by_step(
    relay: SpecFacts, page: str, results: tuple[CheckResult, ...]
) -> None:
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    for result in results:
        for found in result.properties:
            if found.trace is not None and found.verdict is Verdict.VIOLATED:
                for step in found.trace.steps:
                    assert step.step.replace("<", "&lt;") in text
    line = 1 + next(n for n, line in enumerate(relay.text.splitlines()) if "assert" in line)
    assert f"specs/toys/relay.psm:{line}:" in text
    assert "this step errs" in text


def test_links_within_pages_resolve(relay: SpecFacts, hostile: SpecFacts) -> None:
    files = build_pages([relay, hostile])
    for name, text in files.items():
        reader = Reader(text)
        headings = set(re.findall(r"\{ #(\S+) \}$", text, re.MULTILINE))
        assert not headings & reader.ids
        local = {link[1:] for link in reader.links if link.startswith("#")}
        assert local - reader.ids - headings == set(), name
        ids = [given["id"] for _, given in reader.elements if "id" in given]
        assert len(ids) == len(set(ids)), f"{name} has an id twice"


def test_links_between_pages_resolve(relay: SpecFacts, hostile: SpecFacts) -> None:
    files = build_pages([relay, hostile])
    pages = {name.removesuffix(".md") + "/" for name in files if name.endswith(".md")}
    listed = {link for link in Reader(files[INDEX]).links if not link.startswith("#")}
    assert listed == pages - {"index/"}
    assert {link.removeprefix("protocols/") for link in Reader(files[CARDS]).links} == listed


def test_steps_lead_to_their_handlers(relay: SpecFacts, page: str) -> None:
    line = 1 + relay.text.splitlines().index("  action Send when left > 0 { left -= 1  send Go(left) to Sink }")
    assert f'<a href="#L{line}"><span class="ls-step">Source.Send()</span></a>' in page
    assert f'id="L{line}"' in page


def test_what_a_model_leaves_out_is_no_source() -> None:
    """It stands by itself in the comment of a spec, so that its page lists it among the limits."""
    for file in find_specs(ROOT / "specs"):
        found = SpecFacts(file.path, file.text, ())
        told = " ".join(line for paragraph in found.sources for line in paragraph)
        assert "eft out" not in told, file.path
        assert "eft out" not in file.text.partition("spec ")[0] or found.limits, file.path


def test_of_the_runs_to_a_state_the_shortest_is_shown() -> None:
    """Also where another check than the first one has it; one in which something fails gets there sooner, and says little."""
    text = (
        "spec S\nconst BY: 1..3 = 1\nrole R { durable x: 0..9 = 0 action Up when x < 3 { x += BY } }\n"
        "reach End: R.x >= 3\ninvariant Low: BY < 3\nfinal: true\n"
    )
    flawed = "check flawed { BY = 3 }\ncheck worse { BY = 3 }\n"
    better = SpecFile(
        "specs/a/s.psm", f"{text}check slow {{ }}\ncheck quick {{ BY = 2 }}\ncheck same {{ BY = 2 }}\n{flawed}"
    )
    for file, steps, checks in (
        (better, 2, ("quick", "same")),
        (SpecFile("specs/a/t.psm", text + flawed), 1, ("flawed", "worse")),
    ):
        (spec,) = gather([file], Store(None))
        (shown,) = runs(spec)
        assert (len(shown.run[0]), shown.checks) == (steps, checks)


def test_the_drawing_can_be_made_again(relay: SpecFacts) -> None:
    drawing = relay.figures.graph
    assert drawing is not None
    constants = {name: int(value) for name, value in drawing.constants.items()}
    graph = checker.loads(relay.text).graph(drawing.check, constants=constants)
    assert (len(graph.states), len(graph.edges)) == (drawing.states, drawing.edges)


def test_nothing_in_a_spec_becomes_markup(hostile: SpecFacts) -> None:
    files = build_pages([hostile])
    # The spec as a file is its text, and no server takes it for markup: it begins as a spec does.
    assert [text for name, text in files.items() if name.endswith(".psm")] == [hostile.text]
    for name, text in files.items():
        if name.endswith(".psm"):
            continue
        reader = Reader(text)
        assert "script" not in {tag for tag, _ in reader.elements}, name
        assert "img" not in {tag for tag, _ in reader.elements}, name
        assert not [g for _, given in reader.elements for g in given if g.startswith("on")], name
        assert not [link for link in reader.links if "javascript" in link], name
        assert "\u202e" not in text
        markdown = [line for line in text.splitlines() if line.startswith("#")]
        assert not [line for line in markdown if re.search(r"[<>*`\[]|__|--8", line)], markdown


def test_a_check_that_cannot_run_is_shown_as_an_error() -> None:
    text = "spec B\nrole R { durable x: 0..1 = yes }\ncheck c { expect holds NoError }\n"
    page = build_pages(gather([SpecFile("specs/a/b.psm", text)], Store(None)))["a/b.md"]
    assert Reader(page).rows("Checks")[0][1].startswith("! error")
    assert "PSM201" in page


def test_a_check_that_was_stopped_never_looks_like_a_pass(relay: SpecFacts) -> None:
    result = relay.checks[0].result
    stopped = replace(result, verdict=CheckVerdict.INCOMPLETE, reason="the limit on time was reached")
    facts: tuple[CheckFacts, ...] = (replace(relay.checks[0], result=stopped),)
    row = Reader(build_pages([SpecFacts(relay.path, relay.text, facts)])[PAGE]).rows("Checks")[0]
    assert row[1] == "… incomplete the limit on time was reached"


def test_a_long_bound_is_shown_whole_in_the_spec_alone(relay: SpecFacts) -> None:
    def shown(bound: str) -> str:
        first = relay.checks[0]
        facts = replace(first, setting=replace(first.setting, bound=bound))
        return build_pages([replace(relay, checks=(facts, *relay.checks[1:]))])[PAGE]

    short, long = shown("Sink.got == 0"), shown(" and ".join(["Sink.got == 0"] * 20))
    assert short.count("Sink.got == 0</code>") == 2 and "explores only states in which" in short
    assert "explores only states within its bound." in long and long.count("Sink.got == 0 and Sink.got") < 10


def test_a_failure_from_the_start_takes_no_steps() -> None:
    text = (
        "spec B\nrole R { durable x: 0..1 = 1 }\ninvariant Low: R.x == 0\nfinal: true\ncheck c { expect fails Low }\n"
    )
    page = build_pages(gather([SpecFile("specs/a/b.psm", text)], Store(None)))["a/b.md"]
    assert "### Low fails from the start in c" in page and "after 0" not in page
    assert "<summary>Initial state</summary>" in page
    assert "no faults</div>" in page, "there is no network either"


def test_one_process_is_one() -> None:
    text = "spec B\nconst N: 1..2 = 1\nrole R[N] { durable x: 0..1 = 1 }\nfinal: true\ncheck c { }\n"
    page = build_pages(gather([SpecFile("specs/a/b.psm", text)], Store(None)))["a/b.md"]
    assert "one process in the checks below" in page and "1 processes" not in page


def test_names_of_pages_never_meet(relay: SpecFacts) -> None:
    paths = [
        "specs/a/x y.psm",
        "specs/a/x-y.psm",
        "specs/a/X-Y.psm",
        "specs/a/index.psm",
        "specs/x.psm",
        "specs/../../etc.psm",
    ]
    names = list(page_names([SpecFacts(path, relay.text, relay.checks) for path in paths]).values())
    assert len({name.lower() for name in names}) == len(paths)
    assert all(re.fullmatch(r"[\w-]+/[\w-]+\.md", name) for name in names), names


# ---- files


def test_files_are_written_once_and_removed_when_they_go(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    assert write_files(folder, {"a/b.md": "1", "c.md": "2"}) == 2
    stranger = folder / "mine.md"
    stranger.write_text("kept")
    assert write_files(folder, {"a/b.md": "1", "c.md": "3"}) == 1
    assert write_files(folder, {"a/b.md": "1"}) == 0
    assert sorted(p.name for p in folder.rglob("*.md")) == ["b.md", "mine.md"]


def test_only_what_was_written_is_ever_removed(tmp_path: Path) -> None:
    folder, other = tmp_path / "pages", tmp_path / "other.md"
    folder.mkdir()
    other.write_text("kept")
    (folder / MANIFEST).write_text("../other.md\n/etc/hostname\n")
    write_files(folder, {})
    assert other.exists()


def test_publishing_needs_specs(tmp_path: Path) -> None:
    with pytest.raises(checker.SpecError, match="there are no specs"):
        publish(Project(tmp_path))


def test_all_specs_that_do_not_parse_are_reported(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.psm").write_text(f"spec {name} role\n")
    with pytest.raises(checker.SpecError) as problem:
        gather(find_specs(tmp_path), Store(None))
    assert {d.source.name.rpartition("/")[2] for d in problem.value.diagnostics if d.source} == {"a.psm", "b.psm"}
