"""What there is to say where an implementation leaves its spec.

A mismatch is data: the steps that matched, the one that did not, and for each variable of the spec the value before that
step, the value that the spec has after it and the one that was seen. `text` shows it: what matched, then spec and
implementation side by side. What could not be seen is marked, so that nobody takes silence for agreement.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from checker.base.data import dataclass


class Sight(Enum):
    """What the comparison of one variable came to; the value is its mark."""

    SAME = " "
    DIFFERENT = "≠"
    UNSEEN = "·"


@dataclass(frozen=True, slots=True)
class Field:
    """One variable, as text: before the step, as the spec has it after the step, and as it was seen."""

    name: str
    before: str
    spec: str
    implementation: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class Letters:
    """The messages in flight after the step: those in both, in the spec alone, and in the implementation alone."""

    both: tuple[str, ...]
    spec: tuple[str, ...]
    implementation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where an implementation left its spec.

    Attributes:
        spec: the name of the spec; `check` is that of the check whose graph was followed.
        path: the numbers of the edges that were followed; the last one is the step that did not match, unless the spec
            forbids that step and so has no edge for it.
        matched: the names of the steps that matched.
        step: the name of the one that did not; None where the initial states differ already.
        forbidden: the spec does not allow the step in this state, and the implementation took it.
        problem: why the implementation refused the step, or what it raised; None where it took the step and differs.
        fields: every variable of the spec, in its order. Empty where there was a problem.
        letters: the network; None where it was not seen.
        again: what reproduces it, where that is another call than the replay or probe of `path`.
    """

    spec: str
    check: str
    path: tuple[int, ...]
    matched: tuple[str, ...]
    step: str | None
    forbidden: bool = False
    problem: str | None = None
    fields: tuple[Field, ...] = ()
    letters: Letters | None = None
    again: str | None = None

    @property
    def differing(self) -> tuple[str, ...]:
        """The names of what differs, with `network` last."""
        names = [f.name for f in self.fields if f.sight is Sight.DIFFERENT]
        if self.letters is not None and (self.letters.spec or self.letters.implementation):
            names.append("network")
        return tuple(names)

    def text(self) -> str:
        """The mismatch as a reader wants it."""
        return "\n".join([*self._story(), *self._table(), *self._network(), self._again()]) + "\n"

    def table(self) -> Iterable[str]:
        """Spec and implementation side by side, variables and messages."""
        yield from (*self._table(), *self._network())

    def _story(self) -> Iterable[str]:
        where = f"{self.spec}, check {self.check}"
        if self.step is None:
            yield from (f"The implementation begins in another state than the spec ({where}).", "")
            return
        at = len(self.matched) + 1
        yield from (f"The implementation leaves the spec in step {at} ({where}).", "")
        yield from (f"  {number:3}  {name}" for number, name in enumerate(self.matched, 1))
        yield from (f"≠ {at:3}  {self.step}", "")
        if self.problem is not None:
            rule = "does not allow" if self.forbidden else "allows"
            yield from (f"The spec {rule} this step; {self.problem}", "")
        elif self.forbidden:
            yield from (
                "The spec does not allow this step here, so nothing may change; the implementation takes it.",
                "",
            )

    def _table(self) -> Iterable[str]:
        if not self.fields:
            return
        rows = [("", "before", "spec", "implementation")]
        rows += [(f.name, f.before, f.spec, f.implementation) for f in self.fields]
        marks = [" ", *(f.sight.value for f in self.fields)]
        columns = (0, 2, 3) if self.step is None or self.forbidden else (0, 1, 2, 3)
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for mark, row in zip(marks, rows, strict=True):
            yield f"{mark} {'  '.join(row[column].ljust(widths[column]) for column in columns)}".rstrip()
        yield ""

    def _network(self) -> Iterable[str]:
        if self.letters is None:
            return
        both = len(self.letters.both)
        yield f"  in flight in both: {both} message{'s' * (both != 1)}"
        yield from (f"≠ in flight in the spec alone: {text}" for text in self.letters.spec)
        yield from (f"≠ in flight in the implementation alone: {text}" for text in self.letters.implementation)
        yield ""

    def _again(self) -> str:
        if self.again is not None:
            return f"Again: {self.again}"
        return f"Again: {'probe' if self.forbidden else 'replay'}(adapter, graph, [{self.path!r}])"
