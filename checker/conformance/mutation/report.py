"""The kill matrix as text."""

from __future__ import annotations

from collections.abc import Iterator

from checker.conformance.mutation.matrix import MISTAKE, Cell, Fate, Group, Matrix, Mutant, in_words
from checker.render.plain import shortened

WIDE = 78
"""The longest text of a mutant."""


def lines_of(matrix: Matrix) -> Iterator[str]:
    """Every group: its mutants with a column for each detector, and what it comes to."""
    whose = f" and {matrix.adapter}" if matrix.adapter else ""
    yield f"{matrix.spec}{whose}: checks {', '.join(matrix.checks)}"
    for group in matrix.groups:
        yield ""
        yield from _group(group)


def _group(group: Group) -> Iterator[str]:
    if not group.mutants:
        yield f"mutants of the {group.kind}: none"
        return
    shown = [m for m in group.mutants if m.fate is not Fate.INVALID]
    if group.kind == "trace":  # many of them, of which those that were noticed say nothing
        shown = [m for m in shown if m.fate is not Fate.KILLED]
    width = max((len(_text(m)) for m in shown), default=0)
    columns = [max(len(d), 7) for d in group.detectors]
    heads = "  ".join(d.ljust(w) for d, w in zip(group.detectors, columns, strict=True))
    yield f"mutants of the {group.kind}"
    if shown:
        yield f"  {'':<{width}}  {heads}".rstrip()
    for mutant in shown:
        cells = [_cell(mutant.cells.get(d)).ljust(w) for d, w in zip(group.detectors, columns, strict=True)]
        yield f"{_mark(mutant)} {_text(mutant):<{width}}  {'  '.join(cells)}".rstrip()
    counts = "  ".join(str(group.kills(d)).ljust(w) for d, w in zip(group.detectors, columns, strict=True))
    yield (
        f"  {'killed':>{width}}  {counts}".rstrip()
        if shown
        else "  killed by: " + ", ".join(f"{d} {group.kills(d)}" for d in group.detectors)
    )
    killed, survived = group.count(Fate.KILLED), group.count(Fate.SURVIVED)
    score = "" if group.score is None else f" ({group.score:.1%})"
    rest = [f"{group.count(fate)} {fate.value}" for fate in (Fate.INVALID, Fate.NOT_RUN) if group.count(fate)]
    yield f"  {killed} of {killed + survived} killed{score}{''.join(f', {text}' for text in rest)}"
    yield from (f"  {m.name} survives: {m.reason}" for m in group.survivors if m.reason)


def _text(mutant: Mutant) -> str:
    """What was changed; of a wrong implementation its name, since a sentence would be too long for a column."""
    where = f"line {mutant.line}: " if mutant.line else ""
    return shortened(f"{where}{in_words(mutant.name) if mutant.operator == MISTAKE else mutant.text}", WIDE)


def _mark(mutant: Mutant) -> str:
    return {Fate.KILLED: " ", Fate.SURVIVED: "!", Fate.NOT_RUN: "?", Fate.INVALID: "-"}[mutant.fate]


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "·"
    if cell.killed:
        return f"{cell.seconds:.2f} s"
    return "-" if cell.decided else "?"
