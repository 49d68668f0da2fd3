"""Effects and messages of a body.

A body changes a copy of the state. In its plain form nobody sees the state in between. In its **torn** form, which says in what
states a crash can leave a handler, each effect is announced before it happens, and a message to several processes reaches
them in every order, as far as it matters: those that are reached before the crash, then the others.

A message to a stopped process vanishes, as does one to a faulty process, unless it stays for all to see (a soup). A full
network blocks the step, drops the message, or is an error, as it is declared.
"""

from __future__ import annotations

from checker.model import ir
from checker.model.machine import NOBODY, Message
from checker.model.types import NeverT, SetT, Type
from checker.native.code import frame
from checker.native.code.functions import Functions
from checker.native.code.unit import Unit
from checker.native.code.values import Val
from checker.native.code.width import Unsupported, bits


class Sending(Functions):
    """Code with effects. `frame`, `tape` and `effects` are parameters of its function, the last one used in the torn form."""

    def __init__(self, unit: Unit, name: str, params: list[tuple[str, str]], *, torn: bool) -> None:
        super().__init__(unit, name, "i64", params)
        self.quiet = not torn
        """Whether effects are not announced: in the plain form, and inside of `atomic`."""
        self.ctx, self.state, self.me, self.frame = "%ctx", "%work", "%me", "%frame"
        self.exits = {
            status: self.block(hint)
            for status, hint in (
                (frame.BLOCKED, "blocked"),
                (frame.EMPTY, "empty"),
                (frame.FAIL, "fail"),
                (frame.DISCARDED, "discarded"),
                (frame.DEFER, "defer"),
            )
        }
        self.fail, self.defer = self.exits[frame.FAIL], self.exits[frame.DEFER]

    def finish(self) -> str:
        """Ends the function and gives its text."""
        self.ret(str(frame.OK))
        for status, label in self.exits.items():
            if self.leads_to(label):
                self.place(label)
                self.ret(str(status))
        return self.text()

    def hit(self) -> None:
        """One effect is about to happen."""
        if not self.quiet:
            self.support("effect", self.address("%effects"), self.address(self.state), self.words_of(self.state))

    # ---- messages

    def send(self, s: ir.SendMsg) -> None:
        """`send M(…) to …`: the payload is the same for all recipients."""
        message = self.unit.machine.messages[s.message]
        args = [self.expr(a) for a in s.args]
        payload = self.payload(message, [self.convert(v, t) for v, (_, t) in zip(args, message.fields, strict=True)])
        if s.to is None:
            self.hit()
            self.send_one(message, payload, str(NOBODY), None)
        elif not s.many:
            to = self.expr(s.to)
            self.hit()
            self.send_one(message, payload, to.op, to.type)
        else:
            self.multicast(message, payload, s.to)

    def multicast(self, message: Message, payload: str, to: ir.Expr) -> None:
        """To each recipient in order; torn, those that were reached come first."""
        of = self.expr(to)
        assert isinstance(of.type, SetT)
        elem = of.type.elem
        if isinstance(elem, NeverT):
            return
        width = bits(of.type)

        def one(v: Val) -> None:
            self.hit()
            self.send_one(message, payload, v.op, v.type)

        if self.quiet:
            self.each_element(of, one)
            return
        if width > 64:
            raise Unsupported("a set of more than 64 processes")
        mask = self.resize(of.op, width, 64)
        args = (self.address("%effects"), self.address("%tape"), mask)
        first = self.support("reached_first", *args)
        self.require(self.compare("ne", 64, first, "-1"), self.defer)
        order = self.stack("i64", 2)
        self.store(first, order)
        rest = self.op("and", 64, mask, self.op("xor", 64, first, "-1"))
        self.store(rest, self.word(order, 1))

        def part(i: str) -> None:
            now = self.resize(self.load(self.word(order, i)), 64, width)
            self.each_element(Val(of.type, now), one)

        self.loop("0", "2", part)

    def send_one(self, message: Message, payload: str, to: str, known: Type | None) -> None:
        """One message to one process."""
        if not self.unit.packed.is_possible(message.name):
            return  # a part of it has no value, so this is never reached
        network = self.unit.machine.networks[message.network]
        done = self.block("sent")
        if known is not None:
            self.require(self.negate(self.is_stopped(self.state, to, known)), done)
            if network.kind != "soup":
                self.require(self.negate(self.is_faulty(to)), done)
        dense = self.unit.packed.dense.get(message.network)
        full = self.block("full")
        if dense is not None:
            bit = self.bit_of(message.name, payload, self.me, to)
            if network.kind != "soup":
                self.require(self.negate(self.has_bit(self.state, dense, bit)), full)
            self.set_bit(self.state, dense, bit)
            self.go(done)
        else:
            self.send_listed(message, payload, to, full)
            self.go(done)
        self.place(full)
        if network.overflow == "drop":
            self.bump(self.word(self.frame, frame.DROPPED))
            self.go(done)
        else:
            self.go(self.exits[frame.BLOCKED] if network.overflow == "block" else self.fail)
        self.place(done)

    def send_listed(self, message: Message, payload: str, to: str, full: str) -> None:
        """One message into a listed network, where the interpreter would put it."""
        network = self.unit.machine.networks[message.network]
        code = self.lane_of(message.name, payload, self.me, to)
        begin, end = self.span_of(self.state, message.network)
        where, size = self.list_of(self.state)
        if network.kind == "soup":
            self.add_lane(self.state, message.network, code, self.defer)
            return
        low, high = self.alike(network.kind, (where, size), (begin, end), code)
        self.require(self.compare("ult", 64, self.op("sub", 64, high, low), str(network.capacity)), full)
        at = high if network.kind == "fifo" else low
        self.insert_lane(self.state, message.network, at, code, self.defer)
