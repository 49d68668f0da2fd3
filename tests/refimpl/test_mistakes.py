"""Every mistake that is put into an implementation is noticed: along its spec, in a scene, or by a test named beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

import checker
from checker.conformance.adapter import Adapter, Scene
from checker.conformance.mutation.matrix import Fate
from checker.conformance.mutation.score import Effort, kill_matrix
from checker.conformance.scenes import Comb, along
from refimpl.adapters.idempotency_key import IdempotencyKeyAdapter
from refimpl.adapters.number_ranges import NumberRanges
from refimpl.adapters.outbox import OutboxAdapter
from refimpl.adapters.paxos import Paxos
from refimpl.adapters.pbft import Pbft
from refimpl.adapters.raft import Raft
from refimpl.adapters.redis_lock import RedisLockAdapter
from refimpl.adapters.row_update import RowUpdateAdapter
from refimpl.adapters.saga import Saga
from refimpl.adapters.snowflake import Snowflake
from refimpl.adapters.tcc import Tcc
from refimpl.adapters.three_phase_commit import ThreePhaseCommit
from refimpl.adapters.two_phase_commit import TwoPhaseCommit
from tests.services import mariadb, postgres, redis

ROOT = Path(__file__).resolve().parents[2]


class Service(Protocol):
    """A connection to one."""

    def close(self) -> None: ...


ADAPTERS: dict[str, type[Adapter]] = {
    "consensus/paxos": Paxos,
    "consensus/pbft": Pbft,
    "consensus/raft": Raft,
    "idempotence/idempotency_key": IdempotencyKeyAdapter,
    "idempotence/number_ranges": NumberRanges,
    "idempotence/snowflake": Snowflake,
    "locks/redis_lock": RedisLockAdapter,
    "locks/row_update": RowUpdateAdapter,
    "transactions/outbox": OutboxAdapter,
    "transactions/saga": Saga,
    "transactions/tcc": Tcc,
    "transactions/three_phase_commit": ThreePhaseCommit,
    "transactions/two_phase_commit": TwoPhaseCommit,
}

SERVICES: Mapping[str, Callable[[], Service]] = {"MariaDB": mariadb, "PostgreSQL": postgres, "Redis": redis}

SCENES = [(name, kind, scene) for name, kind in ADAPTERS.items() for scene in kind.scenes]


def test_every_adapter_is_here() -> None:
    modules = {path.stem for path in (ROOT / "refimpl" / "adapters").glob("*.py")}
    specs = {path.stem: path for path in (ROOT / "specs").rglob("*.psm")}
    assert {f"{specs[name].parent.name}/{name}" for name in modules & specs.keys()} == {*ADAPTERS}


def comb(name: str, scene: Scene) -> Comb:
    return along(checker.load(ROOT / f"specs/{name}.psm"), scene)


@pytest.mark.parametrize(("name", "kind", "scene"), SCENES, ids=[f"{n}-{s.name}" for n, _, s in SCENES])
def test_implementations_follow_their_scenes(name: str, kind: type[Adapter], scene: Scene) -> None:
    need(name)
    found = comb(name, scene)
    with closing(kind(found.graph.machine)) as adapter:
        replay, probes = found.replay(adapter), found.probe(adapter)
    assert replay.mismatch is None, replay.mismatch.text()
    assert probes.mismatch is None, probes.mismatch.text()
    assert replay.taken == replay.total > len(scene.steps)
    assert probes.tried > len(scene.steps)


IN_SCENES = [
    (
        "idempotence/idempotency_key",
        "StoresTheKeyFirst",
        "Service0.Request(Purchase0, Key0) <- Client [crash after 1 effect]",
    ),
    ("idempotence/idempotency_key", "PaysFirst", "Service0.Request(Purchase0, Key0) <- Client [crash after 1 effect]"),
    ("idempotence/idempotency_key", "RemembersItsKeys", "Client.Retry(Purchase0, Service0)"),
    ("idempotence/idempotency_key", "DoesNotCompare", "Service0.Request(Purchase1, Key0) <- Client"),
    ("idempotence/idempotency_key", "ComparesTheAmount", "Service0.Request(Purchase1, Key0) <- Client"),
    ("transactions/outbox", "NotesThenShips", "Warehouse.Deliver(Order0) <- Broker [crash after 1 effect]"),
    ("transactions/outbox", "ShipsThenNotes", "Warehouse.Deliver(Order0) <- Broker [crash after 1 effect]"),
    ("transactions/outbox", "AcknowledgesFirst", "Warehouse.Deliver(Order0) <- Broker [crash after 1 effect]"),
    ("transactions/tcc", "CountsAnswers", "Agency.Decide()"),
    ("transactions/tcc", "OneIsEnough", "Agency.Decide()"),
    ("transactions/three_phase_commit", "JumpsTheQueue", "RM1.TakeOver()"),
    ("consensus/paxos", "BelievesTheLastPromise", "Leader2.Promise(Leader2, Vote(Leader0, Val0)) <- Acceptor0"),
    ("consensus/paxos", "BelievesTheLowest", "Leader2.Promise(Leader2, Vote(Leader0, Val0)) <- Acceptor0"),
    ("consensus/pbft", "ReportsTheLastViewAlone", "Rep1.NextView()"),
    ("consensus/raft", "ComparesLengthsAlone", "Server1.Ask(3, 1, 1) <- Server0"),
    ("consensus/raft", "CommitsByCounting", "Server0.Ack(3, true, 1) <- Server2"),
    ("consensus/raft", "KeepsItsOwn", "Server1.Append(3, 0, 0, 1, 0) <- Server0"),
    ("consensus/raft", "AppendsAnywhere", "Server2.Append(3, 1, 1, none, 0) <- Server0"),
    ("consensus/raft", "CountsLateVotes", "Server0.Vote(1) <- Server2"),
    ("consensus/raft", "CutsItsLog", "Server1.Append(1, 0, 0, 1, 0) <- Server0"),
    ("consensus/raft", "TellsTooMuch", "Server0.Replicate(Server2)"),
    ("consensus/raft", "BelievesTheLastAck", "Server0.Ack(1, true, 1) <- Server1"),
]
"""Mistakes that no small graph shows, and the step by which a scene does."""


@pytest.mark.parametrize(("name", "mistake", "step"), IN_SCENES, ids=[mistake for _, mistake, _ in IN_SCENES])
def test_a_scene_shows_a_mistake(name: str, mistake: str, step: str) -> None:
    need(name)
    make = ADAPTERS[name].mistakes()[mistake]
    steps = []
    for scene in ADAPTERS[name].scenes:
        found = comb(name, scene)
        with closing(make(found.graph.machine)) as adapter:
            mismatch = found.replay(adapter).mismatch or found.probe(adapter).mismatch
        steps += [] if mismatch is None else [mismatch.step]
    assert {*steps} == {step}


def need(name: str) -> None:
    """Its services have to be there."""
    for service in ADAPTERS[name].services:
        SERVICES[service]().close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ADAPTERS)
def test_every_mistake_is_noticed_or_a_reason_is_given(name: str) -> None:
    """As the build of the site does it. Of what it does not notice, a test that does is named beside the mistake."""
    need(name)
    effort = Effort(kinds=("implementation",), seconds=3_000, most_states=1_200, runs=50)
    (group,) = kill_matrix(checker.load(ROOT / f"specs/{name}.psm"), effort, adapter=ADAPTERS[name]).groups
    assert 8 <= len(group.mutants) == group.count(Fate.KILLED) + group.count(Fate.SURVIVED)
    tested = {mutant.name for mutant in group.survivors if names_a_test(mutant.reason, mutant.name)}
    assert {mutant.name for mutant in group.survivors} - tested == set(), "a reason and the test that notices them"
    assert (group.count(Fate.KILLED) + len(tested)) / len(group.mutants) >= 0.95
    assert {mutant.name for mutant in group.mutants if mutant.reason} == tested, "reasons are given for survivors alone"


def names_a_test(reason: str, mistake: str) -> bool:
    """Whether a reason names a test that is there, in a file that tries this mistake."""
    found = re.search(r"`(tests/\S+\.py)::(\w+)`", reason)
    if found is None:
        return False
    source = (ROOT / found[1]).read_text(encoding="utf-8")
    tests = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    return found[2] in tests and mistake in source


def test_what_a_reason_has_to_name() -> None:
    here = "tests/refimpl/test_mistakes.py"
    mistake_of_nobody = "CommitsByCounting"[::-1]
    assert names_a_test(f"It is noticed by `{here}::test_what_a_reason_has_to_name`.", "CommitsByCounting")
    assert not names_a_test(f"It is noticed by `{here}::test_of_nothing`.", "CommitsByCounting")
    assert not names_a_test(f"It is noticed by `{here}::test_what_a_reason_has_to_name`.", mistake_of_nobody)
    assert not names_a_test("Somebody will notice.", "CommitsByCounting")
