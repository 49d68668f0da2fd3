"""Code for canonical states: the compiled form of `columns.Orders`.

    exchange<group>_<i>(state)         exchanges instance i of a smaller group with the next one
    sorted(state) -> ties              sorts the columns of the largest group; gives the orders that leave the state as it is
    tried(state, best, ties) -> ties   sorts a copy of a state, and keeps it as the best if it is smaller
    canonical(state) -> size           makes a state the canonical one of its orbit; gives the size of the orbit

Columns are numbers of up to a few hundred bits. They are sorted by a network of comparisons, without jumps that are hard to
predict. Most successors of a canonical state are in order already, and left early.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

from checker.native.code.columns import Columns, Orders, network
from checker.native.code.functions import Functions
from checker.native.code.unit import Unit
from checker.native.code.writer import normal

_ONES = (1 << 64) - 1


class Orbits(Functions):
    """A function that moves columns. The words of a state are loaded once and stored at the end."""

    def __init__(self, unit: Unit, name: str, result: str, params: list[str]) -> None:
        super().__init__(unit, name, result, [("ptr" if p != "ties" else "i64", p) for p in params], "noinline")
        self.words: list[str] = []

    def take(self, base: str) -> None:
        """Loads a state."""
        self.words = [self.load(self.word(base, i)) for i in range(self.unit.packed.words)]

    def copy(self, target: str, source: str) -> None:
        for i in range(self.unit.packed.words):
            self.store(self.load(self.word(source, i)), self.word(target, i))

    def bits(self, position: int, width: int) -> str:
        """Some bits of the state, at most 64, as an i64."""
        at, shift = divmod(position, 64)
        found = self.op("lshr", 64, self.words[at], str(shift))
        if shift + width > 64:
            found = self.op("or", 64, found, self.op("shl", 64, self.words[at + 1], str(64 - shift)))
        return found if width == 64 else self.op("and", 64, found, str((1 << width) - 1))

    def replaced(self, parts: list[tuple[int, int, str]]) -> None:
        """Replaces bits of the state: position, width, and an i64 for each part."""
        holes = [0] * len(self.words)
        pieces: list[list[str]] = [[] for _ in self.words]
        for position, width, value in parts:
            at, shift = divmod(position, 64)
            mask = ((1 << width) - 1) << shift
            holes[at] |= mask & _ONES
            pieces[at].append(self.op("shl", 64, value, str(shift)))
            if mask >> 64:
                holes[at + 1] |= mask >> 64
                pieces[at + 1].append(self.op("lshr", 64, value, str(64 - shift)))
        for i, hole in enumerate(holes):
            if hole:
                kept = self.op("and", 64, self.words[i], normal(~hole, 64))
                self.words[i] = reduce(lambda a, b: self.op("or", 64, a, b), pieces[i], kept)

    def keep(self, base: str) -> None:
        """Stores the state."""
        for i, word in enumerate(self.words):
            self.store(word, self.word(base, i))

    # ---- columns

    def columns(self, of: Columns) -> list[str]:
        """The column of each instance."""
        total = register(of)
        named = [self.names(of, number) for number in range(len(of.leaves))]
        result = []
        for i in range(of.group.size):
            below, column = depth(of), "0"
            for f in of.fields:
                below -= f.width
                part = self.resize(self.bits(f.positions[i], f.width), 64, total)
                column = self.op("or", total, column, self.op("shl", total, part, str(below)))
            for name in named:
                below -= 1
                part = self.resize(name[i], 1, total)
                column = self.op("or", total, column, self.op("shl", total, part, str(below)))
            result.append(column)
        return result

    def names(self, of: Columns, number: int) -> list[str]:
        """For each instance, whether a leaf names it."""
        leaf = of.leaves[number]
        there = "1"
        for at, width, n in leaf.conditions:
            there = self.both(there, self.compare("ugt", 64, self.bits(at, width), str(n)))
        value = self.bits(leaf.position, leaf.width)
        return [
            self.both(there, self.compare("eq", 64, value, normal(leaf.first + i, 64))) for i in range(of.group.size)
        ]

    def arrange(self, of: Columns, columns: list[str]) -> None:
        """Gives the instances other columns."""
        total, below = register(of), depth(of)
        parts: list[tuple[int, int, str]] = []
        for f in of.fields:
            below -= f.width
            for position, column in zip(f.positions, columns, strict=True):
                part = self.resize(self.op("lshr", total, column, str(below)), total, 64)
                part = part if f.width == 64 else self.op("and", 64, part, str((1 << f.width) - 1))
                parts.append((position, f.width, part))
        for leaf in of.leaves:
            below -= 1
            value = self.bits(leaf.position, leaf.width)
            for i, column in enumerate(columns):
                named = self.resize(self.op("lshr", total, column, str(below)), total, 1)
                value = self.select(named, "i64", str(leaf.first + i), value)
            parts.append((leaf.position, leaf.width, value))
        self.replaced(parts)

    def ties(self, of: Columns, columns: list[str]) -> str:
        """How many orders of sorted columns are all the same."""
        run = result = "1"
        for a, b in pairwise(columns):
            same = self.compare("eq", register(of), a, b)
            run = self.select(same, "i64", self.op("add", 64, run, "1"), "1")
            result = self.op("mul", 64, result, run)
        return result


def depth(of: Columns) -> int:
    """The bits of a column."""
    return sum(f.width for f in of.fields) + len(of.leaves)


def register(of: Columns) -> int:
    """The bits of a register that holds a column."""
    return max(64, -(-depth(of) // 64) * 64)


def write_orbits(unit: Unit, orders: Orders) -> None:
    """Adds `canonical` and what it calls."""
    for columns, i in dict.fromkeys(orders.exchanges()):
        _write_exchange(unit, columns, i)
    _write_sorted(unit, orders.sorted_)
    if orders.others:
        _write_tried(unit)
    code = Orbits(unit, "canonical", "i64", ["s"])
    if not orders.others:
        ties = code.let("call i64 @sorted(ptr %s)")
    else:
        state, best = code.stack("i64", unit.packed.words), code.stack("i64", unit.packed.words)
        code.copy(state, "%s")
        code.copy(best, "%s")
        ties = code.let(f"call i64 @sorted(ptr {best})")
        for columns, i in orders.exchanges():
            code.emit(f"call void @{_exchange(columns, i)}(ptr {state})")
            ties = code.let(f"call i64 @tried(ptr {state}, ptr {best}, i64 {ties})")
        code.copy("%s", best)
    code.ret(code.let(f"udiv i64 {orders.count}, {ties}"))
    unit.functions.append(code.text())


def _exchange(columns: Columns, i: int) -> str:
    return f"exchange{columns.group.name}_{i}"


def _write_exchange(unit: Unit, columns: Columns, i: int) -> None:
    code = Orbits(unit, _exchange(columns, i), "void", ["s"])
    code.take("%s")
    found = code.columns(columns)
    found[i], found[i + 1] = found[i + 1], found[i]
    code.arrange(columns, found)
    code.keep("%s")
    code.ret_void()
    unit.functions.append(code.text())


def _write_sorted(unit: Unit, of: Columns) -> None:
    code = Orbits(unit, "sorted", "i64", ["s"])
    code.take("%s")
    columns, total = code.columns(of), register(of)
    in_order = "1"
    for a, b in pairwise(columns):
        in_order = code.both(in_order, code.compare("ule", total, a, b))
    done, sort = code.block("done"), code.block("sort")
    code.when(in_order, done, sort)
    code.place(sort)
    moved = list(columns)
    for i, j in network(len(moved)):
        larger = code.compare("ugt", total, moved[i], moved[j])
        moved[i], moved[j] = (
            code.select(larger, f"i{total}", moved[j], moved[i]),
            code.select(larger, f"i{total}", moved[i], moved[j]),
        )
    code.arrange(of, moved)
    code.keep("%s")
    code.ret(code.ties(of, moved))
    code.place(done)
    code.ret(code.ties(of, columns))
    unit.functions.append(code.text())


def _write_tried(unit: Unit) -> None:
    code = Orbits(unit, "tried", "i64", ["s", "best", "ties"])
    copy = code.stack("i64", unit.packed.words)
    code.copy(copy, "%s")
    ties = code.let(f"call i64 @sorted(ptr {copy})")
    better, worse = code.block("better"), code.block("worse")
    for i in range(unit.packed.words):
        mine, best = code.load(code.word(copy, i)), code.load(code.word("%best", i))
        apart, next_ = code.block("apart"), code.block("next")
        code.when(code.compare("eq", 64, mine, best), next_, apart)
        code.place(apart)
        code.when(code.compare("ult", 64, mine, best), better, worse)
        code.place(next_)
    code.ret(code.op("add", 64, ties, "%ties"))
    code.place(better)
    code.copy("%best", copy)
    code.ret(ties)
    code.place(worse)
    code.ret("%ties")
    unit.functions.append(code.text())
