"""Two-phase commit in the simulator, held to the check `recovery` of `specs/transactions/two_phase_commit.psm`.

The processes are those of `refimpl.transactions.service`, by the names of the spec. They tell where they stand, and not which
steps they have taken: those follow from the messages that they take, and from what they do when nothing comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from checker.conformance.links import Quality
from checker.conformance.scenario import Make, Scenario
from checker.conformance.simulate.simulation import Process, Simulation
from checker.conformance.simulate.surroundings import Survival
from checker.conformance.validation.mapping import TraceMapping
from checker.model.machine import Machine
from checker.model.values import instance_names
from refimpl.adapters.two_phase_commit import COORDINATOR, Database
from refimpl.runtime.log_mistakes import NeverSyncs
from refimpl.transactions.service import STANDING, coordinate, take_part
from refimpl.transactions.two_phase_commit import Coordinator
from refimpl.transactions.two_phase_commit_mistakes import MISTAKES

PROTOCOL = TraceMapping(
    steps={
        "recv prepare": ("RM.Prepare*",),
        "recv vote": ("TM.Vote*",),
        "recv decide": ("RM.Decide*",),
        "recv ask": ("TM.Ask*",),
    },
    stutter=(STANDING,),
    hidden=("TM.Begin", "TM.Commit", "TM.GiveUp", "RM.Quit", "RM.Inquire"),
    variables={"files_lost": None},
)
"""A message that arrives may find nothing to do, or a crash in the middle of its handler, so its step need not follow."""


class TwoPhaseCommitRuns(Scenario):
    """A transaction under crashes and cuts: the coordinator crashes up to twice, and a participant once.

    What a process is made of may be something else than the right classes, by `leading` and `following`.
    """

    mapping = PROTOCOL
    quality = Quality(latency=0.05, loss=0.05, duplication=0.1)
    survival = Survival.PREFIX

    def __init__(
        self,
        machine: Machine,
        seed: int,
        *,
        leading: Mapping[str, Any] | None = None,
        following: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(machine, seed)
        self._leading = leading or {}
        self._following = following or {}
        self._participants = instance_names(machine.roles["RM"])
        self.databases = {name: Database(can_commit=self.chance.random() < 0.9) for name in self._participants}

    @classmethod
    def mistakes(cls) -> Mapping[str, Make]:
        """Wrong implementations by name."""
        found: dict[str, Make] = {
            "NeverSyncs": partial(cls, leading={"log": NeverSyncs}, following={"log": NeverSyncs})
        }
        for mistake in MISTAKES:
            leads = issubclass(mistake, Coordinator)
            part = {"coordinator" if leads else "participant": mistake}
            found[mistake.__name__] = partial(cls, leading=part) if leads else partial(cls, following=part)
        return found

    def processes(self) -> Mapping[str, Process]:
        def participant(name: str) -> Process:
            return lambda env: take_part(env, COORDINATOR, self.databases[name], **self._following)

        found: dict[str, Process] = {name: participant(name) for name in self._participants}
        return {COORDINATOR: lambda env: coordinate(env, self._participants, **self._leading), **found}

    async def drive(self, sim: Simulation) -> None:
        chance, everyone = self.chance, (COORDINATOR, *self._participants)
        victims = [COORDINATOR, COORDINATOR, chance.choice(self._participants)]
        chance.shuffle(victims)
        for name in victims[: chance.randrange(len(victims) + 1)]:
            sim.crash(name, after_effects=chance.randrange(6))  # sooner or later, or never
            if chance.random() < 0.3:
                sim.cut([name], [other for other in everyone if other != name], one_way=chance.random() < 0.5)
            await asyncio.sleep(2 * chance.random())
            sim.heal()
            self._restart(sim, everyone)
        for _ in range(3):
            await asyncio.sleep(10)
            self._restart(sim, everyone)

    def _restart(self, sim: Simulation, everyone: tuple[str, ...]) -> None:
        for name in everyone:
            if not sim.alive(name):
                sim.restart(name)
