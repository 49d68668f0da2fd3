"""Sleep sets: which steps need not be taken, as another path has led, or will lead, to where they lead.

Where processes act side by side, a state is found again for each order of their steps, and most successors that are looked up
are known already. Let P be a state in which step a was taken before step b, and S the state that b led to, from where it
was found. If a and b commute, then a is enabled in S, too, and leads to the state that b leads to from Q, the state that a led
to from P. So a **sleeps** in S: it is counted, but neither taken nor looked up.

That no state is lost: say that every step of every state of a level leads to a state that is found by the end of the next
level. Let a sleep in S. By induction over levels Q is found no later than S, and b is a step of Q. If b sleeps in Q, too, then
because of a step that comes behind b, as b comes behind a; so this ends after as many times as there are steps. Nor is the
order changed in which one worker finds states: P takes a before b, so Q stands before S, and S would have found what is
there already.

What that needs:

- Both steps are of the kind that is recalled (`recallable`): one outcome, no messages asked for, messages stay where they are.
- Neither writes what the other touches, and they send different messages, as those of different processes always do.
- What a touches is in S as in P (`recall`), so it does in S what it did in P. Nor does it leave S as it is: b neither wrote the
  variables that a changes nor sent the same messages.
- Of a condition that steps have to meet for all processes, each part (`footprint.split`) that reads something which a writes
  reads nothing in which S and P differ. So it says of the step from S what it said of the one from P. The other parts say of it
  what they say of a step that leaves S as it is, and about that they are asked.
- There is no bound, outside of which Q could lie, and states are not renamed.

Each header says which step of the parent led to the state (`abi.ORIGIN`).

Source: P. Godefroid, "Partial-order methods for the verification of concurrent systems", 1996, chapter 5. There, a sleep set is
handed on from state to state, which takes a depth-first search; here it is made of what was noted in the parent.
"""

from __future__ import annotations

from collections.abc import Mapping

from checker.native import abi
from checker.native.code import frame
from checker.native.code.deliver import Deliveries
from checker.native.code.footprint import Mask
from checker.native.code.recallable import Recall
from checker.native.code.vectors import MOST

GIVEN = 1 << 7
"""An origin has this bit, the word of the step that led to the state, and its bit there."""
ACTION = 1 << 5


class Sleeping(Deliveries):
    """Writes what `expand` does with steps that sleep. Pairs of words are those of `recall`: for messages, and for actions."""

    recall: Recall | None = None
    sleeps = False
    """Whether steps may sleep at all."""
    wakes: Mapping[tuple[int, int], Mask]
    """For each recalled step by its number, and process: what may not have changed since the parent, so that it sleeps."""

    def origin(self, state: str) -> str:
        """Which step led to a state from the one it was found from; less than GIVEN where that is not known."""
        return self.op("lshr", 64, self.load(self.word(state, -1)), str(abi.ORIGIN))

    def set_origin(self, word: int, bit: str) -> None:
        """Says which step is under way."""
        if self.sleeps:
            step = self.op("add", 64, bit, str(GIVEN + word * ACTION))
            self.store(self.op("shl", 64, step, str(abi.ORIGIN)), self.word(self.frame, frame.KEY))

    def forget_origin(self) -> None:
        """Says that the steps to come have no origin."""
        if self.sleeps:
            self.store("0", self.word(self.frame, frame.KEY))

    def before(self, origin: str) -> list[str]:
        """The steps that a state takes before the one that has an origin; none before one that has none."""
        bit = self.op("and", 64, origin, str(ACTION - 1))
        low = self.first(bit)
        action = self.compare("ne", 64, self.op("and", 64, origin, str(ACTION)), "0")
        given = self.compare("uge", 64, origin, str(GIVEN))
        messages, actions = self.select(action, "i64", str((1 << MOST) - 1), low), self.select(action, "i64", low, "0")
        return [self.select(given, "i64", word, "0") for word in (messages, actions)]

    def asleep(self, awake: list[str], origin: str, parent: str, now: str) -> list[str]:
        """Of steps that do what they did in the parent, those that commute with the one that led here."""
        assert self.recall is not None
        steps = sorted({*self.recall.kinds.values(), *(step for _, step, _ in self.recall.sites)})
        who, step = self._who(steps, origin, parent)
        others = self.where("ne", self.receivers(now), self.all(who))
        messages = self.op("and", 64, others, self._messages(steps, step, now))
        actions = self.op("or", 64, self._actions(steps, step, who), self._beside(origin))
        return [self.op("and", 64, a, b) for a, b in zip(awake, (messages, actions), strict=True)]

    def receivers(self, now: str) -> str:
        """One more than the receiver of each message."""
        return self.let(f"and {self.vector_kind} {now}, {self.all(str(self._ends - 1))}")

    def of_kind(self, now: str, name: str) -> str:
        """The messages of a kind."""
        kind = self.unit.packed.kinds[name]
        found = self.below(now, kind.base + (1 << kind.width))
        if kind.base:
            found = self.op("and", 64, found, self.op("xor", 64, self.below(now, kind.base), "-1"))
        return found

    def _who(self, steps: list[int], origin: str, parent: str) -> tuple[str, str]:
        """One more than the process that took the step with an origin, and where that step is among the recalled ones.

        Where there is no origin, both are something, within the same limits: a branch would cost more than to go on.
        """
        assert self.recall is not None
        bit = self.op("and", 64, origin, str(ACTION - 1))
        code = self.lane(parent, bit)
        who, step = self.op("and", 64, code, str(self._ends - 1)), "0"
        for name, number in sorted(self.recall.kinds.items(), key=lambda item: self.unit.packed.kinds[item[0]].base):
            here = self.compare("uge", 64, code, str(self.unit.packed.kinds[name].base))
            step = self.select(here, "i64", str(steps.index(number)), step)
        if self.recall.sites:
            sites = sorted(self.recall.sites, key=self.recall.sites.__getitem__)
            sites += sites[:1] * (MOST - len(sites))
            action = self.compare("ne", 64, self.op("and", 64, origin, str(ACTION)), "0")
            who = self.select(action, "i64", self._look([me + 1 for me, _, _ in sites], bit), who)
            step = self.select(action, "i64", self._look([steps.index(n) for _, n, _ in sites], bit), step)
        return who, step

    def _messages(self, steps: list[int], step: str, now: str) -> str:
        """The recalled messages whose taking commutes with a step, and some others."""
        assert self.recall is not None
        found = str((1 << MOST) - 1)
        for name, number in self.recall.kinds.items():
            apart = [int(number not in self.recall.commute[other]) for other in steps]
            if any(apart):
                clash = self.compare("ne", 64, self._look(apart, step), "0")
                left = self.select(clash, "i64", self.op("xor", 64, self.of_kind(now, name), "-1"), "-1")
                found = self.op("and", 64, found, left)
        return found

    def _actions(self, steps: list[int], step: str, who: str) -> str:
        """The actions that commute with a step of a process."""
        assert self.recall is not None
        sites = self.recall.sites.items()
        table = [
            sum(1 << bit for (p, n, _), bit in sites if p + 1 != process and n in self.recall.commute[other])
            for other in steps
            for process in range(self._ends)
        ]
        return self._look(table, self.op("add", 64, self.op("mul", 64, step, str(self._ends)), who))

    def _beside(self, origin: str) -> str:
        """The actions of the same process that commute with the action that an origin tells of; none where it does not."""
        assert self.recall is not None
        table = [*self.recall.beside, *[0] * (MOST - len(self.recall.beside))]
        if not any(table):
            return "0"
        action = self.compare("ne", 64, self.op("and", 64, origin, str(ACTION)), "0")
        return self.select(action, "i64", self._look(table, self.op("and", 64, origin, str(ACTION - 1))), "0")

    @property
    def _ends(self) -> int:
        """How many patterns the receiver of a message has: one more than a process, or 0."""
        return 1 << self.unit.packed.receiver_bits

    def _look(self, table: list[int], index: str) -> str:
        """An entry of a table of constants."""
        place = self.let(f"getelementptr i64, ptr {self.unit.table('i64', table)}, i64 {index}")
        return self.load(place)
