"""Random well-typed specs, small enough to explore, that between them use every construct of the language.

`random_spec(rng)` writes the text of a spec from a source of randomness. Expressions are made for a wanted type, so a spec
is well-typed by construction; the generator also keeps the rules beyond types, such as locality. Errors at run time are
allowed and likely: ranges overflow, optionals are none. Whoever uses the specs compares what two ways of exploring them
say, or asserts that nothing but the documented errors comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

SIMPLE = ("bool", "0..2", "E", "V", "A")
TYPES = (
    *SIMPLE,
    "0..2?",
    "E?",
    "A?",
    "Rc",
    "Rc?",
    "Set[0..2]",
    "Set[A]",
    "Set[E, 1]",
    "Map[A, 0..2]",
    "Map[E, bool]",
    "Map[V, A?]",
    "Seq[0..2, 2]",
    "Seq[Rc, 1]",
    "Bag[E, 2]",
)
RECORD = {"x": "0..2", "y": "E?"}


@dataclass
class Scope:
    """What an expression may name: local values and variables by type, and where it stands."""

    names: dict[str, list[str]] = field(default_factory=dict)
    lets: dict[str, str] = field(default_factory=dict)
    ghosts: bool = False
    remote: bool = False
    own: bool = False

    def with_local(self, name: str, kind: str) -> Scope:
        names = {k: list(v) for k, v in self.names.items()}
        names.setdefault(kind, []).append(name)
        return Scope(names, dict(self.lets), self.ghosts, self.remote, self.own)


class Writer:
    """Writes one random spec."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.count = 0
        self.network = ""
        self.messages: dict[str, tuple[str, ...]] = {}
        self.shared: dict[str, str] = {}
        self.own: dict[str, dict[str, str]] = {"A": {}, "B": {}}
        self.ghosts: dict[str, str] = {}

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def one(self, *options: Callable[[], str] | str) -> str:
        chosen = self.rng.choice(options)
        return chosen if isinstance(chosen, str) else chosen()

    # ---- expressions

    def expr(self, kind: str, scope: Scope, depth: int) -> str:
        """An expression of a type; `depth` limits its size."""
        known = scope.names.get(kind, ())
        if known and (depth <= 0 or self.chance(45)):
            return self.rng.choice(list(known))
        if scope.remote and depth > 0 and self.chance(15):
            owners = [(r, n) for r, vs in self.own.items() for n, k in vs.items() if k == kind]
            if owners:
                role, name = self.rng.choice(owners)
                return f"B.{name}" if role == "B" else f"{self.expr('A', scope, 0)}.{name}"
        if depth > 0 and self.chance(12):
            cond, then, orelse = (self.expr(k, scope, depth - 1) for k in ("bool", kind, kind))
            return f"(if {cond} then {then} else {orelse})"
        return self.fresh_value(kind, scope, depth)

    def fresh_value(self, kind: str, scope: Scope, depth: int) -> str:
        d = depth - 1
        if kind.endswith("?"):
            return self.one("none", lambda: self.expr(kind[:-1], scope, d))
        if kind.startswith("Set["):
            elem = kind[4:-1].partition(",")[0]
            if depth <= 0:
                return self.one("{}", f"{{{self.leaf(elem, scope)}}}")
            x = self.fresh("x")
            inner = scope.with_local(x, elem)
            return self.one(
                lambda: f"{{{self.expr(elem, scope, d)}}}",
                lambda: f"({self.expr(kind, scope, d)} {self.rng.choice('+-&')} {self.expr(kind, scope, d)})",
                lambda: f"{{{x} in {self.domain(elem)} where {self.expr('bool', inner, d)}}}",
            )
        if kind.startswith("Map["):
            key, value = kind[4:-1].split(", ")
            k = self.fresh("k")
            if self.chance(60) or depth <= 0:
                return f"{{{k} in {self.domain(key)}: {self.expr(value, scope.with_local(k, key), d)}}}"
            known = scope.names.get(kind)
            if known:
                return f"({self.rng.choice(known)} with ([{self.expr(key, scope, d)}] = {self.expr(value, scope, d)}))"
            return f"{{{k} in {self.domain(key)}: {self.leaf(value, scope)}}}"
        if kind.startswith("Seq["):
            elem = kind[4:-1].partition(",")[0]
            return self.one(
                "[]",
                lambda: f"[{self.expr(elem, scope, d)}]",
                lambda: f"({self.expr(kind, scope, d)} + [{self.expr(elem, scope, d)}])" if depth > 0 else "[]",
                lambda: f"{self.rng.choice(['take', 'drop'])}({self.expr(kind, scope, d)}, 1)" if depth > 0 else "[]",
            )
        if kind.startswith("Bag["):
            return self.rng.choice(scope.names[kind])
        match kind:
            case "bool":
                return self.truth(scope, depth)
            case "0..2":
                return self.number(scope, depth)
            case "Rc":
                if depth > 0 and scope.names.get("Rc") and self.chance(30):
                    return f"({self.rng.choice(scope.names['Rc'])} with (x = {self.expr('0..2', scope, d)}))"
                return f"Rc({self.expr('0..2', scope, d)}, {self.expr('E?', scope, d)})"
        return self.leaf(kind, scope)

    def leaf(self, kind: str, scope: Scope) -> str:
        known = scope.names.get(kind)
        if known and self.chance(60):
            return self.rng.choice(known)
        match kind:
            case "bool":
                return self.rng.choice(["true", "false"])
            case "0..2":
                return str(self.rng.randrange(3))
            case "E":
                return self.rng.choice(["e0", "e1"])
            case "V":
                return f"at(V, {self.rng.randrange(2)})"
            case "A":
                return f"at(A, {self.rng.randrange(2)})" if self.chance(80) else "at(A, 0)"
        return self.fresh_value(kind, scope, 0)

    def domain(self, kind: str) -> str:
        return {"0..2": "0..2", "E": "E", "A": "A", "V": "V"}[kind]

    def number(self, scope: Scope, depth: int) -> str:
        if depth <= 0:
            return self.leaf("0..2", scope)
        d = depth - 1
        x = self.fresh("n")
        return self.one(
            lambda: f"({self.expr('0..2', scope, d)} {self.rng.choice('+-*/%')} {self.expr('0..2', scope, d)})",
            lambda: f"size({self.expr(self.rng.choice(['Set[0..2]', 'Set[A]', 'Seq[0..2, 2]']), scope, d)})",
            lambda: f"{self.rng.choice(['min', 'max'])}({self.expr('0..2', scope, d)}, {self.expr('0..2', scope, d)})",
            lambda: f"{self.expr('Rc', scope, d)}.x",
            lambda: f"{self.expr('Map[A, 0..2]', scope, d)}[{self.expr('A', scope, d)}]",
            lambda: f"(sum {x} in A: {self.expr('0..2', scope.with_local(x, 'A'), d)})",
            # What is chosen from `{}` is nothing, which has no place; with a process beside it, it is one.
            lambda: f"index((if true then {self.expr('A', scope, d)} else at(A, 0)))",
            lambda: f"last({self.expr('Seq[0..2, 2]', scope, d)})",
            lambda: f"max({self.expr('Set[0..2]', scope, d)})",
            lambda: self.leaf("0..2", scope),
        )

    def truth(self, scope: Scope, depth: int) -> str:
        if depth <= 0:
            return self.leaf("bool", scope)
        d = depth - 1
        x, kind = self.fresh("b"), self.rng.choice(["A", "E", "0..2"])
        inner = scope.with_local(x, kind)
        order = self.rng.choice(["0..2", "E", "A", "0..2?", "Rc"])
        equal = self.rng.choice([t for t in TYPES if not t.startswith(("Bag", "Map"))])
        member = self.rng.choice(["0..2", "A", "E"])
        return self.one(
            lambda: (
                f"({self.expr('bool', scope, d)} {self.rng.choice(['and', 'or', '=>'])} {self.expr('bool', scope, d)})"
            ),
            lambda: f"(not {self.expr('bool', scope, d)})",
            lambda: (
                f"({self.expr(order, scope, d)} {self.rng.choice(['<', '<=', '>', '>='])} {self.expr(order, scope, d)})"
            ),
            lambda: f"({self.expr(equal, scope, d)} {self.rng.choice(['==', '!='])} {self.expr(equal, scope, d)})",
            lambda: (
                f"({self.expr(member, scope, d)} {self.rng.choice(['in', 'not in'])} {self.expr(f'Set[{member}]', scope, d)})"
            ),
            lambda: (
                f"({self.rng.choice(['forall', 'exists'])} {x} in {self.domain(kind)}: {self.expr('bool', inner, d)})"
            ),
            lambda: f"({self.rng.choice(scope.names.get('Rc?', ['Rc(1, e0)']))}?.x == {self.expr('0..2?', scope, d)})",
            lambda: self.leaf("bool", scope),
        )

    # ---- statements

    def block(self, role: str, scope: Scope, depth: int, *, can_send: bool, loops: bool = True) -> str:
        lines = []
        for _ in range(self.rng.randrange(1, 3)):
            text, scope = self.stmt(role, scope, depth, can_send=can_send, loops=loops)
            lines.append(text)
        return "{ " + "  ".join(lines) + " }"

    def stmt(self, role: str, scope: Scope, depth: int, *, can_send: bool, loops: bool) -> tuple[str, Scope]:
        roll = self.rng.randrange(100)
        if depth > 0 and roll < 12:
            cond = self.expr("bool", scope, 1)
            text = f"if {cond} {self.block(role, scope, depth - 1, can_send=can_send)}"
            if self.chance(50):
                text += f" else {self.block(role, scope, depth - 1, can_send=can_send)}"
            return text, scope
        if depth > 0 and roll < 20:
            kind = self.rng.choice(["either", "toss"])
            a, b = (self.block(role, scope, depth - 1, can_send=can_send) for _ in range(2))
            return f"{kind} {a} or {b}", scope
        if depth > 0 and roll < 27:
            x, kind = self.fresh("c"), self.rng.choice(["A", "0..2"])
            of = self.one(self.domain(kind), lambda: self.expr(f"Set[{kind}]", scope, 1))
            return f"choose {x} in {of}", scope.with_local(x, kind)
        if depth > 0 and loops and roll < 35:
            x, kind = self.fresh("f"), self.rng.choice(["A", "0..2"])
            of = self.one(self.domain(kind), lambda: self.expr(f"Set[{kind}]", scope, 1))
            body = self.block(role, scope.with_local(x, kind), 0, can_send=can_send, loops=False)
            return f"for {x} in {of} {body}", scope
        if depth > 0 and roll < 40:
            return f"atomic {self.block(role, scope, 0, can_send=False)}", scope
        if roll < 45:
            x, kind = self.fresh("l"), self.rng.choice(SIMPLE)
            return f"let {x} = {self.expr(kind, scope, 1)}", scope.with_local(x, kind)
        if roll < 48 and depth > 0:
            holds = f"{self.expr('bool', scope, 1)} or true"
            # Where branches write ghosts alone, nothing may be asserted.
            return f"let {self.fresh('l')} = ({holds})" if self.ghosts else f"assert {holds}", scope
        if roll < 70 and can_send:
            return self.send(scope), scope
        if roll < 76 and self.ghosts:
            name, kind = self.rng.choice(list(self.ghosts.items()))
            seen = Scope({**scope.names, kind: [*scope.names.get(kind, ()), name]}, remote=True, own=True)
            return f"{name} := {self.expr(kind, seen, 1)}", scope
        return self.assign(role, scope), scope

    def assign(self, role: str, scope: Scope) -> str:
        places = [*self.own[role].items(), *self.shared.items()]
        name, kind = self.rng.choice(places)
        if kind.startswith("Set["):
            elem = kind[4:-1].partition(",")[0]
            return f"{name} {self.rng.choice(['+=', '-='])} {self.expr(elem, scope, 1)}"
        if kind.startswith("Bag["):
            return f"{name} {self.rng.choice(['+=', '-='])} {self.expr('E', scope, 1)}"
        if kind.startswith("Map["):
            key, value = kind[4:-1].split(", ")
            return f"{name}[{self.expr(key, scope, 1)}] := {self.expr(value, scope, 1)}"
        if kind == "Rc" and self.chance(50):
            return f"{name}.x := {self.expr('0..2', scope, 1)}"
        if kind == "0..2" and self.chance(40):
            return f"if {name} < 2 {{ {name} += 1 }}"
        return f"{name} := {self.expr(kind, scope, 2)}"

    def send(self, scope: Scope) -> str:
        name, fields = self.rng.choice(list(self.messages.items()))
        args = f"({', '.join(self.expr(k, scope, 1) for k in fields)})" if fields else ""
        everyone = "all" if self.network == "soup" else "A"
        to = self.one("A", "B", everyone, lambda: self.expr("A", scope, 1), lambda: self.expr("Set[A]", scope, 1))
        return f"send {name}{args} to {to}"

    # ---- the whole

    def spec(self) -> str:
        rng = self.rng
        lines = ["spec Random", "const N: 1..2 = 2", "enum E { e0, e1 }", "id V[2]"]
        lines.append("record Rc(x: 0..2, y: E?)" + (" where x < 2 or y == none" if self.chance(30) else ""))
        self.messages = {"M0": (), "M1": (rng.choice(SIMPLE),)}
        if self.chance(40):
            self.messages["M2"] = (rng.choice(TYPES[:9]), "bool")
        sigs = [
            n + (f"({', '.join(f'p{i}: {k}' for i, k in enumerate(f))})" if f else "") for n, f in self.messages.items()
        ]
        lines.append("message " + ", ".join(sigs))
        self.network = rng.choice(
            ["soup", "bag[1]", "bag[2] drop", "fifo[1] block", "fifo[2]", "bag[1] session", "fifo[1] drop session"]
        )
        lines.append(f"network {self.network}")
        for _ in range(rng.randrange(0, 2)):
            self.shared[self.fresh("s")] = rng.choice(TYPES)
        if self.chance(50):
            self.ghosts[self.fresh("g")] = rng.choice(("bool", "0..2", "Set[A]"))
        for role in self.own:
            for _ in range(rng.randrange(1, 3)):
                self.own[role][self.fresh(role.lower())] = rng.choice(TYPES)
        lines += [f"shared durable {n}: {k} = {self.initial(k)}" for n, k in self.shared.items()]
        lines += [f"shared ghost {n}: {k} = {self.initial(k)}" for n, k in self.ghosts.items()]
        tick = self.chance(20)
        lines += self.role("A", "A[N]", tick) + self.role("B", "B", False)
        lines += self.properties()
        lines.append("final: true" if self.chance(50) else "")
        lines.append(f"check c {{ {self.faults(tick)} {self.bound()} }}")
        return "\n".join(lines) + "\n"

    def initial(self, kind: str, *, inner: bool = False) -> str:
        if kind.endswith("?"):
            return "none"
        if kind.startswith("Map["):
            return self.initial(kind[4:-1].split(", ")[1], inner=True)
        if kind.startswith("Set["):
            return "{}"
        if kind.startswith(("Seq[", "Bag[")):
            return "[]"
        if kind in ("E", "0..2", "A") and not inner and self.chance(15):
            return f"any {self.domain(kind)}"
        return {"bool": "false", "0..2": "0", "E": "e0", "V": "at(V, 0)", "A": "at(A, 0)", "Rc": "Rc(0, none)"}[kind]

    def role(self, name: str, head: str, tick: bool) -> list[str]:
        lines = [f"role {head} {{"]
        lines += [
            f"  {self.rng.choice(['durable', 'volatile'])} {n}: {k} = {self.initial(k)}"
            for n, k in self.own[name].items()
        ]
        scope = Scope(own=True)
        for var, kind in (*self.own[name].items(), *self.shared.items()):
            scope.names.setdefault(kind, []).append(var)
        if name == "A":
            scope.names.setdefault("A", []).append("self")
        for message, fields in self.messages.items():
            if self.chance(25):
                continue
            params = [self.fresh("m") for _ in fields]
            inner = scope
            for param, kind in zip(params, fields, strict=True):
                inner = inner.with_local(param, kind)
            formals = f"({', '.join(params)})" if params else ""
            sender = self.fresh("o")
            source = f" from {sender}"
            if self.chance(30):
                source += ": A"
                inner = inner.with_local(sender, "A")
            guard = f" when {self.expr('bool', inner, 1)}" if self.chance(50) else ""
            if self.chance(15):
                lines.append(f"  ignore {message}{formals}{source}{guard}")
            else:
                lines.append(f"  on {message}{formals}{source}{guard} {self.block(name, inner, 1, can_send=True)}")
        for _ in range(self.rng.randrange(1, 3)):
            kind = self.rng.choice(["action", "timeout"])
            inner, parameter = scope, ""
            if self.chance(30):
                x, t = self.fresh("q"), self.rng.choice(["0..2", "A", "E"])
                inner, parameter = scope.with_local(x, t), f"({x}: {t})"
            guard = f" when {self.expr('bool', inner, 2)}" if self.chance(70) else ""
            lines.append(f"  {kind} {self.fresh('Go')}{parameter}{guard} {self.block(name, inner, 2, can_send=True)}")
        if self.chance(30):
            lines.append(f"  on restart {self.block(name, scope, 1, can_send=True)}")
        if name == "B" and self.chance(30):
            lines.append(f"  fault Slip {self.block(name, scope, 0, can_send=False)}")
            self.has_slip = True
        if tick:
            lines.append(f"  on tick {self.block(name, scope, 0, can_send=False)}")
        return [*lines, "}"]

    has_slip = False

    def properties(self) -> list[str]:
        scope = Scope(remote=True, ghosts=True)
        for var, kind in (*self.shared.items(), *self.ghosts.items()):
            scope.names.setdefault(kind, []).append(var)
        old = self.expr("bool", scope, 1)
        lines = [f"invariant I: {self.expr('bool', scope, 2)}", f"reach R: {self.expr('bool', scope, 2)}"]
        lines.append(f"step S: old({old}) => {self.expr('bool', scope, 1)}")
        lines.append(f"invariant J: inflight(M0) <= {self.rng.randrange(4)}")
        return lines

    def faults(self, tick: bool) -> str:
        kinds = ["crash A", "crash B", "stop A", "stop B", "lose", "cut", "cut(A, B)", "byzantine A"]
        if self.network != "soup":
            kinds.append("dup")
        if tick:
            kinds.append("drift A")
        if self.has_slip:
            kinds.append("B.Slip")
        chosen = self.rng.sample(kinds, self.rng.randrange(0, 3))
        if {"cut", "cut(A, B)"} <= set(chosen):
            chosen.remove("cut")
        if not chosen:
            return ""
        return "faults " + ", ".join(f"{k} <= 1" for k in chosen)

    def bound(self) -> str:
        return self.one("", "", "bound inflight(M0) <= 3", "N = 1", "final: false")


def random_spec(rng: Random) -> str:
    """The text of a random spec with one check, `c`."""
    return Writer(rng).spec()
