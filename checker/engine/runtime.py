"""What generated code calls: errors, choices, effects, and operations on values.

Generated code is plain Python made from the typed representation (see `pycode`). Everything in it that is more than an
operator is a function of this module, so that the meaning of each construct can be read and tested here.

- `Fail` is an error that the language defines: a range, a capacity, a `none`. Its `site` says where in the spec.
- `Disabled` ends an outcome that is no step: nothing to choose from, or a network that blocks.
- A `Tape` enumerates the outcomes of a body that chooses: it is run again and again, each time with the next sequence of
  answers, like an odometer. A choice may therefore stand anywhere, in loops and in procedures.
- `Effects` counts the effects of a body and takes the picture of a torn one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from math import comb, factorial
from typing import Any, NamedTuple

from checker.base.diagnostics import error
from checker.base.source import Span
from checker.model.intervals import MAX_BITS
from checker.model.types import Type
from checker.model.values import Value, conforms, key_index, order_key, show_value

State = tuple[Any, ...]

MAX_DOMAIN = 1 << 20
"""The most values that are gone through one by one: more of them no search would come to the end of."""


class Site(NamedTuple):
    """Where and as what an error is reported: code, place, and text with `{value}` for the offending value."""

    code: str
    span: Span
    text: str
    type: Type | None


class Fail(Exception):
    """An error of the spec, found at `site` with this value."""

    def __init__(self, site: int, value: Any = None) -> None:
        super().__init__(site, value)
        self.site = site
        self.value = value


class Disabled(Exception):
    """This outcome is no step. `empty`: because a `choose` found nothing."""

    def __init__(self, empty: bool) -> None:
        super().__init__(empty)
        self.empty = empty


class Discarded(Exception):
    """This order of a loop is not one that the semantics allows."""


class TooManyTears(Exception):
    """A step can be torn in more ways than are worth listing. `args[0]` is their number."""


MAX_TEARS = 1 << 16
"""The most subsets of recipients, or orders of a loop, in which one step may be torn."""


class Tape:
    """The answers to the choices of one run of a body, and the next ones in order.

    `labels` describes the answers of the run: pairs of what was chosen and how many alternatives there were.
    """

    __slots__ = ("_answers", "_at", "_sizes", "labels")

    def __init__(self) -> None:
        self._answers: list[int] = []
        self._sizes: list[int] = []
        self._at = 0
        self.labels: list[tuple[str, Value]] = []

    def choose(self, alternatives: int) -> int:
        """The answer to the next choice among so many; none at all disables the outcome."""
        if alternatives == 0:
            raise Disabled(empty=True)
        at = self._at
        if at == len(self._answers):
            self._answers.append(0)
            self._sizes.append(alternatives)
        self._at = at + 1
        return self._answers[at]

    def element(self, label: str, of: Sequence[Value]) -> Value:
        """One of the elements, noted under a label."""
        value = of[self.choose(len(of))]
        self.labels.append((label, value))
        return value

    def branch(self, label: str, of: int) -> int:
        """One of several branches, counted from 0."""
        at = self.choose(of)
        self.labels.append((label, at))
        return at

    def advance(self) -> bool:
        """Moves to the next sequence of answers; False when all have been given."""
        del self._answers[self._at :], self._sizes[self._at :]
        self._at = 0
        self.labels = []
        while self._answers:
            self._answers[-1] += 1
            if self._answers[-1] < self._sizes[-1]:
                return True
            self._answers.pop()
            self._sizes.pop()
        return False


class Effects:
    """Counts effects and takes a copy of the state before effect `limit + 1`: what a crash at that point leaves behind.

    Recipients of one send may be reached in any order, and so may the elements of a loop that is torn; a loop that ends
    before the tear runs in its own order, as always. The run goes on behind the tear, since an outcome that is disabled or
    errs later on is no step and cannot be torn.
    """

    __slots__ = ("_tape", "count", "limit", "picture")

    def __init__(self, limit: int, tape: Tape) -> None:
        self.limit = limit
        self.count = 0
        self.picture: list[Any] | None = None
        self._tape = tape

    @property
    def torn(self) -> bool:
        """Whether the tear lies behind us."""
        return self.picture is not None

    def hit(self, state: list[Any]) -> None:
        """One effect is about to happen."""
        if self.count == self.limit:
            self.picture = state.copy()
        self.count += 1

    def recipients(self, of: Sequence[int]) -> Sequence[int]:
        """The recipients of a send: if the tear lies among them, those reached before it come first."""
        reached = self.limit - self.count
        if not 0 < reached < len(of):
            return of
        if comb(len(of), reached) > MAX_TEARS:
            raise TooManyTears(comb(len(of), reached))
        subsets = list(combinations(of, reached))
        first = subsets[self._tape.choose(len(subsets))]
        self._tape.labels.append(("reached", first))
        return (*first, *(p for p in of if p not in first))

    def order(self, of: Sequence[Value]) -> Iterator[Value]:
        """The elements of a loop over a set, in any order if the loop is torn."""
        if self.picture is not None or len(of) < 2:
            yield from of
            return
        if factorial(min(len(of), 99)) > MAX_TEARS:
            raise TooManyTears(factorial(min(len(of), 99)))
        left = list(of)
        in_place = True
        while left:
            at = 0 if self.torn else self._tape.choose(len(left))
            in_place = in_place and at == 0
            yield left.pop(at)
        if not in_place and not self.torn:
            raise Discarded


# ---- operations on values -------------------------------------------------------------------------------------------


def some(value: Value, site: int) -> Value:
    """The value, which may not be none."""
    if value is None:
        raise Fail(site)
    return value


def opt_field(value: Value, index: int) -> Value:
    """`e?.f`."""
    return None if value is None else value[index]


def ranged(value: int, lo: int, hi: int, site: int) -> int:
    """The number of a value or process, which must lie in lo..hi."""
    if lo <= value <= hi:
        return value
    raise Fail(site, value)


def entry(value: int, lo: int, size: int, site: int) -> int:
    """The position of a key among `size` keys from lo."""
    if 0 <= value - lo < size:
        return value - lo
    raise Fail(site, value)


def item(seq: tuple[Value, ...], at: int, site: int) -> Value:
    """An element of a sequence."""
    if 0 <= at < len(seq):
        return seq[at]
    raise Fail(site, at)


def put(seq: tuple[Value, ...], at: int, value: Value) -> tuple[Value, ...]:
    """A tuple with one element replaced."""
    return (*seq[:at], value, *seq[at + 1 :])


def put_item(seq: tuple[Value, ...], at: int, value: Value, site: int) -> tuple[Value, ...]:
    """A sequence with one element replaced."""
    if 0 <= at < len(seq):
        return put(seq, at, value)
    raise Fail(site, at)


def times(a: int, b: int) -> int:
    """A product of which nothing is known before. Raises SpecError, PSM113, where it has more than MAX_BITS."""
    if a.bit_length() + b.bit_length() <= MAX_BITS:
        return a * b
    raise error("PSM113", f"a product is larger than 2^{MAX_BITS}", help="use smaller numbers, or fewer products")


def span(low: int, high: int) -> range:
    """The numbers from one to another. Raises SpecError, PSM307, where they are more than MAX_DOMAIN."""
    if high - low < MAX_DOMAIN:
        return range(low, high + 1)
    raise error(
        "PSM307", f"{low} .. {high} has too many values to go through them all", help="range over a smaller set"
    )


def divide(a: int, b: int, site: int) -> int:
    if b == 0:
        raise Fail(site, a)
    return a // b


def modulo(a: int, b: int, site: int) -> int:
    """Never negative, whatever the signs."""
    if b == 0:
        raise Fail(site, a)
    return a % abs(b)


def least(values: Sequence[Value] | frozenset[Value], site: int) -> Value:
    if not values:
        raise Fail(site)
    return min(values, key=order_key)


def greatest(values: Sequence[Value] | frozenset[Value], site: int) -> Value:
    if not values:
        raise Fail(site)
    return max(values, key=order_key)


def take(seq: tuple[Value, ...], count: int, site: int) -> tuple[Value, ...]:
    if count < 0:
        raise Fail(site, count)
    return seq[:count]


def drop(seq: tuple[Value, ...], count: int, site: int) -> tuple[Value, ...]:
    if count < 0:
        raise Fail(site, count)
    return seq[count:]


def last(seq: tuple[Value, ...], site: int) -> Value:
    if not seq:
        raise Fail(site)
    return seq[-1]


def bag_plus(a: tuple[Value, ...], b: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(sorted((*a, *b), key=order_key))


def bag_minus(a: tuple[Value, ...], b: tuple[Value, ...]) -> tuple[Value, ...]:
    """One copy less for each copy in b; what is not there is not missed."""
    rest = list(a)
    for value in b:
        if value in rest:
            rest.remove(value)
    return tuple(rest)


def checker_for(t: Type, where: Callable[[str, Value], bool]) -> Callable[[Value, int], Value]:
    """A function that lets the values of a type pass and fails for all others."""

    def check(value: Value, site: int) -> Value:
        if conforms(t, value, where):
            return value
        raise Fail(site, value)

    return check


def kept(function: Callable[..., Value]) -> Callable[..., Value]:
    """A function of the language that keeps its results for the last state it was asked about.

    Properties and guards ask the same again and again: `decided(b, v)` for every pair of ballots. A body changes its state
    in place (a list), so nothing is kept there.
    """
    last: object = None
    known: dict[tuple[Value, ...], Value] = {}

    def call(state: State | list[Any], *args: Value) -> Value:
        nonlocal last
        if state is not last:
            if isinstance(state, list):
                return function(state, *args)
            last = state
            known.clear()
        elif args in known:
            return known[args]
        result = known[args] = function(state, *args)
        return result

    return call


class Memo(dict[Value, int]):
    """A number for each value of a type, computed on first use."""

    def __init__(self, number: Callable[[Value], int | None]) -> None:
        super().__init__()
        self._number = number

    def __missing__(self, value: Value) -> int | None:
        found = self._number(value)
        if found is not None:
            self[value] = found
        return found


def keys_of(t: Type) -> Callable[[Value, int], int]:
    """A function from the keys of a map to their positions, for key types that are not plain numbers."""
    memo = Memo(lambda value: key_index(t, value))

    def position(value: Value, site: int) -> int:
        at = memo[value]
        if at is None:
            raise Fail(site, value)
        return at

    return position


def describe(site: Site, value: Value) -> str:
    """The message of an error, with its value."""
    shown = ""
    if "{value}" in site.text:
        shown = show_value(site.type, value) if site.type is not None else str(value)
    return site.text.replace("{value}", shown)
