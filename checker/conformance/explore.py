"""Exploring: runs of chance on an implementation, held to the spec after every step, shrunk where they fail.

A replay needs the whole state graph of a small check. An exploration needs none: it follows the spec from state to state and
expands what it meets, so it also goes where no graph can be listed, with more processes and deeper. In each state the options are
the steps that the spec allows there, and Hypothesis chooses (`choices`). They are ordered so that 0 is the dullest:

1. a message that was never delivered yet, the oldest first;
2. what a process does by itself, and restarts;
3. timeouts, clocks, a message again, what heals, what changes nothing;
4. faults;
5. crashes in the middle of a handler;
6. what the spec does not allow here: nothing may happen then (`probe` tells more).

So one list of numbers holds schedule, faults, crash points and data, and a shrunk one has no fault that is not needed.

**Who resolves a choice?** As in a replay, an event says how each `either` and `choose` comes out. Steps that the adapter lists
under `resolves` are different: the implementation decides, and the spec follows, along any outcome of that step which
agrees with what is seen. Steps that are `hidden` are not chosen: they may have happened whenever something is compared. So
what is followed is a set of states, all that agree with everything seen so far; the run fails where none is left.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import field, replace

from checker.base.data import dataclass
from checker.conformance.adapter import Adapter, Observation
from checker.conformance.choices import Choose, Script, search
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.growing import GrowingGraph
from checker.conformance.mapping import Treatment
from checker.conformance.mismatch import Mismatch
from checker.conformance.replay import Outcome
from checker.conformance.run import Run
from checker.engine.graph import Edge
from checker.model.machine import Budget

MOST_HIDDEN = 2_000
"""How many states are followed at once."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What an exploration came to.

    Attributes:
        runs: how many runs were made; `steps` is how many steps of them matched, each counted as often as it was taken.
        states, transitions: how many different ones of the spec were met.
        faults: how many steps were faults; `probes` is how often something was asked for that the spec does not allow.
        seen: the variables that were observed at least once; `unseen` are the others.
        crowded: more states agreed with what was seen than are followed, so that a run was given up.
        calm: the check has faults, and none struck after something had begun.
        mismatch: where the implementation left the spec in the smallest run, if it did; `choices` lead there again.
        flaky: the same choices did not lead to the same end each time.
    """

    spec: str
    check: str
    seed: int
    runs: int
    steps: int
    states: int
    transitions: int
    faults: int
    probes: int
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    crowded: bool = False
    calm: bool = False
    mismatch: Mismatch | None = None
    choices: tuple[int, ...] = ()
    flaky: bool = False

    @property
    def outcome(self) -> Outcome:
        """Runs without a step or a look have not shown anything, nor have runs in which no fault was at work that could be."""
        if self.mismatch is not None:
            return Outcome.MISMATCH
        shown = self.steps and self.seen and not self.crowded and not self.calm
        return Outcome.CONFORMS if shown else Outcome.INCOMPLETE

    def __str__(self) -> str:
        flaky = "; the implementation does not do the same for the same choices" if self.flaky else ""
        calm = "; no fault struck after something had begun" if self.calm else ""
        crowded = f"; more than {MOST_HIDDEN:,} states agreed with what was seen" if self.crowded else ""
        return (
            f"{self.outcome.value}: {self.runs:,} runs and {self.steps:,} steps of {self.spec}, check {self.check}, with seed "
            f"{self.seed}: {self.transitions:,} different transitions, {self.faults:,} faults, {self.probes:,} probes; "
            f"{len(self.seen)} of {len(self.seen) + len(self.unseen)} variables observed{calm}{crowded}{flaky}"
        )


def explore(adapter: Adapter, *, seed: int = 0, runs: int = 100, steps: int = 40) -> Explored:
    """Makes so many runs of at most so many steps each, up to the first that fails, which is shrunk.

    Raises:
        ObservationError: the adapter observes something that is no variable of the spec.
        GraphTooLarge: more states were met than are kept.
        MissingHypothesis: it is not installed.
    """
    return Explorer(adapter, steps=steps).search(seed=seed, runs=runs)


def explore_again(adapter: Adapter, choices: Sequence[int], *, steps: int = 40) -> Explored:
    """The run with these choices, and with 0 behind their end.

    Raises:
        ChoiceError: the choices do not fit.
    """
    return Explorer(adapter, steps=steps).again(tuple(choices))


@dataclass(slots=True)
class _Followed:
    """The states that agree with everything seen, each with the edges that lead there; since when messages are in flight, and
    how often each was delivered, or a step without one taken.
    """

    ways: dict[int, tuple[int, ...]]
    ages: dict[str, int] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)


class Explorer:
    """See the module. `graph` and `run.taken` say what was met."""

    def __init__(self, adapter: Adapter, *, steps: int = 40) -> None:
        self.graph = GrowingGraph(adapter.machine)
        self.run = Run(adapter, self.graph)
        self.runs = 0
        self.faults = 0
        self.struck = False
        self.probes = 0
        self.crowded = False
        self._most = steps
        self._ranks: dict[int, tuple[int, str | None]] = {}

    def search(self, *, seed: int, runs: int, shrink: bool = True) -> Explored:
        """See `explore`; without shrinking, it is not the smallest run that is told."""
        failing = search(self.play, seed=seed, runs=runs, shrink=shrink)
        result = self._explored(seed)
        if failing is None:
            return result
        again = Explorer(self.run.adapter, steps=self._most).again(
            failing.choices
        )  # its graph has the numbers that `again` has
        mismatch = again.mismatch or self._told(failing.found, failing.choices)
        return replace(result, mismatch=mismatch, choices=failing.choices, flaky=failing.flaky)

    def again(self, choices: tuple[int, ...]) -> Explored:
        """See `explore_again`."""
        found = self.play(Script(choices))
        result = replace(self._explored(0), calm=False)  # who repeats a run asks for that one alone
        return result if found is None else replace(result, mismatch=self._told(found, choices), choices=choices)

    def play(self, choose: Choose) -> Mismatch | None:
        """One run."""
        self.runs += 1
        graph, run = self.graph, self.run
        start = graph.initial[choose(len(graph.initial))]
        run.adapter.begin(run.comparison.values(start))
        seen = run.look()
        here = self._agreeing(self._closed({start: ()}), seen)
        if not here:
            return run.mismatch((), None, sight=(start, start, seen))
        followed = _Followed(here)
        for now in range(self._most):
            options = self._options(followed, now)
            if not options:
                return None
            refused = self._refused(followed)
            choice = choose(len(options) + min(len(refused), 1 + len(options) // 3))  # or most of a run would be probes
            if choice < len(options):
                found = self._step(followed, options[choice])
            else:
                found = self._probe(followed, refused[choose(len(refused))])
            if found is not None or not followed.ways:
                return found
        return None

    def _step(self, followed: _Followed, number: int) -> Mismatch | None:
        """Takes a step; afterwards `followed.ways` has what is left, nothing where the run is given up."""
        run, edge = self.run, self.graph.edges[number]
        event = run.event(number)
        before = self._closed(followed.ways)
        way = before[edge.source]
        objection = run.attempt(event)
        if objection is not None:
            return run.mismatch((*way, number), edge.label, problem=objection.text)
        followed.taken[self._ranked(number)[1] or edge.label] += 1
        after: dict[int, tuple[int, ...]] = {}
        for source, came in before.items():
            for other in self.graph.out(source):
                if other == number or self._is_outcome_of(other, event):
                    after.setdefault(self.graph.edges[other].target, (*came, other))
        after = self._closed(after)
        seen = run.look()
        followed.ways = self._agreeing(after, seen)
        if self.crowded:
            followed.ways = {}
            return None
        if not followed.ways:
            return run.mismatch((*way, number), edge.label, sight=(edge.source, edge.target, seen))
        run.steps += 1
        self.faults += edge.fault
        self.struck |= edge.fault and bool(way)
        if len(followed.ways) == 1:  # otherwise nobody knows which of the steps were taken
            run.taken.update(*followed.ways.values())
        return None

    def _probe(self, followed: _Followed, edge: Edge) -> Mismatch | None:
        """Asks for something that the spec refuses."""
        run, event = self.run, self.run.events.of(edge)
        way = followed.ways[edge.source]
        self.probes += 1
        objection = run.attempt(event)
        if objection is not None and not objection.refused:
            return run.mismatch(way, event.label, problem=objection.text, forbidden=True)
        seen = run.look()
        here = self._agreeing(self._closed(followed.ways), seen)
        if not here and event.kind != "message":
            here = self._agreeing(self._served_alike(followed.ways, event), seen)
        if not here:
            return run.mismatch(way, event.label, sight=(edge.source, edge.source, seen), forbidden=True)
        followed.ways = here
        return None

    def _served_alike(self, ways: dict[int, tuple[int, ...]], event: Event) -> dict[int, tuple[int, ...]]:
        """Where the other steps lead that the same method of the adapter stands for, at the same process."""
        adapter = self.run.adapter
        return {
            self.graph.edges[number].target: (*way, number)
            for state, way in ways.items()
            for number in self.graph.out(state)
            if self.run.event(number).node == event.node
            and adapter.method(self.graph.edges[number].unit) == adapter.method(event.unit)
        }

    def _is_outcome_of(self, number: int, event: Event) -> bool:
        """Whether an edge is what an event may have been, seen from a state of the spec that agrees so far."""
        edge = self.graph.edges[number]
        if edge.unit != event.unit:
            return False
        if edge.label == event.label:
            return True
        if event.unit not in self.run.adapter.resolves:
            return False
        other = self.run.event(number)
        return (other.node, other.sender, _text(other.args)) == (event.node, event.sender, _text(event.args))

    # ---- options

    def _options(self, followed: _Followed, now: int) -> list[int]:
        """The steps that can be taken, dullest first. All of them are taken from one of the states that are followed."""
        state = next(iter(followed.ways))
        network = self.run.comparison.values(state)[NETWORK]
        assert isinstance(network, list)
        for letter in network:
            followed.ages.setdefault(str(letter), now)
        adapter = self.run.adapter
        left = [
            number
            for number in self.graph.out(state)
            if adapter.treatment(self.graph.edges[number].unit) not in (Treatment.UNSUPPORTED, Treatment.HIDDEN)
        ]

        def dullness(number: int) -> tuple[int, int, int]:
            rank, letter = self._ranked(number)
            if letter is None:
                return rank, followed.taken[self.graph.edges[number].label], 0
            again = followed.taken[letter]
            return (max(rank, 2) if again else rank), again, followed.ages.get(letter, now)

        return sorted(left, key=dullness)

    def _refused(self, followed: _Followed) -> list[Edge]:
        """What can be asked for that every state that is followed refuses. With hidden steps nobody knows what is refused."""
        if len(followed.ways) != 1 or self.run.adapter.hidden:
            return []
        treatment = self.run.adapter.treatment
        return [
            edge for edge in self.graph.refused(next(iter(followed.ways))) if treatment(edge.unit) is Treatment.MAPPED
        ]

    def _ranked(self, number: int) -> tuple[int, str | None]:
        """How dull an edge is, and the message that it delivers."""
        found = self._ranks.get(number)
        if found is None:
            edge = self.graph.edges[number]
            rank, letter = self._rank(self.run.event(number), fault=edge.fault)
            found = self._ranks[number] = (max(rank, 2) if edge.source == edge.target else rank), letter
        return found

    def _rank(self, event: Event, *, fault: bool) -> tuple[int, str | None]:
        if event.torn is not None:
            return 4, None
        if fault or event.forged:
            return 3, None
        if event.kind in ("message", "ignore"):
            assert event.sender is not None and event.node is not None
            letter = self.run.adapter.letter(event.sender, event.node, event.name, **event.args)
            return (0 if event.kind == "message" else 2), letter
        return (1 if event.kind in ("action", "restart") else 2), None

    # ---- what is followed

    def _closed(self, ways: dict[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
        """These states, and those that hidden steps lead to, with the fewest such steps first."""
        if not self.run.adapter.hidden:
            return ways
        result = dict(ways)
        queue = list(ways)
        for state in queue:
            for number in self.graph.out(state):
                edge = self.graph.edges[number]
                if edge.target in result or self.run.adapter.treatment(edge.unit) is not Treatment.HIDDEN:
                    continue
                if len(result) >= MOST_HIDDEN:
                    self.crowded = True
                    return result
                result[edge.target] = (*result[state], number)
                queue.append(edge.target)
        return result

    def _agreeing(self, ways: dict[int, tuple[int, ...]], seen: Observation) -> dict[int, tuple[int, ...]]:
        return {state: way for state, way in ways.items() if self.run.comparison.same(state, seen)}

    # ---- the result

    def _explored(self, seed: int) -> Explored:
        run, machine = self.run, self.graph.machine
        observable = run.comparison.observable
        return Explored(
            spec=machine.spec,
            check=machine.check,
            seed=seed,
            runs=self.runs,
            steps=run.steps,
            states=len({self.graph.edges[n].target for n in run.taken}),
            transitions=len(run.taken),
            faults=self.faults,
            probes=self.probes,
            seen=tuple(name for name in observable if name in run.seen),
            unseen=tuple(name for name in observable if name not in run.seen),
            crowded=self.crowded,
            calm=not self.struck and any(self._can_strike(budget) for budget in machine.budgets),
        )

    def _can_strike(self, budget: Budget) -> bool:
        """Whether this check has a fault that the adapter, or its surroundings, can let strike."""
        possible = (Treatment.MAPPED, Treatment.ENVIRONMENT)
        return budget.count > 0 and budget.kind != "byzantine" and self.run.adapter.treatment(budget.key) in possible

    def _told(self, mismatch: Mismatch, choices: tuple[int, ...]) -> Mismatch:
        steps = "" if self._most == 40 else f", steps={self._most}"
        return replace(mismatch, again=f"explore_again(adapter, {list(choices)!r}{steps})")


def _text(args: object) -> str:
    return json.dumps(args, sort_keys=True)
