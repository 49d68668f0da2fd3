"""The first finding in the interpreter's order, from a search by several workers.

**The problem.** Breadth-first search by one worker meets states in a certain order, and shows the first that violates a property,
with the path on which it found it. Several workers find as soon that there is a violation, at the same depth, but which state and
which path is chance. To have one worker search once more costs more than the others have saved.

**The order.** Of two states of a level, one worker finds that one first to which the smaller path leads, where paths of the same
length are compared by what comes first: initial states by their order, then steps by their place among the successors of a
state. So the first finding of one worker is the end of the smallest of all paths of its length to a state with a finding; and
each state before the end lies on a shortest path, at its own depth.

**The algorithm** goes back from the end. All states of the last level are judged once more: those with a finding are wanted.
Then, level by level, all states are expanded once more, with all workers, and those with a successor that is wanted are wanted
in turn; each remembers its first such successor (`kernels.again`). At last, the first of the initial states that are wanted
is where the path begins. Successors are looked for only among the wanted states, which are few, so this takes less than half of
the time that the search of these levels took.

It needs all states in memory, and one look for each property, and no doubt about who is wanted. Where that is not so, one worker
searches again (`search`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from checker.engine.replay import Mismatch
from checker.native import abi
from checker.native.code import frame
from checker.native.explorer import Handler, Outcome
from checker.native.kernels.again import ENTRY, FILTER
from checker.native.memory import Region, words_at
from checker.native.notices import Notices
from checker.native.workers import NEVER

KINDS = "invariant", "step", "no error", "no deadlock"
"""Of the items that can be looked for. Whether `final` is asked depends on what else was found."""

MOST = 1 << 14
"""So many states with a finding are told one by one; among more, one worker comes to the first soon enough."""

SLOT = ENTRY + FILTER // 8
"""Bytes of a slot of the table of wanted states, with its part of the filter."""

RESERVE = 1 << 40
"""Bytes of address space for the entries of a worker."""

Span = tuple[int, int]
"""Where entries begin and end."""


class Abandoned(Exception):
    """The look back had to end, or cannot tell."""


def can_look_back(search: Notices) -> bool:
    """Whether everything is there to look back for all that a search has noticed."""
    kinds = {search.plan.items[number].kind for number in search.noticed}
    kept = search.machine.bound is None or "invariant" not in kinds  # a state outside the bound is judged, and not kept
    exact = search.plan.classes is None and search.plan.table_kind != abi.FINGERPRINT
    return (
        exact and kept and kinds <= {*KINDS} and len(search.noticed) <= search.workers and search.explorer.may_revisit
    )


def look_back(search: Notices, levels: dict[int, int], ended: Callable[[], object]) -> None:
    """Has the interpreter say of the first findings what native code noticed. After that nothing can be searched any more.

    Args:
        search: A search that is complete.
        levels: For each item that is looked for, at which depth it was noticed.
        ended: Looked at between two rounds: whether it has to end.

    Raises:
        Abandoned: It had to end, or cannot tell.
        MemoryError: There is not enough of it.
        Mismatch: What was found is not found again.
    """
    explorer, handler = search.explorer, search.explorer.handler
    back = _Back(search, ended)
    try:
        for number, level in levels.items():
            search.say(number, *back.path(number, level))
    finally:
        explorer.handler = handler
        back.close()


class _Survey:
    """The handler while states are judged once more, by one item. `found`: for each reference what native code said."""

    def __init__(self, search: Notices, number: int, handler: Handler) -> None:
        self.found: dict[int, int] = {}
        self._search = search
        self._number = number
        self.on_defer = handler.on_defer
        self.may_grow = handler.may_grow

    def on_state(self, worker: int, state: int, parent: int) -> None:
        self._add(worker, parent, self._answer(worker))  # which here is the state itself

    def on_step(self, worker: int, old: int, new: int, parent: int) -> None:
        self._add(worker, parent, self._answer(worker))

    def on_expanded(self, worker: int, state: int, ref: int, report: int) -> None:
        self._add(worker, ref, self._answer(worker) if report & abi.REPORT_STEP else report)

    def _answer(self, worker: int) -> int:
        result = self._search.explorer.spec_block(worker)[self._search.plan.shape.results + self._number]
        if result in (0, frame.DEFERRED + 1):  # the interpreter would have to say
            raise Abandoned
        return result - 1

    def _add(self, worker: int, ref: int, answer: int) -> None:
        self.found.setdefault(ref, answer)
        if len(self.found) > MOST:
            raise Abandoned
        self._search.attend(worker, {self._number})  # again, as an item reports once


class _Back:
    """Goes back over levels."""

    def __init__(self, search: Notices, ended: Callable[[], object]) -> None:
        self._search = search
        self._explorer = search.explorer
        self._handler = search.explorer.handler
        self._ended = ended
        workers = self._explorer.searchers
        self._lists = [Region(RESERVE, ENTRY * (self._explorer.states + 2)) for _ in workers]
        for worker, entries in zip(workers, self._lists, strict=True):
            worker.ctx[abi.CTX_FOUND] = entries.start + ENTRY  # so that there is one before
            worker.ctx[abi.CTX_MAX_STATES] = NEVER

    def close(self) -> None:
        """Gives the memory back."""
        for entries in self._lists:
            entries.release()

    def path(self, number: int, level: int) -> tuple[list[int], int]:
        """References along the first path to a state of a level with a finding about an item, and what native code says of it."""
        kind = self._search.plan.items[number].kind
        survey = self._explorer.handler = _Survey(self._search, number, self._handler)
        self._attend({number})
        self._explorer.look_for(0, 4, [])
        self._rounds(level, abi.SURVEY if kind == "invariant" else abi.RETRACE)
        self._attend(set())
        spans = [self._enlist(survey.found)]
        for before in reversed(range(level)):
            table = self._look_for(spans)
            spans = self._rounds(before, abi.RETRACE)
            table.release()
        entries = [entry for start, end in spans for entry in range(start, end, ENTRY)]
        if not entries:
            raise Mismatch("what several workers found is not found again")
        entry, refs = min(entries, key=lambda at: int(words_at(at, 1)[0])), []
        while entry:
            ref, entry = words_at(entry, 2)
            refs.append(ref)
        return refs, survey.found[refs[-1]]

    def _attend(self, numbers: set[int]) -> None:
        for worker in range(self._search.workers):
            self._search.attend(worker, numbers)

    def _enlist(self, refs: Iterable[int]) -> Span:
        """Entries for the states at the end of the path."""
        ctx = self._explorer.first.ctx
        words = [word for ref in refs for word in (ref, 0)]
        start = ctx[abi.CTX_FOUND]
        words_at(start, len(words))[:] = words  # type: ignore[assignment]
        ctx[abi.CTX_FOUND] = start + 8 * len(words)
        return start, start + 8 * len(words)

    def _look_for(self, spans: Sequence[Span]) -> Region:
        """Makes the states of some entries the wanted ones. The table that tells them is in use until it is released."""
        count = sum(end - start for start, end in spans) // ENTRY
        bits = max((2 * count).bit_length(), 4)
        if not self._handler.may_grow(SLOT << bits):
            raise Abandoned
        table = Region(SLOT << bits)
        self._explorer.look_for(table.start, bits, spans)
        return table

    def _rounds(self, level: int, mode: int) -> list[Span]:
        """Goes through a level, and gives the entries that were made."""
        states = self._explorer.revisit(level, mode)
        if not self._handler.may_grow(ENTRY * states):
            raise Abandoned
        before = [worker.ctx[abi.CTX_FOUND] for worker in self._explorer.searchers]
        outcome = Outcome.MORE
        while outcome is not Outcome.LEVEL:
            outcome = self._explorer.round()
            if outcome is Outcome.MEMORY or self._ended():
                raise Abandoned
        after = [worker.ctx[abi.CTX_FOUND] for worker in self._explorer.searchers]
        return list(zip(before, after, strict=True))
