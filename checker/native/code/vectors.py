"""The messages of a listed network, 32 at a time.

A vector of messages is compared with a number in one or two instructions, and the answer is a word with a bit for each
message. That replaces a search whose branches no processor can predict. LLVM makes vectors of what the processor has; where
that is little, they are no slower than a loop.

Behind the last message a vector holds anything, so `first` says which bits count. States lie where that much may be read
behind them.
"""

from __future__ import annotations

from checker.native.code.state import States

MOST = 32
"""The messages of a vector."""


class Vectors(States):
    """Code that compares many messages at once."""

    def lanes(self, base: str) -> str:
        """The pointer to the list of messages."""
        return self.word(base, self.unit.packed.words)

    @property
    def vector_kind(self) -> str:
        """The type of a vector."""
        return f"<{MOST} x i{self.unit.packed.lane}>"

    def _at(self, base: str, lane: str) -> str:
        return self.let(f"getelementptr i{self.unit.packed.lane}, ptr {self.lanes(base)}, i64 {lane}")

    def vector(self, base: str, lane: str = "0") -> str:
        """The messages from a lane on."""
        pointer = self._at(base, lane)
        return self.let(f"load {self.vector_kind}, ptr {pointer}, align {self.unit.packed.lane // 8}")

    def put_vector(self, base: str, lane: str, vector: str) -> None:
        """Writes the messages from a lane on."""
        pointer = self._at(base, lane)
        self.emit(f"store {self.vector_kind} {vector}, ptr {pointer}, align {self.unit.packed.lane // 8}")

    def all(self, number: str) -> str:
        """A vector of equal numbers, given as an i64."""
        lane = self.unit.packed.lane
        if number[0] != "%":
            return f"splat (i{lane} {number})"
        one = self.let(f"insertelement {self.vector_kind} poison, i{lane} {self.resize(number, 64, lane)}, i64 0")
        return self.let(
            f"shufflevector {self.vector_kind} {one}, {self.vector_kind} poison, <{MOST} x i32> zeroinitializer"
        )

    def where(self, how: str, a: str, b: str) -> str:
        """Where two vectors compare so: a bit for each message."""
        found = self.let(f"icmp {how} {self.vector_kind} {a}, {b}")
        return self.resize(self.let(f"bitcast <{MOST} x i1> {found} to i{MOST}"), MOST, 64)

    def below(self, vector: str, end: int) -> str:
        """Where messages have numbers below `end`."""
        return str((1 << MOST) - 1) if end >> self.unit.packed.lane else self.where("ult", vector, self.all(str(end)))

    def first(self, count: str) -> str:
        """The bits of so many messages, at most 32."""
        return self.op("sub", 64, self.op("shl", 64, "1", count), "1")
