"""One run of a workload on nodes: clients ask, faults strike, the answers are judged.

Clients are spread over the nodes, each with one operation at a time. An operation ends `ok`, `fail` (a definite error) or
`info` (an indefinite error, or no answer in time). After the given time the clients stop, all faults are over, and the final
operations of the workload are asked for, again and again with growing pauses until the judge is content or patience ends.

A crash shows itself in what a node says afterwards. So clients of a node that is killed go on beyond the given time, within
patience, until it has answered some operations after its restart.

The seed decides the operations, the faults and the latencies. The nodes run in real time, so two runs with one seed are alike
and not equal.

**A run that could not have shown anything never passes.** It is `incomplete` if no operation succeeded, if a fault was asked
for and no operation overlapped one, if a killed node answered nothing after its restart, if a node gave no final answer, if the
record was cut off, or if the judge says so of the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import field
from enum import Enum
from pathlib import Path
from random import Random

from checker.base.data import dataclass
from checker.conformance.histories.history import History, Outcome
from checker.conformance.histories.verdict import Judgement, Verdict
from checker.conformance.links import Quality
from checker.conformance.nodes.cluster import Client, Cluster
from checker.conformance.nodes.evidence import KILLED, AfterRestarts, after_restarts, overlapping
from checker.conformance.nodes.faults import Window, inflict, plan
from checker.conformance.nodes.interruption import run_to_its_end
from checker.conformance.nodes.process import NodeProblem, Trouble
from checker.conformance.nodes.protocol import NodeKilled, RpcError
from checker.conformance.nodes.workloads import WORKLOADS, MalformedAnswer, Request, Workload
from checker.conformance.operations import history_of_record
from checker.conformance.record import Kind, Record, Recorder
from checker.properties.kinds import Json

MAX_ENTRIES = 1_000_000
"""Entries in the record of a run."""
MAX_NODES = 100
"""Nodes of a run: each is a process, and holds three pipes open."""
MAX_CLIENTS = 10_000
"""Clients of all nodes together."""
OWED = 10
"""Answers of a killed node after its restart that its clients wait for."""
OVERTIME = 0.1
"""Seconds between operations of a client that waits for them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        command: the program of a node, with its arguments.
        workload: the name of one of `WORKLOADS`.
        nodes: how many.
        clients: how many for each node.
        time: seconds in which clients ask.
        rate: operations a second, of all clients together.
        timeout: seconds until a client gives an operation up.
        patience: seconds in which everyone may come to agree in the end.
        faults: kinds of `faults`.
        level: how isolated transactions have to be.
        logs: a directory for what nodes write to standard error.
    """

    command: tuple[str, ...]
    workload: str
    nodes: int = 3
    clients: int = 2
    time: float = 10.0
    rate: float = 100.0
    timeout: float = 2.0
    patience: float = 10.0
    seed: int = 0
    faults: tuple[str, ...] = ()
    level: str = Workload.level
    quality: Quality = field(default_factory=Quality)
    logs: Path | None = None


class Result(Enum):
    """What a run came to."""

    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a run, and what it rests on.

    Attributes:
        judgement: of the history; None where a node broke down.
        problem: how a node broke down.
        windows: when faults were at work; `overlapped` counts the operations that overlapped one.
        restarts: what killed nodes answered afterwards.
        shortcomings: why nothing wrong does not mean that all is well.
        messages: how many were sent.
    """

    plan: Plan
    record: Record
    history: History
    judgement: Judgement | None
    problem: NodeProblem | None
    windows: tuple[Window, ...]
    overlapped: int
    restarts: AfterRestarts
    shortcomings: tuple[str, ...]
    messages: int

    @property
    def result(self) -> Result:
        """Failed, if anything is wrong; passed, only if that could have been seen."""
        if self.problem is not None or self.judgement is None or self.judgement.verdict is Verdict.ILLEGAL:
            return Result.FAILED
        return Result.PASSED if self.judgement.verdict is Verdict.OK and not self.shortcomings else Result.INCOMPLETE


def conform(plan: Plan) -> Report:
    """Runs a plan. Must not be called while an event loop is running.

    Raises:
        NodeProblem: the nodes could not be started.
        Terminated: SIGTERM or SIGHUP came; no node is left.
    """
    return run_to_its_end(_Run(plan).run())


class _Run:
    """One run; see the module."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        names = [f"n{i + 1}" for i in range(plan.nodes)]
        self.workload: Workload = WORKLOADS[plan.workload](Random(f"{plan.seed} operations"), names)
        self.workload.level = plan.level
        about: dict[str, Json] = {
            "node": list(plan.command),
            "workload": plan.workload,
            "nodes": [*names],
            "seed": plan.seed,
            "faults": [*plan.faults],
        }
        self.recorder = Recorder(about, limit=MAX_ENTRIES)
        self.windows: tuple[Window, ...] = ()
        self.judgement: Judgement | None = None
        self.silent: list[str] = []
        self.owed: dict[str, int] = {}

    async def run(self) -> Report:
        plan_, problem = self.plan, None
        cluster = Cluster(
            plan_.command,
            plan_.nodes,
            seed=plan_.seed,
            recorder=self.recorder,
            quality=plan_.quality,
            logs=plan_.logs,
        )
        async with cluster:
            try:
                await cluster.or_failure(self._phases(cluster))
                await cluster.settle()
            except NodeProblem as found:
                problem = found
        record = self.recorder.record()
        history = history_of_record(record)
        overlapped, restarts = overlapping(record, self.windows), after_restarts(record)
        return Report(
            plan=plan_,
            record=record,
            history=history,
            judgement=None if problem is not None else self.judgement,
            problem=problem,
            windows=self.windows,
            overlapped=overlapped,
            restarts=restarts,
            shortcomings=self._shortcomings(record, history, overlapped, restarts),
            messages=cluster.messages,
        )

    async def _phases(self, cluster: Cluster) -> None:
        clients = [(cluster.client(), name) for name in cluster.names for _ in range(self.plan.clients)]
        topology = self.workload.setup()
        if topology is not None:
            for name in cluster.names:
                await self._tell(cluster, name, topology)
        windows = plan(self.plan.faults, cluster.names, time=self.plan.time, seed=self.plan.seed)
        self.owed = {name: OWED for window in windows if window.kind == "kill" for name in window.nodes}
        end = cluster.now() + self.plan.time
        async with asyncio.TaskGroup() as tasks:
            striking = tasks.create_task(inflict(cluster, windows))
            for client, name in clients:
                tasks.create_task(self._ask(cluster, client, name, end))
        self.windows = striking.result()
        final = await self._finish(cluster) if self.workload.final is not None else []
        self.judgement = self._judge(final)

    async def _tell(self, cluster: Cluster, name: str, topology: dict[str, Json]) -> None:
        try:
            await cluster.client().call(name, topology, self.plan.timeout)
        except (RpcError, TimeoutError) as problem:
            text = f"does not take the topology: {str(problem) or 'no answer in time'}"
            raise cluster.problem(name, Trouble.PROTOCOL, text) from None

    async def _ask(self, cluster: Cluster, client: Client, name: str, end: float) -> None:
        """Lets one client ask until the end, at its share of the rate."""
        chance = Random(f"{self.plan.seed} {client.name}")
        share = self.plan.rate / (self.plan.clients * self.plan.nodes)
        mind: dict[str, Json] = {}
        while True:
            pause = chance.expovariate(share)
            if cluster.now() + pause >= end:
                if not self._goes_on(cluster, name, end):
                    return
                pause = max(OVERTIME, end - cluster.now())
            await asyncio.sleep(pause)
            await cluster.until_up(name)
            await self._operation(cluster, client, name, self.workload.choose(), mind)

    def _goes_on(self, cluster: Cluster, name: str, end: float) -> bool:
        """Whether clients of a node ask beyond the end, since it was killed and has said little afterwards."""
        return self.owed.get(name, 0) > 0 and (
            name not in cluster.restarted or cluster.now() < max(end, cluster.restarted[name]) + self.plan.patience
        )

    async def _finish(self, cluster: Cluster) -> list[int]:
        """Asks every node in the end until the judge is content; the numbers of the last answers among the operations."""
        assert self.workload.final is not None
        end, pause = cluster.now() + self.plan.patience, 0.05
        clients = {name: cluster.client() for name in cluster.names}
        while True:
            before = sum(e.kind is Kind.INVOKE for e in self.recorder.entries)
            asked = [self._operation(cluster, c, name, self.workload.final, {}) for name, c in clients.items()]
            answered = await asyncio.gather(*asked)
            self.silent = [name for name, done in zip(clients, answered, strict=True) if not done]
            final = list(range(before, before + len(asked)))
            content = not self.silent and self._judge(final).verdict is not Verdict.ILLEGAL
            if content or cluster.now() >= end:
                return final
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _judge(self, final: Sequence[int]) -> Judgement:
        history = history_of_record(self.recorder.record())
        chosen = set(final)  # not all are there, where the record was cut off
        last = [op for op in history.operations if op.number in chosen and op.outcome is Outcome.OK]
        return self.workload.judge(history, last)

    async def _operation(
        self, cluster: Cluster, client: Client, node: str, request: Request, mind: dict[str, Json]
    ) -> bool:
        """Carries one operation out and records it; whether it succeeded."""
        f, value = request
        cluster.note(client.name, Kind.INVOKE, f, args={"value": value, "node": node})
        seen: dict[str, Json]
        try:
            result = await self.workload.perform(
                lambda body: client.call(node, body, self.plan.timeout), f, value, mind
            )
            seen = {"type": "ok", "value": result}
        except RpcError as problem:
            seen = {"type": "fail" if problem.definite else "info", "error": str(problem)}
        except TimeoutError:
            seen = {"type": "info", "error": "no answer in time"}
        except NodeKilled:
            seen = {"type": "info", "error": KILLED}
        except MalformedAnswer as problem:
            text = f"answers `{f}` in a way that the workload {self.workload.name} does not know: {problem}"
            cluster.fail(cluster.problem(node, Trouble.PROTOCOL, text))
            seen = {"type": "info", "error": str(problem)}
        cluster.note(client.name, Kind.RETURN, f, obs=seen)
        if seen["type"] != "info" and node in cluster.restarted and node in self.owed:
            self.owed[node] -= 1
        return seen["type"] == "ok"

    def _shortcomings(
        self, record: Record, history: History, overlapped: int, restarts: AfterRestarts
    ) -> tuple[str, ...]:
        found = []
        if not history.succeeded:
            found.append("no operation succeeded")
        if self.plan.faults and not overlapped and not restarts.succeeded:
            found.append("no operation overlapped a fault")
        found += restarts.shortcomings
        if self.silent:
            found.append(f"no final answer from {', '.join(self.silent)}")
        if record.truncated:
            found.append(f"the record is cut off after {MAX_ENTRIES:,} entries")
        return tuple(found)
