"""Mutants of specs, and who notices: the properties of their checks, their exact counts, and an implementation that is right.

Three kinds of detectors look at a broken spec. *properties*: some check no longer gives the verdicts that its author expects.
*counts*: a state graph has another number of states, transitions or levels; that notices nearly everything, and is the reason
why specs record them. *replay*, *probe* and *explore*: an implementation of the original does not follow the broken spec.
That is the test of conformance tests that needs no wrong implementation, since the two of them disagree whichever is wrong. Where
the graphs are too small for a mistake, they may disagree in a scene of the adapter; or the broken spec has no such scene.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from checker.api import LoadedSpec
from checker.base.data import dataclass
from checker.base.diagnostics import SpecError
from checker.base.source import Source
from checker.conformance.adapter import Instance, Scene
from checker.conformance.drive import Plan, drive
from checker.conformance.mapping import MappingError
from checker.conformance.modes import Make, Mode
from checker.conformance.mutation.matrix import Cell, Mutant
from checker.conformance.mutation.operators import SpecMutant, mutants_of
from checker.conformance.replay import Outcome
from checker.conformance.scenes import MODES, Comb, SceneError, along
from checker.engine.graph import StateGraph, state_graph
from checker.engine.interface import Limits
from checker.lang import ast
from checker.lang.parser import parse
from checker.lang.printer import format_tree
from checker.model.machine import Machine
from checker.properties.kinds import CheckResult, CheckVerdict

Left = Callable[[], float]
"""How many seconds are left."""


@dataclass(frozen=True)
class _Followed:
    """A check of a broken spec for the implementation to follow. All modes go along one graph, which is listed once it is
    needed.
    """

    name: str
    machine: Machine
    most_states: int

    @cached_property
    def graph(self) -> StateGraph:
        """The graph, up to its limit."""
        return state_graph(self.machine, Limits(max_states=self.most_states))


@dataclass(frozen=True)
class _Visited:
    """A scene of a broken spec."""

    scene: Scene
    spec: LoadedSpec

    @cached_property
    def found(self) -> Comb | str:
        """What is possible along it, or why it is not possible itself."""
        try:
            return along(self.spec, self.scene)
        except SceneError:
            return "the scene is not possible"
        except SpecError as problem:
            return problem.diagnostics[0].headline()

    def noticed(self, mode: Mode, make: Make) -> str | None:
        """What the implementation of the original does otherwise."""
        if mode not in MODES:
            return None
        if isinstance(self.found, str):
            return self.found
        mismatch = self.found.noticed(mode, make)
        return None if mismatch is None else mismatch.step or "the initial state"


@dataclass(frozen=True)
class SpecDetectors:
    """What looks at mutants of one spec.

    Attributes:
        spec: the original.
        instances: which checks are looked at, and under which constants.
        plan: how the implementation is driven, one mode after the other; `make` makes its adapter; None: there is none.
        limits: of each exploration of a check.
        scenes: where the implementation is taken if it follows the broken spec everywhere else.
    """

    spec: LoadedSpec
    instances: tuple[Instance, ...]
    plan: Plan
    limits: Limits
    make: Make | None = None
    scenes: tuple[Scene, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they look."""
        return ("properties", "counts", *(mode.value for mode in self.plan.modes if self.make is not None))

    def mutants(self) -> Iterator[SpecMutant]:
        """The mutants."""
        return mutants_of(self.spec.tree)

    @cached_property
    def _expected(self) -> list[CheckResult]:
        """What the original gives, by instance."""
        original = self._written(self.spec.tree)
        return [original.check(i.check, constants=i.constants, limits=self.limits) for i in self.instances]

    def judged(self, number: int, mutant: SpecMutant, left: Left) -> Mutant:
        """A mutant with what every detector makes of it."""
        line = self.spec.source.place(mutant.offset).line
        result = Mutant(f"S{number}", mutant.operator, mutant.text, line)
        broken = self._written(mutant.tree)
        try:
            followed = [
                _Followed(str(i), broken.machine(i.check, constants=i.constants), self.plan.most_states)
                for i in self.instances
            ]
        except SpecError as problem:
            return replace(result, problem=problem.diagnostics[0].headline())
        if left() <= 0:
            return result
        cells = self._model_checked(broken)
        visited = [_Visited(scene, broken) for scene in self.scenes]
        if self.make is not None:
            for mode in self.plan.modes:
                if left() > 0:
                    cells[mode.value] = self._driven(followed, visited, mode, self.make)
        return replace(result, cells=cells)

    def _written(self, tree: ast.Spec) -> LoadedSpec:
        """A spec with a text of its own, since compiled code is kept by the text that it was made from."""
        source = Source(self.spec.path, format_tree(_without_counts(tree), self.spec.source))
        return replace(self.spec, source=source, tree=parse(source))

    def _model_checked(self, spec: LoadedSpec) -> dict[str, Cell]:
        """What the checks say."""
        started = time.perf_counter()
        properties: Cell | None = None
        counts: Cell | None = None
        decided = True
        for instance, expected in zip(self.instances, self._expected, strict=True):
            name = str(instance)
            try:
                found = spec.check(instance.check, constants=instance.constants, limits=self.limits)
            except SpecError as problem:  # it can be typed and not explored
                properties = properties or Cell(True, _since(started), name, problem.diagnostics[0].headline())
                continue
            bad = [p.name for p in found.properties if p.expected is not None and _changed(expected, found, p.name)]
            if found.verdict is CheckVerdict.FAIL and bad:
                properties = properties or Cell(True, _since(started), name, f"{', '.join(bad)} not as expected")
            decided = decided and found.verdict in (CheckVerdict.PASS, CheckVerdict.FAIL)
            same = (found.states, found.transitions, found.depth) == (
                expected.states,
                expected.transitions,
                expected.depth,
            )
            if not same and CheckVerdict.INCOMPLETE not in (found.verdict, expected.verdict):
                how = f"{found.states:,} states and {found.transitions:,} transitions in place of "
                how += f"{expected.states:,} and {expected.transitions:,}"
                counts = counts or Cell(True, _since(started), name, how)
        survived = Cell(False, _since(started), decided=decided)
        return {"properties": properties or survived, "counts": counts or survived}

    def _driven(self, followed: Sequence[_Followed], visited: Sequence[_Visited], mode: Mode, make: Make) -> Cell:
        """What the implementation of the original says."""
        started = time.perf_counter()
        decided = False
        for check in followed:
            try:
                plan = replace(self.plan, modes=(mode,), shrink=False)
                report = drive(make, check.machine, plan, graph=check.graph)
            except (MappingError, SpecError) as problem:
                return Cell(True, _since(started), check.name, str(problem).splitlines()[0])
            if report.outcome is Outcome.MISMATCH:
                step = None if report.mismatch is None else report.mismatch.step
                return Cell(True, _since(started), check.name, step or "the initial state")
            decided = decided or report.outcome is Outcome.CONFORMS or mode is not Mode.REPLAY
        for scene in visited:
            try:
                how = scene.noticed(mode, make)
            except MappingError as problem:
                how = str(problem).splitlines()[0]
            if how is not None:
                return Cell(True, _since(started), str(scene.scene), how)
        return Cell(False, _since(started), decided=decided)


def _changed(expected: CheckResult, found: CheckResult, name: str) -> bool:
    """Whether a property has another verdict than in the original."""
    before = {p.name: p.verdict for p in expected.properties}
    after = {p.name: p.verdict for p in found.properties}
    return before.get(name) is not after.get(name)


def _without_counts(tree: ast.Spec) -> ast.Spec:
    """A spec whose checks expect no numbers, which every mutant would miss."""

    def plain(decl: ast.Decl) -> ast.Decl:
        if not isinstance(decl, ast.CheckDecl):
            return decl
        return replace(decl, items=tuple(item for item in decl.items if not isinstance(item, ast.ExpectCounts)))

    return replace(tree, decls=tuple(plain(decl) for decl in tree.decls))


def _since(started: float) -> float:
    return time.perf_counter() - started
