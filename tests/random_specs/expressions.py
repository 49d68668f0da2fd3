"""Random expressions of a wanted kind, in a place that says what they may read.

`expr` gives one that may stand anywhere; `value` gives one for a place where a conversion is made, where it may also be an
optional value without its `?`, a process that may be of another role, or a literal bag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tests.random_specs.domains import WIDEST, Domains
from tests.random_specs.kinds import (
    BOOL,
    SMALL,
    Kind,
    agrees,
    bare,
    converts,
    count,
    opt,
    ordered,
)
from tests.random_specs.world import JUDGED, PURE, Function, Scope, World

LARGE = (3, 5, 100, 65_535, 3_000_000_000, 4_611_686_018_427_387_904, 9_223_372_036_854_775_807)


class Expressions(Domains):
    """Writes expressions over a world."""

    def __init__(self, rng: Random, world: World) -> None:
        super().__init__(rng)
        self.world = world

    # ---- whether there is one

    def known(self, kind: Kind, scope: Scope) -> list[str]:
        found = [name for name, k in scope.names if agrees(k, kind)]
        constants = [name for name, _ in self.world.constants]
        return found if self.chance(8) else [name for name in found if name not in constants]

    def exact(self, kind: Kind, scope: Scope) -> list[str]:
        """The names of such values, constants too."""
        return [name for name, k in scope.names if agrees(k, kind)]

    def can(self, kind: Kind, scope: Scope) -> bool:
        """Whether an expression can be written."""
        if any(agrees(k, kind) for _, k in scope.names):
            return True
        match kind.form:
            case "bag":
                return False
            case "record":
                return all(self.can(p, scope) or p.form == "bag" for p in kind.parts)
            case "map":
                return self.can(kind.elem, scope)
        return not bare(kind)

    def writable(self, kind: Kind) -> bool:
        """Whether a value can be written without any name."""
        return self.can(kind, Scope(PURE))

    # ---- the whole of it

    def value(self, kind: Kind, scope: Scope, depth: int) -> str:
        """An expression where a conversion is made."""
        if self.chance(12 if kind.form in ("bool", "int") else 35):
            known = [name for name, k in scope.names if converts(k, kind)]
            if known:
                return self.pick(known)
        if kind.form == "bag" and (self.chance(60) or not self.can(kind, scope)):
            fits = self.can(kind.elem, scope)
            items = [self.expr(kind.elem, scope, depth - 1) for _ in range(self.rng.randrange(3) if fits else 0)]
            return f"[{', '.join(items)}]" if items else self.pick(["[]", "{}"])
        if kind.form == "opt" and kind.elem.form == "bag":
            return "none"
        return self.expr(kind, scope, depth)

    def expr(self, kind: Kind, scope: Scope, depth: int) -> str:
        """An expression for any place; `can` says whether there is one. `depth` limits its size."""
        known = self.known(kind, scope)
        if known and (self.chance(40) or depth <= 0):
            return self.pick(known)
        if depth <= 0:
            return self.leaf(kind, scope)
        d = depth - 1
        makers: list[Callable[[], str]] = []
        if self.chance(25):
            makers = [*self.accesses(kind, scope, d), *self.calls(kind, scope, d), *self.remote(kind, scope, d)]
        if self.chance(8):
            makers.append(lambda: self.conditional(kind, scope, d))
        if scope.place.old and self.chance(20):
            makers.append(lambda: f"old({self.expr(kind, scope.at(JUDGED), d)})")
        return self.one(makers or self.forms(kind, scope, d))

    def conditional(self, kind: Kind, scope: Scope, d: int) -> str:
        cond, then, orelse = (self.expr(k, scope, d) for k in (BOOL, kind, kind))
        return f"(if {cond} then {then} else {orelse})"

    def forms(self, kind: Kind, scope: Scope, d: int) -> list[Callable[[], str]]:
        """What is particular to a kind."""
        match kind.form:
            case "bool":
                return self.truths(scope, d)
            case "int":
                return self.numbers(scope, d)
            case "opt":
                inner = kind.elem
                return [lambda: "none", lambda: self.expr(inner, scope, d) if self.can(inner, scope) else "none"]
            case "set":
                return self.sets(kind, scope, d)
            case "seq":
                return self.sequences(kind, scope, d)
            case "bag":
                return [
                    lambda: self.pick(self.exact(kind, scope)),
                    lambda: f"({self.expr(kind, scope, d)} {self.pick('+-')} {self.expr(kind, scope, d)})",
                ]
            case "map":
                return self.maps(kind, scope, d)
            case "record":
                return self.records(kind, scope, d)
        made: list[Callable[[], str]] = [lambda: self.leaf(kind, scope)]
        if kind.form in ("id", "proc", "enum") and not bare(kind) and not kind.symmetric and not kind.single:
            index = self.expr(SMALL, scope, d)
            made.append(
                lambda: (
                    f"at({kind.name}, {index if self.chance(25) else f'({index}) % {kind.size or len(kind.labels)}'})"
                )
            )
        if ordered(kind) and kind.form != "union" and self.can(kind, scope):
            pick = self.pick(["min", "max"])
            made.append(lambda: f"{pick}({self.expr(kind, scope, d)}, {self.expr(kind, scope, d)})")
            made.append(lambda: f"{pick}({self.typed_set(kind, scope, d)})")
        return made

    def leaf(self, kind: Kind, scope: Scope) -> str:
        """The shortest there is."""
        known = self.known(kind, scope)
        if known and self.chance(60):
            return self.pick(known)
        if not self.writable(kind) and (exact := self.exact(kind, scope)):
            return self.pick(exact)
        match kind.form:
            case "bool":
                numbers = self.known(SMALL, scope)
                if numbers and self.chance(70):
                    return f"({self.pick(numbers)} {self.pick(['<', '==', '>', '!='])} {self.rng.randrange(3)})"
                return self.pick(["true", "false"])
            case "int":
                if self.chance(6):
                    return str(self.pick(LARGE))
                return f"(-{self.rng.randrange(1, 4)})" if self.chance(8) else str(self.rng.randrange(3))
            case "enum":
                return self.pick(kind.labels[:2] if self.chance(70) else kind.labels)
            case "id" | "proc":
                return kind.name if kind.single else f"at({kind.name}, {self.rng.randrange(kind.size)})"
            case "union":
                return self.leaf(self.pick([p for p in kind.parts if self.can(p, scope)]), scope)
            case "opt":
                return self.leaf(kind.elem, scope) if self.chance(40) and self.can(kind.elem, scope) else "none"
            case "set":
                return f"{{{self.leaf(kind.elem, scope)}}}" if self.chance(50) and self.can(kind.elem, scope) else "{}"
            case "seq":
                return f"[{self.leaf(kind.elem, scope)}]" if self.chance(50) and self.can(kind.elem, scope) else "[]"
            case "map":
                k = self.world.fresh("k")
                inner = scope.having(k, kind.parts[0])
                return f"{{{k} in {self.world.named(kind.parts[0])}: {self.leaf(kind.elem, inner)}}}"
        return f"{kind.name}({', '.join(self.field(p, scope, 0) for p in kind.parts)})"

    def field(self, kind: Kind, scope: Scope, depth: int) -> str:
        return self.value(kind, scope, depth) if depth > 0 or kind.form == "bag" else self.leaf(kind, scope)

    # ---- kinds

    def numbers(self, scope: Scope, d: int) -> list[Callable[[], str]]:
        def number() -> str:
            return self.value(SMALL, scope, d)

        def collection() -> str:
            elem = self.any_kind(scope)
            return self.pick([self.typed_set(elem, scope, d), self.sequence_of(elem, scope, d)])

        def bounded() -> str:
            names = [
                n
                for n, k in scope.names
                if k.form in ("set", "seq", "bag") and ordered(k.elem) and k.elem.form == "int"
            ]
            of = self.pick(names) if names and self.chance(60) else self.typed_set(SMALL, scope, d)
            return f"{self.pick(['min', 'max'])}({of})"

        made: list[Callable[[], str]] = [
            lambda: f"({number()} {self.pick('+-*/%')} {number()})",
            lambda: f"({number()} {self.pick('+-*')} {number()})",
            lambda: f"(-{number()})",
            lambda: f"size({collection()})",
            lambda: f"{self.pick(['min', 'max'])}({', '.join(number() for _ in range(self.rng.randrange(2, 4)))})",
            bounded,
            lambda: self.quantified("sum", SMALL, scope, d),
            lambda: self.leaf(SMALL, scope),
        ]
        counted = [(n, k) for n, k in scope.names if k.form in ("seq", "bag") and self.can(k.elem, scope)]
        if counted:
            name, kind = self.pick(counted)
            made.append(lambda: f"count({name}, {self.expr(kind.elem, scope, d)})")
        places = [
            k for k in self.world.kinds if k.form in ("enum", "id", "proc") and not k.symmetric and self.can(k, scope)
        ]
        if places:
            made.append(lambda: f"index({self.expr(self.pick(places), scope, d)})")
        if scope.place.judged and self.world.messages:
            made.append(lambda: self.inflight(scope, d))
        return made

    def sets(self, kind: Kind, scope: Scope, d: int) -> list[Callable[[], str]]:
        elem = kind.elem

        def literal() -> str:
            fits = self.can(elem, scope)
            items = [self.expr(elem, scope, d) for _ in range(self.rng.randrange(1, 4) if fits else 0)]
            return f"{{{', '.join(items)}}}"

        made: list[Callable[[], str]] = [
            literal,
            lambda: f"({self.expr(kind, scope, d)} {self.pick('+-&')} {self.expr(kind, scope, d)})",
            lambda: self.filtered(elem, scope, d),
        ]
        if elem.form == "opt":
            made.append(lambda: f"opt({self.world.named(elem.elem)})")
        elif elem.form not in ("union", "proc") or not elem.single:
            made.append(lambda: self.world.named(elem) if elem.form != "union" else literal())
        if elem.form == "proc" and scope.place.ghost:
            made.append(lambda: f"honest({elem.name})")
        return [m for m in made if count(elem) <= 200 or m is literal] or [literal]

    def sequences(self, kind: Kind, scope: Scope, d: int) -> list[Callable[[], str]]:
        def item() -> str:
            return f"[{self.expr(kind.elem, scope, d)}]" if self.can(kind.elem, scope) else "[]"

        made: list[Callable[[], str]] = [
            item,
            lambda: f"({self.expr(kind, scope, d)} + {item()})",
            lambda: f"{self.pick(['take', 'drop'])}({self.expr(kind, scope, d)}, {self.value(SMALL, scope, d)})",
        ]
        known = self.known(kind, scope)
        if known and self.can(kind.elem, scope):
            made.append(
                lambda: (
                    f"({self.pick(known)} with ([{self.value(SMALL, scope, d)}] = {self.expr(kind.elem, scope, d)}))"
                )
            )
        return made

    def maps(self, kind: Kind, scope: Scope, d: int) -> list[Callable[[], str]]:
        key, inner = kind.parts
        known = self.exact(kind, scope)

        def made_anew() -> str:
            k = self.world.fresh("k")
            domain = self.world.named(key)
            if key.form == "opt" and self.chance(50):
                domain = f"opt({self.world.named(key.elem)})"
            if key.form == "int" and self.chance(50):
                domain = f"{key.low} .. {key.high}" if key.low >= 0 else domain
            return f"{{{k} in {domain}: {self.expr(inner, scope.having(k, key), d if count(key) <= WIDEST else 0)}}}"

        def changed() -> str:
            updates = [
                f"[{self.expr(key, scope, d)}] = {self.expr(inner, scope, d)}" for _ in range(self.rng.randrange(1, 3))
            ]
            return f"({self.pick(known)} with ({', '.join(updates)}))"

        if not self.can(inner, scope.having("", key)):
            return [lambda: self.pick(known)]
        return [made_anew, changed] if known and self.can(key, scope) and self.can(inner, scope) else [made_anew]

    def records(self, kind: Kind, scope: Scope, d: int) -> list[Callable[[], str]]:
        known = [n for n, k in scope.names if k in (kind, opt(kind))]

        def changed() -> str:
            at = self.rng.randrange(len(kind.parts))
            if not self.can(kind.parts[at], scope):
                return made_anew()
            return f"({self.pick(known)} with ({kind.labels[at]} = {self.value(kind.parts[at], scope, d)}))"

        def made_anew() -> str:
            return f"{kind.name}({', '.join(self.value(p, scope, d) for p in kind.parts)})"

        if not all(self.can(p, scope) or p.form == "bag" for p in kind.parts):
            return [lambda: self.pick(self.exact(kind, scope))]
        return [made_anew, changed] if known else [made_anew]

    # ---- parts of something else

    def accesses(self, kind: Kind, scope: Scope, d: int) -> Iterator[Callable[[], str]]:
        """Fields, entries, and elements of what has a name."""
        for name, k in scope.names:
            whole = k.elem if k.form == "opt" else k
            if whole.form == "record":
                for label, part in zip(whole.labels, whole.parts, strict=True):
                    if agrees(part, kind):
                        yield lambda name=name, label=label: f"{name}.{label}"  # type: ignore[misc]
                    if kind.form == "opt" and agrees(part, kind) and k.form == "opt":
                        yield lambda name=name, label=label: f"{name}?.{label}"  # type: ignore[misc]
            elif whole.form == "map" and agrees(whole.elem, kind) and self.can(whole.parts[0], scope):
                key = whole.parts[0]
                yield lambda name=name, key=key: f"{name}[{self.value(key, scope, d)}]"  # type: ignore[misc]
            elif whole.form == "seq" and agrees(whole.elem, kind):
                plain = k.form == "seq"
                yield lambda name=name, p=plain: self.item(name, kind, scope, d, plain=p)  # type: ignore[misc]
            if k.form in ("set", "seq", "bag") and agrees(k.elem, kind) and ordered(k.elem):
                yield lambda name=name: f"{self.pick(['min', 'max'])}({name})"  # type: ignore[misc]

    def item(self, name: str, kind: Kind, scope: Scope, d: int, *, plain: bool) -> str:
        """One of a sequence, which may be optional unless it is `plain`; mostly only where there is one."""
        if not plain:
            return f"{name}[{self.rng.randrange(2)}]"
        found = f"last({name})" if self.chance(40) else f"{name}[{self.rng.randrange(2)}]"
        if self.chance(25) or not self.can(kind, scope):
            return self.pick([found, f"{name}[{self.value(SMALL, scope, d)}]"])
        return f"(if size({name}) > 1 then {found} else {self.expr(kind, scope, d)})"

    def remote(self, kind: Kind, scope: Scope, d: int) -> Iterator[Callable[[], str]]:
        """Variables of processes, where they can be seen."""
        if not (scope.place.judged or scope.place.ghost):
            return
        for owner, variables in self.world.own.items():
            seen = [*variables, *(self.world.own_ghosts.get(owner, []) if scope.place.ghost else [])]
            process = self.world.roles[owner]
            for name, k in seen:
                if agrees(k, kind) and self.can(process, scope):
                    yield lambda p=process, n=name: f"{self.expr(p, scope, d)}.{n}"  # type: ignore[misc]

    def calls(self, kind: Kind, scope: Scope, d: int) -> Iterator[Callable[[], str]]:
        for f in self.world.functions:
            if agrees(f.result, kind) and all(self.can(p, scope) or p.form == "bag" for p in f.params):
                prefix = self.callee(f, scope, d)
                if prefix is not None:
                    yield lambda f=f, prefix=prefix: self.called(prefix, f, scope, d)  # type: ignore[misc]

    def callee(self, f: Function, scope: Scope, d: int) -> str | None:
        """How a function is named here, or None where it cannot be called."""
        if f.place.judged and not scope.place.judged:
            return None
        if f.place.judged and f.place.ghost and not scope.place.ghost:
            return None
        if f.role is None:
            return f.name if scope.place.code or scope.place.judged or not f.place.code else None
        if f.role == scope.role and scope.place.code:
            return f"self.{f.name}" if self.chance(20) else f.name
        process = self.world.roles[f.role]
        if (scope.place.judged or scope.place.ghost) and self.can(process, scope):
            return f"{self.expr(process, scope, d)}.{f.name}"
        return None

    def called(self, prefix: str, f: Function, scope: Scope, d: int) -> str:
        args = [self.value(p, scope, d) for p in f.params]
        return f"{prefix}({', '.join(args)})" if args else prefix
