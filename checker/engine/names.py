"""The constants of a program under construction: what the generated code refers to by name.

Values of types, rank tables, range checks and the places of errors are made once and get a name each. The generated code
runs with these names and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Any

from checker.base.diagnostics import error
from checker.base.source import Span
from checker.engine import runtime
from checker.engine.runtime import MAX_DOMAIN, Fail, Memo, Site, describe
from checker.model.layout import Layout
from checker.model.machine import Machine
from checker.model.types import OptT, Type, TypeTooLarge, cardinality, has_where, show
from checker.model.values import Value, conforms, domain, in_order, order_key, rank

MAX_TRIED = 1 << 24
"""The most values that are tried where not all of them fulfil the condition of a record."""


class DomainTooLarge(Exception):
    """A type has too many values to list them. `args[0]` is the type."""


class Names:
    """The constants of a program under construction: the globals of the generated code, and the sites of its errors."""

    def __init__(self, machine: Machine, layout: Layout) -> None:
        self.machine = machine
        self.layout = layout
        self.globals: dict[str, Any] = {
            name: getattr(runtime, name)
            for name in (
                "Fail",
                "bag_minus",
                "bag_plus",
                "divide",
                "drop",
                "entry",
                "greatest",
                "item",
                "last",
                "least",
                "modulo",
                "opt_field",
                "put",
                "put_item",
                "ranged",
                "some",
                "span",
                "take",
                "times",
            )
        }
        self.globals["in_order"] = in_order
        self.globals["key"] = order_key
        self.sites: list[Site] = []
        self.functions = {key: f"f{i}" for i, key in enumerate(machine.functions)}
        self.procedures = {key: f"p{i}" for i, key in enumerate(machine.procedures)}
        self._made: dict[tuple[str, Any], str] = {}
        self.where: Callable[[str, Value], bool] = lambda name, value: True
        """Set by the program once the conditions of records are compiled."""

    def satisfies(self, record: str, value: Value) -> bool:
        """Whether a record's `where` holds. Conditions are compiled after the constants that ask for them."""
        return self.where(record, value)

    def constant(self, kind: str, key: Any, make: Callable[[], Any]) -> str:
        """A global for something made once, such as the values of a type."""
        name = self._made.get((kind, key))
        if name is None:
            name = self._made[kind, key] = f"k{len(self._made)}"
            self.globals[name] = make()
        return name

    def site(self, code: str, span: Span, text: str, shown: Type | None = None) -> int:
        """The number of an error's place."""
        self.sites.append(Site(code, span, text, shown))
        return len(self.sites) - 1

    def values(self, t: Type) -> tuple[Value, ...]:
        """The values of a type in order."""
        try:
            count = cardinality(t)
        except TypeTooLarge:
            raise DomainTooLarge(t) from None
        if count == 0:  # of a record without values, another part may still have too many to be listed
            return ()
        if count > MAX_TRIED:
            raise DomainTooLarge(t)
        try:
            found = tuple(islice(domain(t, self.satisfies), MAX_DOMAIN + 1))
        except Fail as problem:
            site = self.sites[problem.site]
            text = f"a value of {show(t)} cannot be judged: {describe(site, problem.value)}"
            raise error(site.code, text, source=self.machine.source, span=site.span) from None
        if len(found) > MAX_DOMAIN:
            raise DomainTooLarge(t)
        return found

    def listed(self, t: Type) -> str:
        """An expression for the values of a type, in order."""
        return self._all_values("values", t, tuple)

    def as_set(self, t: Type) -> str:
        """An expression for the set of the values of a type."""
        return self._all_values("set", t, frozenset)

    def _all_values(self, kind: str, t: Type, collect: Callable[[tuple[Value, ...]], Any]) -> str:
        if not has_where(t):
            return self.constant(kind, t, lambda: collect(self.values(t)))
        # The conditions of records are compiled later than this, so the values are found when they are first needed.
        if cardinality(t) > MAX_DOMAIN:
            raise DomainTooLarge(t)
        return self.constant(kind, t, lambda: cache(lambda: collect(self.values(t)))) + "()"

    def ranks(self, t: Type) -> str:
        return self.constant("ranks", t, lambda: Memo(lambda v: rank(t, v)))

    def checker(self, t: Type) -> str:
        return self.constant("check", t, lambda: runtime.checker_for(t, self.satisfies))

    def tester(self, t: Type) -> str:
        def test(value: Value) -> bool:
            return (value is not None or isinstance(t, OptT)) and conforms(t, value, self.satisfies)

        return self.constant("test", t, lambda: test)

    def positions(self, t: Type) -> str:
        return self.constant("keys", t, lambda: runtime.keys_of(t))
