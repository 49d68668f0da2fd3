"""Recorded runs with a mistake in them, and how much has to be observed for it to be noticed.

Runs of the right implementation are recorded along random walks, and changed in one place: an entry is dropped, doubled,
swapped with the next one, or one observed value is another one that the variable also has in these runs. Three detectors
validate the result: with everything that was observed, without the messages, and with the names of the steps alone. How much
less the latter notice is the price of a trace that tells little.

Not every change is wrong. Two steps that do not depend on each other may be swapped, and a message may have been sent twice.
So the score of this group has no target; what a trace that tells everything does not notice is usually allowed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from random import Random

from checker.base.data import dataclass
from checker.conformance.adapter import Adapter
from checker.conformance.compare import NETWORK
from checker.conformance.mutation.matrix import Cell, Mutant
from checker.conformance.mutation.specs import Left
from checker.conformance.record import Entry, Kind, Record
from checker.conformance.recording import recorded
from checker.conformance.replay import Outcome, unsupported_by
from checker.conformance.validation.validate import validate
from checker.conformance.walks import random_walks
from checker.engine.graph import StateGraph
from checker.properties.kinds import Json

OPERATORS = ("drop", "duplicate", "swap", "alter")
WALKS = 3
STEPS = 20
EACH = 15
"""How many runs are recorded of each check, how long they are, and how many mutants an operator makes."""


@dataclass(frozen=True, slots=True)
class TraceMutant:
    """A record with a mistake. `name` begins with its operator."""

    check: str
    name: str
    operator: str
    text: str
    record: Record


def trace_mutants(
    make: Callable[..., Adapter], graphs: Mapping[str, StateGraph], *, seed: int, each: int = EACH
) -> Iterator[TraceMutant]:
    """Mutants of runs of an implementation; the seed decides which."""
    random = Random(seed)
    runs: list[tuple[str, Record]] = []
    for check, graph in graphs.items():
        with closing(make(graph.machine)) as adapter:
            walks = random_walks(graph, seed=seed, walks=WALKS, steps=STEPS, avoid=unsupported_by(adapter))
            for path in walks.paths:
                if len(path) > 2:
                    run = recorded(adapter, graph, path, graph.edges[path[0]].source)
                    runs.append((check, run))
    if not runs:
        return
    values = _values(runs)
    for operator in OPERATORS:
        made = 0
        for _ in range(each * 20):
            check, run = runs[random.randrange(len(runs))]
            at = random.randrange(1, len(run.entries))
            changed = _mutated(operator, run.entries, at, values[check], random)
            if changed is None:
                continue
            entries, text = changed
            made += 1
            yield TraceMutant(check, f"T-{operator}-{made}", operator, text, Record(_in_time(entries), run.about))
            if made == each:
                break


def _mutated(
    operator: str, entries: tuple[Entry, ...], at: int, values: Mapping[str, list[Json]], random: Random
) -> tuple[tuple[Entry, ...], str] | None:
    """The entries with one change at a place, and what was changed; None where it cannot be."""
    entry = entries[at]
    where = f"entry {at + 1}, {entry.name}"
    match operator:
        case "drop":
            if at + 1 == len(entries):
                return None  # a record that ends earlier is right
            return (*entries[:at], *entries[at + 1 :]), f"{where}, is missing"
        case "duplicate":
            return (*entries[: at + 1], *entries[at:]), f"{where}, stands twice"
        case "swap":
            if at + 1 == len(entries) or entries[at + 1].name == entry.name:
                return None
            return (*entries[:at], entries[at + 1], entry, *entries[at + 2 :]), f"{where}, is swapped with the next"
    names = [name for name in entry.obs if name != NETWORK and len(values[name]) > 1]
    if not names:
        return None
    name = names[random.randrange(len(names))]
    others = [value for value in values[name] if value != entry.obs[name]]
    value = others[random.randrange(len(others))]
    changed = replace(entry, obs={**entry.obs, name: value})
    text = f"{where}: {name} is {json.dumps(value)} in place of {json.dumps(entry.obs[name])}"
    return (*entries[:at], changed, *entries[at + 1 :]), text


def _values(runs: list[tuple[str, Record]]) -> dict[str, dict[str, list[Json]]]:
    """For each check and variable, the values that it has in these runs."""
    found: dict[str, dict[str, list[Json]]] = {}
    for check, run in runs:
        of_check = found.setdefault(check, {})
        for entry in run.entries:
            for name, value in entry.obs.items():
                known = of_check.setdefault(name, [])
                if value not in known:
                    known.append(value)
    return found


def _in_time(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(replace(entry, t=float(now)) for now, entry in enumerate(entries))


# ---- detectors


def _everything(entry: Entry) -> Entry:
    return entry


def _without_network(entry: Entry) -> Entry:
    return replace(entry, obs={name: value for name, value in entry.obs.items() if name != NETWORK})


def _steps_alone(entry: Entry) -> Entry:
    return entry if entry.kind is Kind.OBS else replace(entry, obs={})


SIGHTS: Mapping[str, Callable[[Entry], Entry]] = {
    "everything observed": _everything,
    "without the network": _without_network,
    "steps alone": _steps_alone,
}
"""What is left of an entry for each detector."""


def judged(mutant: TraceMutant, graphs: Mapping[str, StateGraph], left: Left) -> Mutant:
    """A mutant with what every detector makes of it."""
    cells: dict[str, Cell] = {}
    machine = graphs[mutant.check].machine
    for name, sight in SIGHTS.items():
        if left() <= 0:
            break
        started = time.perf_counter()
        record = Record(tuple(map(sight, mutant.record.entries)), mutant.record.about)
        result = validate(machine, record)
        killed = result.outcome is Outcome.MISMATCH
        how = "" if result.part is None else f"entry {result.part.entry} is refused"
        gave_up = any(reason.startswith("the search gave up") for reason in result.lacks)
        cells[name] = Cell(killed, time.perf_counter() - started, mutant.check, how, decided=killed or not gave_up)
    return Mutant(mutant.name, mutant.operator, mutant.text, cells=cells)
