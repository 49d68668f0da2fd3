"""Random statements: effects, choices, loops, locals that grow, messages of all kinds to receivers of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.random_specs.expressions import Expressions
from tests.random_specs.kinds import BOOL, SMALL, Kind, agrees, bare, constrained, count, opt, set_of, symmetric
from tests.random_specs.world import GHOST, Message, Scope


@dataclass(frozen=True)
class Body:
    """Where a statement stands. `fan` says how many outcomes there may be at most; `loops` how deep loops may nest."""

    role: str
    depth: int
    send: bool = True
    fan: int = 8
    loops: int = 2
    looped: bool = False


class Statements(Expressions):
    """Writes statements of one role at a time. `sent` collects the messages that it sends."""

    sent_names: set[str]
    failing = False
    """Whether asserts may fail."""

    def block(self, scope: Scope, body: Body) -> str:
        lines = []
        for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3))):
            text, scope = self.stmt(scope, body)
            lines.append(text)
        return "{ " + "  ".join(lines) + " }"

    def stmt(self, scope: Scope, body: Body) -> tuple[str, Scope]:
        inner = replace(body, depth=body.depth - 1, fan=max(1, body.fan // 2))
        roll = self.rng.randrange(100)
        if body.depth > 0:
            if roll < 10:
                return self.branching(scope, inner), scope
            if roll < 18 and body.fan > 1:
                branches = [self.block(scope, inner) for _ in range(self.rng.choice((2, 2, 3)))]
                return f"{self.pick(['either', 'toss'])} {' or '.join(branches)}", scope
            if roll < 26 and body.fan > 1:
                return self.choice(scope)
            if roll < 36 and body.loops > 0:
                return self.loop(
                    scope, replace(inner, loops=body.loops - 1, fan=1 if self.chance(80) else inner.fan)
                ), scope
            if roll < 41:
                return f"atomic {self.block(scope, replace(inner, send=False))}", scope
            if roll < 47 and body.loops > 0:
                return self.growing(scope, inner)
        if roll < 54:
            return self.let(scope)
        if roll < 57:
            tail = "" if self.failing and self.chance(40) else " or true"
            return f"assert {self.expr(BOOL, scope, 1)}{tail}", scope
        if roll < 64:
            called = self.procedure_call(scope, body)
            if called is not None:
                return called, scope
        if roll < 78 and body.send:
            text = self.send(scope, body)
            if text is not None:
                return text, scope
        if roll < 84:
            text = self.ghost(scope, body)
            if text is not None:
                return text, scope
        return self.assign(scope, body), scope

    # ---- control

    def branching(self, scope: Scope, body: Body) -> str:
        text = f"if {self.value(BOOL, scope, 1)} {self.block(scope, body)}"
        while self.chance(25):
            text += f" else if {self.expr(BOOL, scope, 1)} {self.block(scope, body)}"
        text += f" else {self.block(scope, body)}" if self.chance(50) else ""
        if "assert" in text:  # beside ghosts alone, it would depend on a ghost
            name, _ = self.pick(self.world.own[body.role])
            text = text[:-1] + f" {name} := {name} }}"
        return text

    def choice(self, scope: Scope) -> tuple[str, Scope]:
        fits = [k for k in self.world.kinds if count(k) <= 6 and k.form not in ("bag", "map")]
        kind, x = self.pick(fits), self.world.fresh("c")
        return f"choose {x} in {self.domain(kind, scope, 1)}", scope.having(x, kind)

    def loop(self, scope: Scope, body: Body) -> str:
        fits = [k for k in self.world.kinds if count(k) <= 4 and k.form not in ("bag", "map")]
        kind, x = self.pick(fits), self.world.fresh("f")
        if symmetric(kind):
            return self.unordered_loop(kind, x, scope, body)
        domain = self.domain(kind, scope, 1, ordered_too=True)
        send = body.send and self.chance(40)
        # a torn loop over a set has an outcome for each order, and each of its messages to several one for each subset
        body = replace(body, depth=min(body.depth, 1), send=send, loops=0 if send else body.loops, looped=True)
        return f"for {x} in {domain} {self.block(scope.having(x, kind), body)}"

    def unordered_loop(self, kind: Kind, x: str, scope: Scope, body: Body) -> str:
        """A loop whose order may not matter: it sends to its variable, adds it to sets, sets its own entries."""
        made: list[Callable[[], str]] = [lambda: f"assert {x} == {x}"]
        for name, k in self.assignable(scope, body):
            if k.form == "set" and k.elem == kind:
                made.append(lambda n=name: f"{n} {self.pick(['+=', '-='])} {{{x}}}")  # type: ignore[misc]
            if k.form == "map" and k.parts[0] == kind and self.can(k.elem, Scope(scope.place)):
                made.append(lambda n=name, k=k: f"{n}[{x}] := {self.expr(k.elem, Scope(scope.place), 0)}")  # type: ignore[misc]
        messages = [m for m in self.sendable(body) if not m.fields]
        if kind.form == "proc" and messages and body.send:
            message = self.pick(messages)
            self.sent_names.add(message.name)
            made.append(lambda: f"send {message.name} to {x}")
        return f"for {x} in {self.domain(kind, scope, 0)} {{ {self.one(made[1:] or made)} }}"

    def growing(self, scope: Scope, body: Body) -> tuple[str, Scope]:
        """A local that a loop makes larger, and what is done with it."""
        x, acc = self.world.fresh("f"), self.world.fresh("a")
        fits = [
            k for k in self.world.kinds if count(k) <= 4 and k.form not in ("bag", "map", "union") and not symmetric(k)
        ]
        kind = self.pick(fits)
        inner = scope.having(x, kind)
        forms = [k for _, k in scope.names if k.form in ("set", "seq") and k.elem.form != "opt" and not constrained(k)]
        forms = [k for k in forms if self.can(k.elem, inner) and not symmetric(k)]
        if forms and self.chance(60):
            whole = self.pick(forms)
            name = self.pick([n for n, k in scope.names if k == whole])
            item = self.expr(whole.elem, inner, 1)
            grow = self.pick([f"{acc} := {acc} + {{{item}}}", f"{acc} += {{{item}}}", f"{acc} -= {{{item}}}"])
            if whole.form == "seq":
                grow = self.pick([f"{acc} := {acc} + [{item}]", f"{acc} += [{item}]", f"{acc} := [{item}] + {acc}"])
            start = name
        else:
            whole, start = SMALL, self.expr(SMALL, scope, 0)
            grow = self.pick(
                [
                    f"{acc} += {self.expr(SMALL, inner, 1)}",
                    f"{acc} := {acc} * {self.pick(['2', '3000000000', '(-7)'])}",
                    f"{acc} := {acc} - {self.expr(SMALL, inner.having(acc, SMALL), 1)}",
                ]
            )
        domain = self.domain(kind, scope, 1, ordered_too=True)
        text = f"let {acc} = {start}  for {x} in {domain} {{ {grow} }}"
        return text, scope.having(acc, whole, let=True)

    def let(self, scope: Scope) -> tuple[str, Scope]:
        name = self.world.fresh("l")
        kind = self.pick(self.world.kinds)
        unordered = self.pick(["either", "mixed"])
        if unordered == "mixed" and self.chance(30):
            roles = [r for r in self.world.roles.values() if self.can(r, scope)]
            if len(roles) > 1:
                union = Kind("union", " or ".join(r.name for r in roles[:2]), tuple(roles[:2]))
                one, two = (self.expr(r, scope, 1) for r in roles[:2])
                return f"let {name} = (if {self.expr(BOOL, scope, 1)} then {one} else {two})", scope.having(name, union)
        exact = [n for n, k in scope.names if k == kind]
        if kind.form in ("set", "seq", "bag", "map", "opt") or not self.can(kind, scope):
            if not exact:
                return f"let {name} = {self.expr(SMALL, scope, 1)}", scope.having(name, SMALL, let=True)
            return f"let {name} = {self.pick(exact)}", scope.having(name, kind, let=True)
        return f"let {name} = {self.expr(kind, scope, 1)}", scope.having(name, kind, let=True)

    def procedure_call(self, scope: Scope, body: Body) -> str | None:
        fits = [p for p in self.world.procedures if p.role == body.role and (body.send or not p.sends)]
        fits = [p for p in fits if all(self.can(k, scope) or k.form == "bag" for k in p.params)]
        if not fits:
            return None
        called = self.pick(fits)
        return f"{called.name}({', '.join(self.value(k, scope, 1) for k in called.params)})"

    # ---- effects

    def ghost(self, scope: Scope, body: Body) -> str | None:
        ghosts = [*self.world.ghosts, *self.world.own_ghosts.get(body.role, [])]
        if not ghosts:
            return None
        name, kind = self.pick(ghosts)
        seen = scope.at(GHOST)
        for other, k in ghosts:
            seen = seen.having(other, k)
        text = self.set_to(name, kind, seen)
        if self.chance(30):
            text = f"if {self.expr(BOOL, seen, 1)} {{ {text} }}"
            if self.chance(30):
                text += f" else {{ {self.set_to(name, kind, seen)} }}"
        return text

    def assignable(self, scope: Scope, body: Body) -> list[tuple[str, Kind]]:
        return [*self.world.own[body.role], *self.world.shared]

    def assign(self, scope: Scope, body: Body) -> str:
        lets = [(n, k) for n, k in scope.names if n in scope.lets]
        name, kind = self.pick(lets) if lets and self.chance(25) else self.pick(self.assignable(scope, body))
        return self.set_to(name, kind, scope)

    def set_to(self, name: str, kind: Kind, scope: Scope) -> str:
        """An assignment to a variable or to a place inside of it."""
        target, place = name, kind
        while self.chance(55):
            whole = place.elem if place.form == "opt" else place
            if whole.form == "record":
                at = self.rng.randrange(len(whole.parts))
                target, place = f"{target}.{whole.labels[at]}", whole.parts[at]
            elif whole.form == "map" and self.can(whole.parts[0], scope):
                target, place = f"{target}[{self.value(whole.parts[0], scope, 1)}]", whole.elem
            elif whole.form == "seq":
                target, place = f"{target}[{self.value(SMALL, scope, 0)}]", whole.elem
            else:
                break
        return self.stored(target, place, scope, whole=target == name)

    def stored(self, target: str, place: Kind, scope: Scope, *, whole: bool) -> str:
        add = self.pick(["+=", "-="])
        if place.form == "int" and self.chance(60):
            if self.chance(60) and place.high - place.low >= 1:
                return f"if {target} < {place.high} {{ {target} += 1 }}" if place.high < 10 else f"{target} += 1"
            return f"{target} {add} {self.value(SMALL, scope, 1)}"
        lifted = [n for n, k in scope.names if k.form == "opt" and agrees(k.elem, place)]
        if lifted and place.form in ("set", "bag", "seq") and self.chance(30):
            return f"{target} := {self.pick(lifted)}"
        if place.form == "set" and self.chance(70):
            if self.can(place.elem, scope) and place.elem.form not in ("set", "opt", "bag") and self.chance(60):
                return f"{target} {add} {self.value(place.elem, scope, 1)}"
            if self.can(place.elem, scope) and self.chance(60):
                return f"{target} {add} {{{self.expr(place.elem, scope, 1)}}}"
            sets = self.known(place, scope)
            return f"{target} {add} {self.pick(sets) if sets else self.typed_set(place.elem, scope, 1)}"
        if place.form == "seq" and self.chance(70) and self.can(place.elem, scope):
            return f"{target} += [{self.expr(place.elem, scope, 1)}]"
        if place.form == "bag":
            return self.bagged(target, place, add, scope)
        if place.form == "map" and self.chance(15) and "Map" not in place.elem.name and self.can(place.elem, scope):
            return f"{target} := {self.expr(place.elem, scope, 1)}"
        if not self.can(place, scope):
            return f"{target} := {target}"
        return f"{target} := {self.value(place, scope, 2)}"

    def bagged(self, target: str, place: Kind, add: str, scope: Scope) -> str:
        bags = self.known(place, scope)
        if not self.can(place.elem, scope):
            return f"{target} := []"
        item = self.expr(place.elem, scope, 1)
        forms = [f"{target} := [{item}]", f"{target} := [{item}, {item}]"]
        if place.elem.form not in ("bag", "seq"):
            forms += [f"{target} {add} [{item}]", f"{target} {add} [{item}, {item}]"]
        if place.elem.form not in ("set", "seq", "bag", "opt", "map"):
            forms += [f"{target} {add} {self.value(place.elem, scope, 1)}"] * 3
        if bags:
            forms += [f"{target} {add} {self.pick(bags)}", f"{target} := {self.expr(place, scope, 1)}"]
        return self.pick(forms)

    # ---- messages

    def sendable(self, body: Body) -> list[Message]:
        return [m for m in self.world.messages if body.role in m.senders]

    def send(self, scope: Scope, body: Body, message: Message | None = None) -> str | None:
        fits = [m for m in self.sendable(body) if all(self.can(f, scope) or f.form == "bag" for f in m.fields)]
        if message is None:
            if not fits:
                return None
            message = self.pick(fits)
        self.sent_names.add(message.name)
        args = f"({', '.join(self.value(f, scope, 1) for f in message.fields)})" if message.fields else ""
        return f"send {message.name}{args} to {self.receivers(message, scope, single=body.looped)}"

    def receivers(self, message: Message, scope: Scope, *, single: bool = False) -> str:
        """Who gets a message: a process, an optional one, a set of those of one role or of several, all, nobody."""
        roles = self.world.roles
        takers = [roles[r] for r in message.receivers] or list(roles.values())
        taker = self.pick(takers)
        if single and self.chance(85):
            taker = self.pick([r for r in takers if self.can(r, scope)] or [roles["B"]])
            return self.value(taker, scope, 1)
        made: list[Callable[[], str]] = [lambda: taker.name, lambda: taker.name]
        if message.receivers or message.soup:
            made += [lambda: "all"] * (1 if message.receivers else 3)
        if self.can(taker, scope):
            made += [lambda: self.expr(taker, scope, 1), lambda: self.value(taker, scope, 1)]
            made.append(lambda: self.typed_set(taker, scope, 1))
            made.append(lambda: f"({self.named_set(taker)} - {{{self.expr(taker, scope, 0)}}})")
        names = [n for n, k in scope.names if agrees(k, opt(taker)) or agrees(k, set_of(taker)) or k.form == "union"]
        if names:
            made += [lambda: self.pick(names)] * 3
        both = [r for r in roles.values() if not bare(r)]
        if len(both) > 1:
            made.append(lambda: f"{{{', '.join(self.expr(r, scope, 0) for r in both[:2])}}}")
        return self.one(made)
