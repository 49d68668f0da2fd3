"""Why a spec does not go on as a record does: for each step that comes near, what refused it.

At the end of the longest prefix that matches there is a set of states, and an entry that none of them allows. For each state two
questions are answered. What would the recorded step have needed? Its handler may exist and be refused: by the first conjunct
of its guard that is false, by a message that is not in flight, by a process that is down. And what was possible instead?
Each enabled step of the same name was refused by a field that was observed otherwise, or by an argument; the nearest one,
that with the fewest fields that differ, is shown side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from checker.base.data import dataclass
from checker.conformance.compare import NETWORK
from checker.conformance.mismatch import Field, Letters
from checker.conformance.validation.frontier import Frontier
from checker.conformance.validation.sightings import Part, Pattern
from checker.engine.program import StepCode

MOST_STATES = 5
"""Of how many states of the last frontier refusals are listed."""

MOST_REFUSALS = 12
"""How many refusals are listed for each of them."""


class Refuser(Enum):
    """What refused a step."""

    GUARD = "guard"
    FIELD = "field"
    ARGUMENT = "argument"
    MESSAGE = "message"
    PROCESS = "process"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One step and what refused it. `step` is None for the state itself, where nothing but an observation was recorded."""

    step: str | None
    by: Refuser
    text: str
    differing: int = 0


@dataclass(frozen=True, slots=True)
class Stuck:
    """One state of the last frontier: its number and depth of hidden steps are those of the search.

    Attributes:
        state: its number in the graph.
        refusals: nearest first; `more` are not listed.
        nearest: the step whose result differs least; None where no step has the right name.
        fields: the variables of that result beside what was observed; `letters` are the messages.
    """

    state: int
    refusals: tuple[Refusal, ...]
    more: int
    nearest: str | None
    fields: tuple[Field, ...] = ()
    letters: Letters | None = None


def stuck_in(frontier: Frontier, state: int, part: Part) -> Stuck:
    """Explains one state."""
    graph, comparison = frontier.graph, frontier.comparison
    if part.pattern is None:
        return _unseen_state(frontier, state, part)
    refusals: list[Refusal] = []
    nearest: tuple[int, int] | None = None
    for number in graph.out(state):
        edge = graph.edges[number]
        objection = part.pattern.objection(frontier.event(number))
        if objection is not None:
            same = edge.unit in part.pattern.units
            refusals.append(Refusal(edge.label, Refuser.ARGUMENT if same else Refuser.NAME, objection, 99))
            continue
        differing = comparison.differing(edge.target, part.seen)
        refusals.append(
            Refusal(edge.label, Refuser.FIELD, _fields(frontier, edge.target, part, differing), len(differing))
        )
        if nearest is None or len(differing) < nearest[0]:
            nearest = len(differing), number
    if not any(r.by in (Refuser.FIELD, Refuser.ARGUMENT) for r in refusals):
        refusals = [*_missing(frontier, state, part.pattern), *refusals]
    order = list(Refuser)
    refusals.sort(key=lambda r: (r.by is Refuser.NAME, r.differing, order.index(r.by)))
    listed, more = tuple(refusals[:MOST_REFUSALS]), max(0, len(refusals) - MOST_REFUSALS)
    if nearest is None:
        return Stuck(state, listed, more, None)
    edge = graph.edges[nearest[1]]
    fields = comparison.fields(state, edge.target, part.seen)
    return Stuck(state, listed, more, edge.label, fields, comparison.letters(edge.target, part.seen))


def _unseen_state(frontier: Frontier, state: int, part: Part) -> Stuck:
    differing = frontier.comparison.differing(state, part.seen)
    refusal = Refusal(None, Refuser.FIELD, _fields(frontier, state, part, differing), len(differing))
    fields = frontier.comparison.fields(state, state, part.seen)
    return Stuck(state, (refusal,), 0, None, fields, frontier.comparison.letters(state, part.seen))


def _fields(frontier: Frontier, state: int, part: Part, differing: tuple[str, ...]) -> str:
    comparison = frontier.comparison
    texts = []
    for name in differing:
        if name == NETWORK:
            texts.append("the network differs")
            continue
        spec = comparison.show(name, comparison.values(state)[name])
        texts.append(f"{name} is {spec} and was observed as {comparison.show(name, part.seen[name])}")
    return "; ".join(texts)


def _missing(frontier: Frontier, state: int, pattern: Pattern) -> Iterator[Refusal]:
    """Why the recorded step is not even enabled."""
    graph = frontier.graph
    slots = graph.states[state]
    for code in graph.steps.program.steps:
        if code.step.label not in pattern.units and not _labelled(code, pattern):
            continue
        found = False
        for reason in _tried(frontier, state, code, pattern):
            found = True
            yield reason
        if not found and code.step.kind in ("message", "ignore"):
            yield Refusal(code.step.label, Refuser.MESSAGE, "no such message is in flight")
    who = pattern.process or (pattern.label or "").partition(".")[0]
    status = graph.labels.variables(slots).get(f"{who}.status")
    restarts = pattern.text.endswith(".restart") or any(unit.startswith("restart ") for unit in pattern.units)
    if status is not None and (status != "up" or restarts):
        yield Refusal(pattern.text, Refuser.PROCESS, f"{who} is {status}")


def _labelled(code: StepCode, pattern: Pattern) -> bool:
    """Whether a label is that of a step of this handler: `RM0.Vote(true) <- …`."""
    if pattern.label is None:
        return False
    head = pattern.label.partition("(")[0].partition(" ")[0]
    process, _, name = head.partition(".")
    return name == code.step.name and process.rstrip("0123456789") == code.step.role.name


def _tried(frontier: Frontier, state: int, code: StepCode, pattern: Pattern) -> Iterator[Refusal]:
    """The calls of a handler that its guard refuses, with the first conjunct that is false."""
    graph = frontier.graph
    slots = graph.states[state]
    told: set[tuple[str, str]] = set()
    for _, call, reason in graph.steps.blocked(slots):
        if call.code is not code:
            continue
        move = call.sole_move
        label = graph.labels.step(move)
        process = graph.labels.process(move.process)
        sender = None if move.sender < 0 else graph.labels.process(move.sender)
        if pattern.label is not None:
            if not pattern.label.startswith(label.partition(" [")[0]):
                continue
        elif (pattern.process or process) != process or (pattern.sender or sender) != sender:
            continue
        text = reason.text if reason.line is None else f"line {reason.line}: {reason.text} is false"
        if (label, text) not in told:
            told.add((label, text))
            yield Refusal(label, Refuser.GUARD, text)
