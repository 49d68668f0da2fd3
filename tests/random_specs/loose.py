"""Random specs whose processes have little to do with each other, so that a partial-order reduction has something to leave out.

Three roles with two small variables each send each other messages over a soup, bags or queues. Guards are conjunctions over
a role's own variables and what a message says; bodies assign, count (and overflow), choose, and send. What makes reductions
wrong is all there: full networks, steps that others unlock, cycles, rare deadlocks, sets that several add to, faults that run
out, and a variable that everybody sees.
"""

from __future__ import annotations

from random import Random

ROLES = ("A", "B", "C")
KINDS = ("Ping", "Pong")


def loose_spec(rng: Random) -> str:
    """The text of a spec with one check `c`."""
    return _Writer(rng).text()


def soup_spec(rng: Random) -> str:
    """The same over a soup of many possible messages, and with step properties. Most steps lead nowhere, as messages stay."""
    writer = _Writer(rng)
    writer.networks, writer.field, writer.values = ("soup",), "0..63", ("0", "1", "7", "63", "x")
    writer.soup = True
    return writer.text()


class _Writer:
    networks: tuple[str, ...] = (
        "soup", "bag[1]", "bag[2] drop", "fifo[1]", "fifo[2]", "fifo[1] block", "bag[1] block"
    )  # fmt: skip
    field = "0..1"
    values: tuple[str, ...] = ("0", "1", "x % 2")
    soup = False
    """Whether there is more of what makes a difference to messages that stay."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.shared = rng.random() < 0.3
        self.ghost = rng.random() < 0.4
        self.to = {kind: rng.sample(ROLES, rng.choice((1, 1, 2))) for kind in KINDS}

    def text(self) -> str:
        rng = self.rng
        network = rng.choice(self.networks)
        lines = ["spec Loose", f"message Ping(n: {self.field}), Pong(n: {self.field})", f"network {network}"]
        if self.shared:
            lines.append("shared s: 0..1 = 0")
        if self.ghost:
            lines.append("shared ghost g: Set[0..3] = {}")
        for role in ROLES:
            lines += self.role(role)
        lines += [f"{kind} P{i}: {self.claim()}" for i, kind in enumerate(["invariant"] * 3 + ["reach"] * 2)]
        if self.soup:
            lines += [f"step S{i}: old({self.claim()}) => {self.claim()}" for i in range(2)]
            each = [self.of_each(role) for role in ROLES for _ in range(2)]
            lines.append(f"step S2: {' and '.join(self.rng.sample(each, 2))}")
        final = rng.choice(("true", "false", self.claim(), self.claim()))
        faults = rng.choice(("", "", "", "faults crash A <= 1", "faults lose <= 1", "faults stop B <= 1, cut <= 1"))
        expected = ", ".join(rng.sample([f"P{i}" for i in range(5)], rng.randrange(1, 3)))
        return "\n".join([*lines, f"final: {final}", f"check c {{ {faults}  expect holds {expected} }}", ""])

    def role(self, role: str) -> list[str]:
        size = "[2]" if self.rng.random() < 0.25 else ""
        lines = [f"role {role}{size} {{", "  durable x: 0..2 = 0", "  volatile y: bool = false"]
        for i in range(self.rng.randrange(1, 3)):
            guard = self.guard(None)
            lines.append(f"  {self.rng.choice(('action', 'timeout'))} Do{i} when {guard} {{ {self.body(None)} }}")
        if self.soup and self.rng.random() < 0.5:
            kind = self.rng.choice(KINDS)
            send = f"send {kind}({self.rng.choice(self.values)}) to p"
            more = self.rng.choice(("", "", self.body(None)))
            lines.append(
                f"  action Tell(p: {self.rng.choice(self.to[kind])}) when {self.guard(None)} {{ {send}  {more} }}"
            )
        taken = [kind for kind in KINDS if role in self.to[kind]]
        lines += [f"  on {kind}(n) from p when {self.guard('n')} {{ {self.body('n')} }}" for kind in taken]
        return [*lines, "}"]

    def guard(self, given: str | None) -> str:
        options = ["x == 0", "x < 2", "x > 0", "y", "not y", "x != 1", "true"]
        options += [f"{given} == 0", f"x != {given}"] if given else []
        options += ["s == 0", "s == 1"] if self.shared else []
        return " and ".join(self.rng.sample(options, self.rng.randrange(1, 3)))

    def body(self, given: str | None) -> str:
        options = [
            "x := 0",
            "x := 1",
            "x := 2",
            "y := true",
            "y := not y",
            "x += 1",
            "either { x := 1 } or { y := true }",
        ]
        options += ["choose k in {z in 0..1 where z < x}  y := k == 0", "if y { x := 0 }"]
        options += [f"x := {given}"] if given else []
        options += ["s := 1 - s", "s := x % 2"] if self.shared else []
        options += ["g += x", "g += 3"] if self.ghost else []
        value = self.rng.choice((*self.values, *((given,) if given else ())))
        options += [f"send {kind}({value}) to {to}" for kind in KINDS for to in self.to[kind]] * 2
        return "  ".join(self.rng.sample(options, self.rng.randrange(1, 4)))

    def of_each(self, role: str) -> str:
        """Something that steps keep for each process of a role, or, seldom, for all of another one."""
        tests = [f"p.{test}" for test in ("x < 2", "x != 1", "y", "x == 2", "x > 0")] + [self.claim()]
        return f"(forall p in {role}: old({self.rng.choice(tests)}) => {' or '.join(self.rng.sample(tests, 2))})"

    def claim(self) -> str:
        options = [f"at({role}, 0).{test}" for role in ROLES for test in ("x < 2", "x != 1", "y", "x == 2")]
        options += ["1 in g", "size(g) < 2"] if self.ghost else []
        options += ["s == 0"] if self.shared else []
        return f" {self.rng.choice(('and', 'or'))} ".join(self.rng.sample(options, self.rng.randrange(1, 3)))
