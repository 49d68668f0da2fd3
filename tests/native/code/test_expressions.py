"""Compiled expressions say what the interpreter says: a small spec for each construct of the language.

Each spec reaches enough states for its values to vary. What is computed is stored as well as judged, so a wrong value shows in
the number of states, in a path or in a verdict.
"""

from __future__ import annotations

import pytest

import checker
from checker.engine.interface import Limits
from checker.native import jit
from checker.native.code.module import plan
from checker.native.engine import NativeEngine
from tests.engine.contract import examine

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

NUMBERS = """spec Numbers
role R {
  durable x: -5..5 = -5
  durable y: -4..4 = -4
  durable q: -99..99 = 0
  durable r: 0..9 = 0
  action X when x < 5 { x += 1  q := 0  r := 0 }
  action Y when y < 4 { y += 1  q := 0  r := 0 }
  action Div when y != 0 { q := x / y }
  action Mod when y != 0 { r := x % y }
  action Bad when x == 5 and y == 4 { q := x / (y - 4) }
}
invariant Whole:  R.y != 0 => (R.x / R.y) * R.y + R.x % R.y == R.x
invariant Small:  R.y != 0 => R.x % R.y < max(R.y, -R.y)
reach Down:       R.q == -2 and R.x == -5 and R.y == 3
reach Up:         R.q == 2 and R.x == -4 and R.y == -2
reach Rest:       R.r == 1 and R.x == -5 and R.y == -3
invariant Zero:   R.x / R.y <= 5
invariant Least:  min(R.x, R.y, 0) <= max(R.x, 2 - R.y)
invariant Signs:  -R.x * R.y == -(R.x * R.y)
final: true
check c { }
"""

OVERFLOW = """spec Overflow
role R {
  durable x: -4611686018427387903..4611686018427387903 = 1
  durable big: bool = false
  action Grow when x < 1152921504606846976 and x > 0 { x := x * 1024 }
  action Last when x >= 1152921504606846976 { x := x * 3 + (x - 1) }
  action Flip when x > 1 { x := -x }
  action Ask { big := x * x > 4611686018427387903 }
}
invariant Square: R.x * R.x >= R.x
invariant Cube:   R.x > 0 => R.x * R.x * R.x > 0
invariant Sums:   (sum i in 1..4: R.x * 2) == 8 * R.x
invariant Apart:  R.x + R.x + R.x != 3 * R.x - 1
reach Beyond:     R.x * 4 - 1 > 4611686018427387903 + 4611686018427387903
reach Odd:        R.big and R.x < 0
final: true
check c { }
"""

RECORDS = """spec Records
record P(a: 0..2, b: 0..1) where a > 0 or b == 1
record Q(p: P?, k: -1..1)
type Flag = bool
role R {
  durable s: Set[P] = {}
  durable q: Q = Q(none, 0)
  durable m: Map[Flag, Q?] = none
  action Add(p: P) when size(s) < 2 { s += p }
  action Take when s != {} { q.p := min(s) }
  action Drop when q.p != none { s -= {q.p}  q := Q(none, -1) }
  action Put(b: bool) { m[b] := q }
  action Deep when m[true] != none { m[true] := m[true] with (k = 1) }
}
invariant Wide:    size(R.s) < 2
invariant Some:    R.q.p != none => R.q.p.b == 1 or R.q.p.a > 0
invariant Same:    {p in P where p in R.s} == R.s
invariant Least:   R.s != {} => min(R.s) <= max(R.s)
reach Both:        P(1, 0) in R.s and P(0, 1) in R.s
reach Deep:        R.m[true]?.k == 1 and R.m[false]?.p == P(2, 1)
invariant Counted: size({p in P where p.b == 1}) == 3
invariant Without: R.s - {P(1, 1)} == {p in R.s where p != P(1, 1)}
invariant Ordered: forall p in P, r in P: p < r => not (r <= p) and (p.a < r.a or p.b < r.b)
final: true
check c { }
"""

OPTIONALS = """spec Optionals
role A[2] { durable friend: A? = none
            durable seen: Set[A?] = {}
  action Meet(f: A) when friend == none { friend := f }
  action Note { seen += friend }
  action Part when friend != none { friend := none } }
record Box(inside: A?)
invariant Self:   forall a in A: a.friend != a
invariant Order:  forall a in A: none <= a.friend
invariant Boxes:  forall a in A: Box(a.friend) in {Box(none), Box(at(A, 0)), Box(at(A, 1))}
invariant Inside: forall a in A: Box(a.friend).inside == a.friend
reach Mutual:     exists a in A, b in A: a != b and a.friend == b and b.friend == a
reach Full:       exists a in A: size(a.seen) == 3
reach Nested:     {Box(none), Box(at(A, 1))} == {b in Box where b.inside == none or b.inside != at(A, 0)}
invariant Known:  forall a in A: a.friend in a.seen => size(a.seen) < 3
final: true
check c { }
"""

SEQUENCES = """spec Sequences
enum E { a, b, c }
role R {
  durable q: Seq[E, 3] = []
  durable n: Seq[Seq[0..1, 1], 2] = []
  durable i: -1..3 = -1
  action Push(e: E) when size(q) < 3 { q += [e] }
  action Pop when size(q) > 0 { q := drop(q, 1) }
  action Copy when size(q) > 1 { q[1] := q[0] }
  action Nest(x: 0..1) when size(n) < 2 { n += [[x]] }
  action Move when i < 3 { i += 1 }
}
invariant Last:    R.q != [] => last(R.q) in R.q
invariant Joined:  size(R.q + [a]) == size(R.q) + 1 and take(R.q, 1) + drop(R.q, 1) == R.q
invariant Count:   (sum e in E: count(R.q, e)) == size(R.q)
invariant Inside:  R.i < size(R.q) => R.q[R.i] != b
invariant Beyond:  drop(R.q, R.i) == take(R.q, 3 - R.i)
invariant With:    size(R.q) > 0 => (R.q with ([0] = c))[0] == c
reach Nested:      R.n == [[1], [0]] and [0] in R.n and last(R.n[0]) == 1
reach Ends:        size(R.q) == 3 and min(R.q) == b and max(R.q) == c
invariant Members: {e in R.q where e != a} == {e in E where e in R.q and e != a}
final: true
check c { }
"""

BAGS = """spec Bags
enum E { a, b, c }
role R {
  durable g: Bag[E, 3] = {}
  durable h: Bag[0..2, 3] = [2, 0]
  durable n: Bag[Set[0..1], 2] = [{1}]
  action Put(e: E) when size(g) < 3 { g += e }
  action Eat(e: E) when e in g { g -= e }
  action Swap when count(g, c) == 2 { g -= [c, c]  g += [a] }
  action Double when size(g) == 1 { g += g }
  action Least when size(h) > 0 { h -= min(h) }
  action Most when size(h) > 0 and size(h) < 3 { h += [max(h)] }
  action Nest when size(n) < 2 { n += {0} }
  action Clear when size(n) > 0 { n -= n }
}
invariant Sum:    (sum e in E: count(R.g, e)) == size(R.g)
invariant Kinds:  {e in R.g where e != b} == {e in E where count(R.g, e) > 0 and e != b}
reach Three:      count(R.g, b) == 2 and max(R.g) == c
reach Last:       size(R.h) == 1 and 2 in R.h
invariant Added:  (sum x in R.h: x) <= 4
invariant Empty:  min(R.h) <= max(R.h)
reach Nested:     count(R.n, {0}) == 1 and count(R.n, {1}) == 1
final: true
check c { }
"""

MAPS = """spec Maps
type Flag = bool
record K(a: bool, n: 1..2)
role A[2] {
  durable m: Map[K, 0..2] = 0
  durable s: Map[Set[0..1], bool] = false
  durable o: Map[A, Map[Flag, -1..0]] = {x in A: {y in Flag: 0}}
  action Up(k: K) when m[k] < 2 and self == at(A, 0) { m[k] += 1 }
  action Mark(x: 0..1) { s[{x}] := not s[{x}] }
  action Deep(y: bool) when self == at(A, 1) { o[self][y] := -1 }
}
invariant Small:   forall a in A, k in K: a.m[k] < 2
invariant Sum:     forall a in A: (sum k in K: a.m[k]) < 3
invariant Copy:    forall a in A: (a.m with ([K(true, 2)] = 1))[K(true, 2)] == 1
invariant Made:    forall a in A: {k in K: a.m[k]} == a.m
invariant Wider:   forall a in A: {k in K: a.m[k] + 7}[K(true, 1)] == a.m[K(true, 1)] + 7
invariant Outside: forall a in A: a.m[K(true, 1)] == 2 => a.m[K(false, 2)] == 0
reach Sets:        at(A, 0).s[{0}] and at(A, 0).s[{1}] and not at(A, 0).s[{0, 1}]
reach Nested:      at(A, 1).o[at(A, 1)] == {y in Flag: -1}
final: true
check c { }
"""

QUANTIFIERS = """spec Quantifiers
enum E { a, b }
role R {
  durable s: Set[-2..3] = {}
  durable x: -2..3 = -2
  action Add(n: -2..3) when size(s) < 3 { s += n }
  action Move when x < 3 { x += 1 }
  action Low when s != {} and x != min(s) { x := min(s) }
}
fun above(n: -2..3): Set[-2..3] = {m in R.s where m > n}
invariant Filter:  forall n in {m in R.s where m > 0}: n in R.s and n > 0
invariant Nested:  forall n in {m in {k in R.s where k % 2 == 0} where m != 0}: n / 2 * 2 == n
invariant Fun:     size(above(R.x)) <= 2
invariant Fails:   exists n in {m in R.s where 6 / m > 2}: n > 0 or R.x <= 0
invariant Early:   (exists n in R.s: n == -2 or 1 / n == 1) or 0 not in R.s
invariant Range:   (exists n in R.x..3: n in R.s) or (forall n in R.x..3: n not in R.s)
invariant Sum:     (sum n in {m in R.s where m < R.x}: n * n) <= 8
invariant Outside: forall n in R.s: R.x > 2 and n > 1 => n == 2
invariant Sets:    R.s & {0, 1} == R.s - (R.s - {0, 1})
invariant Union:   {-9, 9} + R.s - {-9, 9} == R.s
invariant Short:   R.s == {} or min(R.s) <= R.x or max(R.s) > R.x
invariant If:      (if R.s == {} then none else min(R.s)) != R.x or R.x in R.s
reach Between:     exists n in R.s, m in {k in R.s where k > n + 1}: R.x == n + 1 and m == 3
invariant Enums:   forall e in {f in E where f != a}: e == b
final: true
check c { }
"""

SPECS = {
    "numbers": NUMBERS,
    "overflow": OVERFLOW,
    "records": RECORDS,
    "optionals": OPTIONALS,
    "sequences": SEQUENCES,
    "bags": BAGS,
    "maps": MAPS,
    "quantifiers": QUANTIFIERS,
}
MANY = Limits(max_states=1500)


@pytest.mark.parametrize("name", SPECS)
def test_native_code_says_what_the_interpreter_says(name: str) -> None:
    examine(NativeEngine(level=0), SPECS[name], MANY)


@pytest.mark.parametrize("name", SPECS)
def test_writing_is_deterministic(name: str) -> None:
    machine = checker.loads(SPECS[name]).machine("c")
    assert plan(machine).text() == plan(machine).text()


def test_what_64_bits_cannot_hold_is_left_to_the_interpreter() -> None:
    text = plan(checker.loads(OVERFLOW).machine("c")).text()
    assert "smul.with.overflow" in text
    found = NativeEngine(level=0).explore(checker.loads(OVERFLOW).machine("c"), MANY)
    assert {"Beyond", "Odd"} <= set(found.reached)
