"""Random specs that between them use every construct of the language: all types, networks, faults, and forms of code.

A spec declares its world first (roles, types, networks, messages and who sends them, faults), so that code can be written
for it. Expressions are made for a wanted kind and statements keep the rules beyond types, so a spec is well-typed by
construction. Errors at run time are allowed and likely.
"""

from __future__ import annotations

from random import Random

from tests.random_specs import kinds as k
from tests.random_specs.declarations import Declarations
from tests.random_specs.kinds import BOOL, SMALL, Kind
from tests.random_specs.statements import Body
from tests.random_specs.world import (
    BOUND,
    CODE,
    GUARD,
    JUDGED,
    PURE,
    STEP,
    TIMEOUT,
    Function,
    Place,
    Procedure,
    Scope,
    World,
)


class Writer(Declarations):
    """Writes one random spec."""

    def __init__(self, rng: Random) -> None:
        super().__init__(rng, World())
        self.sent_names = set()

    def spec(self) -> str:
        self.failing = self.chance(25)
        lines = ["spec Random", *self.constants(), *self.types(), *self.roles_of_all(), *self.message_lines()]
        lines += self.variables()
        code = self.functions(None)
        for name in self.world.roles:
            code += self.role(name)
        code += self.functions(None, judged=True) + self.properties() + [self.check()]
        aliases = [f"type {alias} = {text}" for text, alias in self.world.aliases.items()]
        return "\n".join([*lines, *aliases, *code]) + "\n"

    # ---- scopes

    def scope(self, role: str | None, place: Place) -> Scope:
        """What is known everywhere in the code of a role, or in a property."""
        world = self.world
        names = list(world.constants)
        if place.code or place.judged:
            names += world.shared
        if place.judged and place.ghost:
            names += world.ghosts
        if role is not None and place.code:
            names += [*world.own[role], ("self", world.roles[role])]
        return Scope(place, tuple(names), (), role)

    # ---- code

    def functions(self, role: str | None, *, judged: bool = False) -> list[str]:
        """Functions of a role or of none; each may call those before it."""
        lines = []
        places = [JUDGED, BOUND] if judged else [GUARD] if role is not None else [PURE, PURE, GUARD]
        for _ in range(self.rng.randrange(3)):
            place = self.pick(places)
            name = self.world.fresh("fn")
            params = [self.pick(self.world.kinds) for _ in range(self.rng.choice((0, 1, 1, 2)))]
            names = [self.world.fresh("p") for _ in params]
            scope = self.scope(role, place)
            for n, kind in zip(names, params, strict=True):
                scope = scope.having(n, kind)
            fits = [kind for kind in [BOOL, SMALL, *self.world.kinds] if self.can(kind, scope)]
            result = self.pick(fits)
            body = self.expr(result, scope, 2)
            # without a type, that of the body is that of the result, and an empty set would have none
            shown = f": {result.name}" if result.form not in ("bool", "int") or self.chance(40) else ""
            head = (
                f"({', '.join(f'{n}: {kind.name}' for n, kind in zip(names, params, strict=True))})" if params else ""
            )
            lines.append(f"{'  ' if role else ''}fun {name}{head}{shown} = {body}")
            self.world.functions.append(Function(name, role, tuple(params), result, place))
        return lines

    def procedures(self, role: str) -> list[str]:
        lines = []
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            name = self.world.fresh("do")
            params = [self.pick(self.world.kinds) for _ in range(self.rng.choice((0, 1, 1, 2)))]
            names = [self.world.fresh("p") for _ in params]
            scope = self.scope(role, CODE)
            for n, kind in zip(names, params, strict=True):
                scope = scope.having(n, kind)
            send = self.chance(60)
            body = self.block(scope, Body(role, 1, send=send, fan=2))
            head = (
                f"({', '.join(f'{n}: {kind.name}' for n, kind in zip(names, params, strict=True))})" if params else ""
            )
            lines.append(f"  proc {name}{head} {body}")
            self.world.procedures.append(Procedure(name, role, tuple(params), send))
        return lines

    def role(self, name: str) -> list[str]:
        self.sent_names = set()
        lines = [f"role {self.head(name)} {{", *self.own_variables(name), *self.functions(name), *self.procedures(name)]
        for message in self.world.messages:
            times = self.rng.choice((1, 1, 1, 2)) if name in message.receivers else 0
            lines += [self.handler(name, message.name, message.fields, message.senders) for _ in range(times)]
        lines += [self.step(name) for _ in range(self.rng.randrange(1, 3))]
        if self.chance(45):
            lines.append(
                f"  on restart{self.guard(name, 20)} {self.block(self.scope(name, CODE), Body(name, 1, fan=2))}"
            )
        if name in self.ticking:
            body = Body(name, 1, send=False, fan=2 if self.chance(20) else 1)
            lines.append(f"  on tick{self.guard(name, 30)} {self.block(self.scope(name, CODE), body)}")
        if name in self.slipping:
            x = self.world.fresh("q")
            head = f"({x}: {SMALL.name})" if self.chance(30) else ""
            scope = self.scope(name, CODE)
            scope = scope.having(x, SMALL) if head else scope
            lines.append(f"  fault Slip{head}{self.guard(name, 40)} {self.block(scope, Body(name, 1))}")
        for message in self.world.messages:
            if name in message.senders and message.name not in self.sent_names:
                scope = self.scope(name, CODE)
                names = []
                for kind in message.fields:
                    if not self.can(kind, scope) and kind.form != "bag":
                        names.append((self.world.fresh("q"), kind))
                        scope = scope.having(*names[-1])
                head = f"({', '.join(f'{n}: {kind.name}' for n, kind in names)})" if names else ""
                text = self.send(scope, Body(name, 1), message)
                lines.append(f"  action {self.world.fresh('Say')}{head}{self.guard(name, 60)} {{ {text} }}")
        return [*lines, "}"]

    def guard(self, role: str, percent: int, scope: Scope | None = None, depth: int = 2) -> str:
        if not self.chance(percent):
            return ""
        return f" when {self.value(BOOL, scope or self.scope(role, GUARD), depth)}"

    def handler(self, role: str, message: str, fields: tuple[Kind, ...], senders: tuple[str, ...]) -> str:
        scope = self.scope(role, CODE)
        params = ["_" if self.chance(15) else self.world.fresh("m") for _ in fields]
        for n, kind in zip(params, fields, strict=True):
            scope = scope.having(n, kind) if n != "_" else scope
        source, sender = "", k.either_of(*(self.world.roles[r] for r in senders))
        if self.chance(70):
            name = "_" if self.chance(8) else self.world.fresh("o")
            source = f" from {name}"
            if self.chance(35):
                sender = self.world.roles[self.pick(senders)]
                source += f": {sender.name}"
            scope = scope.having(name, sender) if name != "_" else scope
        head = f"({', '.join(params)})" if params else ""
        guard = self.guard(role, 45, scope.at(GUARD))
        if self.chance(10):
            return f"  ignore {message}{head}{source}{guard}"
        limit = f" limit {self.expr(BOOL, scope.at(GUARD), 1)}" if self.chance(8) else ""
        fair = self.pick(["fair ", "unfair "]) if self.chance(10) else ""
        return f"  {fair}on {message}{head}{source}{guard}{limit} {self.block(scope, Body(role, 2))}"

    def step(self, role: str) -> str:
        word = self.pick(["action", "timeout"])
        scope, params = self.scope(role, CODE), []
        room = 6
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            fits = [kind for kind in self.world.kinds if k.count(kind) <= room]
            if fits:
                params.append((self.world.fresh("q"), self.pick(fits)))
                scope = scope.having(*params[-1])
                room //= max(1, k.count(params[-1][1]))
        head = f"({', '.join(f'{n}: {kind.name}' for n, kind in params)})" if params else ""
        guard = self.guard(role, 70, scope.at(TIMEOUT if word == "timeout" else GUARD))
        limit = f" limit {self.expr(BOOL, scope.at(GUARD), 2)}" if self.chance(12) else ""
        fair = self.pick(["fair ", "unfair "]) if self.chance(10) else ""
        return f"  {fair}{word} {self.world.fresh('Go')}{head}{guard}{limit} {self.block(scope, Body(role, 2))}"

    # ---- what is judged

    def properties(self) -> list[str]:
        judged = self.scope(None, JUDGED)
        lines = [
            f"invariant I: {self.value(BOOL, judged, 3)}",
            f"invariant J: ({self.expr(BOOL, judged, 2)} => {self.expr(BOOL, judged, 2)})",
            f"invariant K: {self.quantified('forall', BOOL, judged, 2)}",
            f"reach R: {self.expr(BOOL, judged, 3)}",
            f"reach Q: {self.quantified('exists', BOOL, judged, 2)}",
            f"step S: {self.expr(BOOL, self.scope(None, STEP), 3)}",
            f"step U: (old({self.expr(BOOL, judged, 2)}) => {self.expr(BOOL, self.scope(None, STEP), 2)})",
        ]
        if self.chance(10):
            lines.append(f"live L: eventually {self.expr(BOOL, judged, 1)}")
        if self.chance(60):
            lines.append(f"final: {self.pick(['true', self.expr(BOOL, judged, 2)])}")
        return lines

    def check(self) -> str:
        items = []
        if self.world.faults:
            items.append("faults " + ", ".join(f"{key} <= {n}" for key, n in self.world.faults.items()))
        if self.chance(20):
            few = f"inflight({self.pick(self.world.messages).name}) <= {self.rng.randrange(1, 4)}"
            items.append(f"bound ({self.expr(BOOL, self.scope(None, BOUND), 2)} or {few})")
        if self.chance(10):
            items.append(f"bound inflight({self.pick(self.world.messages).name}) <= {self.rng.randrange(1, 4)}")
        if self.chance(15):
            items.append(f"final: {self.expr(BOOL, self.scope(None, JUDGED), 2)}")
        if self.chance(20):
            items.append(f"BIG = {self.pick(['0', '7', '2147483648', '4611686018427387904'])}")
        return f"check c {{ {'  '.join([*items, *self.overridden])} }}"


def wide_spec(rng: Random) -> str:
    """The text of a random spec with one check, `c`."""
    return Writer(rng).spec()


def symmetric_spec(rng: Random) -> str:
    """Such a text, in which most roles and ids are symmetric."""
    writer = Writer(rng)
    writer.symmetry = True
    return writer.spec()
