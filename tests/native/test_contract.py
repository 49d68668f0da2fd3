"""The native engine keeps the contract of engines, with one worker and with several."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import checker
from checker.engine.interface import Engine
from checker.native import jit
from checker.native.code.module import plan
from checker.native.code.width import Unsupported
from checker.native.engine import NativeEngine
from tests.engine.contract import EngineContract, examine
from tests.random_specs import random_spec, wide_spec

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.psm"))


class NativeContract(EngineContract):
    refuses = (Unsupported,)
    """Also that is an answer: then `auto` leaves the machine to the interpreter."""


class TestOneWorker(NativeContract):
    def make(self) -> Engine:
        return NativeEngine(level=0)


class TestTwoWorkers(NativeContract):
    models = 15
    any_witness = True

    def make(self) -> Engine:
        return NativeEngine(2, level=0)


def test_few_random_models_are_refused() -> None:
    refused = 0
    for seed in range(60):
        for make in (random_spec, wide_spec):
            try:
                plan(checker.loads(make(Random(seed))).machine("c")).text()
            except Unsupported:
                refused += 1
    assert refused <= 30, "of 120 models"


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_was_different_is_equal(path: Path, level: int) -> None:
    examine(NativeEngine(level=level), path.read_text(encoding="utf-8"))
