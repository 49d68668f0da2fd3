"""Which steps are known to change nothing, from state to state.

Where messages stay for all to see, most steps lead nowhere: a message that was taken before is taken again, an answer that
was sent is sent again. Of the steps of Raft, five in six leave the state as it is, and to find that out costs nearly all the
time.

A step that leaves state P as it is leaves state S as it is, too, if S has all messages that P has, and everything else that
the step reads or writes is in S as in P. A step that is not enabled in P is not enabled in S, on the same conditions. This is
so for any two states; P is the one that S was found from, because then little differs.

So `expand` leaves two words about each state that it has expanded (`native.memos`): which of its messages, if they are at most
32, lead nowhere, which of these are taken all the same, and the same for what processes do by themselves. The states that were
found from it look them up, move the bits to where the messages stand now, forget those of steps for which something changed,
and take only the other steps. What is left out is counted as if it had been taken.

What may be recalled, `recallable` says. The two words also tell which steps change something, and of those, the ones that
`sleep` knows to lead where others lead are left out, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce

from checker.model.machine import Message
from checker.native import abi
from checker.native.code import frame
from checker.native.code.deliver import Only
from checker.native.code.footprint import Mask
from checker.native.code.recallable import WORDS
from checker.native.code.sleep import Sleeping
from checker.native.code.vectors import MOST
from checker.native.code.writer import normal


class Recalling(Sleeping):
    """Writes what `expand` does with what is recalled. Pairs of words, below: for messages, and for actions.

    A step is `quiet` if it leads nowhere, and then `taken` if it is enabled all the same; it is `active` if it leads somewhere.
    """

    judged: Mask | None = None
    """The bits of the fixed words that step properties read, where that is known."""

    # ---- what is known already

    def look_back(self, state: str) -> None:
        """Finds out which steps lead nowhere as they did in the state that this one was found from, and counts them."""
        self.quiet = self.stack("i64"), self.stack("i64")
        self.taken = self.stack("i64"), self.stack("i64")
        self.active = self.stack("i64"), self.stack("i64")
        for word in (*self.quiet, *self.taken, *self.active):
            self.store("0", word)
        if self.recall is None:
            return
        done = self.block("recalled")
        known = self.load(self.word(self.ctx, abi.CTX_MEMO_BEFORE))
        self.require(self.compare("ne", 64, known, "0"), done)
        memo, parent = self.pointer(known), self.parent(state)
        words = self.load(memo), self.load(self.word(memo, 1))
        self.require(self.compare("ne", 64, self.op("or", 64, *words), "0"), done)
        count, before = (self.count_of(s, self.recall.network) for s in (state, parent))
        self.require(self.compare("ule", 64, count, str(MOST)), done)
        self.require(self.compare("ule", 64, before, count), done)
        now = self.vector(state)
        low = str((1 << MOST) - 1)
        quiet, other = ([self.op("and", 64, self.op("lshr", 64, w, str(at)), low) for w in words] for at in (0, MOST))
        origin = self.origin(state)
        earlier = self.before(origin) if self.sleeps else ["0", "0"]
        noted = [self.op("or", 64, q, e) for q, e in zip(quiet, earlier, strict=True)]
        other = [self.op("and", 64, o, n) for o, n in zip(other, noted, strict=True)]
        quiet[0], other[0] = self._moved((quiet[0], other[0]), state, parent, count, before, done)
        taken = [self.op("and", 64, o, q) for o, q in zip(other, quiet, strict=True)]
        active = [self.op("xor", 64, o, t) for o, t in zip(other, taken, strict=True)]
        # what was not enabled needs no more than that what its guard reads is as it was
        idle = [self.op("xor", 64, q, t) for q, t in zip(quiet, taken, strict=True)]
        changed = self._changed(state, parent)
        touched, asked = (self._hit(changed, now, masks) for masks in (self.recall.touch, self.recall.ask))
        differs = "1" if self.judged is None else self._touched(changed, self.judged)
        taken = [self.op("and", 64, t, self.op("xor", 64, hit, "-1")) for t, hit in zip(taken, touched, strict=True)]
        idle = [self.op("and", 64, i, self.op("xor", 64, hit, "-1")) for i, hit in zip(idle, asked, strict=True)]
        if self.sleeps:
            woken = touched if self.wakes == self.recall.touch else self._hit(changed, now, self.wakes)
            same = [self.op("and", 64, a, self.op("xor", 64, hit, "-1")) for a, hit in zip(active, woken, strict=True)]
            active = self.asleep(same, origin, parent, now)
            self._keep_alive(active)
        quiet = [self.op("or", 64, i, t) for i, t in zip(idle, taken, strict=True)]
        if self.program.has_steps:  # it is for them that a step has to be told that changes nothing of what they read
            asks, told = self.block("asks"), self.block("told")
            silent = self.op("or", 64, self.op("or", 64, *taken), self.op("or", 64, *active))
            self.when(self.compare("ne", 64, silent, "0"), asks, told)
            self.place(asks)
            known = self.block("known")
            # where nothing differs of what they read, that was judged as the step that led here
            if self.judged is not None:
                self.require(differs, known, likely=False)
            answer = self.let(f"call i64 @stutter(ptr {self.ctx}, ptr {state})")
            self.require(self.compare("eq", 64, answer, "0"), done)
            self.go(known)
            self.place(known)
            self.store("1", self.word(self.frame, frame.STUTTERED))
            self.go(told)
            self.place(told)
        self._count_left_out([self.op("or", 64, t, a) for t, a in zip(taken, active, strict=True)], now)
        for pair, found in ((self.quiet, quiet), (self.taken, taken), (self.active, active)):
            for word, bits in zip(pair, found, strict=True):
                self.store(bits, word)
        self.go(done)
        self.place(done)

    def _moved(
        self, bits: tuple[str, str], state: str, parent: str, count: str, before: str, lost: str
    ) -> tuple[str, str]:
        """Two words about the messages of the parent, as words about those of the state; goes to `lost` where one is missing."""
        words = self.stack("i64"), self.stack("i64")
        for word, value in zip(words, bits, strict=True):
            self.store(value, word)
        gap, at = self.stack("i64"), self.stack("i64")
        self.store("0", gap)
        self.store("0", at)
        old = self.vector(parent)
        most = self.op("sub", 64, count, before)
        head, insert, moved = self.block("head"), self.block("insert"), self.block("moved")
        self.place(head)
        shift = self.load(gap)
        self.require(self.compare("ule", 64, shift, most), lost)
        differ = self.where("ne", self.vector(state, shift), old)
        differ = self.op("and", 64, differ, self.op("shl", 64, "-1", self.load(at)))
        end = self.op("shl", 64, "1", before)
        differ = self.op("or", 64, self.op("and", 64, differ, self.op("sub", 64, end, "1")), end)
        here = self.lowest_bit(differ, 64)
        self.when(self.compare("eq", 64, here, before), moved, insert)
        self.place(insert)
        self.store(here, at)
        self.store(self.op("add", 64, shift, "1"), gap)
        low = self.first(self.op("add", 64, here, shift))
        for word in words:
            value = self.load(word)
            below = self.op("and", 64, value, low)
            above = self.op("shl", 64, self.op("xor", 64, value, below), "1")
            self.store(self.op("or", 64, above, below), word)
        self.go(head)
        self.place(moved)
        return self.load(words[0]), self.load(words[1])

    def _hit(self, changed: list[str], now: str, masks: Mapping[tuple[int, int], Mask]) -> list[str]:
        """The steps whose masks have some of the bits that have changed."""
        assert self.recall is not None
        receivers = self.receivers(now)
        groups = self.recall.groups(masks)
        hit, messages = self._touched_each(changed, [mask for _, _, mask in groups]), "0"
        for i, (process, kinds, _) in enumerate(groups):
            to = self.where("eq", receivers, self.all(str(process + 1)))
            if kinds != tuple(self.recall.kinds):
                to = self.op("and", 64, to, reduce(partial(self.op, "or", 64), [self.of_kind(now, k) for k in kinds]))
            here = self.let(f"trunc i64 {self.op('lshr', 64, hit, str(i))} to i1")
            messages = self.op("or", 64, messages, self.select(here, "i64", to, "0"))
        sites = sorted(self.recall.sites, key=self.recall.sites.__getitem__)
        return [messages, self._touched_each(changed, [masks[step, me] for me, step, _ in sites])]

    def _touched_each(self, changed: list[str], masks: list[Mask]) -> str:
        """For each of some masks a bit that says whether some of its bits are among those that differ."""
        if not masks:
            return "0"
        kind = f"<{len(masks)} x i64>"
        found = f"{kind} zeroinitializer"
        for i, bits in enumerate(changed):
            column = [normal(mask[i], 64) for mask in masks]
            if set(column) != {"0"}:
                one = self.let(f"insertelement {kind} poison, i64 {bits}, i64 0")
                every = self.let(f"shufflevector {kind} {one}, {kind} poison, <{len(masks)} x i32> zeroinitializer")
                constants = ", ".join(f"i64 {word}" for word in column)
                part = self.let(f"and {kind} {every}, <{constants}>")
                found = f"{kind} {self.let(f'or {found}, {part}')}"
        some = self.let(f"icmp ne {found}, zeroinitializer")
        return self.resize(self.let(f"bitcast <{len(masks)} x i1> {some} to i{len(masks)}"), len(masks), 64)

    def _changed(self, state: str, parent: str) -> list[str]:
        """The bits of each fixed word in which two states differ."""
        words = range(self.unit.packed.words)
        return [self.op("xor", 64, self.load(self.word(state, i)), self.load(self.word(parent, i))) for i in words]

    def _touched(self, changed: list[str], mask: Mask) -> str:
        """Whether one of the bits of a mask is among those that differ."""
        found = "0"
        for word, bits in zip(changed, mask, strict=True):
            found = self.op("or", 64, found, self.op("and", 64, word, normal(bits, 64)))
        return self.compare("ne", 64, found, "0")

    def _keep_alive(self, asleep: list[str]) -> None:
        """Notes that steps change the state, if some sleep: no fault is recalled."""
        some = self.resize(self.compare("ne", 64, self.op("or", 64, *asleep), "0"), 1, 64)
        alive = self.word(self.frame, frame.ALIVE)
        self.store(self.op("or", 64, self.load(alive), some), alive)

    def _count_left_out(self, taken: list[str], now: str) -> None:
        """Counts the steps that are left out though they could be taken."""
        assert self.recall is not None
        messages, actions = taken
        total = self.op("add", 64, self.count_bits(messages, 64), self.count_bits(actions, 64))
        self.bump(self.word(self.frame, frame.TRANSITIONS), total)
        if not self.program.coverage:
            return
        for name, number in self.recall.kinds.items():
            self._count_steps(number, self.op("and", 64, messages, self.of_kind(now, name)))
        for number in dict.fromkeys(step for _, step, _ in self.recall.sites):
            own = sum(1 << bit for (_, step, _), bit in self.recall.sites.items() if step == number)
            self._count_steps(number, self.op("and", 64, actions, str(own)))

    def _count_steps(self, number: int, bits: str) -> None:
        self.bump(self.word(self.frame, frame.FIRED + number), self.count_bits(bits, 64))

    # ---- what is not known yet

    def left_out(self, word: int) -> str:
        """The steps that need not be taken."""
        return self.op("or", 64, self.load(self.quiet[word]), self.load(self.active[word]))

    def unless_quiet(self, word: int, bit: str, take: Callable[[], None]) -> None:
        """Takes a step unless it is known to lead nowhere, and notes whether it does."""
        on = self.block("quiet")
        known = self.op("lshr", 64, self.left_out(word), bit)
        self.require(self.compare("eq", 64, self.op("and", 64, known, "1"), "0"), on, likely=False)
        self.noting(word, bit, take)
        self.go(on)
        self.place(on)

    def unless_all_quiet(self, me: str, numbers: list[int], on: str) -> None:
        """Leaves to `on` where everything that a process can do by itself, these steps, is known to lead nowhere."""
        if self.recall is None or not self.unroll:
            return
        own = {bit: step for (process, step, _), bit in self.recall.sites.items() if process == int(me)}
        if set(numbers) <= set(own.values()):
            bits = str(sum(1 << bit for bit in own))
            known = self.op("and", 64, self.left_out(1), bits)
            self.require(self.compare("ne", 64, known, bits), on, likely=False)

    def noting(self, word: int, bit: str, take: Callable[[], None]) -> None:
        """Takes a step, and notes whether it leads nowhere."""
        counter, out = (self.word(self.frame, i) for i in (frame.TRANSITIONS, frame.OUT))
        before, end = self.load(counter), self.load(out)
        self.set_origin(word, bit)
        take()
        self.forget_origin()
        same = self.resize(self.compare("eq", 64, self.load(out), end), 1, 64)
        taken = self.op("and", 64, same, self.op("sub", 64, self.load(counter), before))
        active = self.op("xor", 64, same, "1")
        for pair, value in ((self.quiet, same), (self.taken, taken), (self.active, active)):
            self.store(self.op("or", 64, self.load(pair[word]), self.op("shl", 64, value, bit)), pair[word])

    def deliver_lanes(self, state: str, network: int, only: Only | None) -> None:
        """The messages of a soup, 32 at a time and kind by kind, but for those that are known to lead nowhere."""
        if self.recall is None or only is not None:
            super().deliver_lanes(state, network, only)
            return
        total, at = self.count_of(state, network), self.stack("i64")
        self.store("0", at)
        head, some, done = self.block("head"), self.block("some"), self.block("delivered")
        self.place(head)
        start = self.load(at)
        left = self.op("sub", 64, total, start)
        self.when(self.compare("ult", 64, start, total), some, done)
        self.place(some)
        now = self.vector(state, start)
        few = self.compare("ult", 64, left, str(MOST))
        first = self.compare("eq", 64, start, "0")
        rest = self.first(self.select(few, "i64", left, str(MOST)))
        known = self.select(first, "i64", self.left_out(0), "0")
        for message in self.messages_on(network):
            kind = self.unit.packed.kinds[message.name]
            of_kind = self.op("and", 64, rest, self.below(now, kind.base + (1 << kind.width)))
            rest = self.op("xor", 64, rest, of_kind)
            recalled = message.name in self.recall.kinds
            if recalled:
                of_kind = self.op("and", 64, of_kind, self.op("xor", 64, known, "-1"))

            def one(bit: str, message: Message = message, base: int = kind.base, recalled: bool = recalled) -> None:
                lane = self.op("add", 64, start, bit)
                number = self.op("sub", 64, self.lane(state, lane), str(base))
                take = partial(self.deliver_lane, message, state, lane, None, number)
                self.noting(0, bit, take) if recalled else take()

            if self.handlers_of(message):
                self.each_bit(of_kind, 64, one)
        self.store(self.op("add", 64, start, str(MOST)), at)
        self.go(head)
        self.place(done)

    # ---- what is left for the next states

    def leave_behind(self, state: str) -> None:
        """Writes down which steps lead nowhere, where all of them are known."""
        if self.recall is None:
            return
        skip = self.block("left")
        self.require(self.compare("eq", 64, self.load(self.word(self.frame, frame.FAILED)), "0"), skip)
        if self.program.has_steps:
            stuttered = self.load(self.word(self.frame, frame.STUTTERED))
            self.require(self.compare("ne", 64, stuttered, str(frame.TOLD)), skip)
        place = self.load(self.word(self.ctx, abi.CTX_MEMO))
        self.require(self.compare("ne", 64, place, "0"), skip)
        self.require(self.compare("ule", 64, self.count_of(state, self.recall.network), str(MOST)), skip)
        memo = self.pointer(place)
        for i in range(WORDS):
            other = self.op("or", 64, self.load(self.taken[i]), self.load(self.active[i]))
            taken = self.op("shl", 64, other, str(MOST))
            self.store(self.op("or", 64, taken, self.load(self.quiet[i])), self.word(memo, i))
        self.go(skip)
        self.place(skip)
