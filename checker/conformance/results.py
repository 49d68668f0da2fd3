"""What the pytest plugin tells at the end of a run: the results of all tests together, and what they covered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from checker.conformance.coverage import Summary

ATTRIBUTE = "lockstep"
"""The attribute of a report that has the documents of its test."""

Results = list[tuple[str, dict[str, Any]]]


class Session:
    """Collects the documents of all tests, where reports arrive, and tells of them at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._results: Results = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._results += [(report.nodeid, document) for document in report.__dict__.get(ATTRIBUTE, ())]

    def _summaries(self) -> tuple[Summary, ...]:
        from checker.conformance.coverage import merged, summary_of

        return merged(summary_of(document["summary"]) for _, document in self._results)

    def _too_little(self) -> list[str]:
        """The checks of which fewer transitions were taken than are demanded."""
        least = self._config.getoption("lockstep_min_coverage")
        if least is None:
            return []
        return [
            f"{s.spec}, check {s.check}: {s.transitions} transitions were taken, and {least:.1%} are demanded"
            for s in self._summaries()
            if (s.transitions.ratio or 0.0) < least
        ]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        worker = hasattr(self._config, "workerinput")
        if not worker and exitstatus == pytest.ExitCode.OK and self._too_little():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        file = self._config.getoption("lockstep_html")
        if not self._results and file is None:
            return
        summaries = self._summaries()
        out = terminalreporter
        out.section("conformance", sep="=")
        outcomes = [document["result"] for _, document in self._results]
        counts = ", ".join(f"{outcomes.count(o)} {o}" for o in ("conforms", "mismatch", "incomplete") if o in outcomes)
        out.line(counts or "no implementation was held to a spec")
        for name, document in self._results:
            if document["result"] != "conforms":
                out.line(f"{document['result']}: {name}", red=True)
        for summary in summaries:
            out.line(f"covered: {summary}")
            never = summary.parts["steps"].missing
            if never:
                out.line(f"  never taken: {', '.join(never)}", yellow=True)
        for line in self._too_little():
            out.line(f"incomplete: {line}", red=True)
        if file is not None:
            from checker.conformance.page import page

            path = Path(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page(self._results, [str(s) for s in summaries]), encoding="utf-8")
            out.line(f"page: {file}")
