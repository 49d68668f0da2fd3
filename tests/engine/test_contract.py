"""The interpreter keeps the contract of engines, and the random models that it is held to have every construct."""

from __future__ import annotations

from random import Random

import checker
from checker.engine.interface import Engine
from checker.engine.search import Interpreter
from tests.engine.contract import EngineContract
from tests.random_specs import wide_spec
from tests.random_specs.features import everything, used

MODELS = 500


class TestInterpreter(EngineContract):
    models = 10  # it is compared with itself: two runs are equal

    def make(self) -> Engine:
        return Interpreter()


def test_random_models_have_every_construct() -> None:
    missing = set(everything())
    for seed in range(MODELS):
        missing -= used(checker.loads(wide_spec(Random(seed))).machine("c"))
        if not missing:
            break
    assert sorted(missing) == []
