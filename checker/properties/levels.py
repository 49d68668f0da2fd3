"""A trace seen from the abstract spec that it should refine.

Each concrete state stands for an abstract one. Between two of them the abstract spec takes a step, which has a name, or nothing
changes; at the end of a counterexample no step of the abstract spec connects the two. The interpreter finds the names again by
expanding the abstract states, as it does for every trace.
"""

from __future__ import annotations

from itertools import pairwise

from checker.engine.interface import Path
from checker.engine.labels import Labels
from checker.engine.program import Program
from checker.engine.refinement import state_of
from checker.engine.runtime import State
from checker.engine.steps import Steps
from checker.model import ir
from checker.model.machine import Machine
from checker.properties.kinds import AbstractStep, AbstractTrace


def abstract_trace(machine: Machine, name: str, path: Path) -> AbstractTrace:
    """What a path is in the abstract spec of the refinement `name`."""
    abstraction = next(p.abstraction for p in machine.properties if p.name == name)
    assert abstraction is not None
    program = Program(abstraction.machine)
    initial = program.initial_states()
    image = Program(machine).expression(ir.CallFun(abstraction.image, None, (), abstraction.type))
    states = [state_of(abstraction, image(state), initial[0]) for state in path.states]
    labels = Labels(Steps(program))
    first = {key: value for key, value in labels.initial(states[0]).items() if key != "network"}
    steps = tuple(_step(labels, before, after) for before, after in pairwise(states))
    return AbstractTrace(name, first, steps, states[0] in initial)


def _step(labels: Labels, before: State, after: State) -> AbstractStep:
    changes = labels.changes(before, after)
    if before == after:
        return AbstractStep(None, changes)
    done, _ = labels.steps.expand(before)
    found = next((labels.step(move) for _, move, target in done if target == after), None)
    return AbstractStep(found, changes, found is not None)
