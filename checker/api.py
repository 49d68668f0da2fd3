"""The Python interface, re-exported by `checker`.

    import checker

    spec = checker.load("specs/transactions/two_phase_commit.psm")
    result = spec.check("recovery")
    assert result.verdict is checker.CheckVerdict.PASS

Everything here returns immutable data and raises `SpecError` on bad input, with diagnostics that say what to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from checker.base.data import dataclass
from checker.base.diagnostics import Reporter, SpecError, did_you_mean, error
from checker.base.source import Source
from checker.engine.graph import StateGraph, state_graph
from checker.engine.histories import with_histories
from checker.engine.interface import Limits, Observer, Stop
from checker.engine.labels import StateView
from checker.engine.refinement import with_refinements
from checker.engine.walk import follow
from checker.lang import ast
from checker.lang.library import Library
from checker.lang.parser import parse, parse_cached, parse_expr, read_source
from checker.model.elaborate import DEFAULT_CHECK, elaborate, elaborate_view
from checker.model.ir import Expr
from checker.model.layout import Layout
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from checker.model.types import IntT
from checker.model.values import Value
from checker.model.walk import names_in
from checker.native.choose import engine_named
from checker.properties.explanation import Change, Explanation, Finder, messages_of, parts_of
from checker.properties.kinds import CheckResult, CheckVerdict, Coverage, SpecResult
from checker.properties.lowering import changes
from checker.properties.safety import judge
from checker.properties.survey import survey


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A spec that parses. Machines are made for each check, so a type error shows when a check is made or run.

    `library` has the abstract specs that it refines; without one, refinements are not judged.
    """

    path: str
    source: Source
    tree: ast.Spec
    library: Library | None = None

    @property
    def name(self) -> str:
        return self.tree.name.text

    @property
    def checks(self) -> tuple[str, ...]:
        """The names of its checks in order; `default` where it declares none."""
        names = tuple(d.name.text for d in self.tree.decls if isinstance(d, ast.CheckDecl))
        return names or (DEFAULT_CHECK,)

    @property
    def refined(self) -> tuple[str, ...]:
        """The texts of the abstract specs that it names, as far as they are found."""
        texts = []
        for decl in self.tree.decls:
            if isinstance(decl, ast.RefinesDecl | ast.LinearDecl) and self.library is not None:
                with suppress(SpecError):
                    texts.append(self.library.find(decl.name.text).text)
        return tuple(texts)

    def machine(self, check: str | None = None, *, constants: Mapping[str, Value] | None = None) -> Machine:
        """The machine of a check (of the first, where None is given), with constants overridden from outside.

        Raises:
            SpecError: everything that is wrong with the spec under these constants; PSM502 for an unknown check.
        """
        name = self._declared(check, constants)
        machine = elaborate(self.tree, Reporter(self.source), name, constants or {}, self.library)
        return with_histories(with_refinements(machine))

    def view(
        self, expression: str, check: str | None = None, *, constants: Mapping[str, Value] | None = None
    ) -> tuple[Machine, Expr, Source]:
        """The machine of a check, and an expression over its states, such as `size({r in RM where r.st == prepared})`.

        The expression is typed as in a property. `checker.engine.program.Program.expression` makes a function of it; errors
        have their places in the source that is returned with it.

        Raises:
            SpecError: as `machine` does, and for what is wrong with the expression.
        """
        text = Source("view", expression)
        name = self._declared(check, constants)
        view = parse_expr(text)
        return (*elaborate_view(self.tree, self.source, name, constants or {}, view, text, self.library), text)

    def _declared(self, check: str | None, constants: Mapping[str, Value] | None) -> str | None:
        """The name of a check, None for that of a spec that declares none, after a look at what is asked for."""
        name = self.checks[0] if check is None else check
        if name not in self.checks:
            raise error(
                "PSM502",
                f"{self.path} has no check `{name}`",
                help=did_you_mean(name, self.checks) or f"it has {', '.join(self.checks)}",
            )
        known = [d.name.text for d in self.tree.decls if isinstance(d, ast.ConstDecl)]
        for constant in constants or {}:
            if constant not in known:
                raise error(
                    "PSM503",
                    f"{self.path} has no constant `{constant}`",
                    help=did_you_mean(constant, known) or f"it has {', '.join(known) or 'none'}",
                )
        return name if any(isinstance(d, ast.CheckDecl) for d in self.tree.decls) else None

    def check(
        self,
        name: str | None = None,
        *,
        constants: Mapping[str, Value] | None = None,
        engine: str = "auto",
        workers: int = 1,
        symmetry: bool = True,
        limits: Limits | None = None,
        observe: Observer | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> CheckResult:
        """Runs one check and judges it.

        Args:
            name: Which check; the first, where None is given.
            constants: Values from outside.
            engine: `auto`, `native` or `python`.
            workers: How many explore at the same time; the native engine alone has several.
            symmetry: Explore one state for each orbit of symmetric instances. Counts are those of all states in any case.
            limits: Where to stop before the end.
            observe: Is told a few times a second how far the exploration is.
            tell: Is told why another engine runs than the fastest.

        Raises:
            SpecError: As `machine` does; PSM902 where the engine cannot run.
        """
        machine = self.machine(name, constants=constants)
        machine = machine if symmetry else without_symmetry(machine)
        return judge(machine, engine_named(engine, workers, tell=tell).explore(machine, limits or Limits(), observe))

    def check_all(
        self,
        *,
        constants: Mapping[str, Value] | None = None,
        engine: str = "auto",
        workers: int = 1,
        limits: Limits | None = None,
    ) -> SpecResult:
        """Runs every check in order; one that cannot run has the verdict `error` with its diagnostics."""
        results = []
        for name in self.checks:
            try:
                results.append(self.check(name, constants=constants, engine=engine, workers=workers, limits=limits))
            except SpecError as problem:
                results.append(failed_check(name, problem))
        return SpecResult(self.path, self.name, tuple(results))

    def explain(
        self,
        check: str | None = None,
        *,
        constants: Mapping[str, Value] | None = None,
        limits: Limits | None = None,
        observe: Observer | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Explanation:
        """Why a check has so many states.

        Args:
            check: Which check; the first, where None is given.
            constants: Values from outside.
            limits: Of each exploration; a minute, where None is given. Half of the time is for the check itself, half for all
                lowered forms of it.
            observe: Is told a few times a second how far the exploration of the check is.
            tell: Is told why another engine runs than the fastest.

        Raises:
            SpecError: As `machine` does.
        """
        started = time.perf_counter()
        machine = without_symmetry(self.machine(check, constants=constants))
        limits = limits or Limits(timeout=60)
        limits = limits if limits.timeout is None else replace(limits, timeout=limits.timeout / 2)
        surveyed = survey(machine, limits, observe, tell)
        found, layout, whole = surveyed.found, Layout(machine), surveyed.found.states == len(surveyed.states)
        scale = (found.states - surveyed.levels[0]) / max(surveyed.traced, 1)
        lowered: tuple[Change, ...] = ()
        if found.stop is not Stop.INTERRUPTED:
            names = tuple(self._free_constants(machine))
            make = partial(self._made, check)
            lowered = tuple(changes(machine, found, names, make, limits))
        return Explanation(
            path=self.path,
            spec=self.name,
            check=machine.check,
            stop=found.stop,
            engine=found.engine,
            states=found.states,
            transitions=found.transitions,
            looked_at=len(surveyed.states),
            traced=surveyed.traced,
            fixed_bits=layout.fixed_bits,
            message_bits=layout.code_bits,
            levels=surveyed.levels,
            parts=parts_of(layout, surveyed.states, whole=whole),
            messages=messages_of(layout, surveyed.states, whole=whole),
            finders=tuple(Finder(name, round(n * scale)) for name, n in surveyed.finders.most_common()),
            changes=lowered,
            seconds=time.perf_counter() - started,
        )

    def _made(self, check: str | None, constants: Mapping[str, Value]) -> Machine:
        return self.machine(check, constants=constants)

    def _free_constants(self, machine: Machine) -> Iterator[str]:
        """The constants that are numbers and are not computed from others."""
        constants = {d.name.text: d for d in self.tree.decls if isinstance(d, ast.ConstDecl)}
        for name, (t, _) in machine.constants.items():
            used = {inner.text for inner in names_in(constants[name].value)}
            if isinstance(t, IntT) and not used & constants.keys():
                yield name

    def walk(
        self, steps: Sequence[str], check: str | None = None, *, constants: Mapping[str, Value] | None = None
    ) -> tuple[dict[str, Any], ...]:
        """Where steps of these names lead from an initial state: every variable of each state, with its value as in JSON.

        There is one state, or several where a name does not say all: where it stands for several outcomes, or there are
        several initial states.

        Raises:
            SpecError: As `machine` does; PSM906 where a step is not possible, or goes wrong.
        """
        machine = self.machine(check, constants=constants)
        view = StateView(Layout(machine))
        return tuple(view.variables(state) for state in follow(machine, steps))

    def graph(
        self, check: str | None = None, *, constants: Mapping[str, Value] | None = None, limits: Limits | None = None
    ) -> StateGraph:
        """The state graph of a check."""
        return state_graph(self.machine(check, constants=constants), limits)


def failed_check(name: str, problem: SpecError) -> CheckResult:
    """The result of a check that could not run."""
    return CheckResult(
        name=name,
        verdict=CheckVerdict.ERROR,
        states=0,
        transitions=0,
        depth=0,
        seconds=0.0,
        engine="none",
        properties=(),
        coverage=Coverage(),
        reason=problem.diagnostics[0].headline(),
        diagnostics=problem.diagnostics,
    )


def load(path: str | Path) -> LoadedSpec:
    """Reads and parses a spec file. Raises `SpecError` with all its syntax errors."""
    source = read_source(Path(path))
    return LoadedSpec(source.name, source, parse_cached(source), Library.around(Path(path).parent))


def loads(text: str, name: str = "<text>", *, library: Library | None = None) -> LoadedSpec:
    """Parses a spec from a string. `library` has the specs that it may refine, since a string stands in no directory."""
    source = Source(name, text)
    return LoadedSpec(name, source, parse(source), library)
