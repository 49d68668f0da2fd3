"""One step at random, and the same one again.

A source that is asked gives one step, or none. What was drawn is kept as a `Draw`: whatever is needed to make that step
again in another state, if it is possible there. A run is thus a list of draws, parts of which can be left out.

Every step comes from the functions of `engine.steps` and its bases, so a simulation takes no step that the search does not
have. The opposite is true with limits that the semantics does not have. Of a handler that chooses, some answers are tried
at random, then up to `MOST_OUTCOMES` in order; if none of them changes the state, it is passed over. Of a liar, `LIES`
messages are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from checker.engine import networks
from checker.engine.moves import Call, Failure, Move, Successor
from checker.engine.runtime import Disabled, Discarded, Effects, Fail, State, Tape, TooManyTears
from checker.engine.simulation.sources import Draw, Source, Sources
from checker.engine.simulation.tapes import LoggingTape, RandomTape, RecordedTape
from checker.model.layout import UP
from checker.model.values import Value

TRIES = 3
"""How often a source with choices is asked before its outcomes are gone through in order."""

MOST_OUTCOMES = 64
"""How many outcomes are gone through."""

LIES = 24
"""How many messages of a liar are tried in one draw."""

Outcome = Successor | Failure


class _Count(Effects):
    """Counts the effects of a body without tearing it."""

    __slots__ = ()

    def order(self, of: Sequence[Value]) -> Iterator[Value]:
        return iter(of)


class Draws(Sources):
    """The steps of one program, drawn instead of listed."""

    # ---- a step at random

    def draw(self, source: Source, state: State, chance: Random) -> tuple[Draw, Outcome] | None:
        """A step of a source, or one that errs; None where none was found."""
        match source.kind:
            case "call" | "slip" | "restart":
                return self._draw_call(source, source.call, state, chance)
            case "lie":
                lies = self._lies[source.process]
                for _ in range(LIES):
                    call = lies[chance.randrange(len(lies))]
                    drawn = self._draw_call(source, call, state, chance) if self.can_lie(state, call) else None
                    if drawn is not None and drawn[1][2] != state:
                        return drawn
                return None
            case "tick":
                return self._with_choices(Draw(source), state, chance)
            case "drift":
                assert source.budget is not None
                clocks = source.budget.roles[0].processes
                draw = Draw(source, process=clocks[chance.randrange(len(clocks))], mask=2 * chance.randrange(2))
                return self._with_choices(draw, state, chance)
            case "link":
                return self._draw_link(source, state, chance)
            case "cut":
                assert self._cut is not None
                group = self._cut[2]
                number = chance.randrange(1, 1 << (len(group) - 1)) if len(group) > 1 else 0
                side = sum(1 << p for i, p in enumerate(group[1:]) if number >> i & 1)
                return self._once(Draw(source, mask=side), state, LoggingTape()) if side else None
            case "tear":
                return self._draw_tear(source, state, chance)
        return self._once(Draw(source, process=source.process), state, RandomTape(chance))

    def _draw_call(
        self, source: Source, call: Call | None, state: State, chance: Random
    ) -> tuple[Draw, Outcome] | None:
        draw = Draw(source, call, source.process)
        if call is None or (source.kind == "restart" and not call.code.step.has_choices):
            return self._once(draw, state, LoggingTape())
        if not call.code.step.has_choices:  # the most frequent case, without detours
            done: list[Successor] = []
            failed: list[Failure] = []
            self._attempt(state, call, None, done, failed)
            return (draw, done[0]) if done else (draw, failed[0]) if failed else None
        try:
            if not call.code.allows(self._started(draw, state), *call.args):
                return None
        except Fail:
            pass  # what it says is found below
        return self._with_choices(draw, state, chance)

    def _with_choices(self, draw: Draw, state: State, chance: Random) -> tuple[Draw, Outcome] | None:
        """A step that changes something, or else one that does not: with random answers, then with all in order."""
        same = None
        for _ in range(TRIES):
            drawn = self._once(draw, state, RandomTape(chance))
            if drawn is not None and drawn[1][2] != state:
                return drawn
            same = drawn or same
        tape = LoggingTape()
        for _ in range(MOST_OUTCOMES):
            drawn = self._once(draw, state, tape)
            if drawn is not None and drawn[1][2] != state:
                return drawn
            same = drawn or same
            if not tape.advance():
                break
        return same

    def _draw_link(self, source: Source, state: State, chance: Random) -> tuple[Draw, Outcome] | None:
        assert source.budget is not None
        places = [
            (index, code, position)
            for index, slot in enumerate(self.layout.networks)
            if source.budget.kind == "lose" or self.machine.networks[index].kind != "soup"
            for code, position in networks.positions(self.machine.networks[index], state[slot])
        ]
        if not places:
            return None
        index, code, position = places[chance.randrange(len(places))]
        return self._once(Draw(source, network=index, code=code, position=position), state, LoggingTape())

    def _draw_tear(self, source: Source, state: State, chance: Random) -> tuple[Draw, Outcome] | None:
        """A handler that is struck between two of its effects."""
        assert source.budget is not None
        roles = source.budget.roles
        calls = [
            s.call
            for s in self.work(state)
            if s.call is not None and s.call.code.torn and s.call.code.step.role in roles
        ]
        for liar in self.lies(state):
            lies = self._lies[liar.process]
            drawn = [lies[chance.randrange(len(lies))] for _ in range(TRIES)]
            calls += [c for c in drawn if c.code.torn and c.code.step.role in roles and self.can_lie(state, c)]
        while calls:
            call = calls.pop(chance.randrange(len(calls)))
            start = self._prepared(state, call)
            if start is None:
                continue
            for _ in range(TRIES):
                count = self._effects_of(start, call, RandomTape(chance))
                if count < 2:
                    break
                draw = Draw(source, call, call.process, effects=chance.randrange(1, count))
                torn = self._once(draw, state, RandomTape(chance))
                if torn is not None:
                    return torn
        return None

    def _effects_of(self, start: list[Any], call: Call, tape: Tape) -> int:
        """How many effects a handler has with some answers."""
        assert call.code.torn is not None
        fx = _Count(-1, tape)
        dropped = self.program.dropped.count
        try:
            call.code.torn(start.copy(), tape, fx, *call.args)
        except (Disabled, Fail):
            return 0
        finally:
            self.program.dropped.count = dropped
        return fx.count

    # ---- a step with given answers

    def again(self, draw: Draw, state: State) -> Outcome | None:
        """The step that was drawn elsewhere, where it is possible in this state."""
        if not self.is_possible(draw, state):
            return None
        made = self._once(draw, state, RecordedTape(draw.answers))
        return None if made is None else made[1]

    def _once(self, draw: Draw, state: State, tape: LoggingTape) -> tuple[Draw, Outcome] | None:
        """One outcome. The answers that a tape gives become part of the draw."""
        done: list[Successor] = []
        failed: list[Failure] = []
        source = draw.source
        match source.kind:
            case "call" | "slip" | "lie":
                assert draw.call is not None
                self._attempt(state, draw.call, tape, done, failed)
            case "restart":
                if draw.call is None:
                    unit = self._unit_numbers[f"restart {self.machine.role_of(draw.process).name}"]
                    done.append((unit, Move(unit, draw.process), self._started(draw, state)))
                else:
                    self._attempt(self._started(draw, state), draw.call, tape, done, failed)
            case "tick" | "drift":
                self._attempt_tick(draw, state, tape, done, failed)
            case "heal":
                assert self.layout.cut is not None
                slot = self.layout.cut
                done.append((self._heal, Move(self._heal, mask=state[slot]), (*state[:slot], 0, *state[slot + 1 :])))
            case "cut":
                assert self.layout.cut is not None
                done.append(
                    (
                        source.unit,
                        Move(source.unit, mask=draw.mask),
                        self._spent(draw, state, self.layout.cut, draw.mask),
                    )
                )
            case "crash":
                assert source.budget is not None
                target = self._crash_once(state, draw.process, source.budget, tape)
                done.append((source.unit, Move(source.unit, draw.process, labels=tuple(tape.labels)), target))
            case "tear":
                self._attempt_tear(draw, state, tape, done)
            case "link":
                self._attempt_link(draw, state, done)
        found: Sequence[Outcome] = done or failed
        if not found:
            return None
        return (draw._replace(answers=tuple(tape.log)) if tape.log else draw), found[0]

    def _started(self, draw: Draw, state: State) -> State:
        """The state in which a handler runs: a process that restarts is up."""
        if draw.source.kind != "restart":
            return state
        slot = self.layout.status[draw.process]
        return (*state[:slot], UP, *state[slot + 1 :])

    def _spent(self, draw: Draw, state: State, slot: int, value: Any) -> State:
        """A state after a fault: one slot has another value, and its budget is smaller."""
        assert draw.source.budget is not None
        target = list(state)
        target[slot] = value
        target[self.layout.budget(draw.source.budget)] -= 1
        return tuple(target)

    def _attempt(
        self, state: State, call: Call, tape: LoggingTape | None, done: list[Successor], failed: list[Failure]
    ) -> None:
        """One outcome of a handler, if it may run. `tape` is None where it has no choices."""
        code = call.code
        try:
            if not code.allows(state, *call.args):
                return
            if code.limit is not None and not code.limit(state, *call.args):
                self.counters.limit_cut += 1
                return
        except Fail as problem:
            failed.append((call.number, call.move(()), problem))
            return
        self._outcome(self._start(state, call), call, tape, done, failed)

    def _attempt_tick(
        self, draw: Draw, state: State, tape: LoggingTape, done: list[Successor], failed: list[Failure]
    ) -> None:
        clocks = self._ready_clocks(state, failed)
        if clocks is None or (draw.source.budget is not None and all(me != draw.process for _, _, me in clocks)):
            return
        unit, odd = self._tick, None
        if draw.source.budget is not None:
            unit, odd = draw.source.unit, (draw.process, draw.source.budget)
        self._tick_outcome(state, clocks, unit, odd, draw.mask if odd else 1, tape, done, failed)

    def _attempt_link(self, draw: Draw, state: State, done: list[Successor]) -> None:
        assert draw.source.budget is not None
        slot, unit = self.layout.networks[draw.network], draw.source.unit
        change = networks.take_out if draw.source.budget.kind == "lose" else networks.duplicate
        network = self.machine.networks[draw.network]
        net = change(network, state[slot], draw.code, draw.position, self.layout.processes)
        if net is not None:
            move = Move(unit, code=draw.code, position=draw.position)
            done.append((unit, move, self._spent(draw, state, slot, net)))

    def _prepared(self, state: State, call: Call) -> list[Any] | None:
        """The state in which the body of a handler begins; None where it may not run."""
        code = call.code
        if code.step.kind == "restart":
            slot = self.layout.status[call.process]
            state = (*state[:slot], UP, *state[slot + 1 :])
        try:
            allowed = code.allows(state, *call.args) and (code.limit is None or code.limit(state, *call.args))
        except Fail:
            return None
        return self._start(state, call) if allowed else None

    def _attempt_tear(self, draw: Draw, state: State, tape: LoggingTape, done: list[Successor]) -> None:
        call, budget = draw.call, draw.source.budget
        assert call is not None and call.code.torn is not None and budget is not None
        start = self._prepared(state, call)
        if start is None:
            return
        fx = self.effects(draw.effects, tape)
        dropped = self.program.dropped.count
        try:
            call.code.torn(start, tape, fx, *call.args)
        except TooManyTears as problem:
            raise self._torn_too_often(call, problem) from None
        except (Disabled, Discarded, Fail):
            return
        finally:
            self.program.dropped.count = dropped
        if fx.picture is None:
            return
        move = call.move(tuple(tape.labels))._replace(
            unit=draw.source.unit, torn=(budget.kind, draw.effects), code=call.number
        )
        done.append((draw.source.unit, move, self._crash_once(tuple(fx.picture), call.process, budget, tape)))
