"""What clients ask of nodes: the ten workloads of Maelstrom.

A workload draws operations, says how each is asked for on the wire, and names the judge of the answers. Operations are what a
history records: a name, a value to ask with, a result. Values are such that answers tell where they come from: every element,
message and appended number is given once.

Workloads about what everyone agrees on in the end (`broadcast`, `g-set`, the counters, `kafka`) end with a final operation at
each node. Since nobody can say how long "in the end" is, it is repeated until the judge is content, or patience ends.

Source: the documentation of Maelstrom, `doc/workloads.md`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from math import ceil, sqrt
from random import Random
from typing import ClassVar

from checker.conformance.histories.history import History, Operation
from checker.conformance.histories.verdict import Judgement
from checker.conformance.nodes import judges
from checker.conformance.nodes.protocol import KEY_DOES_NOT_EXIST, Body, NodeKilled, RpcError
from checker.properties.kinds import Json

Call = Callable[[Body], Awaitable[Body]]
"""Sends the body of a request and gives that of the answer."""

MAX_POLLS = 1_000
"""Polls that it may take to read all logs."""

Request = tuple[str, Json]
"""The name of an operation and the value that it is asked with."""


class MalformedAnswer(Exception):
    """The answer to a request is not of the form that the workload prescribes; the text says why."""


class Workload(ABC):
    """Draws operations for all clients of one run."""

    name: ClassVar[str]
    final: ClassVar[Request | None] = None
    """What every node is asked in the end."""
    level = "strict-serializable"
    """How isolated transactions have to be."""

    def __init__(self, random: Random, nodes: Sequence[str]) -> None:
        self.random = random
        self.nodes = tuple(nodes)
        self.count = 0

    def setup(self) -> Body | None:
        """What every node is told before the run."""
        return None

    @abstractmethod
    def choose(self) -> Request:
        """The next operation."""

    @abstractmethod
    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        """Carries an operation out and gives its result; `mind` is what this client remembers.

        Raises:
            RpcError, TimeoutError: as `Client.call`.
            MalformedAnswer: the node answered something else than it should.
        """

    @abstractmethod
    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        """What is wrong; `final` are the operations that were asked for in the end and succeeded."""

    def number(self) -> int:
        """Another number in each call."""
        self.count += 1
        return self.count


def expect(body: Body, type_: str, field: str | None = None, kind: type | None = None) -> Json:
    """A field of an answer.

    Raises:
        MalformedAnswer: the answer has another type, or no such field.
    """
    if body.get("type") != type_:
        raise MalformedAnswer(f"the type is {str(body.get('type'))[:50]!r}, and should be `{type_}`")
    if field is None:
        return None
    if field not in body:
        raise MalformedAnswer(f"`{type_}` has no `{field}`")
    value = body[field]
    if kind is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise MalformedAnswer(f"`{field}` of `{type_}` is {str(value)[:50]!r}, and should be {_KINDS[kind]}")
    return value


_KINDS = {int: "a whole number", list: "a list", dict: "an object"}


class Echo(Workload):
    """A text comes back as it was."""

    name = "echo"

    def choose(self) -> Request:
        return "echo", f"please echo {self.number()}"

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        return expect(await call({"type": "echo", "echo": value}), "echo_ok", "echo")

    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        return judges.echo(history)


class UniqueIds(Workload):
    """No identifier is given twice."""

    name = "unique-ids"

    def choose(self) -> Request:
        return "generate", None

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        return expect(await call({"type": "generate"}), "generate_ok", "id")

    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        return judges.unique_ids(history)


class GSet(Workload):
    """Elements are added, and reach everyone."""

    name = "g-set"
    final = ("read", None)

    def choose(self) -> Request:
        return ("add", self.number()) if self.random.random() < 0.5 else ("read", None)

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        if f == "add":
            return expect(await call({"type": "add", "element": value}), "add_ok")
        return expect(await call({"type": "read"}), "read_ok", "value", list)

    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        return judges.grow_only_set(history, final)


class Broadcast(GSet):
    """The same as messages, with a topology that nodes may follow: a grid."""

    name = "broadcast"

    def setup(self) -> Body | None:
        side = ceil(sqrt(len(self.nodes)))
        place = {name: divmod(i, side) for i, name in enumerate(self.nodes)}
        near: dict[str, Json] = {
            a: [b for b in self.nodes if abs(place[a][0] - place[b][0]) + abs(place[a][1] - place[b][1]) == 1]
            for a in self.nodes
        }
        return {"type": "topology", "topology": near}

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        if f == "add":
            return expect(await call({"type": "broadcast", "message": value}), "broadcast_ok")
        return expect(await call({"type": "read"}), "read_ok", "messages", list)


class PnCounter(Workload):
    """A number that is added to and subtracted from."""

    name = "pn-counter"
    final = ("read", None)
    smallest: ClassVar[int] = -5

    def choose(self) -> Request:
        return ("add", self.random.randint(self.smallest, 5)) if self.random.random() < 0.5 else ("read", None)

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        if f == "add":
            return expect(await call({"type": "add", "delta": value}), "add_ok")
        return expect(await call({"type": "read"}), "read_ok", "value", int)

    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        return judges.counter(history, final)


class GCounter(PnCounter):
    """A number that only grows."""

    name = "g-counter"
    smallest = 0


class LinKv(Workload):
    """A linearizable store. Keys change after some operations, so that each key's history stays easy to decide."""

    name = "lin-kv"
    keys: ClassVar[int] = 3
    uses: ClassVar[int] = 100
    """Operations before the keys change."""

    def choose(self) -> Request:
        draw = self.random
        key = self.number() // self.uses * self.keys + draw.randrange(self.keys)
        match draw.choice(("read", "read", "write", "cas")):
            case "read":
                return "read", [key, None]
            case "write":
                return "write", [key, draw.randrange(5)]
        return "cas", [key, [draw.randrange(5), draw.randrange(5)]]

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        assert isinstance(value, list)
        key, given = value
        match f:
            case "read":
                try:
                    return [key, expect(await call({"type": "read", "key": key}), "read_ok", "value")]
                except RpcError as problem:
                    if problem.code == KEY_DOES_NOT_EXIST:  # an answer, and it can be wrong
                        return [key, None]
                    raise
            case "write":
                expect(await call({"type": "write", "key": key, "value": given}), "write_ok")
            case _:
                assert isinstance(given, list)
                expect(await call({"type": "cas", "key": key, "from": given[0], "to": given[1]}), "cas_ok")
        return value

    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        return judges.store(history)


class Transactions(Workload):
    """Transactions over lists or registers. Keys are given up after some writes, and every write has its own value."""

    write: ClassVar[str]
    keys: ClassVar[int] = 3
    uses: ClassVar[int] = 16

    def __init__(self, random: Random, nodes: Sequence[str]) -> None:
        super().__init__(random, nodes)
        self._keys = list(range(self.keys))
        self._written = dict.fromkeys(self._keys, 0)

    def choose(self) -> Request:
        return "txn", [self._step() for _ in range(self.random.randint(1, 4))]

    def _step(self) -> Json:
        place = self.random.randrange(len(self._keys))
        key = self._keys[place]
        if self.random.random() < 0.5:
            return ["r", key, None]
        self._written[key] += 1
        if self._written[key] == self.uses:
            self._keys[place] = max(self._written) + 1
            self._written[self._keys[place]] = 0
        return [self.write, key, self._written[key]]

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        done = expect(await call({"type": "txn", "txn": value}), "txn_ok", "txn", list)
        assert isinstance(done, list) and isinstance(value, list)
        same = len(done) == len(value) and all(
            isinstance(d, list) and isinstance(v, list) and len(d) == 3 and d[:2] == v[:2] and (v[0] == "r" or d == v)
            for d, v in zip(done, value, strict=True)
        )
        if not same:
            raise MalformedAnswer("`txn` of `txn_ok` holds other operations than were asked for")
        for part in done:
            if isinstance(part, list) and not self.can_be_read(part[2]):
                raise MalformedAnswer(f"`txn` of `txn_ok` has {str(part[2])[:50]!r} as the value of key {part[1]}")
        return done

    def can_be_read(self, value: Json) -> bool:
        """Whether this may stand in an answer."""
        return value is None or (isinstance(value, int) and not isinstance(value, bool))

    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        return judges.transactions(history, self.name.removeprefix("txn-"), self.level)


class ListAppend(Transactions):
    """Transactions that read lists and append to them."""

    name = "txn-list-append"
    write = "append"

    def can_be_read(self, value: Json) -> bool:
        return isinstance(value, list) or super().can_be_read(value)  # an appended value is a number


class RwRegister(Transactions):
    """Transactions that read and write registers."""

    name = "txn-rw-register"
    write = "w"


class Kafka(Workload):
    """Logs that are appended to and read from an offset on, and offsets that are committed.

    A poll commits what it has seen. It has succeeded when it has seen it: whether the commit has as well is said beside, since
    a commit that may have taken effect may be listed from then on.
    """

    name = "kafka"
    final = ("poll all", None)
    keys: ClassVar[tuple[str, ...]] = ("k0", "k1", "k2")

    def choose(self) -> Request:
        match self.random.choice(("send", "send", "poll", "poll", "poll", "assign")):
            case "send":
                return "send", [self.random.choice(self.keys), self.number()]
            case "poll":
                return "poll", None
        return "assign", None

    async def perform(self, call: Call, f: str, value: Json, mind: dict[str, Json]) -> Json:
        offsets = {key: n for key in self.keys if isinstance(n := mind.get(key, 0), int)}
        match f:
            case "send":
                assert isinstance(value, list)
                key, message = value
                offset = expect(await call({"type": "send", "key": key, "msg": message}), "send_ok", "offset", int)
                return [key, offset, message]
            case "assign":
                answer = await call({"type": "list_committed_offsets", "keys": [*self.keys]})
                committed = expect(answer, "list_committed_offsets_ok", "offsets", dict)
                assert isinstance(committed, dict)
                for key, n in committed.items():
                    if key not in self.keys or not isinstance(n, int) or isinstance(n, bool):
                        raise MalformedAnswer(
                            f"`offsets` of `list_committed_offsets_ok` has {str(n)[:50]!r} for {key[:50]!r}, which is no whole "
                            "number, or was not asked for"
                        )
                    mind[key] = n + 1
                mind.update({key: 0 for key in self.keys if key not in committed})
                return committed
            case "poll":
                logs = await self._poll(call, offsets)
                high: dict[str, Json] = {key: pairs[-1][0] for key, pairs in logs.items() if pairs}
                done: dict[str, Json] = {"from": dict(offsets), "msgs": _plain(logs), "commit": high}
                mind.update({key: pairs[-1][0] + 1 for key, pairs in logs.items() if pairs})
                try:
                    if high:
                        expect(await call({"type": "commit_offsets", "offsets": high}), "commit_offsets_ok")
                except (RpcError, TimeoutError, NodeKilled) as problem:
                    done["error"] = str(problem) or "no answer in time"
                return done
        return {"from": dict.fromkeys(self.keys, 0), "msgs": _plain(await self._poll_all(call))}

    async def _poll_all(self, call: Call) -> dict[str, list[tuple[int, Json]]]:
        """Everything in every log, in as many polls as it takes."""
        found: dict[str, list[tuple[int, Json]]] = {key: [] for key in self.keys}
        ends = dict.fromkeys(self.keys, -1)
        for _ in range(MAX_POLLS):
            logs = await self._poll(call, {key: end + 1 for key, end in ends.items()})
            news = {key: pairs for key, pairs in logs.items() if pairs and pairs[-1][0] > ends[key]}
            if not news:
                return found
            for key, pairs in news.items():
                found[key] += pairs
                ends[key] = pairs[-1][0]
        raise MalformedAnswer(f"the logs have no end: {MAX_POLLS:,} polls gave new messages each time")

    async def _poll(self, call: Call, offsets: dict[str, int]) -> dict[str, list[tuple[int, Json]]]:
        logs = expect(await call({"type": "poll", "offsets": {**offsets}}), "poll_ok", "msgs", dict)
        assert isinstance(logs, dict)
        result: dict[str, list[tuple[int, Json]]] = {}
        for key, pairs in logs.items():
            if key not in self.keys or not isinstance(pairs, list):
                raise MalformedAnswer(f"`msgs` of `poll_ok` has {key[:50]!r}, which was not asked for, or no list")
            result[key] = []
            for pair in pairs:
                match pair:
                    case [int() as offset, message] if not isinstance(offset, bool):
                        result[key].append((offset, message))
                    case _:
                        raise MalformedAnswer(f"`msgs` of `poll_ok` holds {str(pair)[:50]!r} and not [offset, message]")
        return result

    def judge(self, history: History, final: Sequence[Operation]) -> Judgement:
        return judges.logs(history, final)


def _plain(logs: dict[str, list[tuple[int, Json]]]) -> Json:
    return {key: [list(pair) for pair in pairs] for key, pairs in logs.items()}


WORKLOADS: dict[str, type[Workload]] = {
    w.name: w for w in (Echo, UniqueIds, Broadcast, GSet, GCounter, PnCounter, LinKv, ListAppend, RwRegister, Kafka)
}
"""All workloads by name."""
