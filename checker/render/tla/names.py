"""Names in the module: valid for TLA+, unique, and as near as possible to those of the spec.

TLA+ refuses a name that is defined twice, even where one of the two is local, and names that begin with `WF_` or `SF_`,
have no letter, are reserved words, or are defined by a module that is extended. `Names` hands out global names; a `Pool`
adds the local names of one definition.
"""

from __future__ import annotations

import re

RESERVED = frozenset(
    """
    ASSUME ASSUMPTION AXIOM CASE CHOOSE CONSTANT CONSTANTS DOMAIN ELSE ENABLED EXCEPT EXTENDS IF IN INSTANCE LET LOCAL MODULE
    OTHER SF_ SUBSET THEN THEOREM UNCHANGED UNION VARIABLE VARIABLES WF_ WITH LAMBDA RECURSIVE ACTION ASSUME BY COROLLARY DEF
    DEFINE DEFS HAVE HIDE LEMMA NEW OBVIOUS OMITTED PICK PROOF PROPOSITION PROVE QED STATE SUFFICES TAKE TEMPORAL USE WITNESS
    ONLY TRUE FALSE BOOLEAN STRING
""".split()
)
"""Words that are no names."""

STANDARD = frozenset(
    """
    Nat Int Real Infinity Seq Len Append Head Tail SubSeq SelectSeq Cardinality IsFiniteSet Print PrintT Assert JavaTime
    TLCGet TLCSet Permutations SortSeq RandomElement Any ToString TLCEval
""".split()
)
"""What the modules define that every exported module extends: Integers, Sequences, FiniteSets, TLC."""


def identifier(text: str) -> str:
    """The text as a TLA+ name, not yet unique."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    if not re.search("[A-Za-z]", name) or name[0].isdigit():
        name = f"x{name}"
    return f"x{name}" if name.startswith(("WF_", "SF_")) or name in RESERVED else name


class Names:
    """The global names of one module."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._used = set(RESERVED | STANDARD | taken)
        self._of: dict[object, str] = {}
        self._ever: set[str] = set()

    def claim(self, key: object, wanted: str) -> str:
        """The name of something, made at the first call."""
        if key not in self._of:
            self._of[key] = self._free(identifier(wanted), self._ever, self._used)
        return self._of[key]

    def __contains__(self, name: str) -> bool:
        """Whether something has the name already."""
        return name in self._used

    def pool(self) -> Pool:
        return Pool(self._used, self._ever)

    @staticmethod
    def _free(base: str, *used: set[str]) -> str:
        name, number = base, 1
        while any(name in u for u in used):
            number += 1
            name = f"{base}_{number}"
        used[-1].add(name)
        return name


class Pool:
    """The local names of one definition; none is given out twice. Global names that come later avoid them (`ever`)."""

    def __init__(self, used: set[str], ever: set[str]) -> None:
        self._global = used
        self._ever = ever
        self._local: set[str] = set()

    def fresh(self, wanted: str) -> str:
        """A name that is bound nowhere else in the definition."""
        return self._note(Names._free(identifier(wanted), self._global, self._local))

    def numbered(self, base: str) -> str:
        """The next of `base_1`, `base_2` and so on: names for the values that something has one after the other."""
        number = 1
        while any(f"{identifier(base)}_{number}" in used for used in (self._global, self._local)):
            number += 1
        return self.fresh(f"{base}_{number}")

    def inner(self, wanted: str, bound: frozenset[str]) -> str:
        """A name for a variable that a quantifier binds: it may come again outside of its scope."""
        return self._note(Names._free(identifier(wanted), self._global, self._local, set(bound)))

    def _note(self, name: str) -> str:
        self._ever.add(name)
        return name
