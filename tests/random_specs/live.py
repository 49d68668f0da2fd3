"""Random specs whose graphs have cycles: for liveness, where the other generators mostly make graphs that run dry.

A few processes move small counters round and round, send each other messages, toss coins and crash. What is judged is
about single values, so that properties are often violated and often not.
"""

from __future__ import annotations

from random import Random

NETWORKS = ("soup", "bag[1]", "bag[2] drop", "fifo[1] block", "fifo[2] drop", "bag[1] session drop", "fifo[1] drop")


class Writer:
    """Writes one spec."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.steps: list[str] = []

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def value(self) -> str:
        return str(self.rng.randrange(3))

    def truth(self, mine: bool) -> str:
        """Something about the variables; `mine`: those of the process that asks."""
        own = ["x", "y"] if mine else ["at(A, 0).x", "at(A, 1).x", "at(A, 0).y", "B.z"]
        name = self.rng.choice([*own, "s"])
        if name == "y" or name.endswith(".y"):
            return self.rng.choice([name, f"not {name}"])
        basic = f"{name} {self.rng.choice(['==', '!=', '<', '>='])} {self.value()}"
        return f"({basic} {self.rng.choice(['and', 'or'])} {self.truth(mine)})" if self.chance(30) else basic

    def assign(self, role: str) -> str:
        if role == "B":
            return self.rng.choice([f"z := {self.value()}", "z := (z + 1) % 3", f"s := {self.value()}", "s := z"])
        return self.rng.choice(
            [
                f"x := {self.value()}", "x := (x + 1) % 3", "y := not y", f"s := {self.value()}", "s := (s + 1) % 3", "x := s",
                f"send M({self.rng.choice(['0', '1', 'x % 2'])}) to {self.rng.choice(['B', 'A', 'at(A, 0)'])}", "send N to B",
            ]
        )  # fmt: skip

    def statement(self, role: str, depth: int = 2) -> str:
        roll = self.rng.randrange(100)
        if depth and roll < 12:
            return f"either {self.block(role, depth - 1)} or {self.block(role, depth - 1)}"
        if depth and roll < 30:
            more = f" or {self.block(role, depth - 1)}" if self.chance(20) else ""
            return f"toss {self.block(role, depth - 1)} or {self.block(role, depth - 1)}{more}"
        if depth and roll < 38:
            name = f"c{self.rng.randrange(1 << 30)}"
            return f"choose {name} in 0..{self.value()}  {'z' if role == 'B' else 'x'} := {name}"
        if depth and roll < 44:
            return f"if {self.truth(role == 'A') if role == 'A' else 's > 0'} {self.block(role, depth - 1)}"
        return self.assign(role)

    def block(self, role: str, depth: int) -> str:
        return "{ " + "  ".join(self.statement(role, depth) for _ in range(self.rng.choice((0, 1, 1, 1, 2)))) + " }"

    def fair(self) -> str:
        return self.rng.choice(["", "", "", "fair ", "fair ", "unfair "])

    def guard(self, role: str) -> str:
        text = f" when {self.truth(True) if role == 'A' else 'z ' + self.rng.choice(['== 0', '!= s', '< 2'])}"
        text = text if self.chance(80) else ""
        return text + (f" limit s {self.rng.choice(['< 2', '!= 1'])}" if self.chance(4) else "")

    def role(self, name: str) -> list[str]:
        lines = []
        for i in range(self.rng.randrange(1, 4)):
            step = f"{name}{i}"
            self.steps.append(f"{name}.{step}")
            param = f"(q: 0..{self.value()})" if self.chance(20) else ""
            use = ("  z := q" if name == "B" else "  x := q") if param else ""
            body = self.block(name, 2)[:-2] + use + " }"
            lines.append(
                f"  {self.fair()}{self.rng.choice(['action', 'timeout'])} {step}{param}{self.guard(name)} {body}"
            )
        for message in ("M(m)", "N"):
            if self.chance(75):
                use = f"  {'z' if name == 'B' else 'x'} := m" if "(" in message and self.chance(50) else ""
                body = self.block(name, 1)[:-2] + use + " }"
                lines.append(f"  {self.fair()}on {message}{self.guard(name)} {body}")
                self.steps.append(f"{name}.{message[0]}")
            elif self.chance(40):
                lines.append(f"  ignore {message[0]}")
        return lines

    def spec(self) -> str:
        rng = self.rng
        lines = ["spec Lively", "message M(v: 0..1), N", f"network {rng.choice(NETWORKS)}", "shared s: 0..2 = 0"]
        start = rng.choice(["0", "any 0..1"])
        lines += [f"role A[2] {{\n  durable x: 0..2 = {start}\n  volatile y: bool = false", *self.role("A")]
        if self.chance(15):
            lines.append(f"  {self.fair()}on tick {{ x := (x + 1) % 3 }}")
        lines += ["}", "role B {\n  durable z: 0..2 = 0", *self.role("B")]
        if self.chance(15):
            lines.append("  on restart { z := 0 }")
        lines.append("}")
        lines += [
            f"live E: eventually {self.truth(False)}",
            f"live S: eventually always {self.truth(False)}",
            f"live G: always eventually {self.truth(False)}",
            f"live L: {self.truth(False)} ~> {self.truth(False)}",
            f"live F(a in A): a.x == {self.value()} ~> {self.rng.choice(['a.y', 's == 0', 'a.x != 2'])}",
            "final: true",
        ]
        faults = [f"{kind} <= 1" for kind in ("crash A", "crash B", "stop A", "lose", "cut") if self.chance(10)]
        items = [f"faults {', '.join(faults)}"] if faults else []
        strong = [step for step in self.steps if self.chance(15)]
        items += [f"strong {', '.join(dict.fromkeys(strong))}"] if strong else []
        lines.append(f"check c {{ {'  '.join(items)}  expect holds E, S, G, L, F }}")
        return "\n".join(lines) + "\n"


def live_spec(rng: Random) -> str:
    """The text of a random spec with one check, `c`, and live properties of each form."""
    return Writer(rng).spec()
