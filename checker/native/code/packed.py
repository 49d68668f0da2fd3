"""Where each part of a state lies in its words, and the way between packed states and those of the interpreter.

A packed state is a fixed part, then the messages of those networks that are held as lists.

- The **fixed part** has the slots of `model.layout` in bits. The copies of a role's variable lie side by side in one word if
  they fit there, so that the variable of a process that is known only at run time is one shift away.
- A network with few possible messages is **dense**: a bit for each of them, in the fixed part. Soups and bags with
  capacity 1 may be.
- All other networks share one **list** of messages behind the fixed part, in lanes of 16, 32 or 64 bits: network after
  network, each in the order of the interpreter (codes of soups and bags ascend; queues ascend by sender and receiver, each
  in its own order). The fixed part counts the messages of each.

A lane holds a message as bits, which are quicker to take apart than a code of `model.layout`, and in the same order: the first
number of its kind, then the ranks of the fields, the sender, and the receiver plus one.

Equal states have equal words: lanes behind the last message are zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from checker.base.data import dataclass
from checker.engine.networks import all_codes
from checker.engine.runtime import State
from checker.model import ir
from checker.model.layout import Layout, bits_for
from checker.model.machine import NOBODY, Machine
from checker.model.types import Type
from checker.model.values import Value, rank, space, unrank
from checker.model.walk import statements_in
from checker.native.code.width import Unsupported, bits, from_bits, to_bits

MAX_DENSE = 192
"""The most possible messages of a network that has a bit for each."""

MAX_WORDS = 1024
"""The most words of the fixed part."""

MAX_PATTERNS = 1 << 16
"""The most patterns of values that are kept."""

MAX_LANES = 8192
"""The most messages in lists that one state may hold; a state with more is an error, never cut off."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the copies of a part lie: copy i of `width` bits.

    Below 64 bits: in word `word + (i >> log)`, from bit `shift + (i & (2**log - 1)) * width` on. Else `stride` words for each.
    """

    word: int
    shift: int
    width: int
    copies: int
    log: int
    stride: int

    def at(self, copy: int) -> tuple[int, int]:
        """The word and the lowest bit of a copy."""
        if self.stride:
            return self.word + copy * self.stride, 0
        return self.word + (copy >> self.log), self.shift + (copy & ((1 << self.log) - 1)) * self.width

    def cover(self, copy: int, words: list[int]) -> None:
        """Sets the bits of a copy in a mask for each word."""
        word, shift = self.at(copy)
        pattern = ((1 << self.width) - 1) << shift
        while pattern:
            words[word] |= pattern & (1 << 64) - 1
            pattern >>= 64
            word += 1


@dataclass(frozen=True, slots=True)
class Dense:
    """A network of bits: `codes` in ascending order, one bit each."""

    place: Place
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """How lanes hold a kind of message: numbers from `base` on, of `width` bits in all; `fields` are those of its fields."""

    base: int
    width: int
    fields: tuple[int, ...]


class Packed:
    """The packed layout of one machine. Raises `Unsupported` for what is too wide."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.layout = Layout(machine)
        self.places: dict[int, Place] = {}
        """By first slot: of each variable, status array, faulty set, cut, budget, and counter of a listed network."""
        self.types: dict[int, Type] = {}
        self._patterns: dict[tuple[int, Value], int] = {}
        self._copy: dict[int, tuple[Place, int]] = {}
        self.dense: dict[int, Dense] = {}
        """By number of network."""
        self.lane = 0
        """Bits of one message in the list; 0 where no network is listed."""
        self.kinds: dict[str, Kind] = {}
        """How lanes hold each kind of message."""
        self.sender_bits = max(1, bits_for(self.layout.processes))
        self.receiver_bits = max(1, bits_for(self.layout.processes + 1))
        self._universe = {n: self._possible(n) for n in range(len(machine.networks))}
        self._place_all()

    # ---- messages

    @cached_property
    def unheard(self) -> frozenset[str]:
        """The messages that are sent to nobody."""
        bodies = [s.body for s in self.machine.steps] + [p.body for p in self.machine.procedures.values()]
        return frozenset(
            s.message for body in bodies for s in statements_in(body) if isinstance(s, ir.SendMsg) and s.to is None
        )

    def ends(self, message: str) -> tuple[list[int], list[int]]:
        """The processes that may send a message, and those that may receive it, in order; -1 is nobody."""
        m = self.machine.messages[message]
        senders = sorted({p for r in m.senders.roles for p in r.processes})
        receivers = sorted({p for r in m.receivers.roles for p in r.processes})
        return senders, [NOBODY, *receivers] if message in self.unheard else receivers

    def is_possible(self, message: str) -> bool:
        """Whether such a message can be in a network at all."""
        senders, receivers = self.ends(message)
        return bool(senders and receivers and self.layout.payloads(self.machine.messages[message]))

    def codes_of(self, message: str) -> Iterable[int]:
        """Every code that a message kind may have in a network, in ascending order."""
        senders, receivers = self.ends(message)
        width = self.layout.processes
        first = self.layout.offsets[message]
        for payload in range(self.layout.payloads(self.machine.messages[message])):
            for sender in senders:
                for receiver in receivers:
                    yield first + (payload * width + sender) * (width + 1) + receiver + 1

    def _possible(self, network: int) -> tuple[int, ...] | None:
        """The codes of a network that is held densely; None for one that is held as a list."""
        net = self.machine.networks[network]
        if not (net.kind == "soup" or (net.kind == "bag" and net.capacity == 1)):
            return None
        names = [m.name for m in self.machine.messages.values() if m.network == network and self.is_possible(m.name)]
        codes = tuple(islice((c for name in names for c in self.codes_of(name)), MAX_DENSE + 1))
        return codes if len(codes) <= MAX_DENSE else None

    @property
    def listed(self) -> list[int]:
        """The networks that are held in the list."""
        return [n for n, codes in self._universe.items() if codes is None]

    # ---- placing

    def _place_all(self) -> None:
        machine, layout = self.machine, self.layout
        parts: list[tuple[int, int, int]] = []  # slot, width, copies
        for var in machine.variables:
            copies = 1 if var.role is None else machine.roles[var.role].size
            if copies:
                self.types[var.slot] = var.type
            parts.append((var.slot, bits(var.type), copies))
        if layout.status:
            parts.append((min(layout.status.values()), 2, len(layout.status)))
        if layout.faulty is not None:
            parts.append((layout.faulty, layout.processes, 1))
        if layout.cut is not None:
            parts.append((layout.cut, layout.processes, 1))
        limited = [b for b in machine.budgets if b.key in layout.budgets]
        parts += [(layout.budgets[b.key], max(1, bits_for(b.count + 1)), 1) for b in limited]
        for number, codes in self._universe.items():
            slot = layout.networks[number]
            if codes is None:
                parts.append((slot, 16, 1))
                self._number_kinds()
            elif codes:
                parts.append((slot, len(codes), 1))
        used: list[int] = []
        for slot, width, copies in sorted(parts, key=lambda p: (-min(p[1] * p[2], 64), -p[1] * p[2], p[0])):
            if copies:
                self._place(slot, width, copies, used)
        for number, codes in self._universe.items():
            if codes:
                self.dense[number] = Dense(self.places[layout.networks[number]], codes)
        self.words = max(1, len(used))
        self.used_bits = used
        if self.words > MAX_WORDS:
            raise Unsupported(f"a state has {self.words:,} words, more than {MAX_WORDS:,}")

    def _number_kinds(self) -> None:
        """Gives every message kind its numbers in lanes."""
        end = 0
        for message in self.machine.messages.values():
            fields = tuple(bits_for(size) for size in self.payload_space(message.name))
            width = sum(fields) + self.sender_bits + self.receiver_bits
            if width > 62:
                raise Unsupported(f"a message {message.name} needs {width} bits, more than 62")
            base = -(-end >> width) << width
            end = base + (1 << width)
            self.kinds[message.name] = Kind(base, width, fields)
        if end >> 62:
            raise Unsupported("there are more possible messages than numbers of 62 bits")
        self.lane = 64 if end - 1 >> 32 else 32 if end - 1 >> 16 else 16

    def to_lane(self, code: int) -> int:
        """A message as a lane holds it."""
        letter = self.layout.decode(code)
        kind = self.kinds[letter.kind]
        payload = 0
        for (_, t), width, value in zip(
            self.machine.messages[letter.kind].fields, kind.fields, letter.payload, strict=True
        ):
            payload = payload << width | rank(t, value)
        number = (payload << self.sender_bits | letter.sender) << self.receiver_bits | letter.receiver + 1
        return kind.base + number

    def from_lane(self, lane: int) -> int:
        """The code of a message in a lane: the inverse of `to_lane`."""
        name = next(k for k in reversed(self.kinds) if self.kinds[k].base <= lane)
        number = lane - self.kinds[name].base
        receiver = (number & (1 << self.receiver_bits) - 1) - 1
        number >>= self.receiver_bits
        sender = number & (1 << self.sender_bits) - 1
        number >>= self.sender_bits
        payload = []
        for (_, t), width in zip(
            reversed(self.machine.messages[name].fields), reversed(self.kinds[name].fields), strict=True
        ):
            payload.append(unrank(t, number & (1 << width) - 1))
            number >>= width
        return self.layout.encode(name, sender, receiver, tuple(reversed(payload)))

    def _place(self, slot: int, width: int, copies: int, used: list[int]) -> None:
        """Finds room for copies of a part, first-fit; `used` counts the bits taken of each word."""
        if width * copies <= 64:
            word = next((w for w, taken in enumerate(used) if taken + width * copies <= 64), len(used))
            if word == len(used):
                used.append(0)
            place = Place(word, used[word], width, copies, 6, 0)
            used[word] += width * copies
        elif width <= 32:
            log = (64 // width).bit_length() - 1
            place = Place(len(used), 0, width, copies, log, 0)
            used += [64] * -(-copies // (1 << log))
        else:
            stride = -(-width // 64)
            place = Place(len(used), 0, width, copies, 0, stride)
            used += [64] * (stride * copies)
        self.places[slot] = place
        for copy in range(copies):
            self._copy[slot + copy] = place, copy

    @property
    def fixed(self) -> bool:
        """Whether all states have the same number of words."""
        return self.lane == 0

    @property
    def is_small(self) -> bool:
        """Whether a state is one word with its top bit unused."""
        return self.fixed and self.words == 1 and (not self.used_bits or self.used_bits[0] <= 63)

    def cover(self, slot: int, words: list[int]) -> None:
        """Sets the bits of a slot in a mask for each word."""
        place, copy = self._copy[slot]
        place.cover(copy, words)

    # ---- to and fro

    def pack(self, state: State) -> list[int]:
        """The words of a state."""
        words = [0] * self.words
        layout = self.layout
        nets = {slot: n for n, slot in enumerate(layout.networks)}
        for slot, (place, copy) in self._copy.items():
            if slot in nets:
                number = nets[slot]
                if number in self.dense:
                    index = {code: i for i, code in enumerate(self.dense[number].codes)}
                    pattern = sum(1 << index[code] for code in state[slot])
                else:
                    pattern = len(all_codes(self.machine.networks[number], state[slot]))
                    if pattern > MAX_LANES:
                        raise Unsupported(f"a state holds {pattern:,} messages, more than {MAX_LANES:,}")
            elif slot < self.machine.slots:
                pattern = self._pattern(slot - copy, state[slot])
            else:
                pattern = int(state[slot])
            word, shift = place.at(copy)
            pattern <<= shift
            while pattern:
                words[word] |= pattern & (1 << 64) - 1
                pattern >>= 64
                word += 1
        if self.lane:
            codes = [c for n in self.listed for c in all_codes(self.machine.networks[n], state[layout.networks[n]])]
            pattern = sum(self.to_lane(code) << i * self.lane for i, code in enumerate(codes))
            for _ in range(-(-len(codes) * self.lane // 64)):
                words.append(pattern & (1 << 64) - 1)
                pattern >>= 64
        return words

    def _pattern(self, slot: int, value: Value) -> int:
        """The pattern of a variable's value. States share most values, and those of wide types take long to translate."""
        known = self._patterns.get((slot, value))
        if known is None:
            if len(self._patterns) >= MAX_PATTERNS:
                self._patterns.clear()
            known = self._patterns[slot, value] = to_bits(self.types[slot], value)
        return known

    def unpack(self, words: list[int]) -> State:
        """The state with these words."""
        whole = sum(word << 64 * i for i, word in enumerate(words))
        state: list[object] = [()] * self.layout.slots
        nets = {slot: n for n, slot in enumerate(self.layout.networks)}
        counts: dict[int, int] = {}
        for slot, (place, copy) in self._copy.items():
            word, shift = place.at(copy)
            pattern = whole >> 64 * word + shift & (1 << place.width) - 1
            if slot in nets:
                if nets[slot] in self.dense:
                    codes = self.dense[nets[slot]].codes
                    state[slot] = tuple(code for i, code in enumerate(codes) if pattern >> i & 1)
                else:
                    counts[nets[slot]] = pattern
            elif slot < self.machine.slots:
                state[slot] = from_bits(self._type_at(slot), pattern)
            else:
                state[slot] = pattern
        at = 64 * self.words
        for number in self.listed:
            lanes = [whole >> at + i * self.lane & (1 << self.lane) - 1 for i in range(counts.get(number, 0))]
            codes = tuple(self.from_lane(lane) for lane in lanes)
            at += self.lane * len(codes)
            state[self.layout.networks[number]] = self._network(number, codes)
        return tuple(state)

    def _network(self, number: int, codes: tuple[int, ...]) -> tuple[object, ...]:
        if self.machine.networks[number].kind != "fifo":
            return codes
        queues: dict[int, list[int]] = {}
        for code in codes:
            queues.setdefault(self.pair(code), []).append(code)
        return tuple((pair, *queue) for pair, queue in queues.items())

    def pair(self, code: int) -> int:
        """The number of the queue of a message: sender and receiver."""
        width = self.layout.processes
        return code // (width + 1) % width * width + code % (width + 1) - 1

    def _type_at(self, slot: int) -> Type:
        _, copy = self._copy[slot]
        return self.types[slot - copy]

    def payload_space(self, message: str) -> list[int]:
        """The bounds of the ranks of a message's fields."""
        return [space(t) for _, t in self.machine.messages[message].fields]
