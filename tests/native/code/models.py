"""What the tests of the compiler share: machines of many kinds, with states that were explored."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Limits
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.model.machine import Machine
from checker.native.code.packed import Packed
from checker.native.code.width import Unsupported
from tests.random_specs import random_spec, wide_spec

ROOT = Path(__file__).resolve().parents[3]
SPECS = sorted((ROOT / "specs").glob("*/*.psm"))
NAMES = (*(path.stem for path in SPECS), *(f"narrow {n}" for n in range(6)), *(f"wide {n}" for n in range(8)))
MOST = 100
"""How many states of each machine are looked at."""


@cache
def machines(name: str) -> tuple[Machine, ...]:
    """The machines of a spec of the library, or a random one."""
    kind, _, seed = name.partition(" ")
    if kind in ("narrow", "wide"):
        text = (random_spec if kind == "narrow" else wide_spec)(Random(int(seed)))
        try:
            return (checker.loads(text).machine("c"),)
        except SpecError:  # a random spec need not have a state within its bound, or be a spec at all
            return ()
    spec = checker.load(next(path for path in SPECS if path.stem == name))
    return tuple(spec.machine(check) for check in spec.checks)


@cache
def explored(name: str) -> tuple[tuple[Machine, Packed, tuple[State, ...]], ...]:
    """Machines that can be held in bits, with their first states."""
    result = []
    for machine in machines(name):
        search = Search(machine)
        try:
            packed = Packed(machine)
            search.run(Limits(max_states=MOST))
        except (SpecError, Unsupported):
            continue
        result.append((machine, packed, tuple(search.states[:MOST])))
    return tuple(result)
