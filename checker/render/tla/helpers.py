"""The operators that stand at the head of an exported module, where it needs them.

TLA+ has no words for an optional value that must be there, for bags as functions to counts, or for queues by pair. These
have, each in a line or two; a module contains only those that it uses. `none` is a constant that TLC binds to a value that is
equal to nothing else (a model value), so it may be compared with numbers, strings and records alike.
"""

from __future__ import annotations

import re

HELPERS: dict[str, tuple[str, ...]] = {
    "Checked": (r"Checked(x, ok, text) == IF Assert(ok, text) THEN x ELSE x",),
    "Some": (r"Some(x, text) == Checked(x, x # none, text)",),
    "OrNone": (r"OrNone(S) == S \cup {none}",),
    "Range": (r"Range(q) == {q[i] : i \in DOMAIN q}",),
    "Ordered": (
        r"\* The elements of S as a sequence, in the order of `all`.",
        r"Ordered(all, S) == SelectSeq(all, LAMBDA x : x \in S)",
    ),
    "Interval": (r"Interval(a, b) == [i \in 1..(IF b < a THEN 0 ELSE (b - a) + 1) |-> (a + i) - 1]",),
    "MinOf": (r"MinOf(S) == CHOOSE x \in S : \A y \in S : x <= y",),
    "MaxOf": (r"MaxOf(S) == CHOOSE x \in S : \A y \in S : y <= x",),
    "Ascending": (
        r"\* The numbers of a finite set as a sequence, the smallest first.",
        r"Ascending(S) == IF S = {} THEN <<>> ELSE Ordered(Interval(MinOf(S), MaxOf(S)), S)",
    ),
    "Min": (r"Min(a, b) == IF a <= b THEN a ELSE b",),
    "Max": (r"Max(a, b) == IF a >= b THEN a ELSE b",),
    "Total": (
        "Total(q) ==",
        r"  LET total[i \in 0..Len(q)] == IF i = 0 THEN 0 ELSE total[i - 1] + q[i]",
        "  IN  total[Len(q)]",
    ),
    "Div": (r"Div(a, b) == IF b > 0 THEN a \div b ELSE (-a) \div (-b)",),
    "Mod": ("Mod(a, b) == a % (IF b > 0 THEN b ELSE -b)",),
    "Take": (r"Take(q, n) == SubSeq(q, 1, IF n < Len(q) THEN n ELSE Len(q))",),
    "Drop": (r"Drop(q, n) == SubSeq(q, n + 1, Len(q))",),
    "Without": (
        r"\* The sequence without the element at i.",
        r"Without(q, i) == SubSeq(q, 1, i - 1) \o SubSeq(q, i + 1, Len(q))",
    ),
    "Doubled": (
        r"\* The sequence with a second copy of the element at i behind it.",
        r"Doubled(q, i) == SubSeq(q, 1, i) \o SubSeq(q, i, Len(q))",
    ),
    "Copies": (
        r"\* A bag is a function from its elements to how many copies of them there are.",
        r"Copies(bag, x) == IF x \in DOMAIN bag THEN bag[x] ELSE 0",
    ),
    "BagOf": (r"BagOf(q) == [x \in Range(q) |-> Cardinality({i \in DOMAIN q : q[i] = x})]",),
    "BagPlus": (r"BagPlus(a, b) == [x \in (DOMAIN a) \cup (DOMAIN b) |-> Copies(a, x) + Copies(b, x)]",),
    "BagMinus": (
        r"BagMinus(a, b) ==",
        r"  [x \in {y \in DOMAIN a : Copies(a, y) > Copies(b, y)} |-> Copies(a, x) - Copies(b, x)]",
    ),
    "BagAdd": (
        r"\* One more copy of each element of a set.",
        r"BagAdd(bag, S) == BagPlus(bag, [x \in S |-> 1])",
    ),
    "BagRemove": (
        r"\* One copy less of one element.",
        r"BagRemove(bag, x) == BagMinus(bag, [y \in {x} |-> 1])",
    ),
    "BagCount": (
        r"\* How many copies of elements of S a bag has.",
        r"BagCount(bag, S) == Cardinality(UNION {{<<x, i>> : i \in 1..Copies(bag, x)} : x \in S})",
    ),
    "BagSeq": (
        "BagSeq(all, bag) ==",
        "  LET d == Ordered(all, DOMAIN bag)",
        r"      copies[i \in 0..Len(d)] == IF i = 0 THEN <<>> ELSE copies[i - 1] \o [j \in 1..bag[d[i]] |-> d[i]]",
        "  IN  copies[Len(d)]",
    ),
    "Twice": (
        r"\* The sequence with every x in it doubled.",
        "Twice(q, x) ==",
        r"  LET part[i \in 0..Len(q)] ==",
        r"        IF i = 0 THEN <<>> ELSE part[i - 1] \o (IF q[i] = x THEN <<x, x>> ELSE <<q[i]>>)",
        "  IN  part[Len(q)]",
    ),
    "Room": (r"Room(bag, S, k) == \A m \in S : Copies(bag, m) < k",),
    "Fitting": (r"Fitting(bag, S, k) == {m \in S : Copies(bag, m) < k}",),
    "PushAll": (
        r"\* Queues are a function from pairs of processes to sequences. S has at most one message for each pair.",
        "PushAll(queues, S) ==",
        r"  [p \in DOMAIN queues |->",
        r"    LET new == {m \in S : p = <<m.from, m.to>>}",
        r"    IN  IF new = {} THEN queues[p] ELSE Append(queues[p], CHOOSE m \in new : TRUE)]",
    ),
    "QueueRoom": (r"QueueRoom(queues, S, k) == \A m \in S : Len(queues[<<m.from, m.to>>]) < k",),
    "QueueFitting": (r"QueueFitting(queues, S, k) == {m \in S : Len(queues[<<m.from, m.to>>]) < k}",),
    "Pop": (r"Pop(queues, m) == [queues EXCEPT ![<<m.from, m.to>>] = IF @ = <<>> THEN @ ELSE Tail(@)]",),
    "Heads": (r"Heads(queues) == {Head(queues[p]) : p \in {r \in DOMAIN queues : queues[r] # <<>>}}",),
}
"""Their texts, in an order in which each uses only those before it."""


def helpers_for(used: set[str]) -> list[str]:
    """The lines of the helpers used, and of those that they use themselves, in order."""
    wanted = set(used)
    for name in reversed(HELPERS):
        if name in wanted:
            words = {w for line in HELPERS[name] if not line.startswith("\\*") for w in re.findall(r"\w+", line)}
            wanted |= words & HELPERS.keys()
    return [line for name, lines in HELPERS.items() if name in wanted for line in lines]
