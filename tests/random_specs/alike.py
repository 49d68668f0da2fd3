"""Random specs with a symmetric role and symmetric ids, small enough that all states are explored, and simple enough that
native code uses their symmetry: processes of the role speak with one that is not, and with nobody else."""

from __future__ import annotations

from random import Random

A = (
    "e := some", "e := other", "n += 1", "if n > 0 { n -= 1 }", "n := 0", "v := none", "choose @ in V  v := @",
    "send Up(v) to B", "send Done to B", "shown += self", "count_ += 1", "toss { n := 1 } or { v := none }",
    "if v != none { used += {v} }", "assert n < 2 or e != other", "owner := self", "if owner == self { owner := none }",
)  # fmt: skip
"""What a symmetric process does."""

B = (
    "seen += a", "seen -= a", "level[a] := 1", "level[a] += 1", "holder := a", "holder := none", "log += [a]", "log := []",
    "pair := Pair(a, 1)", "pair := none", "send Down(last_) to a", "send Down(last_) to seen", "send Down(none) to A",
    "choose @ in A  holder := @", "for @ in A { level[@] := 0 }", "for @ in seen { n += 1 }", "choose @ in V  last_ := @",
    "if holder == a { seen := {} }", "count_ += 1", "assert size(seen) < 3 or n > 0",
)  # fmt: skip
"""What the other one does with the process that it heard of."""

GUARDS = {
    "A": ("e == some", "n < 2", "v == none", "v != none", "self not in shown", "owner == none", "count_ < 2"),
    "B": ("a in seen", "a not in seen", "holder == none", "holder != a", "level[a] < 1", "n < 2", "size(log) < 2"),
}
INVARIANTS = (
    "forall a in A: a.n < 2", "exists a in A: a.e == some", "forall a in A, b in A: a.v != none and a.v == b.v => a == b",
    "size(B.seen) < 2", "B.holder == none or B.holder in B.seen", "count_ < 2", "inflight(Done) < 2", "used == {} or count_ > 0",
    "forall v in V: v in used => (exists a in A: a.v == v)", "size({a in A where B.level[a] > 0}) < 2", "B.pair?.of == B.holder",
)  # fmt: skip
STEPS = (
    "size(B.seen) >= old(size(B.seen))",
    "forall a in A: a.n >= old(a.n) or a.e == some",
    "count_ == old(count_) or B.n > 0",
)


class _Writer:
    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def body(self, of: tuple[str, ...]) -> str:
        chosen = self.rng.sample(of, self.rng.choice((1, 2, 2, 3)))
        return "  ".join(text.replace("@", f"x{i}") for i, text in enumerate(chosen))  # each has names of its own

    def guard(self, role: str, percent: int) -> str:
        return f" when {self.rng.choice(GUARDS[role])}" if self.rng.randrange(100) < percent else ""

    def steps(self, role: str, of: tuple[str, ...], parameter: str) -> list[str]:
        word = self.rng.choice(("action", "timeout"))
        return [
            f"  {word} Go{i}{parameter}{self.guard(role, 80)} {{ {self.body(of)} }}"
            for i in range(self.rng.choice((1, 2)))
        ]

    def spec(self) -> str:
        pick = self.rng.choice
        faults = [
            f"{f} <= 1" for f in ("crash A", "stop A", "crash B", "lose", "byzantine A") if self.rng.randrange(5) == 0
        ]
        items = [f"faults {', '.join(faults)}"] if faults else []
        items += [pick(("", "", "bound count_ < 2", "bound B.n < 2"))]
        return "\n".join([
            "spec Alike",
            "enum E { some, other }",
            f"id V[{pick((2, 2, 3))}] symmetric",
            "record Pair(of: A, weight: 0..1)",
            "message Up(v: V?), Down(v: V?), Done",
            f"network {pick(('soup', 'bag[1]', 'bag[1] drop', 'bag[1] block'))}",
            "shared count_: 0..2 = 0  shared shown: Set[A] = {}  shared owner: A? = none  shared used: Set[V] = {}",
            f"role A[{pick((2, 3, 3, 4))}] symmetric {{",
            f"  durable e: E = some  {pick(('durable', 'volatile'))} n: 0..2 = 0  {pick(('durable', 'volatile'))} v: V? = none",
            f"  on Down(w) from b{self.guard('A', 40)} {{ {pick(('v := w', 'n += 1', 'e := other'))}  {self.body(A)} }}",
            *self.steps("A", A, ""),
            "  action Say when n == 1 { send Up(v) to B }",
            "  action Tell when e == other { send Done to B }",
            "}",
            "role B {",
            "  durable seen: Set[A] = {}  durable level: Map[A, 0..1] = 0  durable holder: A? = none  durable n: 0..2 = 0",
            "  durable log: Seq[A, 2] = []  durable pair: Pair? = none  durable last_: V? = none",
            f"  on Up(w) from a{self.guard('B', 50)} {{ last_ := w  {self.body(B)} }}",
            f"  on Done from a{self.guard('B', 50)} {{ {self.body(B)} }}",
            *self.steps("B", B, "(a: A)"),
            "}",
            *[f"invariant I{i}: {text}" for i, text in enumerate(self.rng.sample(INVARIANTS, 3))],
            f"step S: {pick(STEPS)}",
            "reach R: size(B.seen) == 2 and used != {}",
            "final: count_ > 0",
            f"check c {{ {'  '.join(items)} }}",
            "",
        ])  # fmt: skip


def alike_spec(rng: Random) -> str:
    """The text of a random spec with one check, `c`."""
    return _Writer(rng).spec()
