"""Domains: quantifiers, filters, sums and map comprehensions, as loops.

A domain need not exist as a set to be gone through: ranges, types and filters become loops, and a filter inside of a
quantifier becomes a condition in its loop. That is allowed where it cannot be seen. The interpreter finishes a filter before
it looks at its first element; so a condition that may be an error (`pitfalls`) is not mixed with a body that may be one, or that
leaves the loop early.

A quantifier tests the parts of its body that do not depend on its variable once, before the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from checker.engine.runtime import MAX_DOMAIN
from checker.model import ir
from checker.model.types import BOOL, BagT, IntT, MapT, NeverT, SeqT, SetT, Type, fits
from checker.model.values import Value, width
from checker.native.code.known import MULTIPLIER, known, patterns_of
from checker.native.code.logic import Logic
from checker.native.code.pitfalls import is_short, may_fail, mentions
from checker.native.code.values import Val, closed, joined, kind
from checker.native.code.width import bits, elements, fits_word
from checker.native.code.writer import normal

SMALL = 6
"""How many bits the elements of a known set have at most for it to be a pattern of bits, and not a table."""


class Domains(Logic):
    """Code that goes through domains."""

    def iterate(self, e: ir.Expr, body: Callable[[Val], None], *, fused: bool = False) -> None:
        """Runs `body` for the elements of a domain, in the order of the language.

        `fused`: the body cannot fail and does not leave the loop, so a filter need not be finished first.
        """
        match e:
            case ir.DomainSet(of):
                self.each_value(of, body)
            case ir.RangeSet(lo, hi):
                low, high = self.expr(lo), self.expr(hi)
                assert isinstance(low.type, IntT) and isinstance(high.type, IntT)
                t = IntT(low.type.lo, high.type.hi)
                if not is_short(t):  # nobody could stop such a loop
                    self.require(
                        self.compare("slt", 64, high.op, self.op("add", 64, low.op, str(MAX_DOMAIN))), self.defer
                    )
                self.loop(low.op, self.op("add", 64, high.op, "1"), lambda i: body(Val(t, i)))
            case ir.Honest(_, role):
                self.each_value(role, lambda v: self.if_(self.negate(self.is_faulty(v.op)), lambda: body(v)))
            case ir.Filter(local, domain, cond) if isinstance(domain.type, SetT) and (
                fused or not may_fail(cond, self.unit)
            ):

                def test(v: Val) -> None:
                    self.bound(local, v)
                    self.if_(self.expr(cond).op, lambda: body(v))

                self.iterate(domain, test, fused=fused)
            case ir.Filter(local, domain, cond) if not isinstance(domain.type, SetT):
                kept = self.filtered_set(local, domain, cond)
                self.each_element(kept, body)
            case _:
                self.each_element(self.expr(e), body)

    def element_type(self, e: ir.Expr) -> Type:
        """The type of what `iterate` gives for a domain, without keeping any code."""
        match e:
            case ir.DomainSet(of) | ir.Honest(_, of):
                return of
            case ir.RangeSet(lo, hi):
                low, high = self.typed(lambda: self.expr(lo)), self.typed(lambda: self.expr(hi))
                assert isinstance(low, IntT) and isinstance(high, IntT)
                if low.lo is not None and high.hi is not None and low.lo > high.hi:
                    return NeverT()
                return IntT(low.lo, high.hi)
            case ir.Filter(_, domain):
                return self.element_type(domain)
        of = self.typed(lambda: self.expr(e))
        assert isinstance(of, SetT | SeqT | BagT)
        return of.elem

    def as_set(self, e: ir.Expr) -> Val:
        """The set of what a domain gives."""
        found = self._collected(self.element_type(e), lambda add: self.iterate(e, add, fused=True))
        return found or Val(closed(e.type), "0")

    def filtered_set(self, local: ir.Local, domain: ir.Expr, cond: ir.Expr) -> Val:
        """`{x in q where P}` over a sequence or bag, as a set."""
        of = self.expr(domain)
        assert isinstance(of.type, SeqT | BagT)

        def run(add: Callable[[Val], None]) -> None:
            def test(v: Val) -> None:
                self.bound(local, v)
                self.if_(self.expr(cond).op, lambda: add(v))

            self.each_element(of, test)

        return self._collected(of.type.elem, run) or Val(SetT(of.type.elem), "0")

    def _collected(self, elem: Type, run: Callable[[Callable[[Val], None]], None]) -> Val | None:
        """The set of all values for which `run` calls what it is given; None if it turns out that there is none."""
        if isinstance(elem, NeverT):
            run(lambda _: None)
            return None
        t = SetT(elem)
        width = bits(t)
        result = self.stack(f"i{width}")
        self.store("0", result, f"i{width}")
        used = False

        def add(v: Val) -> None:
            nonlocal used
            used = True
            bit = self.op("shl", width, "1", self.resize(self.rank(v), 64, width))
            self.store(self.op("or", width, self.load(result, f"i{width}"), bit), result, f"i{width}")

        run(add)
        return Val(t, self.load(result, f"i{width}")) if used else None

    def member(self, item: ir.Expr, of: ir.Expr) -> str:
        """`x in S`."""
        x = self.expr(item)
        match of:
            case ir.MakeSet(items):
                found = "0"
                for v in [self.expr(i) for i in items]:
                    found = self.either(found, self.equal(x, v))
                return found
            case ir.DomainSet(t):
                return self.conforms(x, t)
            case ir.RangeSet(lo, hi):
                above = self.compare("sle", 64, self.expr(lo).op, x.op)
                return self.stopping_with("and", above, lambda: self.compare("sle", 64, x.op, self.expr(hi).op))
            case ir.Const(values, SetT(elem)) if values and width(elem) > SMALL:
                return self.listed(x, elem, values)
        holder = self.expr(of)
        if isinstance(holder.type, SetT):
            return self.in_set(x, holder)
        return self.compare("sgt", 64, self.occurrences(holder, x).op, "0")

    def listed(self, v: Val, elem: Type, values: Collection[Value]) -> str:
        """Whether a value is one of many that are known (`known`)."""
        number, total = f"i{bits(elem)}", bits(elem)
        found = known(patterns_of(elem, values))
        table = self.unit.table(number, found.slots)
        good = self.conforms(v, elem, plain=True)
        wanted, folded = self.pack(self.narrowed(v, elem)), "0"
        for at in range(0, total, 64):
            width_here = min(64, total - at)
            part = self.resize(self.extract(wanted, total, str(at), width_here), width_here, 64)
            folded = self.op("xor", 64, folded, part)
        home = self.op("lshr", 64, self.op("mul", 64, folded, normal(MULTIPLIER, 64)), str(64 - found.size))
        is_member = self.stack("i1")
        self.store(good, is_member, "i1")
        done = self.block("known")
        for away in range(found.reach + 1):
            there = self.let(f"getelementptr {number}, ptr {table}, i64 {self.op('add', 64, home, str(away))}")
            self.require(self.compare("ne", total, self.load(there, number), wanted), done, likely=False)
        self.store("0", is_member, "i1")
        self.place(done)
        return self.load(is_member, "i1")

    # ---- quantifiers

    def quantified(self, e: ir.Quant) -> Val:
        """`forall`, `exists`, `sum`. Parts of the body that do not depend on the variable are tested once, outside."""
        if e.kind == "sum":
            return self.summed(e)
        outside, body = self.split(e)
        if outside:
            test = self.stopping("and", self.expr(outside[0]).op, outside[1:])
            inner = ir.Quant(e.kind, e.local, e.domain, body, BOOL)
            if e.kind == "exists":
                return self.truth(self.stopping_with("and", test, lambda: self.quantified(inner).op))
            return self.truth(self.stopping_with("or", self.negate(test), lambda: self.quantified(inner).op))
        result = self.stack("i1")
        ends = "1" if e.kind == "exists" else "0"
        self.store("0" if e.kind == "exists" else "1", result, "i1")
        done = self.block("found")

        def test_one(v: Val) -> None:
            self.bound(e.local, v)
            holds = self.expr(body).op
            stop, on = self.block("stop"), self.block("next")
            self.when(holds, *((stop, on) if e.kind == "exists" else (on, stop)))
            self.place(stop)
            self.store(ends, result, "i1")
            self.go(done)
            self.place(on)

        self.iterate(e.domain, test_one)
        self.place(done)
        return self.truth(self.load(result, "i1"))

    def split(self, e: ir.Quant) -> tuple[list[ir.Expr], ir.Expr]:
        """The conditions of a quantifier's body that do not depend on its variable and cannot fail, and the rest.

        For `exists x: A and B(x)` that is A; for `forall x: A and B(x) => C(x)` it is A, too.
        """
        match e.kind, e.body:
            case "exists", ir.Logic("and", items, span):
                outside, rest = self._independent(items, e.local)
                if not outside or not rest:
                    return [], e.body
                return outside, rest[0] if len(rest) == 1 else ir.Logic("and", tuple(rest), span)
            case "forall", ir.Logic("implies", (ir.Logic("and", items, inner), then), span):
                outside, rest = self._independent(items, e.local)
                if not outside:
                    return [], e.body
                if not rest:
                    return outside, then
                left = rest[0] if len(rest) == 1 else ir.Logic("and", tuple(rest), inner)
                return outside, ir.Logic("implies", (left, then), span)
        return [], e.body

    def _independent(self, items: tuple[ir.Expr, ...], local: ir.Local) -> tuple[list[ir.Expr], list[ir.Expr]]:
        outside: list[ir.Expr] = []
        rest: list[ir.Expr] = []
        safe = True
        for item in items:
            safe = safe and not may_fail(item, self.unit)
            if safe and not mentions(item, local):
                outside.append(item)
            else:
                rest.append(item)
        return outside, rest

    def summed(self, e: ir.Quant) -> Val:
        """`sum`. What may need more than 64 bits is left to the interpreter, as in `arith`."""
        total = self.stack("i64")
        self.store("0", total)
        self.unit.declare("declare {i64, i1} @llvm.sadd.with.overflow.i64(i64, i64)")
        result = IntT(None, None)

        def add(v: Val) -> None:
            nonlocal result
            self.bound(e.local, v)
            part = self.expr(e.body)
            assert isinstance(part.type, IntT)
            lo, hi, most = part.type.lo, part.type.hi, _most(e.domain, v.type)
            result = IntT(None, None)
            if lo is not None and hi is not None and most is not None:
                result = IntT(min(0, most * lo), max(0, most * hi))
            if fits_word(result):
                self.store(self.op("add", 64, self.load(total), part.op), total)
                return
            text = f"call {{i64, i1}} @llvm.sadd.with.overflow.i64(i64 {self.load(total)}, i64 {part.op})"
            both = self.let(text)
            self.require(self.negate(self.let(f"extractvalue {{i64, i1}} {both}, 1")), self.defer)
            self.store(self.let(f"extractvalue {{i64, i1}} {both}, 0"), total)

        self.iterate(e.domain, add)
        return Val(result, self.load(total))

    # ---- comprehensions and sizes

    def map_of(self, e: ir.MakeMap) -> Val:
        """`{k in K: e}`."""
        key = e.type.key

        def body(v: Val) -> Val:
            self.bound(e.local, v)
            return self.sized(self.expr(e.body))

        value = self.typed(lambda: body(Val(key, "%typed")))
        t = MapT(key, value)
        total, width = bits(t), bits(value)
        result, count = self.stack(f"i{total}"), self.stack("i64")
        self.store("0", result, f"i{total}")
        self.store("0", count)

        def put(v: Val) -> None:
            new = body(v)
            at = self.load(count)
            whole = self.load(result, f"i{total}")
            placed = self.with_part(whole, total, self.op("mul", 64, at, str(width)), self.convert(new, value))
            self.store(placed, result, f"i{total}")
            self.store(self.op("add", 64, at, "1"), count)

        self.each_value(key, put)
        return Val(t, self.load(result, f"i{total}"))

    def size(self, e: ir.Size) -> Val:
        """`size(…)`; of a filter it is counted without making the set."""
        match e.obj:
            case ir.Filter(domain=domain) as inner if isinstance(domain.type, SetT):
                count = self.stack("i64")
                self.store("0", count)

                def test(v: Val) -> None:
                    self.bound(inner.local, v)
                    more = self.resize(self.expr(inner.cond).op, 1, 64)
                    self.store(self.op("add", 64, self.load(count), more), count)

                self.iterate(domain, test)
                return Val(IntT(0, 1 << 20), self.load(count))
            case ir.DomainSet(of):
                count_of = self.unit.count(of)
                return Val(IntT(count_of, count_of), str(count_of))
        return self.size_of(self.expr(e.obj))

    def extreme(self, e: ir.MinMax) -> Val:
        """`min` and `max`."""
        if e.of_collection:
            best = self.extreme_of(e.op, self.expr(e.items[0]))
            return Val(closed(e.type), "0") if isinstance(best.type, NeverT) else best
        values = [self.expr(i) for i in e.items]
        best = values[0]
        for v in values[1:]:
            better = self.less(v, best) if e.op == "min" else self.less(best, v)
            t = joined(best.type, v.type)
            best = Val(t, self.select(better, kind(t), self.convert(v, t).op, self.convert(best, t).op))
        if isinstance(best.type, IntT) and isinstance(e.type, IntT) and fits(e.type, best.type):
            return Val(e.type, best.op)
        return best


def _most(domain: ir.Expr, elem: Type) -> int | None:
    """How many elements a domain has at most."""
    if isinstance(domain.type, SeqT | BagT):
        return domain.type.limit
    if isinstance(elem, IntT):
        return None if elem.lo is None or elem.hi is None else max(0, elem.hi - elem.lo + 1)
    return elements(elem)
