"""Deliveries: every message that can be delivered, with every handler that may take it, in the order of the interpreter.

Where there are few possible messages, each has code of its own, with its sender, receiver and payload as constants. Otherwise
loops over the bits or lanes of a network find out what a message is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from checker.base.data import dataclass
from checker.model.machine import Message, Step
from checker.model.types import ProcT, RoleInfo, roles_of
from checker.native.code.outcomes import Call, Outcomes
from checker.native.code.packed import Dense
from checker.native.code.values import Val
from checker.native.code.writer import is_number


@dataclass(frozen=True, slots=True)
class Only:
    """Deliveries from one process to another, which `silent` asks about: no others, and none that is ignored."""

    receiver: str
    sender: str


class Deliveries(Outcomes):
    """A function that delivers messages."""

    unroll = False
    """Whether calls of handlers are written out one by one, with constants for processes and messages."""

    def handlers_of(self, message: Message) -> list[tuple[int, Step]]:
        """The handlers of a message kind."""
        return [
            (n, s)
            for n, s in enumerate(self.unit.machine.steps)
            if s.kind in ("message", "ignore") and s.name == message.name
        ]

    def deliver(self, state: str, only: Only | None = None) -> None:
        """Runs every handler of every message that can be delivered."""
        for network in range(len(self.unit.machine.networks)):
            dense = self.unit.packed.dense.get(network)
            if dense is not None:
                if self.unroll and only is None:
                    self._deliver_each(state, network, dense)
                else:
                    self._deliver_bits(state, network, dense, only)
            elif network in self.unit.packed.listed:
                self.deliver_lanes(state, network, only)

    def messages_on(self, network: int) -> list[Message]:
        """The message kinds of a network, in the order of their codes."""
        return [m for m in self.unit.machine.messages.values() if m.network == network]

    # ---- dense networks

    def _deliver_each(self, state: str, network: int, dense: Dense) -> None:
        layout = self.unit.layout
        net = self.read(state, dense.place)
        for bit, code in enumerate(dense.codes):
            letter = layout.decode(code)
            message = self.unit.machine.messages[letter.kind]
            calls = [
                (n, s)
                for n, s in self.handlers_of(message)
                if letter.receiver in s.role.processes and self._takes(s, letter.sender)
            ]
            if not calls:
                continue
            on = self.block("on")
            self.require(self.extract(net, dense.place.width, str(bit), 1), on, likely=False)
            args = [self.constant(t, v) for (_, t), v in zip(message.fields, letter.payload, strict=True)]
            self._run_all(calls, state, str(letter.receiver), str(letter.sender), str(bit), args, on)
            self.place(on)

    def _takes(self, step: Step, sender: int) -> bool:
        assert step.sender is not None
        return any(sender in r.processes for r in roles_of(step.sender.type))

    def _run_all(
        self, calls: list[tuple[int, Step]], state: str, me: str, sender: str, where: str, args: list[Val], on: str
    ) -> None:
        role = ProcT((calls[0][1].role,))
        self.require(self.is_up(state, me, role), on, likely=False)
        self.require(self.negate(self.separated(state, me, sender)), on, likely=False)
        for number, _ in calls:
            self.handler(Call(number=number, state=state, me=me, sender=sender, consume=where, args=args, key=where))

    def _deliver_bits(self, state: str, network: int, dense: Dense, only: Only | None) -> None:
        net = self.read(state, dense.place)
        for message in self.messages_on(network):
            if not self.handlers_of(message):
                continue
            senders, receivers = self.unit.packed.ends(message.name)
            ends = len(senders) * len(receivers)
            width = ends * self.unit.layout.payloads(message)
            if not width:
                continue
            first = self.first_bit(message.name)

            def one(i: str, message: Message = message, first: int = first, ends: int = ends) -> None:
                sender, receiver = self.ends_of(message.name, i)
                payload = str(int(i) // ends) if is_number(i) else self.let(f"udiv i64 {i}, {ends}")
                bit = self.op("add", 64, i, str(first))
                self._dispatch(message, state, receiver, sender, payload, bit, only, bit)

            self.each_bit(self.extract(net, dense.place.width, str(first), width), width, one)

    # ---- listed networks

    def deliver_lanes(self, state: str, network: int, only: Only | None) -> None:
        """The messages of a listed network."""
        begin, end = self.span_of(state, network)
        if self.unit.machine.networks[network].kind == "fifo":
            self._deliver_heads(state, network, begin, end, only)
        else:
            self._deliver_kinds(state, network, begin, end, only)

    def _deliver_heads(self, state: str, network: int, begin: str, end: str, only: Only | None) -> None:
        """The first message of each queue."""
        previous = self.stack("i64")
        self.store("-1", previous)

        def one(lane: str) -> None:
            code = self.lane(state, lane)
            on = self.block("on")
            pair = self.op("and", 64, code, self.pair_mask)
            known = self.load(previous)
            self.store(pair, previous)
            self.require(self.compare("ne", 64, pair, known), on, likely=False)
            for message in self.messages_on(network):
                if self.handlers_of(message):
                    self.for_kind(code, message, partial(self.deliver_lane, message, state, lane, only))
            self.go(on)
            self.place(on)

        self.loop(begin, end, one)

    def _deliver_kinds(self, state: str, network: int, begin: str, end: str, only: Only | None) -> None:
        """The messages of a soup or bag, kind by kind.

        Lanes ascend, so each kind has a stretch of them, and gets a loop of its own, whose branches a processor predicts better
        than those of one loop over all kinds.
        """
        at = self.stack("i64")
        self.store(begin, at)
        for message in self.messages_on(network):
            numbers = self.unit.packed.kinds[message.name]
            head, look, here, following, done = (self.block(h) for h in ("head", "look", "here", "next", "done"))
            self.place(head)
            lane = self.load(at)
            self.when(self.compare("ult", 64, lane, end), look, done)
            self.place(look)
            code = self.lane(state, lane)
            number = self.op("sub", 64, code, str(numbers.base))
            self.when(self.compare("ult", 64, number, str(1 << numbers.width)), here, done)
            self.place(here)
            if self.handlers_of(message):
                if self.unit.machine.networks[network].kind == "bag":  # copies of one message are one delivery
                    first, again = self.block("first"), self.block("again")
                    self.when(self.compare("eq", 64, lane, begin), first, again)
                    self.place(again)
                    before = self.lane(state, self.op("sub", 64, lane, "1"))
                    self.when(self.compare("ne", 64, before, code), first, following)
                    self.place(first)
                self.deliver_lane(message, state, lane, only, number)
            self.go(following)
            self.place(following)
            self.store(self.op("add", 64, lane, "1"), at)
            self.go(head)
            self.place(done)

    def for_kind(self, code: str, message: Message, then: Callable[[str], None]) -> None:
        """Runs code for a message code if it is of this kind, with its number within the kind."""
        numbers = self.unit.packed.kinds[message.name]
        number = self.op("sub", 64, code, str(numbers.base))
        inside, on = self.block("kind"), self.block("on")
        self.when(self.compare("ult", 64, number, str(1 << numbers.width)), inside, on)
        self.place(inside)
        then(number)
        self.go(on)
        self.place(on)

    def deliver_lane(self, message: Message, state: str, lane: str, only: Only | None, number: str) -> None:
        """Delivers the message in a lane, whose number within its kind is known."""
        packed = self.unit.packed
        sender, receiver = self.ends_in(number)
        payload = self.op("lshr", 64, number, str(packed.sender_bits + packed.receiver_bits))
        self._dispatch(message, state, receiver, sender, payload, lane, only, number)

    # ---- handlers

    def _dispatch(
        self, message: Message, state: str, receiver: str, sender: str, payload: str, where: str, only: Only | None,
        key: str,
    ) -> None:  # fmt: skip
        """Runs the handlers of a message whose ends are known only at run time."""
        on = self.block("on")
        if only is not None:
            self.require(self.compare("eq", 64, receiver, only.receiver), on, likely=False)
            self.require(self.compare("eq", 64, sender, only.sender), on, likely=False)
        senders, receivers = self.unit.packed.ends(message.name)
        by_role: dict[str, list[tuple[int, Step]]] = {}
        for n, s in self.handlers_of(message):
            if only is None or s.kind != "ignore":
                by_role.setdefault(s.role.name, []).append((n, s))
        args = self.fields_of(message, payload)
        for calls in by_role.values():
            role = calls[0][1].role
            here = [p for p in receivers if p in role.processes]
            if not here:
                continue
            out = self.block("out")
            if here != receivers:
                self.require(self._in_role(receiver, role), out, likely=False)
            if only is None:
                self.require(self.is_up(state, receiver, ProcT((role,))), out, likely=False)
                self.require(self.negate(self.separated(state, receiver, sender)), out, likely=False)
            for number, step in calls:
                skip = self.block("skip")
                if not all(self._takes(step, p) for p in senders):
                    assert step.sender is not None
                    taken = "0"
                    for r in roles_of(step.sender.type):
                        if r.size:
                            taken = self.either(taken, self._in_role(sender, r))
                    self.require(taken, skip, likely=False)
                self.handler(
                    Call(number=number, state=state, me=receiver, sender=sender, consume=where, args=args, key=key)
                )
                if only is not None:
                    self.after_probe()
                self.place(skip)
            self.place(out)
        self.place(on)

    def after_probe(self) -> None:
        """What follows a delivery that `silent` tried."""
        raise NotImplementedError

    def _in_role(self, process: str, role: RoleInfo) -> str:
        return self.both(
            self.compare("sge", 64, process, str(role.base)),
            self.compare("slt", 64, process, str(role.base + role.size)),
        )
