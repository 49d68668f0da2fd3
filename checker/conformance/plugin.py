"""The pytest plugin: implementations held to their specs as tests.

    @pytest.mark.lockstep(spec="specs/locks/lock.psm", check="small")
    def test_lock(lockstep):
        lockstep.conform(LockAdapter)

The marker says what is held to what: `spec` (relative to the root of the tests), `check`, `constants`, and how: `modes`,
`seed`, `runs`, `steps`, `coverage`. The fixture does it: `conform` drives an adapter, `simulate` makes runs of a scenario in the
simulator, `validate` judges a recorded run. A mismatch fails the test with everything that there is to say about it; a run that
has not shown anything fails it, too, since incomplete is no pass. Options of the command line go before the marker, so that one
failing run can be repeated without touching the test.

Results reach the terminal's summary, JUnit (as properties of the test) and a page of HTML. They travel on the report of each
test, so a run with several workers (pytest-xdist) merges them, too. Coverage is merged over all tests of a check, and
`--lockstep-min-coverage` judges the whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from checker.conformance.results import ATTRIBUTE, Session

if TYPE_CHECKING:
    from checker.api import LoadedSpec
    from checker.conformance.drive import Plan, Report
    from checker.conformance.growing import GrowingGraph
    from checker.conformance.modes import Make
    from checker.conformance.record import Record
    from checker.conformance.scenario import Make as Scenario
    from checker.conformance.scenario import Simulated
    from checker.conformance.validation.mapping import TraceMapping
    from checker.conformance.validation.validate import Validated
    from checker.engine.graph import StateGraph
    from checker.model.machine import Machine

MODES = ("replay", "probe", "scenes", "walks", "explore")
MARKER = (
    "lockstep(spec, check=None, constants={}, modes=…, seed=0, runs=100, steps=40, coverage=0): what the fixture `lockstep` "
    "holds an implementation to"
)
ALLOWED = ("spec", "check", "constants", "modes", "seed", "runs", "steps", "walks", "sequences", "coverage")

_cache = pytest.StashKey[dict[tuple[str, str | None, str], tuple[Any, Any, Callable[[], Any]]]]()
_own = pytest.StashKey[list[dict[str, Any]]]()
_again = pytest.StashKey[dict[str, Any]]()


# ---- options


def _modes(text: str) -> tuple[str, ...]:
    modes = tuple(part.strip() for part in text.split(",") if part.strip())
    for mode in modes:
        if mode not in MODES:
            raise ValueError(f"`{mode}` is no mode; there are {', '.join(MODES)}")
    return modes


def _choices(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.strip("[]() ").split(",") if part.strip())


def _percent(text: str) -> float:
    value = float(text.rstrip("%"))
    if not 0 <= value <= 100:
        raise ValueError(f"{text} is no percentage between 0 and 100")
    return value / 100


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lockstep", "conformance to specs")
    group.addoption(
        "--lockstep-mode", type=_modes, metavar="MODE,…", help=f"What is done with adapters: any of {', '.join(MODES)}."
    )
    group.addoption("--lockstep-seed", type=int, metavar="N", help="Decides what explorations and random walks do.")
    group.addoption("--lockstep-runs", type=int, metavar="N", help="How many runs an exploration makes.")
    group.addoption("--lockstep-steps", type=int, metavar="N", help="The most steps of a run.")
    group.addoption(
        "--lockstep-choices",
        type=_choices,
        metavar="N,…",
        help="Make one run of an exploration with these choices, as a failing test printed them.",
    )
    group.addoption(
        "--lockstep-scene", metavar="NAME", help="Go through this scene of the adapter, and do nothing else with it."
    )
    group.addoption(
        "--lockstep-replay", metavar="FILE", help="Repeat one failure that `--lockstep-save` wrote, and no other test."
    )
    group.addoption("--lockstep-save", metavar="DIR", help="Write a file for each failure, to repeat it.")
    group.addoption(
        "--lockstep-min-coverage",
        type=_percent,
        metavar="PERCENT",
        help="Fail unless so many transitions of every check were taken, all tests together.",
    )
    group.addoption("--lockstep-html", metavar="FILE", help="Write a page with all results.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    config.stash[_cache] = {}
    config.pluginmanager.register(Session(config), "lockstep-session")
    again: dict[str, Any] = {}
    file = config.getoption("lockstep_replay")
    if file is not None:
        try:
            again = json.loads(Path(file).read_text(encoding="utf-8"))
            if not isinstance(again.get("test"), str) or again.get("mode") not in MODES:
                raise ValueError("it has no test and no mode")
        except (OSError, ValueError, AttributeError) as problem:
            raise pytest.UsageError(f"--lockstep-replay: {file} cannot be used: {problem}") from None
    config.stash[_again] = again


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    again = config.stash[_again]
    if again:
        kept = [item for item in items if item.nodeid == again["test"]]
        if not kept:
            raise pytest.UsageError(f"--lockstep-replay: there is no test {again['test']} here")
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


# ---- the fixture


@pytest.fixture
def lockstep(request: pytest.FixtureRequest) -> Lockstep:
    """Holds implementations to the spec that the marker `lockstep` names."""
    marker = request.node.get_closest_marker("lockstep")
    return Lockstep(request.node, {} if marker is None else _told(marker))


def _told(marker: pytest.Mark) -> dict[str, Any]:
    unknown = [key for key in marker.kwargs if key not in ALLOWED]
    if marker.args or unknown:
        given = ", ".join([*map(repr, marker.args), *unknown])
        pytest.fail(
            f"the marker `lockstep` does not know {given}; it takes {', '.join(ALLOWED)} by name", pytrace=False
        )
    return dict(marker.kwargs)


class Lockstep:
    """What a test gets. Every keyword of the marker may also be given to a call, and goes before it."""

    def __init__(self, item: pytest.Item, told: Mapping[str, Any]) -> None:
        self._item = item
        self._config = item.config
        self._told = dict(told)

    def machine(self, **told: Any) -> Machine:
        """The machine of the check."""
        return self._loaded(told)[1]

    def conform(self, make: Make, *, name: str | None = None, **told: Any) -> Report:
        """Drives an adapter; `make` is its class, or anything that makes one for a machine.

        Fails the test unless the implementation conforms.
        """
        from checker.base.diagnostics import SpecError
        from checker.conformance.choices import ChoiceError, MissingHypothesis
        from checker.conformance.documents import document_of
        from checker.conformance.drive import drive
        from checker.conformance.mapping import MappingError
        from checker.conformance.replay import Outcome
        from checker.conformance.scenes import SceneError

        spec, machine, graph = self._loaded(told)
        plan = self._plan(told)
        try:
            report = drive(make, machine, plan, graph=graph(), spec=spec, name=name)
        except (ChoiceError, MappingError, MissingHypothesis, SceneError, SpecError) as problem:
            raise pytest.fail.Exception(str(problem), pytrace=False) from None
        document = document_of(report)
        self._keep({**document, "summary": report.coverage.document()})
        self._property("spec", f"{report.spec}.{report.check}")
        self._property("result", report.outcome.value)
        scenes = [phase.outcome for phase in report.phases if phase.scene]
        if scenes:
            self._property("scenes", f"{scenes.count(Outcome.CONFORMS)} of {len(scenes)} conform")
        for part, share in report.coverage.parts.items():
            self._property(f"covered {part}", str(share))
        total = len(report.observed) + len(report.unobserved)
        self._property("observed", f"{len(report.observed)} of {total} variables")
        if report.outcome is not Outcome.CONFORMS:
            self._fail(report, told)
        return report

    def validate(self, record: Record, mapping: TraceMapping | None = None, **told: Any) -> Validated:
        """Judges a recorded run. Fails the test unless the spec allows it and it shows something."""
        from checker.conformance.replay import Outcome
        from checker.conformance.validation.mapping import TraceMappingError
        from checker.conformance.validation.report import document_of, drawing_of, text_of
        from checker.conformance.validation.validate import validate

        machine = self.machine(**told)
        try:
            result = validate(machine, record, mapping)
        except TraceMappingError as problem:
            raise pytest.fail.Exception(str(problem), pytrace=False) from None
        taken = () if result.way is None else [number for number, _ in result.way.edges]
        self._told_of({**document_of(result), **drawing_of(result)}, result.graph, taken, told)
        self._property("entries", f"{result.matched} of {result.entries}")
        if result.outcome is not Outcome.CONFORMS:
            pytest.fail(text_of(result), pytrace=False)
        return result

    def simulate(self, make: Scenario, *, name: str | None = None, rare: Sequence[str] = (), **told: Any) -> Simulated:
        """Makes runs of a scenario and validates each; `make` is its class, or anything that makes one for a machine and a seed.

        Fails the test unless the spec allows all runs, and they show every step but those that are `rare`.
        """
        from checker.conformance.replay import Outcome
        from checker.conformance.scenario import simulate
        from checker.conformance.validation.mapping import TraceMappingError

        machine = self.machine(**told)
        plan = self._plan(told)
        named = str(name or getattr(make, "__name__", "a system"))
        try:
            result = simulate(make, machine, name=named, rare=rare, seed=plan.seed, runs=plan.runs)
        except TraceMappingError as problem:
            raise pytest.fail.Exception(str(problem), pytrace=False) from None
        self._told_of({**result.document(), **result.drawing()}, result.graph, result.taken, told)
        self._property("entries", f"{result.entries} in {result.runs} runs")
        if result.outcome is not Outcome.CONFORMS:
            text = result.text()
            if result.failing is not None:
                again = f"--lockstep-seed={result.failing.seed} --lockstep-runs=1"
                text += f"Again: pytest '{self._item.nodeid}' {again}\n"
            pytest.fail(text, pytrace=False)
        return result

    # ---- inside

    def _told_of(
        self, document: dict[str, Any], graph: GrowingGraph, taken: Iterable[int], told: Mapping[str, Any]
    ) -> None:
        """Keeps what records have shown, with the transitions on their ways."""
        from checker.conformance.coverage import Coverage

        _, machine, whole = self._loaded(told)
        coverage = Coverage(machine, graph=whole())
        coverage.add(graph, taken)
        self._keep({**document, "summary": coverage.summary().document()})
        self._property("spec", f"{document['spec']}.{document['check']}")
        self._property("result", document["result"])

    def _loaded(self, told: Mapping[str, Any]) -> tuple[LoadedSpec, Machine, Callable[[], StateGraph]]:
        told = {**self._told, **told}
        if "spec" not in told:
            pytest.fail('which spec? Write @pytest.mark.lockstep(spec="…", check="…") above the test', pytrace=False)
        path = self._config.rootpath / str(told["spec"])
        return _load(self._config, str(path), told.get("check"), json.dumps(told.get("constants", {}), sort_keys=True))

    def _plan(self, told: Mapping[str, Any]) -> Plan:
        from checker.conformance.drive import Plan
        from checker.conformance.modes import Mode

        told = {**self._told, **told}
        for key in ("mode", "seed", "runs", "steps", "choices", "scene"):
            given = self._config.getoption(f"lockstep_{key}")
            if given is not None:
                told["modes" if key == "mode" else key] = given
        again = self._config.stash[_again]
        if again:
            told["modes"] = (again["mode"],)
            if again["mode"] == "scenes":
                told["scene"] = str(again["scene"])
            else:
                key = "choices" if again["mode"] == "explore" else "path"
                told[key] = tuple(int(number) for number in again[key])
            told["steps"] = int(again.get("steps", told.get("steps", Plan().steps)))
        elif told.get("choices") is not None:
            told["modes"] = ("explore",)
        modes = tuple(Mode(mode) for mode in told.pop("modes", [mode.value for mode in Plan().modes]))
        rest = {key: value for key, value in told.items() if key not in ("spec", "check", "constants")}
        rest["elsewhere"] = told.get("check") is None
        return replace(Plan(modes=modes), **rest)

    def _fail(self, report: Report, told: Mapping[str, Any]) -> NoReturn:
        text = report.text()
        phase = next((phase for phase in report.phases if phase.mismatch is not None), None)
        if phase is not None and phase.mismatch is not None:
            if phase.mode.value == "explore":
                choices = ",".join(map(str, phase.choices))
                text += f"Or:    pytest '{self._item.nodeid}' --lockstep-choices='[{choices}]'\n"
            elif phase.scene:
                text += f"Or:    pytest '{self._item.nodeid}' --lockstep-scene={quote(phase.scene)}\n"
            folder = self._config.getoption("lockstep_save")
            if folder is not None:
                again = {
                    "test": self._item.nodeid,
                    "mode": "replay" if phase.mode.value == "walks" else phase.mode.value,
                    "path": list(phase.mismatch.path),
                    "choices": list(phase.choices),
                    "scene": phase.scene,
                    "steps": self._plan(told).steps,
                }
                name = "".join(c if c.isalnum() else "_" for c in self._item.nodeid)[-150:]
                file = Path(folder) / f"{name}.json"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(again, indent=2) + "\n", encoding="utf-8")
                text += f"Or:    pytest --lockstep-replay={file}\n"
        pytest.fail(text, pytrace=False)

    def _keep(self, document: dict[str, Any]) -> None:
        self._item.stash.setdefault(_own, []).append(document)

    def _property(self, name: str, value: str) -> None:
        self._item.user_properties.append((f"lockstep {name}", value))


def _load(config: pytest.Config, path: str, check: str | None, constants: str) -> tuple[Any, Any, Callable[[], Any]]:
    """The spec, the machine of a check and its graph, made once in each process: tests of one check share them."""
    key = path, check, constants
    known = config.stash[_cache]
    if key not in known:
        from functools import cache

        import checker
        from checker.base.diagnostics import SpecError
        from checker.conformance.drive import Plan
        from checker.engine.graph import state_graph
        from checker.engine.interface import Limits

        try:
            spec = checker.load(path)
            machine = spec.machine(check, constants=json.loads(constants))
        except SpecError as problem:
            pytest.fail("\n".join(d.headline() for d in problem.diagnostics), pytrace=False)
        known[key] = spec, machine, cache(lambda: state_graph(machine, Limits(max_states=Plan().most_states)))
    return known[key]


# ---- results


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and _own in item.stash:
        report.__dict__[ATTRIBUTE] = item.stash[_own]  # whatever is there travels from workers, too
    return report
