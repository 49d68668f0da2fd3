"""Sets, maps, sequences, records and bags: making them of values, asking for parts, replacing parts.

A collection that is made has the type that its elements make it: `{1} union {5}` is a set over `1..5`. An element whose type
has no width, since it is an integer without bounds, is taken for one of a usual range (`values.LOOSE`), and a value outside of
that is left to the interpreter.

An index or key outside of a collection is an error: the code jumps to `fail`.
"""

from __future__ import annotations

from checker.model.types import BagT, IntT, MapT, NeverT, OptT, RecordT, SeqT, SetT, Type, fits
from checker.model.values import key_index, rank
from checker.native.code.networks import Networks
from checker.native.code.values import Val, field_at, joined, kind
from checker.native.code.width import bits, elements, is_dense


class Aggregates(Networks):
    """Code that makes and changes collections and records."""

    # ---- making

    def set_of(self, items: list[Val]) -> Val:
        """`{a, b}`."""
        items = [self.sized(v, element=True) for v in items]
        elem: Type = NeverT()
        for v in items:
            elem = joined(elem, v.type)
        t = SetT(elem, len(items))
        if isinstance(elem, NeverT):
            return Val(t, "0")
        width, result = bits(t), "0"
        for v in items:
            at = self.resize(self.rank(self.convert(v, elem)), 64, width)
            result = self.op("or", width, result, self.op("shl", width, "1", at))
        return Val(t, result)

    def sequence_of(self, items: list[Val], bag: bool) -> Val:
        """`[a, b]`, as a sequence or as a bag."""
        items = [self.sized(v) for v in items]
        elem: Type = NeverT()
        for v in items:
            elem = joined(elem, v.type)
        if bag:
            result = Val(BagT(elem, 0), "0")
            for v in items:
                result = self.bag_with(result, self.convert(v, elem))
            return result
        t = SeqT(elem, len(items))
        total, pattern = bits(t), "0"
        for i, v in enumerate(items):
            pattern = self.with_part(pattern, total, str(i * bits(elem)), self.convert(v, elem))
        return self.sequence(t, pattern, str(len(items)))

    def record_of(self, t: RecordT, items: list[Val]) -> Val:
        """A record of these fields."""
        total, at, pattern = bits(t), 0, "0"
        for (_, field), v in zip(t.fields, items, strict=True):
            pattern = self.with_part(pattern, total, str(at), self.convert(v, field))
            at += bits(field)
        return Val(t, pattern)

    # ---- records

    def with_field(self, holder: Val, index: int, new: Val) -> Val:
        """A record with one field replaced."""
        assert isinstance(holder.type, RecordT)
        v = self.convert(new, holder.type.fields[index][1])
        at = str(field_at(holder.type, index))
        return Val(holder.type, self.with_part(holder.op, bits(holder.type), at, v))

    def opt_field(self, v: Val, index: int) -> Val:
        """`e?.f`."""
        inner = self.inner(v)
        if isinstance(inner.type, NeverT):
            return Val(OptT(NeverT()), "0")
        part = self.field(inner, index)
        t = part.type if isinstance(part.type, OptT) else OptT(part.type)
        return Val(t, self.select(self.is_some(v), kind(t), self.convert(part, t).op, "0"))

    # ---- entries of maps and sequences

    def position(self, t: Type, key: Val) -> str:
        """The place of a key in a map; a key that is none of them is an error."""
        assert isinstance(t, MapT)
        if not fits(key.type, t.key):
            self.require(self.conforms(key, t.key, plain=True), self.fail)
        at = self.rank(self.narrowed(key, t.key))
        if is_dense(t.key):
            return at
        places = [-1] * elements(t.key)
        for value in self.unit.values(t.key):
            index = key_index(t.key, value)
            places[rank(t.key, value)] = -1 if index is None else index
        table = self.unit.table("i64", places)
        found = self.load(self.let(f"getelementptr i64, ptr {table}, i64 {at}"))
        self.require(self.compare("sge", 64, found, "0"), self.fail)
        return found

    def entry(self, holder: Val, key: Val) -> Val:
        """An entry of a map or sequence."""
        match holder.type:
            case MapT(_, inner):
                at = self.op("mul", 64, self.position(holder.type, key), str(bits(inner)))
                return self.part(inner, holder.op, bits(holder.type), at)
            case SeqT(elem):
                if isinstance(elem, NeverT):
                    self.go(self.fail)
                    return Val(NeverT(), "0")
                self.require(self.compare("ult", 64, key.op, self.length(holder)), self.fail)
                return self.element(holder, key.op)
        raise AssertionError(holder.type)

    def put(self, holder: Val, place: str, new: Val) -> Val:
        """A map with one entry replaced; its type grows with what it holds."""
        assert isinstance(holder.type, MapT)
        new = self.sized(new)
        value = joined(holder.type.value, new.type)
        t = MapT(holder.type.key, value)
        whole = self.convert(holder, t)
        at = self.op("mul", 64, place, str(bits(value)))
        return Val(t, self.with_part(whole.op, bits(t), at, self.convert(new, value)))

    def with_entry(self, holder: Val, key: Val, new: Val) -> Val:
        """A map or sequence with one entry replaced."""
        if isinstance(holder.type, MapT):
            return self.put(holder, self.position(holder.type, key), new)
        assert isinstance(holder.type, SeqT) and holder.type.limit is not None
        self.require(self.compare("ult", 64, key.op, self.length(holder)), self.fail)
        if not holder.type.limit:
            return holder
        new = self.sized(new)
        elem = joined(holder.type.elem, new.type)
        t = SeqT(elem, holder.type.limit)
        whole = self.convert(holder, t)
        at = self.op("mul", 64, key.op, str(bits(elem)))
        return Val(t, self.with_part(whole.op, bits(t), at, self.convert(new, elem)))

    def last(self, v: Val) -> Val:
        """The last element of a sequence; of an empty one it is an error."""
        assert isinstance(v.type, SeqT)
        if isinstance(v.type.elem, NeverT):
            self.go(self.fail)
            return Val(NeverT(), "0")
        size = self.length(v)
        self.require(self.compare("ne", 64, size, "0"), self.fail)
        return self.element(v, self.op("sub", 64, size, "1"))

    # ---- whole collections

    def size_of(self, v: Val) -> Val:
        """How many elements a collection has."""
        match v.type:
            case SetT(elem):
                most = 0 if isinstance(elem, NeverT) else elements(elem)
                return Val(IntT(0, most), "0" if not most else self.count_bits(v.op, bits(v.type)))
            case SeqT(_, limit) | BagT(_, limit):
                return Val(IntT(0, limit), self.length(v) if limit else "0")
        raise AssertionError(v.type)

    def collect(self, op: str, a: Val, b: Val) -> Val:
        """Operations on two collections."""
        match a.type, b.type:
            case SetT(x), SetT(y):
                t = SetT(joined(x, y))
                if isinstance(t.elem, NeverT):
                    return Val(t, "0")
                width = bits(t)
                left, right = self.convert(a, t).op, self.convert(b, t).op
                match op:
                    case "union":
                        return Val(t, self.op("or", width, left, right))
                    case "meet":
                        return Val(t, self.op("and", width, left, right))
                if isinstance(x, NeverT):
                    return Val(a.type, "0")
                kept = self.op("and", width, left, self.op("xor", width, right, str((1 << width) - 1)))
                return self.convert(Val(t, kept), SetT(x))  # what is taken away does not add to the type
            case SeqT(x, n), SeqT(y, m):
                assert n is not None and m is not None
                elem = joined(x, y)
                seq = SeqT(elem, n + m)
                if isinstance(elem, NeverT) or n + m == 0:
                    return Val(SeqT(elem, 0), "0")
                total, size_a, size_b = bits(seq), self.length(a), self.length(b)
                first, second = self.convert(a, SeqT(elem, n + m)), self.convert(b, SeqT(elem, n + m))
                shift = self.resize(self.op("mul", 64, size_a, str(bits(elem))), 64, total)
                moved = self.op("shl", total, self.items(second), shift)
                items = self.op("or", total, self.items(first), moved)
                return self.sequence(seq, items, self.op("add", 64, size_a, size_b))
            case BagT(x), BagT(y):
                return self.bag_plus(a, b) if op == "bag_plus" else self.bag_minus(a, b)
        raise AssertionError(op)

    def occurrences(self, holder: Val, item: Val) -> Val:
        """How often an item stands in a sequence or bag."""
        assert isinstance(holder.type, SeqT | BagT)
        t = IntT(0, holder.type.limit)
        if not holder.type.limit:
            return Val(t, "0")
        count = self.stack("i64")
        self.store("0", count)

        def test(v: Val) -> None:
            more = self.resize(self.equal(v, item), 1, 64)
            self.store(self.op("add", 64, self.load(count), more), count)

        self.each_element(holder, test)
        return Val(t, self.load(count))

    def extreme_of(self, op: str, of: Val) -> Val:
        """`min` or `max` of a collection; of an empty one it is an error."""
        assert isinstance(of.type, SetT | SeqT | BagT)
        elem = of.type.elem
        if isinstance(elem, NeverT):
            self.go(self.fail)
            return Val(NeverT(), "0")
        if isinstance(of.type, SetT):
            width = bits(of.type)
            self.require(self.compare("ne", width, of.op, "0"), self.fail)
            at = self.lowest_bit(of.op, width) if op == "min" else self.highest_bit(of.op, width)
            return self.unrank(elem, at)
        self.require(self.compare("ne", 64, self.length(of), "0"), self.fail)
        first = self.element(of, "0")
        result = self.stack(kind(elem))
        self.store(first.op, result, kind(elem))

        def test(v: Val) -> None:
            best = Val(elem, self.load(result, kind(elem)))
            better = self.less(v, best) if op == "min" else self.less(best, v)
            self.store(self.select(better, kind(elem), v.op, best.op), result, kind(elem))

        self.each_element(of, test)
        return Val(elem, self.load(result, kind(elem)))

    def slice(self, op: str, holder: Val, count: str) -> Val:
        """`take` and `drop`."""
        assert isinstance(holder.type, SeqT) and holder.type.limit is not None
        self.require(self.compare("sge", 64, count, "0"), self.fail)
        if not holder.type.limit:
            return holder
        total, size, width = bits(holder.type), self.length(holder), bits(holder.type.elem)
        n = self.select(self.compare("slt", 64, count, size), "i64", count, size)
        shift = self.resize(self.op("mul", 64, n, str(width)), 64, total)
        items = self.items(holder)
        if op == "drop":
            return self.sequence(holder.type, self.op("lshr", total, items, shift), self.op("sub", 64, size, n))
        ones = self.op("sub", total, self.op("shl", total, "1", shift), "1")
        return self.sequence(holder.type, self.op("and", total, items, ones), n)

    # ---- bags

    def bag_with(self, bag: Val, item: Val) -> Val:
        """A bag with one more element, which stands behind those that are not above it."""
        assert isinstance(bag.type, BagT) and bag.type.limit is not None
        t = BagT(item.type, bag.type.limit + 1)
        whole = self.convert(bag, t)
        total, width = bits(t), bits(item.type)
        place = self.stack("i64")
        self.store("0", place)
        rank = self.rank(item)

        def test(v: Val) -> None:
            more = self.resize(self.compare("ule", 64, self.rank(v), rank), 1, 64)
            self.store(self.op("add", 64, self.load(place), more), place)

        self.each_element(whole, test)
        shift = self.resize(self.op("mul", 64, self.load(place), str(width)), 64, total)
        items = self.items(whole)
        low = self.op("and", total, items, self.op("sub", total, self.op("shl", total, "1", shift), "1"))
        high = self.op("shl", total, self.op("xor", total, items, low), str(width))
        middle = self.op("shl", total, self.resize(self.pack(item), width, total), shift)
        pattern = self.op("or", total, self.op("or", total, low, middle), high)
        return self.sequence(t, pattern, self.op("add", 64, self.length(whole), "1"))

    def bag_plus(self, a: Val, b: Val) -> Val:
        """All elements of two bags."""
        assert isinstance(a.type, BagT) and isinstance(b.type, BagT)
        n, m = a.type.limit, b.type.limit
        assert n is not None and m is not None
        elem = joined(a.type.elem, b.type.elem)
        if isinstance(elem, NeverT):
            return Val(BagT(elem, 0), "0")
        t = BagT(elem, n + m)
        result = self.stack(kind(t))
        self.store(self.convert(a, t).op, result, kind(t))

        def add(v: Val) -> None:
            more = self.bag_with(Val(t, self.load(result, kind(t))), self.convert(v, elem))
            self.store(self.convert(more, t).op, result, kind(t))

        self.each_element(b, add)
        return Val(t, self.load(result, kind(t)))

    def bag_minus(self, a: Val, b: Val) -> Val:
        """One copy less for each copy in `b`."""
        t = a.type
        assert isinstance(t, BagT)
        if not t.limit or isinstance(t.elem, NeverT):
            return a
        total, width = bits(t), bits(t.elem)
        result = self.stack(kind(t))
        self.store(a.op, result, kind(t))

        def drop(item: Val) -> None:
            now = Val(t, self.load(result, kind(t)))
            place = self.stack("i64")
            self.store("-1", place)

            def test(i: str) -> None:
                here = self.both(self.equal(self.element(now, i), item), self.compare("slt", 64, self.load(place), "0"))
                self.store(self.select(here, "i64", i, self.load(place)), place)

            self.loop("0", self.length(now), test)
            at = self.load(place)

            def remove() -> None:
                shift = self.resize(self.op("mul", 64, at, str(width)), 64, total)
                items = self.items(now)
                low = self.op("and", total, items, self.op("sub", total, self.op("shl", total, "1", shift), "1"))
                above = self.op("lshr", total, self.op("lshr", total, items, shift), str(width))
                pattern = self.op("or", total, low, self.op("shl", total, above, shift))
                shorter = self.sequence(t, pattern, self.op("sub", 64, self.length(now), "1"))
                self.store(shorter.op, result, kind(t))

            self.if_(self.compare("sge", 64, at, "0"), remove)

        self.each_element(b, drop)
        return Val(t, self.load(result, kind(t)))
