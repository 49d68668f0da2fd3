"""What the reduction by symmetry owes: all that is said of a machine is the same without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise, permutations, product
from pathlib import Path
from random import Random

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Engine, Exploration, Finding, Limits, Stop
from checker.engine.search import Interpreter, Search
from checker.model.machine import Machine
from checker.model.permute import Elements
from checker.model.symmetry import groups_of, without_symmetry
from tests.engine.contract import summary
from tests.random_specs import symmetric_spec

ROOT = Path(__file__).resolve().parents[2]
WHOLE = Limits()
SMALL = Limits(max_states=400)
"""Random models that are larger are left out: what is found of a part of the states depends on which part."""


def told(found: Exploration) -> Mapping[str, object]:
    """All about an exploration but which of equally short paths it shows."""
    findings = {"violations": found.violations, "reached": found.reached, "broken": found.broken}
    lengths = {part: {name: len(f.path.steps) for name, f in each.items()} for part, each in findings.items()}
    return {**summary(found), **lengths}


def agree(engine: Engine, machine: Machine, limits: Limits = WHOLE) -> Exploration | None:
    """The engine says of a machine what the interpreter says without symmetry; None where there is nothing to compare."""
    try:
        plain = Interpreter().explore(without_symmetry(machine), limits)
    except SpecError:
        return None
    if plain.stop is not Stop.DONE:
        return None
    found = engine.explore(machine, limits)
    assert told(found) == told(plain)
    assert found.orbits is None or found.orbits <= plain.states
    steps = Search(machine)
    for finding in (*found.violations.values(), *found.reached.values(), *found.broken.values()):
        walk(steps, finding)
    return found


def walk(search: Search, finding: Finding) -> None:
    """The path of a finding begins in an initial state and is made of real steps with their names."""
    assert finding.path.states[0] in search.program.initial_states()
    for (before, after), name in zip(pairwise(finding.path.states), finding.path.steps, strict=True):
        done, _ = search.steps.expand(before)
        assert (name, after) in [(search.labels.step(move), target) for _, move, target in done]


def models(seeds: range, write: Callable[[Random], str] = symmetric_spec) -> Iterator[Machine]:
    """Random machines with groups that may be used."""
    for seed in seeds:
        machine = checker.loads(write(Random(seed))).machine("c")
        if machine.symmetric:
            yield machine


def agree_on(machines: Iterable[Machine], make: Callable[[], Engine], refuses: tuple[type[Exception], ...] = ()) -> int:
    """Compares machines that are small; gives how many of them were explored by fewer states."""
    fewer = 0
    for machine in machines:
        try:
            found = agree(make(), machine, SMALL)
        except refuses:
            continue
        fewer += found is not None and found.orbits is not None and found.orbits < found.states
    return fewer


def all_permutations(elements: Elements) -> Iterator[tuple[int, ...]]:
    """Every permutation of the instances within their groups."""
    each = [permutations(range(elements.first[g.name], elements.first[g.name] + g.size)) for g in elements.groups]
    for parts in product(*each):
        yield tuple(e for part in parts for e in part)


def forced(machine: Machine) -> Machine:
    """A machine all of whose symmetric types are used, whatever speaks against it."""
    return replace(machine, symmetric=groups_of(machine))


def safety_of(path: str, check: str, **constants: int) -> Machine:
    """A check of the library (`transactions/two_phase`) that asks for no live property, which would rule symmetry out."""
    file = ROOT / f"specs/{path}.psm"
    text = file.read_text(encoding="utf-8")
    live = set(re.findall(r"^live (\w+)", text, re.MULTILINE))

    def expect(found: re.Match[str]) -> str:
        names = [n for n in re.split(r",\s*", found[2]) if n not in live]
        return f"expect {found[1]} {', '.join(names)}" if names else ""

    text = re.sub(r"expect (holds|fails) (\w+(?:,\s*\w+)*)", expect, text)
    return checker.loads(text, str(file), library=checker.load(file).library).machine(check, constants=constants)
