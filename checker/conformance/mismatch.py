"""What there is to say where an implementation leaves its spec.

A mismatch is data: the steps that matched, the one that did not, and for each variable of the spec the value before that
step, the value that the spec demands and the one that was seen. `text` shows it: what matched, then spec and implementation
side by side. What could not be seen is marked, so that nobody takes silence for agreement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Sight(Enum):
    """What a comparison of one variable came to."""

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
    """The messages in flight after the step: those that both have, that the spec alone has, and the implementation alone."""

    both: tuple[str, ...]
    spec: tuple[str, ...]
    implementation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where an implementation left its spec.

    Attributes:
        spec: the name of the spec; `check` is that of the check whose graph was followed.
        path: the numbers of the edges that were followed; the last one is the step that did not match.
        matched: the names of the steps that did.
        step: the name of the one that did not; None where the initial states differ already.
        problem: what the implementation raised, or why it refused the step; None where it took the step and differs.
        fields: every variable of the spec, in its order. Empty where there was a problem.
        letters: the network; None where it was not seen.
    """

    spec: str
    check: str
    path: tuple[int, ...]
    matched: tuple[str, ...]
    step: str | None
    problem: str | None = None
    fields: tuple[Field, ...] = ()
    letters: Letters | None = None

    @property
    def differing(self) -> tuple[str, ...]:
        """The names of what differs, with `network` last."""
        names = [f.name for f in self.fields if f.sight is Sight.DIFFERENT]
        if self.letters is not None and (self.letters.spec or self.letters.implementation):
            names.append("network")
        return tuple(names)

    def text(self) -> str:
        """The mismatch as a reader wants it."""
        where = f"{self.spec}, check {self.check}"
        if self.step is None:
            lines = [f"The implementation of {where} begins in another state than the spec.", ""]
        else:
            count = len(self.matched)
            lines = [f"The implementation of {where} leaves the spec in step {count + 1}.", ""]
            lines += [f"  {i:3}  {name}" for i, name in enumerate(self.matched, 1)]
            lines += [f"≠ {count + 1:3}  {self.step}", ""]
        if self.problem is not None:
            lines += [f"The spec allows this step. The implementation: {self.problem}", ""]
        lines += self._table()
        lines += self._network()
        lines.append(f"Again: replay(adapter, graph, [{self.path!r}])")
        return "\n".join(lines) + "\n"

    def _table(self) -> Iterable[str]:
        if not self.fields:
            return
        rows = [("", "before", "spec", "implementation")]
        rows += [(f.name, f.before, f.spec, f.implementation) for f in self.fields]
        marks = [" ", *(f.sight.value for f in self.fields)]
        if self.step is None:
            rows = [(name, spec, seen, "") for name, _, spec, seen in rows]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        for mark, row in zip(marks, rows, strict=True):
            yield f"{mark} " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        yield ""

    def _network(self) -> Iterable[str]:
        if self.letters is None:
            return
        for owner, letters in (("spec", self.letters.spec), ("implementation", self.letters.implementation)):
            for letter in letters:
                yield f"≠ in flight in the {owner} alone: {letter}"
        both = len(self.letters.both)
        yield f"  in flight in both: {both} message{'s' * (both != 1)}"
        yield ""
