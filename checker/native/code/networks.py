"""Messages in networks: their numbers, where they lie, how they are put in and taken out.

A dense network is a number with a bit for each possible message: kind after kind, and within a kind by payload, sender and
receiver, the payload being the ranks of the fields put together as digits. A listed network is a part of the list behind
the fixed words, whose lanes hold messages as `packed` lays them out, the payload being the ranks side by side. Routines of
`native.support` search the list and change it; lanes are kept in order, so that equal networks are equal words.
"""

from __future__ import annotations

from checker.model.machine import Message
from checker.model.values import space
from checker.native.code.packed import MAX_LANES, Dense
from checker.native.code.values import Val
from checker.native.code.vectors import MOST, Vectors
from checker.native.code.writer import is_number


class Networks(Vectors):
    """Code that works on the messages of a state."""

    # ---- payloads and ends

    def payload(self, message: Message, args: list[Val]) -> str:
        """The number of a payload, whose parts are of the types of the fields: bits for a lane, else a rank."""
        number = "0"
        if message.network not in self.unit.packed.dense:
            kind = self.unit.packed.kinds.get(message.name)
            for (_, t), width, v in zip(message.fields, kind.fields if kind else (), args, strict=False):
                number = self.op("or", 64, self.op("shl", 64, number, str(width)), self.rank(self.convert(v, t)))
            return number
        for (_, t), v in zip(message.fields, args, strict=True):
            number = self.op("add", 64, self.op("mul", 64, number, str(space(t))), self.rank(self.convert(v, t)))
        return number

    def fields_of(self, message: Message, payload: str) -> list[Val]:
        """The fields of a payload."""
        result: list[Val] = []
        if message.network not in self.unit.packed.dense:
            at = 0
            kind = self.unit.packed.kinds[message.name]
            for (_, t), width in zip(reversed(message.fields), reversed(kind.fields), strict=True):
                digit = self.op("lshr", 64, payload, str(at))
                result.append(self.unrank(t, self.op("and", 64, digit, str((1 << width) - 1))))
                at += width
            return result[::-1]
        for i, (_, t) in reversed(list(enumerate(message.fields))):
            size = space(t)
            if is_number(payload):
                digit, payload = str(int(payload) % size), str(int(payload) // size)
            elif i == 0:
                digit = payload
            else:
                digit = self.let(f"urem i64 {payload}, {size}")
                payload = self.let(f"udiv i64 {payload}, {size}")
            result.append(self.unrank(t, digit))
        return result[::-1]

    def sender_index(self, message: str, process: str) -> str:
        """The position of a process among the senders of a message; it is one of them."""
        senders, _ = self.unit.packed.ends(message)
        return self.index_in(senders, process)

    def receiver_index(self, message: str, process: str) -> str:
        """The position of a process among the receivers of a message; it is one of them."""
        _, receivers = self.unit.packed.ends(message)
        return self.index_in(receivers, process)

    def ends_of(self, message: str, number: str) -> tuple[str, str]:
        """Sender and receiver of the bit with a number among those of its kind."""
        senders, receivers = self.unit.packed.ends(message)
        if is_number(number):
            n = int(number)
            return str(senders[n // len(receivers) % len(senders)]), str(receivers[n % len(receivers)])
        receiver = self.let(f"urem i64 {number}, {len(receivers)}")
        rest = self.let(f"udiv i64 {number}, {len(receivers)}")
        sender = self.let(f"urem i64 {rest}, {len(senders)}")
        return self._nth(senders, sender), self._nth(receivers, receiver)

    def _nth(self, processes: list[int], index: str) -> str:
        process = "0"
        for i, p in enumerate(processes):
            if i == 0 or processes[i - 1] != p - 1:
                here = self.op("add", 64, index, str(p - i))
                process = here if i == 0 else self.select(self.compare("sge", 64, index, str(i)), "i64", here, process)
        return process

    # ---- bits of dense networks

    def first_bit(self, message: str) -> int:
        """The number of the lowest bit of a message kind in its dense network."""
        network = self.unit.machine.messages[message].network
        codes, first = self.unit.packed.dense[network].codes, self.unit.layout.offsets[message]
        return next((i for i, code in enumerate(codes) if code >= first), len(codes))

    def bit_of(self, message: str, payload: str, sender: str, receiver: str) -> str:
        """The bit of a message in its dense network."""
        senders, receivers = self.unit.packed.ends(message)
        number = self.op("add", 64, self.op("mul", 64, payload, str(len(senders))), self.sender_index(message, sender))
        number = self.op("mul", 64, number, str(len(receivers)))
        number = self.op("add", 64, number, self.receiver_index(message, receiver))
        return self.op("add", 64, number, str(self.first_bit(message)))

    def clear_bit(self, base: str, dense: Dense, bit: str) -> None:
        """Takes one message out of a dense network."""
        self._change_bit(base, dense, bit, "0")

    def set_bit(self, base: str, dense: Dense, bit: str) -> None:
        """Puts one message into a dense network."""
        self._change_bit(base, dense, bit, "1")

    def has_bit(self, base: str, dense: Dense, bit: str) -> str:
        """Whether a dense network holds a message."""
        pointer, shift = self._bit(base, dense, bit)
        return self.extract(self.load(pointer), 64, shift, 1)

    def _bit(self, base: str, dense: Dense, bit: str) -> tuple[str, str]:
        place = dense.place
        if not place.stride:
            return self.word(base, place.word), self.op("add", 64, bit, str(place.shift))
        word = self.op("add", 64, self.op("lshr", 64, bit, "6"), str(place.word))
        return self.word(base, word), self.op("and", 64, bit, "63")

    def _change_bit(self, base: str, dense: Dense, bit: str, value: str) -> None:
        pointer, shift = self._bit(base, dense, bit)
        self.store(self.insert(self.load(pointer), 64, shift, 1, value), pointer)

    # ---- lanes of listed networks

    def lane_of(self, message: str, payload: str, sender: str, receiver: str) -> str:
        """A message as a lane holds it."""
        packed = self.unit.packed
        number = self.op("or", 64, self.op("shl", 64, payload, str(packed.sender_bits)), sender)
        number = self.op("shl", 64, number, str(packed.receiver_bits))
        number = self.op("or", 64, number, self.op("add", 64, receiver, "1"))
        return self.op("add", 64, number, str(packed.kinds[message].base))

    def ends_in(self, lane: str) -> tuple[str, str]:
        """Sender and receiver of a message in a lane."""
        packed = self.unit.packed
        receiver = self.op("and", 64, lane, str((1 << packed.receiver_bits) - 1))
        sender = self.op("lshr", 64, lane, str(packed.receiver_bits))
        sender = self.op("and", 64, sender, str((1 << packed.sender_bits) - 1))
        return sender, self.op("sub", 64, receiver, "1")

    @property
    def pair_mask(self) -> str:
        """The bits of a lane that say in which queue it is: sender and receiver."""
        packed = self.unit.packed
        return str((1 << packed.sender_bits + packed.receiver_bits) - 1)

    def count_of(self, base: str, network: int) -> str:
        """How many messages a listed network holds."""
        return self.resize(self.read(base, self.slot(self.unit.layout.networks[network])), 16, 64)

    def set_count(self, base: str, network: int, count: str) -> None:
        """Says how many messages a listed network holds."""
        self.write(base, self.slot(self.unit.layout.networks[network]), "0", self.resize(count, 64, 16))

    def first_lane(self, base: str, network: int) -> str:
        """The lane of a listed network's first message."""
        first = "0"
        for other in self.unit.packed.listed:
            if other == network:
                break
            first = self.op("add", 64, first, self.count_of(base, other))
        return first

    def all_lanes(self, base: str) -> str:
        """How many messages all listed networks hold."""
        total = "0"
        for network in self.unit.packed.listed:
            total = self.op("add", 64, total, self.count_of(base, network))
        return total

    def list_of(self, base: str) -> tuple[str, str]:
        """The address of the list of messages, and the bytes of a lane, as `support` wants them."""
        return self.address(self.lanes(base)), str(self.unit.packed.lane // 8)

    def span_of(self, base: str, network: int) -> tuple[str, str]:
        """The lane of a listed network's first message, and that behind its last one."""
        begin = self.first_lane(base, network)
        return begin, self.op("add", 64, begin, self.count_of(base, network))

    def lane(self, base: str, index: str) -> str:
        """The code in a lane."""
        kind = f"i{self.unit.packed.lane}"
        pointer = self.let(f"getelementptr {kind}, ptr {self.lanes(base)}, i64 {index}")
        return self.resize(self.load(pointer, kind), self.unit.packed.lane, 64)

    def words_of(self, base: str) -> str:
        """How many words the state at `base` has."""
        packed = self.unit.packed
        if packed.fixed:
            return str(packed.words)
        per_word = 64 // packed.lane
        more = self.op(
            "lshr", 64, self.op("add", 64, self.all_lanes(base), str(per_word - 1)), str(per_word.bit_length() - 1)
        )
        return self.op("add", 64, more, str(packed.words))

    def alike(self, kind: str, lanes: tuple[str, str], among: tuple[str, str], code: str) -> tuple[str, str]:
        """The lanes, from the first to that behind the last, of what shares room with a message.

        That is its queue where a network has queues, and else the copies of the message. `lanes` is `list_of` the state,
        `among` the network's `span_of`.
        """
        where, size = lanes
        begin, end = among
        if kind == "fifo":
            low = self.support("pair_bound", where, size, begin, end, code, self.pair_mask, "0")
            return low, self.support("pair_bound", where, size, low, end, code, self.pair_mask, "1")
        low = self.support("lower_bound", where, size, begin, end, code)
        return low, self.support("lower_bound", where, size, low, end, self.op("add", 64, code, "1"))

    def remove_lane(self, base: str, network: int, lane: str) -> None:
        """Takes one message out of the list."""
        where, size = self.list_of(base)
        self.support("lane_remove", where, size, lane, self.all_lanes(base))
        self.set_count(base, network, self.op("sub", 64, self.count_of(base, network), "1"))

    def insert_lane(self, base: str, network: int, lane: str, code: str, full: str) -> None:
        """Puts one message into the list; jumps to `full` where a state cannot hold more."""
        total = self.all_lanes(base)
        self.require(self.compare("ult", 64, total, str(MAX_LANES)), full)
        where, size = self.list_of(base)
        self.support("lane_insert", where, size, lane, total, code)
        self.set_count(base, network, self.op("add", 64, self.count_of(base, network), "1"))

    def add_lane(self, base: str, network: int, code: str, full: str) -> None:
        """Puts a message into a soup, unless it is there; jumps to `full` where a state cannot hold more."""
        begin, end = self.span_of(base, network)
        present, few, many, absent = (self.block(h) for h in ("present", "few", "many", "absent"))
        place = self.stack("i64")
        count = self.op("sub", 64, end, begin)
        self.when(self.compare("ule", 64, count, str(MOST)), few, many)
        self.place(few)
        now, one, first = self.vector(base, begin), self.all(code), self.first(count)
        there = self.op("and", 64, self.where("eq", now, one), first)
        self.require(self.compare("eq", 64, there, "0"), present, likely=False)
        below = self.count_bits(self.op("and", 64, self.where("ult", now, one), first), 64)
        self.store(self.op("add", 64, begin, below), place)
        self.go(absent)
        self.place(many)
        where, size = self.list_of(base)
        at = self.support("lower_bound", where, size, begin, end, code)
        found = self.support("lane_is", where, size, at, end, code)
        self.store(at, place)
        self.when(self.compare("eq", 64, found, "0"), absent, present)
        self.place(absent)
        self.insert_lane(base, network, self.load(place), code, full)
        self.go(present)
        self.place(present)

    def support(self, name: str, *args: str) -> str:
        """A call of a routine of `native.support`, which takes and gives words."""
        return self.let(f"call i64 @s_{name}({', '.join(f'i64 {a}' for a in args)})")
