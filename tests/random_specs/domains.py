"""What random expressions and statements run over: types, ranges, sets of all forms, sequences and bags."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from tests.random_specs.kinds import BOOL, SMALL, Kind, count
from tests.random_specs.truths import Truths
from tests.random_specs.world import Scope

WIDEST = 12
"""The most values of a domain that is gone through, most of the time."""


class Domains(Truths, ABC):
    """Writes domains. Their elements have a kind even where there is none: `{}` is none of them."""

    @abstractmethod
    def leaf(self, kind: Kind, scope: Scope) -> str: ...

    def any_kind(self, scope: Scope) -> Kind:
        """A kind that there are values of."""
        return self.pick([k for k in self.world.kinds if self.can(k, scope) and k.form not in ("bag", "map")])

    def typed_set(self, elem: Kind, scope: Scope, d: int) -> str:
        """A set whose elements have a kind even where it is empty: of a literal, a name, a type."""
        known = [n for n, k in scope.names if k.form == "set" and k.elem == elem]
        made: list[Callable[[], str]] = [lambda: self.pick(known)] if known else []
        if self.can(elem, scope) and elem.form != "opt":
            made.append(lambda: f"{{{self.expr(elem, scope, d)}, {self.expr(elem, scope, d)}}}")
        if count(elem) <= WIDEST * 2 and elem.form != "union":
            made.append(lambda: f"opt({self.world.named(elem.elem)})" if elem.form == "opt" else self.named_set(elem))
            if d > 0:
                made.append(lambda: self.filtered(elem, scope, d - 1))
        if not made and self.can(elem.elem if elem.form == "opt" else elem, scope):
            return f"{{none, {self.leaf(elem.elem, scope)}}}"
        return self.one(made) if made else self.named_set(elem)

    def named_set(self, elem: Kind) -> str:
        return f"{{{elem.name}}}" if elem.form == "proc" and elem.single else self.world.named(elem)

    def sequence_of(self, elem: Kind, scope: Scope, d: int) -> str:
        known = [n for n, k in scope.names if k.form in ("seq", "bag") and k.elem == elem]
        if known:
            return self.pick(known)
        return (
            f"[{self.expr(elem, scope, d)}]"
            if elem.form not in ("opt", "set", "seq")
            else self.typed_set(elem, scope, d)
        )

    def filtered(self, elem: Kind, scope: Scope, d: int) -> str:
        x = self.world.fresh("x")
        of = self.domain(elem, scope, min(d, 1))
        return f"{{{x} in {of} where {self.expr(BOOL, scope.having(x, elem), d)}}}"

    def domain(self, elem: Kind, scope: Scope, d: int, *, ordered_too: bool = False) -> str:
        """What is gone through: a type, a range, a set, and, where it may have an order, a sequence or a bag."""
        if elem.form == "int" and self.chance(50):
            low = self.pick(["0", "0", "1", "(-1)", "(0 - 2)"])
            return f"{low} .. {self.pick(['2', '1', '(1 + 1)', f'({self.expr(SMALL, scope, d)} % 4)'])}"
        known = [n for n, k in scope.names if k.form in ("seq", "bag") and k.elem == elem]
        if ordered_too and known and self.chance(60):
            return self.pick(known)
        if elem.form == "proc" and scope.place.ghost and self.chance(15):
            return f"honest({elem.name})"
        if (
            elem.form not in ("union", "opt")
            and (count(elem) <= WIDEST or (count(elem) <= 150 and self.chance(5)))
            and self.chance(50)
        ):
            return self.world.named(elem)
        return self.typed_set(elem, scope, d)

    def binder(self, scope: Scope, d: int) -> tuple[str, Kind, str]:
        """A variable, its kind, and what it runs over."""
        fits = [k for k in self.world.kinds if count(k) <= WIDEST and k.form not in ("bag", "map")]
        kind = self.pick(fits)
        listed = [(n, k.elem) for n, k in scope.names if k.form in ("seq", "bag")]
        if listed and self.chance(15):
            name, kind = self.pick(listed)
            return self.world.fresh("b"), kind, name
        return self.world.fresh("b"), kind, self.domain(kind, scope, min(d, 1), ordered_too=True)
