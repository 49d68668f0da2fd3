"""From what is found on a graph to what an exploration says: findings with their paths, and reasons why there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace

from checker.base.data import dataclass
from checker.engine.interface import Finding
from checker.engine.liveness.lassos import Errs, Judge, Lasso, Limited
from checker.engine.liveness.predicates import Predicates
from checker.engine.liveness.witness import Witness
from checker.engine.runtime import State
from checker.model.liveness import asked
from checker.model.machine import Expectation, LiveCase, Machine
from checker.model.symmetry import without_symmetry

LIMITED = "a `limit` left out steps on which it depends"
BOUND = "liveness is refused under `bound`: what lies outside is not explored, so nobody knows how its runs go on"
HASHES = "liveness needs the states, and `--fingerprints` keeps hashes of them"
UNLISTED = "not judged: the check does not list it"
TIME = "the limit on time was reached"
MEMORY = "the limit on memory was reached"
TOO_LARGE = "the graph has too many steps"


@dataclass(slots=True)
class LiveFindings:
    """What was found about live properties: what holds, violations with lassos, errors, and why something was not judged."""

    held: list[str] = field(default_factory=list)
    violations: dict[str, Finding] = field(default_factory=dict)
    broken: dict[str, Finding] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Whether the judging ended before it was done."""


def every_state(machine: Machine) -> Machine:
    """The machine as it is explored where live properties are judged, which symmetry could make to hold (ADR 0020)."""
    return without_symmetry(machine) if asked(machine) else machine


def listing(machine: Machine, name: str) -> Machine:
    """The machine with a property listed that its check does not list, so that it is judged if it is a live one."""
    prop = next((p for p in machine.properties if p.name == name), None)
    if prop is None or name in machine.expectations:
        return machine
    return replace(machine, expectations={**machine.expectations, name: Expectation("holds", prop.span)})


def refusals(machine: Machine, *, reason: str | None = None) -> dict[str, str]:
    """Why live properties are not judged, by name: those that nobody asked for, and all of them where there is a reason."""
    wanted = {p.name for p in asked(machine)}
    if reason is None and machine.bound is not None:
        reason = BOUND
    return {
        p.name: reason if reason is not None and p.name in wanted else UNLISTED
        for p in machine.properties
        if p.kind == "live" and (reason is not None or p.name not in wanted)
    }


def unjudged(machine: Machine, *, hashed: bool = False) -> LiveFindings:
    """What is said before anything is judged. `hashed`: there are no states to judge, only hashes."""
    return LiveFindings(open=refusals(machine, reason=HASHES if hashed else None))


def judge_all(
    machine: Machine,
    judge: Judge,
    label: Callable[[LiveCase], None],
    state: Callable[[int], State],
    witness: Witness,
    predicates: Predicates,
) -> LiveFindings:
    """Judges the properties that are asked for, one after the other; of a family, the first member that is violated counts.

    Args:
        machine: Has the properties.
        judge: Has the graph.
        label: Fills `judge.mark` for a case.
        state: The state with a number.
        witness: Names steps, and checks lassos.
        predicates: The properties as the interpreter evaluates them.

    Raises:
        Interrupted: Somebody asked for an end.
        NoWitness: A lasso is none: a mistake of this program.
    """
    found = LiveFindings(open=refusals(machine))
    for prop in asked(machine):
        for case in prop.cases:
            label(case)
            answer = judge.find(case)
            match answer:
                case Lasso(numbers, loop, chance):
                    path = witness.lasso([state(n) for n in numbers], loop)
                    found.violations[prop.name] = Finding(path, note=_note(case, chance))
                case Errs(numbers):
                    path = witness.path([state(n) for n in numbers])
                    found.broken[prop.name] = Finding(path, predicates.problems(case, path.states[-1])[0])
                case Limited():
                    found.open.setdefault(prop.name, LIMITED)
            if isinstance(answer, Lasso | Errs):
                found.open.pop(prop.name, None)
                break
        else:
            if prop.name not in found.open:
                found.held.append(prop.name)
    return found


def _note(case: LiveCase, chance: bool) -> str | None:
    parts = [f"for {case.instance}"] if case.instance else []
    if chance:
        parts.append("whatever the coins show, the run can go on like this")
    return ", ".join(parts) or None
