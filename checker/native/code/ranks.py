"""Values by number: ranks, and loops over the values of a type or the elements of a collection.

A rank is the number that `model.values.rank` gives a value among those of its type. It is the place of an element in the
pattern of a set, and of a key in a map; in dense networks it is a part of a message's number. Ranks are made of the ranks of
parts as digits are, most significant part first, so for most types they are in the order of the language, and loops
that have to run in this order count upwards. Sets are the exception: their order is not that of their ranks, and a table
says which rank comes when.
"""

from __future__ import annotations

from collections.abc import Callable

from checker.model.types import (
    BagT,
    BoolT,
    EnumT,
    IdT,
    IntT,
    MapT,
    NeverT,
    OptT,
    ProcT,
    RecordT,
    SeqT,
    SetT,
    Type,
    show,
)
from checker.model.values import space, width
from checker.native.code.values import Val, Values, kind
from checker.native.code.width import Unsupported, bits, entries, is_dense


class Ranks(Values):
    """Code that numbers values and enumerates them."""

    def rank(self, v: Val) -> str:
        """The number of a value, as `model.values.rank` gives it, in 64 bits."""
        if width(v.type) > 62 and space(v.type) > 1 << 62:
            raise Unsupported(
                f"the values of {show(v.type)} are more than numbers of 62 bits, and their order is asked for"
            )
        match v.type:
            case BoolT():
                return self.resize(v.op, 1, 64)
            case IntT(lo):
                return self.op("sub", 64, v.op, str(lo))
            case EnumT() | IdT() | NeverT():
                return v.op
            case ProcT():
                return self.process_index(v)
            case OptT(inner):
                there = self.is_some(v)
                if isinstance(inner, NeverT):
                    return "0"
                return self.select(there, "i64", self.op("add", 64, self.rank(self.inner(v)), "1"), "0")
            case RecordT(_, fields):
                return self._mixed([self.field(v, i) for i in range(len(fields))])
            case SetT():
                return self.resize(v.op, bits(v.type), 64)
            case MapT(key, inner):
                total = bits(v.type)
                return self._mixed([self.part(inner, v.op, total, str(i * bits(inner))) for i in range(entries(key))])
            case SeqT(elem, limit) | BagT(elem, limit):
                assert limit is not None
                base, code, size = space(elem), "0", self.length(v)
                before = 0
                for i in range(limit):
                    there = self.compare("sgt", 64, size, str(i))
                    longer = self.op("add", 64, self.op("mul", 64, code, str(base)), self.rank(self.element(v, str(i))))
                    code = self.select(there, "i64", longer, code)
                offset = "0"
                for i in range(limit):
                    before += base**i
                    offset = self.select(self.compare("sgt", 64, size, str(i)), "i64", str(before), offset)
                return self.op("add", 64, code, offset)
        raise AssertionError(v.type)

    def _mixed(self, parts: list[Val]) -> str:
        code = "0"
        for part in parts:
            code = self.op("add", 64, self.op("mul", 64, code, str(space(part.type))), self.rank(part))
        return code

    def process_index(self, v: Val) -> str:
        """The position of a process among those of its type."""
        assert isinstance(v.type, ProcT)
        index, before = "0", 0
        for i, role in enumerate(v.type.roles):
            here = self.op("add", 64, v.op, str(before - role.base))
            index = here if i == 0 else self.select(self.compare("sge", 64, v.op, str(role.base)), "i64", here, index)
            before += role.size
        return index

    def unrank(self, t: Type, code: str) -> Val:
        """The value with that number."""
        match t:
            case BoolT():
                return Val(t, self.resize(code, 64, 1))
            case IntT(lo):
                return Val(t, self.op("add", 64, code, str(lo)))
            case EnumT() | IdT() | NeverT():
                return Val(t, code)
            case ProcT(roles):
                op, before = "0", 0
                for i, role in enumerate(roles):
                    here = self.op("add", 64, code, str(role.base - before))
                    op = here if i == 0 else self.select(self.compare("sge", 64, code, str(before)), "i64", here, op)
                    before += role.size
                return Val(t, op)
            case OptT(inner):
                there = self.compare("ne", 64, code, "0")
                some = self.some(t, self.unrank(inner, self.op("sub", 64, code, "1")))
                return Val(t, self.select(there, kind(t), some.op, "0"))
            case RecordT(_, fields):
                return Val(t, self._digits([f for _, f in fields], code, bits(t)))
            case SetT():
                return Val(t, self.resize(code, 64, bits(t)))
            case MapT(key, inner):
                return Val(t, self._digits([inner] * entries(key), code, bits(t)))
            case SeqT(elem, limit) | BagT(elem, limit):
                assert limit is not None
                base, size, start = space(elem), "0", "0"
                before = 0
                for i in range(limit):
                    before += base**i
                    longer = self.compare("sge", 64, code, str(before))
                    size = self.select(longer, "i64", str(i + 1), size)
                    start = self.select(longer, "i64", str(before), start)
                rest, total, result = self.op("sub", 64, code, start), bits(t), "0"
                for i in reversed(range(limit)):
                    there = self.compare("sgt", 64, size, str(i))
                    digit = self.let(f"urem i64 {rest}, {base}")
                    longer_op = self.with_part(result, total, str(i * bits(elem)), self.unrank(elem, digit))
                    result = self.select(there, f"i{total}", longer_op, result)
                    rest = self.select(there, "i64", self.let(f"udiv i64 {rest}, {base}"), rest)
                return self.sequence(t, result, size)
        raise AssertionError(t)

    def _digits(self, types: list[Type], code: str, total: int) -> str:
        ends, at = [], 0
        for t in types:
            ends.append(at)
            at += bits(t)
        result = "0"
        for i, t in reversed(list(enumerate(types))):
            base = space(t)
            digit = code if i == 0 else self.let(f"urem i64 {code}, {base}")
            result = self.with_part(result, total, str(ends[i]), self.unrank(t, digit))
            if i:
                code = self.let(f"udiv i64 {code}, {base}")
        return result

    # ---- loops

    def each_element(self, v: Val, body: Callable[[Val], None]) -> None:
        """Runs `body` for the elements of a set in the order of the language, or of a sequence or bag in its own."""
        if isinstance(v.type, SetT):
            elem, width = v.type.elem, bits(v.type)
            if isinstance(elem, NeverT):
                return
            if self.unit.in_rank_order(elem):
                self.each_bit(v.op, width, lambda i: body(self.unrank(elem, i)))
                return
            table = self.unit.table("i32", self.unit.ranks_in_order(elem))

            def look(i: str) -> None:
                place = self.let(f"getelementptr i32, ptr {table}, i64 {i}")
                at = self.resize(self.load(place, "i32"), 32, 64)
                inside, on = self.block(), self.block()
                self.when(self.extract(v.op, width, at, 1), inside, on)
                self.place(inside)
                body(self.unrank(elem, at))
                self.place(on)

            self.loop("0", str(len(self.unit.ranks_in_order(elem))), look)
            return
        assert isinstance(v.type, SeqT | BagT)
        self.loop("0", self.length(v), lambda i: body(self.element(v, i)))

    def each_value(self, t: Type, body: Callable[[Val], None]) -> None:
        """Runs `body` for every value of a type, in order."""
        match t:
            case IntT(int() as lo, int() as hi):
                self.loop(str(lo), str(hi + 1), lambda i: body(Val(t, i)))
            case ProcT((role,)):
                self.loop(str(role.base), str(role.base + role.size), lambda i: body(Val(t, i)))
            case EnumT() | IdT():
                self.loop("0", str(space(t)), lambda i: body(Val(t, i)))
            case NeverT():
                return
            case _ if is_dense(t):
                self.loop("0", str(self.unit.listable(t)), lambda i: body(self.unrank(t, i)))
            case _:
                patterns = self.unit.patterns(t)
                table = self.unit.table(kind(t), patterns)

                def look(i: str) -> None:
                    place = self.let(f"getelementptr {kind(t)}, ptr {table}, i64 {i}")
                    body(Val(t, self.load(place, kind(t))))

                self.loop("0", str(len(patterns)), look)
