"""A recorded sequence of states against a spec: which step leads from each to the next?

A trace in ITF names states and not steps, and it may leave variables out. So the spec's states are followed as a set: first the
initial states that agree with the first recorded one, then everything that one step makes of them and that agrees with the next.
A state that agrees with both and has no step is taken for stuttering. Where nothing is left, the spec does not allow the
trace, and what is shown is the nearest miss: of all steps that were possible, one whose result differs in the fewest
variables, with the first of them.

Each state that is followed remembers one that it came from, so that what matched is shown as a path like any other. A trace that
names its steps (as exports do) prefers steps of those names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic, did_you_mean, error
from checker.engine.interface import Path
from checker.engine.labels import Labels
from checker.engine.program import Program
from checker.engine.replay import Replay
from checker.engine.runtime import State
from checker.engine.steps import Steps
from checker.model.machine import Machine
from checker.render.exchange.itf import ItfStates
from checker.render.exchange.itf_reader import ItfTrace, Key, Observed, key_of, show_itf

MOST_FOLLOWED = 20_000
"""How many states of the spec are followed at once."""

STUTTER = "(nothing happens)"
"""The name of a step between two recorded states that are the same."""


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a recorded state cannot be reached.

    Attributes:
        state: its number in the trace.
        step: the step that comes nearest to it; None for an initial state, or where no step is possible.
        variable: the first variable that differs there, None where no step is possible; `spec` and `trace` are its values.
        others: how many more variables differ.
        possible: how many steps, or initial states, were looked at.
    """

    state: int
    step: str | None
    variable: str | None
    spec: str
    trace: str
    others: int
    possible: int


@dataclass(frozen=True, slots=True)
class Matched:
    """What came of a trace.

    Attributes:
        path: the longest part of the trace that the spec allows; None where it does not even begin like that.
        miss: where the trace leaves the spec; None where it does not.
        error: how the step at its end goes wrong.
        stutters: how many recorded steps change nothing and are none of the spec.
        loop: the state to which the last one leads back, where the trace says so.
        unseen: variables of the spec that no recorded state has.
    """

    path: Path | None
    labels: Labels
    miss: Miss | None = None
    error: Diagnostic | None = None
    stutters: int = 0
    loop: int | None = None
    unseen: tuple[str, ...] = ()


_Layer = dict[State, tuple[State | None, str]]
"""States that are followed, each with one that it came from and the name of the step."""


def match(machine: Machine, trace: ItfTrace) -> Matched:
    """Follows a trace.

    Raises:
        SpecError: PSM905, where the trace names variables that the spec does not have, or leaves so much open that too many
            states would have to be followed.
    """
    return _Follower(machine, trace).run()


class _Follower:
    def __init__(self, machine: Machine, trace: ItfTrace) -> None:
        self.machine = machine
        self.trace = trace
        self.program = Program(machine)
        self.labels = Labels(Steps(self.program))
        self.replay = Replay(self.labels.steps, self.labels)
        self.states = ItfStates(self.labels)
        self._keys: dict[State, dict[str, Key]] = {}
        for name in trace.names:
            if name not in self.states.names:
                raise error(
                    "PSM905",
                    f"the trace has the variable `{name[:80]}`, which {machine.spec} does not have",
                    help=did_you_mean(name, self.states.names) or f"it has {', '.join(self.states.names)}",
                )

    def run(self) -> Matched:
        layers: list[_Layer] = []
        for number, seen in enumerate(self.trace.states):
            layer, candidates = self._next(layers, seen)
            if not layer:
                return self._result(layers, self._miss(number, seen, candidates))
            if len(layer) > MOST_FOLLOWED:
                raise error(
                    "PSM905",
                    f"more than {MOST_FOLLOWED:,} states agree with state {number} of the trace",
                    help="record more variables; what is left out has to be guessed",
                )
            layers.append(layer)
        return self._end(layers)

    def _next(self, layers: list[_Layer], seen: Observed) -> tuple[_Layer, Iterable[tuple[str | None, State]]]:
        """The states that agree with what was seen, and a way to go through all that were possible."""
        layer: _Layer = {}
        if not layers:
            initial = self.program.initial_states()
            for state in initial:
                if self._agrees(state, seen):
                    layer[state] = (None, "")
            return layer, ((None, state) for state in initial)
        for before in layers[-1]:
            done, _ = self.replay.expand(before)
            for _, move, target in done:
                if not self._agrees(target, seen):
                    continue
                name = self.labels.step(move)
                if target not in layer or (name == seen.step and layer[target][1] != seen.step):
                    layer[target] = (before, name)
        if not layer and seen.step is None:
            layer = {state: (state, STUTTER) for state in layers[-1] if self._agrees(state, seen)}
        return layer, self._successors(layers[-1])

    def _successors(self, layer: _Layer) -> Iterator[tuple[str | None, State]]:
        for before in layer:
            done, _ = self.replay.expand(before)
            for _, move, target in done:
                yield self.labels.step(move), target

    # ---- comparing

    def _agrees(self, state: State, seen: Observed) -> bool:
        return all(self._key(state, name) == key for name, key in seen.keys.items())

    def _key(self, state: State, name: str) -> Key:
        if len(self._keys) > MOST_FOLLOWED:
            self._keys.clear()
        known = self._keys.setdefault(state, {})
        found = known.get(name)
        if found is None:
            found = known[name] = key_of(self.states.value(state, name))
        return found

    def _miss(self, number: int, seen: Observed, candidates: Iterable[tuple[str | None, State]]) -> Miss:
        best: tuple[int, str | None, State, list[str]] | None = None
        possible = 0
        for step, state in candidates:
            possible += 1
            differing = [n for n in self.states.names if n in seen.keys and self._key(state, n) != seen.keys[n]]
            if best is None or (len(differing), step != seen.step) < (best[0], best[1] != seen.step):
                best = len(differing), step, state, differing
        if best is None:
            return Miss(number, None, None, "", "", 0, 0)
        _, step, state, differing = best
        name = differing[0]
        spec = show_itf(self.states.value(state, name))
        return Miss(number, step, name, spec, show_itf(seen.values[name]), len(differing) - 1, possible)

    # ---- the result

    def _end(self, layers: list[_Layer]) -> Matched:
        """The end of a trace that matched: a step that errs, or the way back of a loop."""
        trace, last = self.trace, self.trace.states[-1]
        final = list(layers[-1])
        if trace.error_step is not None:
            for state in final:
                _, failed = self.replay.expand(state)
                for _, move, problem in failed:
                    if self.labels.step(move) == trace.error_step:
                        return self._result(layers, None, state, trace.error_step, self.program.diagnose(problem))
            return self._result(layers, Miss(len(layers), trace.error_step, None, "", "", 0, len(final)))
        if trace.loop is None:
            return self._result(layers, None)
        back = trace.states[trace.loop]
        candidates = list(self._successors(layers[-1]))
        for state in final:
            done, _ = self.replay.expand(state)
            if any(self._agrees(target, back) for _, _, target in done) or (
                back.keys == last.keys and trace.loop == len(layers) - 1
            ):
                return self._result(layers, None, state)
        return self._result(layers, self._miss(trace.loop, back, candidates))

    def _result(
        self,
        layers: list[_Layer],
        miss: Miss | None,
        last: State | None = None,
        error_step: str | None = None,
        diagnostic: Diagnostic | None = None,
    ) -> Matched:
        seen = {name for state in self.trace.states for name in state.keys}
        unseen = tuple(n for n in self.states.names if n not in seen)
        if not layers:
            return Matched(None, self.labels, miss, unseen=unseen)
        states = [next(iter(layers[-1])) if last is None else last]
        names: list[str] = []
        for layer in reversed(layers):
            before, name = layer[states[-1]]
            if before is not None:
                states.append(before)
                names.append(name)
        path = Path(tuple(reversed(states)), tuple(reversed(names)), error_step)
        loop = self.trace.loop if miss is None else None
        return Matched(path, self.labels, miss, diagnostic, names.count(STUTTER), loop, unseen)
