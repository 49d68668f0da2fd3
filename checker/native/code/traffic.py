"""What expressions ask of networks: `sent`, `inflight`, `silent`.

The fields of a message that is asked for may be values that no message can have; then it was not sent. A faulty process may
have sent anything. In a listed network `sent` is a search, since all messages with one payload and sender lie side by side;
`inflight` with ends looks at every message of the network.
"""

from __future__ import annotations

from collections.abc import Callable

from checker.model import ir
from checker.model.machine import NOBODY, Message
from checker.model.types import IntT, ProcT, SetT, fits, has_where
from checker.native.code.domains import Domains
from checker.native.code.packed import Dense
from checker.native.code.values import Val


class Traffic(Domains):
    """Code that asks networks."""

    def sent(self, e: ir.Sent) -> str:
        """`sent(M(…) from p)`: the message is there to anyone, or the sender is faulty."""
        if not e.many:
            sender = self.expr(e.sender)
            return self._sent_by(e, sender)
        result = self.stack("i1")
        self.store("0", result, "i1")
        done = self.block("sent")

        def ask(p: Val) -> None:
            stop, on = self.block("stop"), self.block("next")
            self.when(self._sent_by(e, p), stop, on)
            self.place(stop)
            self.store("1", result, "i1")
            self.go(done)
            self.place(on)

        self.iterate(e.sender, ask)
        self.place(done)
        return self.load(result, "i1")

    def _sent_by(self, e: ir.Sent, sender: Val) -> str:
        result = self.stack("i1")
        self.store("1", result, "i1")
        done = self.block("known")
        if self.unit.layout.faulty is not None:
            ask = self.block("ask")
            self.when(self.is_faulty(sender.op), done, ask)
            self.place(ask)
        self.store("0", result, "i1")
        message = self.unit.machine.messages[e.message]
        args = [self.expr(a) for a in e.args]
        for v, (_, t) in zip(args, message.fields, strict=True):
            if not fits(v.type, t) or has_where(t):
                self.require(self.conforms(v, t), done)
        args = [self.narrowed(v, t) for v, (_, t) in zip(args, message.fields, strict=True)]
        _, receivers = self.unit.packed.ends(e.message)
        if self.unit.packed.is_possible(e.message):
            if not fits(sender.type, message.senders):
                self.require(self.conforms(sender, message.senders), done)
            payload = self.payload(message, args)
            dense = self.unit.packed.dense.get(message.network)
            if dense is not None:
                found = self._dense_sent(dense, e.message, payload, sender.op, len(receivers))
            else:
                found = self._listed_sent(message, payload, sender.op)
            self.store(found, result, "i1")
        self.place(done)
        return self.load(result, "i1")

    def _dense_sent(self, dense: Dense, message: str, payload: str, sender: str, receivers: int) -> str:
        senders, _ = self.unit.packed.ends(message)
        at = self.op("add", 64, self.op("mul", 64, payload, str(len(senders))), self.sender_index(message, sender))
        at = self.op("add", 64, self.op("mul", 64, at, str(receivers)), str(self.first_bit(message)))
        net = self.read(self.state, dense.place)
        return self.compare("ne", receivers, self.extract(net, dense.place.width, at, receivers), "0")

    def _listed_sent(self, message: Message, payload: str, sender: str) -> str:
        first = self.lane_of(message.name, payload, sender, str(NOBODY))
        begin, end = self.span_of(self.state, message.network)
        end_code = self.op("add", 64, first, str(1 << self.unit.packed.receiver_bits))
        where, size = self.list_of(self.state)
        at = self.support("lower_bound", where, size, begin, end, first)
        result = self.stack("i1")
        self.store("0", result, "i1")
        done = self.block("searched")
        self.require(self.compare("ult", 64, at, end), done)
        self.store(self.compare("ult", 64, self.lane(self.state, at), end_code), result, "i1")
        self.place(done)
        return self.load(result, "i1")

    def inflight(self, e: ir.Inflight) -> Val:
        """How many messages of a kind are in the network, from and to these processes."""
        t = IntT(0, 1 << 20)
        message = self.unit.machine.messages[e.message]
        ends = [None if end is None else self.expr(end) for end in (e.sender, e.receiver)]
        senders, receivers = self.unit.packed.ends(e.message)
        if not self.unit.packed.is_possible(e.message):
            return Val(t, "0")
        dense = self.unit.packed.dense.get(message.network)
        if dense is not None:
            first = self.first_bit(e.message)
            width = len(senders) * len(receivers) * self.unit.layout.payloads(message)
            net = self.extract(self.read(self.state, dense.place), dense.place.width, str(first), width)
            if ends == [None, None]:
                return Val(t, self.count_bits(net, width))

            def each_message(body: Callable[[str, str], None]) -> None:
                self.each_bit(net, width, lambda i: body(*self.ends_of(e.message, i)))

            return Val(t, self._matching(ends, each_message))
        begin, end = self.span_of(self.state, message.network)
        kind = self.unit.packed.kinds[e.message]
        low, high = kind.base, kind.base + (1 << kind.width)

        def each_lane(body: Callable[[str, str], None]) -> None:
            def look(i: str) -> None:
                code = self.lane(self.state, i)
                inside, on = self.block("kind"), self.block("on")
                here = self.both(self.compare("uge", 64, code, str(low)), self.compare("ult", 64, code, str(high)))
                self.when(here, inside, on)
                self.place(inside)
                body(*self.ends_in(code))
                self.go(on)
                self.place(on)

            self.loop(begin, end, look)

        return Val(t, self._matching(ends, each_lane))

    def _matching(self, ends: list[Val | None], each: Callable[[Callable[[str, str], None]], None]) -> str:
        count = self.stack("i64")
        self.store("0", count)

        def test(sender: str, receiver: str) -> None:
            good = "1"
            for v, process in zip(ends, (sender, receiver), strict=True):
                if v is None:
                    continue
                everyone = Val(ProcT(tuple(self.unit.machine.roles.values())), process)
                there = self.compare("sge", 64, process, "0")
                inside = self.in_set(everyone, v) if isinstance(v.type, SetT) else self.compare("eq", 64, process, v.op)
                good = self.both(good, self.both(there, inside))
            self.store(self.op("add", 64, self.load(count), self.resize(good, 1, 64)), count)

        each(test)
        return self.load(count)

    def silent(self, process: str) -> str:
        """Whether nothing can come from a process any more; see `code.silent`."""
        self.unit.asks_silence = True
        answer = self.let(f"call i64 @silent(ptr {self.ctx}, ptr {self.state}, i64 {self.me}, i64 {process})")
        self.require(self.compare("ule", 64, answer, "1"), self.defer)
        return self.resize(answer, 64, 1)
