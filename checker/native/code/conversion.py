"""Values of one type as values of another: conversion, comparison, and tests whether a value is of a type.

The language has subtypes: a value of `0..3` is one of `0..7`, and one of `T` is one of `T?`. A set, map, sequence or record of
the first kind differs in its pattern from one of the second, so whoever puts values together converts them to the type that
holds both.

There are three ways into another type. `convert` is for a value that is known to be of it. `conforms` says whether it is,
including the conditions of records. `narrowed` is for a value that was tested, or whose result is thrown away if the test
says no: it makes some value of the type, and never fails.
"""

from __future__ import annotations

from abc import abstractmethod

from checker.model.types import BagT, IntT, MapT, NeverT, OptT, ProcT, RecordT, SeqT, SetT, Type, fits, has_where
from checker.native.code.ranks import Ranks
from checker.native.code.values import Val, closed, joined, kind, register
from checker.native.code.width import bits, entries, is_scalar


class Conversions(Ranks):
    """Code that compares and converts values."""

    @abstractmethod
    def satisfies(self, record: str, v: Val) -> str:
        """Whether a record fulfils its condition."""

    # ---- conversion

    def convert(self, v: Val, t: Type) -> Val:
        """A value as one of another type, of which it is known to be."""
        if v.type == t:
            return v
        match v.type, t:
            case (NeverT(), _) | (_, NeverT()):
                return Val(t, "0")
            case OptT(inner), OptT(target):
                if isinstance(inner, NeverT):
                    return Val(t, "0")
                there = self.is_some(v)
                some = self.some(t, self.convert(self.inner(v), target))
                return Val(t, self.select(there, kind(t), some.op, "0"))
            case _, OptT(target):
                return self.some(t, self.convert(v, target))
            case OptT(), _:  # whoever asks knows that there is a value, or does not use what comes of none
                return self.convert(self.inner(v), t)
            case SetT(elem), SetT(target):
                return self._convert_set(v, elem, target, t)
            case (SeqT(elem), SeqT(target)) | (BagT(elem), BagT(target)):
                assert isinstance(t, SeqT | BagT)
                return self._convert_sequence(v, elem, target, t)
            case MapT(key, inner), MapT(_, target):
                result = "0"
                for i in range(entries(key)):
                    part = self.part(inner, v.op, bits(v.type), str(i * bits(inner)))
                    result = self.with_part(result, bits(t), str(i * bits(target)), self.convert(part, target))
                return Val(t, result)
            case RecordT(), RecordT():
                raise AssertionError("records of different types")
        return Val(t, v.op)

    def _convert_set(self, v: Val, elem: Type, target: Type, t: SetT) -> Val:
        old, new = bits(v.type), bits(t)
        if isinstance(elem, NeverT):
            return Val(t, "0")
        if elem == target:
            return Val(t, v.op)
        result = self.stack(f"i{new}")
        self.store("0", result, f"i{new}")

        def add(i: str) -> None:
            at = self.rank(self.convert(self.unrank(elem, i), target))
            bit = self.op("shl", new, "1", self.resize(at, 64, new))
            self.store(self.op("or", new, self.load(result, f"i{new}"), bit), result, f"i{new}")

        shift = _shift(elem, target)
        if shift is not None:  # the elements are numbered alike, only from another number on
            wide = max(old, new)
            moved = self.resize(v.op, old, wide)
            moved = self.op("shl" if shift >= 0 else "lshr", wide, moved, str(abs(shift)))
            return Val(t, self.resize(moved, wide, new))
        self.each_bit(v.op, old, add)
        return Val(t, self.load(result, f"i{new}"))

    def _convert_sequence(self, v: Val, elem: Type, target: Type, t: SeqT | BagT) -> Val:
        assert isinstance(v.type, SeqT | BagT) and v.type.limit is not None and t.limit is not None
        limit, total = min(v.type.limit, t.limit), bits(t)
        if not limit:
            return Val(t, "0")
        size = self.length(v)
        if elem == target:
            ones = (1 << limit * bits(elem)) - 1
            kept = self.resize(self.op("and", bits(v.type), v.op, str(ones)), bits(v.type), total)
            return self.sequence(t, kept, size)
        result = "0"
        for i in range(limit):
            longer = self.with_part(result, total, str(i * bits(target)), self.convert(self.element(v, str(i)), target))
            result = self.select(self.compare("sgt", 64, size, str(i)), f"i{total}", longer, result)
        return self.sequence(t, result, size)

    def narrowed(self, v: Val, t: Type) -> Val:
        """A value as one of a type; what comes of a value that is none of it does not matter, and is not an error."""
        if isinstance(v.type, OptT) and not isinstance(t, OptT):
            v = self.inner(v)
        return self.convert(v, t)

    def sized(self, v: Val, *, element: bool = False) -> Val:
        """A value whose type has a width; an integer that is too large for it is left to the interpreter."""
        t = closed(v.type, element=element)
        if t == v.type:
            return v
        assert isinstance(t, IntT)
        self.require(self.conforms(v, t), self.defer)
        return Val(t, v.op)

    # ---- comparison

    def equal(self, a: Val, b: Val) -> str:
        """Whether two values are the same, whatever their types."""
        if isinstance(a.type, NeverT) or isinstance(b.type, NeverT):
            return "0"
        if a.type == b.type or (is_scalar(a.type) and is_scalar(b.type)):
            return self.compare("eq", register(a.type), a.op, b.op)
        if isinstance(a.type, OptT) or isinstance(b.type, OptT):
            there, here = self.is_some(a), self.is_some(b)
            if NeverT() in (getattr(a.type, "inner", None), getattr(b.type, "inner", None)):
                return self.negate(self.either(there, here))
            same = self.equal(self.inner(a), self.inner(b))
            neither = self.negate(self.either(there, here))
            return self.either(neither, self.both(self.both(there, here), same))
        both = joined(a.type, b.type)
        return self.compare("eq", bits(both), self.convert(a, both).op, self.convert(b, both).op)

    def less(self, a: Val, b: Val) -> str:
        """Whether `a` comes before `b` in the order of their type."""
        if is_scalar(a.type) and is_scalar(b.type):
            return self.compare("slt", 64, a.op, b.op)
        if isinstance(a.type, OptT) or isinstance(b.type, OptT):
            there, here = self.is_some(a), self.is_some(b)
            if NeverT() in (getattr(a.type, "inner", None), getattr(b.type, "inner", None)):
                return self.both(self.negate(there), here)
            inside = self.both(self.both(there, here), self.less(self.inner(a), self.inner(b)))
            return self.either(self.both(self.negate(there), here), inside)
        both = joined(a.type, b.type)
        return self.compare("ult", 64, self.rank(self.convert(a, both)), self.rank(self.convert(b, both)))

    def ordered(self, op: str, a: Val, b: Val) -> str:
        """`<`, `<=`, `>` or `>=`."""
        match op:
            case "<":
                return self.less(a, b)
            case ">":
                return self.less(b, a)
            case "<=":
                return self.negate(self.less(b, a))
        return self.negate(self.less(a, b))

    def in_set(self, item: Val, of: Val) -> str:
        """Whether a set has an element."""
        assert isinstance(of.type, SetT)
        elem = of.type.elem
        if isinstance(elem, NeverT) or isinstance(item.type, NeverT):
            return "0"
        good = self.conforms(item, elem, plain=True)
        width = bits(of.type)
        at = self.rank(self.narrowed(item, elem))
        if good != "1":
            at = self.select(good, "i64", at, "0")
        return self.both(good, self.extract(of.op, width, at, 1))

    # ---- tests of types

    def conforms(self, v: Val, t: Type, *, plain: bool = False) -> str:
        """Whether a value is one of a type: ranges, limits and conditions of records.

        `plain`: without the conditions, so whether the value has a rank in the type.
        """
        match v.type, t:
            case NeverT(), _:
                return "0"
            case OptT(inner), OptT(target):
                if isinstance(inner, NeverT):
                    return "1"
                return self.either(self.negate(self.is_some(v)), self.conforms(self.inner(v), target, plain=plain))
            case OptT(), _:
                return self.both(self.is_some(v), self.conforms(self.inner(v), t, plain=plain))
            case _, OptT(target):
                return self.conforms(v, target, plain=plain)
            case IntT(), IntT(lo, hi):
                low = "1" if fits(v.type, IntT(lo, None)) else self.compare("sge", 64, v.op, str(lo))
                high = "1" if fits(v.type, IntT(None, hi)) else self.compare("sle", 64, v.op, str(hi))
                return self.both(low, high)
            case ProcT(), ProcT(roles):
                if fits(v.type, t):
                    return "1"
                result = "0"
                for role in roles:
                    inside = self.both(
                        self.compare("sge", 64, v.op, str(role.base)),
                        self.compare("slt", 64, v.op, str(role.base + role.size)),
                    )
                    result = self.either(result, inside)
                return result
            case RecordT(name, _, constrained), RecordT():
                return self.satisfies(name, v) if constrained and not plain else "1"
            case SetT(elem), SetT(target, limit):
                few = self._within(self.count_bits(v.op, bits(v.type)), limit)
                return self.both(few, self._all(v, elem, target, plain))
            case (SeqT(elem), SeqT(target, limit)) | (BagT(elem), BagT(target, limit)):
                return self.both(self._within(self.length(v), limit), self._all(v, elem, target, plain))
            case MapT(key, inner), MapT(_, target):
                result = "1"
                if not self._certain(inner, target, plain):
                    for i in range(entries(key)):
                        part = self.part(inner, v.op, bits(v.type), str(i * bits(inner)))
                        result = self.both(result, self.conforms(part, target, plain=plain))
                return result
        return "1"

    def _within(self, size: str, limit: int | None) -> str:
        return "1" if limit is None else self.compare("sle", 64, size, str(limit))

    def _certain(self, elem: Type, target: Type, plain: bool) -> bool:
        return isinstance(elem, NeverT) or (fits(elem, target) and (plain or not has_where(target)))

    def _all(self, v: Val, elem: Type, target: Type, plain: bool) -> str:
        """Whether all elements of a collection are of a type."""
        if self._certain(elem, target, plain):
            return "1"
        result = self.stack("i1")
        self.store("1", result, "i1")

        def test(item: Val) -> None:
            good = self.conforms(item, target, plain=plain)
            self.store(self.both(self.load(result, "i1"), good), result, "i1")

        self.each_element(v, test)
        return self.load(result, "i1")


def _shift(old: Type, new: Type) -> int | None:
    """By how much the ranks of `new` are above those of `old`; None where that is not one number."""
    match old, new:
        case IntT(int() as lo), IntT(int() as low):
            return lo - low
        case ProcT((role,)), ProcT(roles):
            before = 0
            for other in roles:
                if other == role:
                    return before
                before += other.size
    return None
