"""Random conditions, and what is asked of the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from tests.random_specs.kinds import BOOL, SMALL, Kind, agrees, count, opt, ordered, set_of
from tests.random_specs.world import Chance, Scope, World


class Truths(Chance, ABC):
    """Conditions of all forms."""

    world: World

    @abstractmethod
    def expr(self, kind: Kind, scope: Scope, depth: int) -> str: ...

    @abstractmethod
    def value(self, kind: Kind, scope: Scope, depth: int) -> str: ...

    @abstractmethod
    def can(self, kind: Kind, scope: Scope) -> bool: ...

    @abstractmethod
    def any_kind(self, scope: Scope) -> Kind: ...

    @abstractmethod
    def typed_set(self, elem: Kind, scope: Scope, d: int) -> str: ...

    @abstractmethod
    def named_set(self, elem: Kind) -> str: ...

    @abstractmethod
    def binder(self, scope: Scope, d: int) -> tuple[str, Kind, str]: ...

    def truths(self, scope: Scope, d: int) -> list[Callable[[], str]]:
        """Conditions; those that ask the network where that may be asked."""

        def truth() -> str:
            if scope.place.judged and self.world.messages and self.chance(8):
                return self.inflight(scope, d)
            return self.value(BOOL, scope, d)

        def joined() -> str:
            word = self.pick([" and ", " or "])
            return f"({word.join(truth() for _ in range(self.rng.randrange(2, 4)))})"

        made: list[Callable[[], str]] = [
            joined,
            lambda: f"({truth()} => {truth()})",
            lambda: f"(not {truth()})",
            lambda: self.compared(scope, d),
            lambda: self.compared(scope, d),
            lambda: self.equal(scope, d),
            lambda: self.equal(scope, d),
            lambda: self.member(scope, d),
            lambda: self.member(scope, d),
            lambda: self.quantified(self.pick(["forall", "exists"]), BOOL, scope, d),
            lambda: self.quantified(self.pick(["forall", "exists"]), BOOL, scope, d),
        ]
        if scope.place.judged and self.world.messages:
            made.append(lambda: f"({self.inflight(scope, d)} <= {self.rng.randrange(3)})")
        asked = [
            m for m in self.world.messages if m.asked and all(self.can(f, scope) or f.form == "bag" for f in m.fields)
        ]
        apart = scope.place.guard and any(key.startswith("cut") for key in self.world.faults)
        if asked and (scope.place.code or scope.place.judged) and not apart:
            made.append(lambda: self.sent(scope, d))
            made.append(lambda: self.sent(scope, d))
        if scope.place.silent:
            made += [lambda: f"silent({self.process(scope, d)})"] * 6
        return made

    def compared(self, scope: Scope, d: int) -> str:
        kinds = [k for k in self.world.kinds if ordered(k) and self.can(k, scope)]
        kind = self.pick(kinds) if self.chance(60) else SMALL
        left, right = self.expr(kind, scope, d), self.expr(kind, scope, d)
        if kind == SMALL and self.chance(20):
            left = self.expr(opt(SMALL), scope, d)
        return f"({left} {self.pick(['<', '<=', '>', '>='])} {right})"

    def equal(self, scope: Scope, d: int) -> str:
        kinds = [k for k in self.world.kinds if self.can(k, scope)]
        kind = self.pick(kinds)
        left, right = self.expr(kind, scope, d), self.expr(kind, scope, d)
        records = [n for n, k in scope.names if k.form == "opt" and k.elem.form == "record"]
        if records and self.chance(20):
            name = self.pick(records)
            whole = next(k for n, k in scope.names if n == name).elem
            label, part = self.pick(list(zip(whole.labels, whole.parts, strict=True)))
            if part.form != "bag" and self.can(part, scope):
                left, right = f"{name}?.{label}", self.pick(["none", self.expr(part, scope, d)])
        return f"({left} {self.pick(['==', '!='])} {right})"

    def member(self, scope: Scope, d: int) -> str:
        word = self.pick(["in", "not in"])
        collections = [(n, k) for n, k in scope.names if k.form in ("set", "seq", "bag") and self.can(k.elem, scope)]
        if collections and self.chance(45):
            name, of = self.pick(collections)
            return f"({self.expr(of.elem, scope, d)} {word} {name})"
        elem = self.any_kind(scope)
        item = self.expr(elem, scope, d)
        if self.chance(25) and count(elem) <= 4096 and elem.form not in ("union", "opt"):
            domain = elem.name if elem.form == "proc" else self.world.named(elem)
            if self.chance(30):
                domain = f"opt({domain})"
            return f"({item} {word} {domain})"
        if self.chance(25) and elem.form not in ("set", "seq"):
            return f"({item} {word} [{item}, {self.expr(elem, scope, d)}])"
        known = [n for n, k in scope.names if agrees(k, set_of(elem))]
        return f"({item} {word} {self.pick(known) if known and self.chance(40) else self.typed_set(elem, scope, d)})"

    def quantified(self, word: str, body: Kind, scope: Scope, d: int) -> str:
        binders = []
        for _ in range(2 if d > 0 and self.chance(25) else 1):
            name, kind, domain = self.binder(scope, d)
            if self.chance(6):
                name = "_"
            else:
                scope = scope.having(name, kind)
            binders.append(f"{name} in {domain}")
        return f"({word} {', '.join(binders)}: {self.expr(body, scope, d)})"

    # ---- the network

    def process(self, scope: Scope, d: int) -> str:
        """A process of some role."""
        unions = [n for n, k in scope.names if k.form == "union"]
        if unions and self.chance(30):
            return self.pick(unions)
        role = self.pick([r for r in self.world.roles.values() if self.can(r, scope)])
        return self.value(role, scope, d)

    def processes(self, scope: Scope, d: int) -> str:
        """A process, or a set of them, also of several roles."""
        if self.chance(50):
            return self.process(scope, d)
        if self.chance(40):
            return f"{{{self.process_alone(scope, d)}, {self.process_alone(scope, d)}}}"
        role = self.pick(list(self.world.roles.values()))
        return self.expr(set_of(role), scope, d) if self.chance(50) else self.named_set(role)

    def process_alone(self, scope: Scope, d: int) -> str:
        role = self.pick([r for r in self.world.roles.values() if self.can(r, scope)])
        return self.expr(role, scope, d)

    def inflight(self, scope: Scope, d: int) -> str:
        message = self.pick(self.world.messages)
        source = f" from {self.processes(scope, d)}" if self.chance(40) else ""
        target = f" to {self.processes(scope, d)}" if self.chance(40) else ""
        return f"inflight({message.name}{source}{target})"

    def sent(self, scope: Scope, d: int) -> str:
        asked = [
            m for m in self.world.messages if m.asked and all(self.can(f, scope) or f.form == "bag" for f in m.fields)
        ]
        message = self.pick(asked)
        args = f"({', '.join(self.value(f, scope, d) for f in message.fields)})" if message.fields else ""
        return f"sent({message.name}{args} from {self.processes(scope, d)})"
