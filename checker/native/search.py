"""One exploration by compiled code, the same as the interpreter's.

Native code finds states, counts steps and notices that something is to be said about a state; what it is, the
interpreter says (`notices`). A path that the interpreter cannot follow is an internal error, not a result.

One worker goes through the states in exactly the order of the interpreter, so it finds the same first violation of
each property, with the same shortest path. Several workers count the same, but who finds a state first is chance. So
when they are done, they look back together for the first violation and the first error (`firsts`); where they cannot
tell, one worker searches again, and stops as soon as it has found all of them. The way to what a `reach` asks for is any
of the shortest. A search that a limit or Ctrl-C ends is not repeated: what it found until then is shown.

Limits, progress, Ctrl-C (`interrupts`), faster code (`tiers`) and checkpoints (`checkpoint`) are seen to between two
rounds of the explorer, some hundred times a second; memory (`room`) whenever something has to grow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from checker.base.diagnostics import error
from checker.engine.interface import Exploration, Limits, Observer, Progress, Stop, Tally
from checker.engine.liveness.verdicts import MEMORY, TIME, unjudged
from checker.engine.memory import resident
from checker.engine.replay import Mismatch
from checker.engine.runtime import State
from checker.engine.search import REPORT
from checker.native import abi
from checker.native.checkpoint import Checkpoint, Mark
from checker.native.code import frame
from checker.native.code.module import Plan
from checker.native.explorer import Explorer, Kernels, Outcome
from checker.native.firsts import Abandoned, can_look_back, look_back
from checker.native.graphs import LARGE
from checker.native.interrupts import Interrupts
from checker.native.livecode import LiveCode
from checker.native.liveness import judge_stored
from checker.native.memory import DENSE, FOURFOLD, SPARSE
from checker.native.notices import Notices
from checker.native.prefault import idle_processors
from checker.native.room import Room, spill_directory
from checker.native.tallies import following, initial_block, merged, tally
from checker.native.tiers import BEST, Tiers
from checker.native.workers import CHUNKS, Sizes, Words

NAME = "native"
"""Of the engine."""

MOMENT = 0.1
"""Seconds after which a worker waits while optimised code is made and no processor is idle. Until then a search may well be over;
after that, what it does with slow code is worth less than to have the other code soon."""

HASH_BITS = 63
"""What is kept of a state with `fingerprints`."""


class NativeSearch(Notices):
    """One exploration. It is the handler of its explorer."""

    def __init__(
        self,
        layout: Plan,
        tiers: Tiers | None,
        workers: int,
        level: int | None = None,
        kernels: Kernels | None = None,
        *,
        tell: Callable[[str], None] = lambda text: None,
        checkpoint: Checkpoint | None = None,
        live: LiveCode | None = None,
    ) -> None:
        super().__init__(layout, workers)
        assert layout.peers or workers == 1, "the code is for one worker"
        self.tiers = tiers
        self.resumed: Mark | None = None
        """Where to go on, instead of from the beginning."""
        self.look: Callable[[NativeSearch], None] | None = None
        """Is given the search when it has ended, before its memory goes."""
        self._level = level
        self._kernels = kernels
        self._tell = tell
        self._checkpoint = checkpoint
        self._live = live
        self.live = unjudged(self.machine, hashed=layout.table_kind == abi.FINGERPRINT)
        self._limits = Limits()
        self._interrupts = Interrupts()
        self._room = Room(None, spill_directory(), tell, lambda: False)
        self._observe: Observer | None = None
        self._started = self._reported = 0.0
        self._first: list[State] = []
        """The initial states."""
        self._before = 0.0
        """Seconds that were spent before a checkpoint."""

    # ---- the search

    def run(self, limits: Limits, observe: Observer | None = None) -> Exploration:
        """Explores within the limits."""
        self._started = self._reported = time.perf_counter()
        self._limits, self._observe, checkpoint = limits, observe, self._checkpoint
        self._first = self.reference.program.initial_states()
        initial = [self.packed(s) for s in self._first]
        if self._kernels is None:
            assert self.tiers is not None
            self._kernels = self.tiers.begin(self._level)
        with Interrupts() as self._interrupts:
            self._open()
            try:
                stop = self._explore(lambda: self._begin(initial))
                if stop is Stop.DONE and self._live is not None:
                    self.live = judge_stored(self._live, self.explorer, self.reference, self._ended, self.may_grow)
                    self.violations |= self.live.violations
                    self.broken |= self.live.broken
                found, last = self._result(stop), self.progress(self._seconds())
                if self.look is not None:
                    self.look(self)
                if stop is Stop.DONE and self.noticed and can_look_back(self):
                    found = self._look_back(found, last)
                if checkpoint is not None and (stop is not Stop.DONE or self.live.cut):
                    checkpoint.stop(self.explorer.arena_words)
            finally:
                if checkpoint is not None:
                    checkpoint.pause()
                self.explorer.close()
            if stop is Stop.DONE and self.noticed:
                found = self._look_again(initial, found, last)
        if self._interrupts.asked:
            return replace(found, stop=Stop.INTERRUPTED)
        if checkpoint is not None and found.stop is Stop.DONE and not self.live.cut:
            checkpoint.finish()
        return found

    def _open(self) -> None:
        shape, limits = self.plan.shape, self._limits
        hashed = self.plan.table_kind == abi.FINGERPRINT
        directory = spill_directory() if self._checkpoint is None else self._checkpoint.path
        self._room = Room(
            limits.max_memory, directory, self._tell, lambda: self._interrupts.asked or self._timed_out(), eager=hashed
        )
        sizes = Sizes(
            workers=self.workers,
            memo=self.plan.memo,
            spec_words=shape.block,
            spec_scratch=8 * shape.scratch,
            record=8 + 8 * self.plan.fixed_words if self.plan.fixed_words else 0,
            max_states=limits.max_states,
            arenas=0 if self.resumed is None else len(self.resumed.snapshot.arenas),
            out=max(1 << 19, 64 * (1 + shape.record)),
            chunks=(CHUNKS[0], self._room.chunk),
            prefault=limits.max_memory is None and idle_processors(self.workers) > 0,
            fourfold=FOURFOLD[limits.max_memory is None],
            fill=DENSE if self.plan.table_kind == abi.INDIRECT else SPARSE,
        )
        assert self._kernels is not None
        self.explorer = Explorer(self._kernels, sizes, self)
        for worker in range(self.workers):
            self.explorer.fill_block(worker, initial_block(self.plan))

    def _explore(self, begin: Callable[[], None]) -> Stop:
        explorer = self.explorer
        searching = time.perf_counter()
        try:
            begin()
            self._mark()
            while explorer.start_level():
                outcome = Outcome.MORE
                while outcome is not Outcome.LEVEL:
                    outcome = explorer.round()
                    now = time.perf_counter()
                    if self.tiers is not None and self._level is None:
                        self._improve(now - searching)
                    self._report(now)
                    within = self._room.keep(explorer)
                    if explorer.expanded == explorer.states:
                        if outcome is Outcome.LIMIT:  # met by the last state, so nothing is missing
                            return Stop.DONE
                        continue
                    stop = self._stop(outcome, within)
                    if stop is not None:
                        return stop
                self._mark()
        except KeyboardInterrupt:
            return Stop.INTERRUPTED
        except MemoryError:
            return Stop.INTERRUPTED if self._interrupts.asked else Stop.MEMORY
        return Stop.DONE

    def _stop(self, outcome: Outcome, within: bool) -> Stop | None:
        """Why the search has to end here."""
        if self._interrupts.asked:
            return Stop.INTERRUPTED
        if outcome is Outcome.LIMIT:
            return Stop.STATES
        if self._timed_out():
            return Stop.TIME
        if outcome is Outcome.MEMORY or not within:
            return Stop.MEMORY
        if self.wanted is not None and not self.wanted:
            return Stop.DONE
        return None

    def _timed_out(self) -> bool:
        timeout = self._limits.timeout
        return timeout is not None and time.perf_counter() - self._started >= timeout

    def _begin(self, initial: Sequence[Words]) -> None:
        """Puts the first states into the explorer."""
        if self.resumed is not None:
            assert self._checkpoint is not None
            self._resume(self.resumed, self._checkpoint)
            return
        self.explorer.add_initial(initial)
        self.on_initial(self._first)
        if not self.explorer.states:
            raise error(
                "PSM508",
                "the bound excludes every initial state, so nothing would be explored",
                source=self.machine.source,
                help="a `bound` has to hold at the start",
            )

    def _improve(self, seconds: float) -> None:
        """Optimised code takes over when it is ready, then that for liveness is made."""
        assert self.tiers is not None
        if seconds > self.tiers.patience:
            self.tiers.improve()
        better = self.tiers.better()
        if better is not None:
            self.explorer.kernels = self._kernels = better
        improving = self.tiers.is_improving
        if self._live is not None and not improving and self.tiers.level == BEST and self.explorer.states >= LARGE:
            self._live.improve()
            improving = self._live.tiers.is_improving
        waits = improving and seconds > MOMENT and idle_processors(self.workers) == 0
        self.explorer.crew = max(self.workers - waits, 1)

    def _report(self, now: float) -> None:
        if now - self._reported >= REPORT:
            self._reported = now
            if self._observe is not None:
                self._observe(self.progress(self._seconds()))

    def progress(self, seconds: float) -> Progress:
        """A snapshot for observers."""
        e = self.explorer
        return Progress(e.states, e.transitions, e.depth, e.states - e.expanded, seconds, resident())

    def may_grow(self, size: int) -> bool:
        """Whether so many more bytes may be used."""
        return self._room.may_grow(self.explorer, size)

    def _ended(self) -> str | None:
        """Why the judging of liveness has to end, if it has to."""
        self._report(time.perf_counter())
        if not self._room.keep(self.explorer):
            return MEMORY
        return "interrupted" if self._interrupts.asked else TIME if self._timed_out() else None

    # ---- a second look

    def _look_back(self, found: Exploration, last: Progress) -> Exploration:
        """All workers find together what one would have found first, as far as they can tell."""

        def look() -> Stop | None:
            self.explorer.crew = self.workers
            try:
                look_back(self, levels, self._ended)
            except (Abandoned, MemoryError):
                return None
            except KeyboardInterrupt:
                return Stop.INTERRUPTED
            self.noticed.clear()
            return Stop.DONE

        levels = {number: self._depth(number) for number in sorted(self.noticed)}
        return self._replaced(found, last, look)

    def _depth(self, number: int) -> int:
        """At which depth the states are about which an item noticed something."""
        item = self.plan.items[number]
        finding = self.violations.get(item.name) or self.broken[item.name]
        return len(finding.path.states) - (2 if item.kind == "step" else 1)

    def _look_again(self, initial: Sequence[Words], found: Exploration, last: Progress) -> Exploration:
        """One worker finds, in the interpreter's order, what several noticed; as long as it is allowed to."""

        def look() -> Stop:
            self.workers, self.resumed, self._checkpoint = 1, None, None
            self._open()
            try:
                return self._explore(lambda: self._begin(initial))
            finally:
                self.explorer.close()

        return self._replaced(found, last, look)

    def _replaced(self, found: Exploration, last: Progress, look: Callable[[], Stop | None]) -> Exploration:
        """What was noticed as a second look finds it, if that comes to its end."""
        chance = self.violations, self.reached, self.broken
        names = {self.plan.items[number].name for number in self.noticed}
        self.violations, self.reached, self.broken = (
            {name: finding for name, finding in findings.items() if name not in names} for findings in chance
        )
        self.wanted, self.settled = set(self.noticed), set()
        observe = self._observe
        if observe is not None:
            self._observe = lambda p: observe(replace(last, seconds=p.seconds, memory=p.memory))
        stop = look()
        self._observe = observe
        if stop is not Stop.DONE:
            self.violations, self.reached, self.broken = chance
        elif self.wanted and found.missed is None:
            raise Mismatch("one worker does not find what several found")
        return replace(
            found,
            stop=Stop.INTERRUPTED if stop is Stop.INTERRUPTED else found.stop,
            seconds=self._seconds(),
            violations=self.violations,
            reached=self.reached,
            broken=self.broken,
        )

    # ---- checkpoints

    def _mark(self) -> None:
        """A level is done."""
        if self._checkpoint is None:
            return
        explorer = self.explorer
        blocks = [list(explorer.spec_block(worker)) for worker in range(self.workers)]
        mark = Mark(
            explorer.snapshot(),
            tuple(merged(self.plan, blocks)),
            self.ordered,
            tuple(sorted(self.noticed)),
            self.kept(),
            self._seconds(),
        )
        self._checkpoint.reached(mark, explorer.arena_words)

    def _resume(self, mark: Mark, checkpoint: Checkpoint) -> None:
        """Goes on where a checkpoint was written, maybe with another number of workers."""

        def read(number: int, first: int, into: memoryview) -> None:
            if self._interrupts.asked:
                raise KeyboardInterrupt
            self._report(time.perf_counter())
            checkpoint.read(number, first, into)

        self._before = mark.seconds
        self.explorer.restore(mark.snapshot, read)
        for worker, block in enumerate(following(self.plan, mark.block, self.workers)):
            self.explorer.fill_block(worker, block)
        self.ordered = self.ordered and mark.ordered
        self.noticed = set(mark.noticed)
        self.rebuild(mark.found, mark.block)

    # ---- the result

    def _seconds(self) -> float:
        return time.perf_counter() - self._started + self._before

    def _result(self, stop: Stop) -> Exploration:
        explorer = self.explorer
        block = merged(self.plan, [list(explorer.spec_block(worker)) for worker in range(self.workers)])
        n = explorer.states
        return Exploration(
            NAME,
            stop,
            n if self.plan.orders is None else block[frame.STATES],
            explorer.transitions + block[frame.EXTRA],
            explorer.depth,
            self._seconds(),
            self.violations,
            self.reached,
            self.broken,
            tally(self.plan, block, explorer.bound_cut, complete=stop is Stop.DONE) if self.plan.coverage else Tally(),
            n * (n - 1) / 2 / 2**HASH_BITS if self.plan.table_kind == abi.FINGERPRINT else None,
            orbits=None if self.plan.orders is None else n,
            held=tuple(self.live.held),
            open=self.live.open,
            reduced=self.plan.classes is not None,
        )
