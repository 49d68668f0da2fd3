"""Number ranges held to `specs/idempotence/number_ranges.psm`, on a real PostgreSQL.

The nodes are the real ones, and their counter is a row of a table. In the spec a node takes a range in one step and gives out a
number in another, which here are the two halves of `next`. A range that would go beyond the last number is refused: that bound
is the model's.

A crash of the database loses what has not been committed, and by the time that a node has its answer, all has. The crash of a
whole server is tried in tests with one that is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from checker.conformance.adapter import Adapter, Mistake, Observation, Refused
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.postgres import CrashingDatabase, PostgresAdapter, Session
from refimpl.adapters.world import Effects, bound, node_of
from refimpl.idempotence.number_ranges import TABLE, Counter, Database, DatabaseCounter, Node, UsedUp
from refimpl.idempotence.number_ranges_mistakes import BEYOND, MISTAKES

NAME = "numbers"

MakeCounter = Callable[[Database, str], Counter]
MakeNode = Callable[[Counter, int], Node]


class NumberRanges(PostgresAdapter):
    """Drives all nodes. Other classes than the real ones may be put in their place, by tests."""

    tables = (TABLE,)
    checks = ("calm", "one_by_one", "crashes", "fails_over")

    def __init__(
        self,
        machine: Machine,
        session: Session | None = None,
        *,
        counter: MakeCounter = DatabaseCounter,
        node: MakeNode = Node,
    ) -> None:
        super().__init__(machine, session)
        self._make_counter = counter
        self._make_node = node
        self._names = self.instances("Node")
        self._size, self._last = bound(machine, "SIZE"), bound(machine, "LAST")

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""
        return {wrong.__name__: Mistake.of(wrong, partial(cls._with, wrong)) for wrong in (*MISTAKES, *BEYOND)}

    @classmethod
    def _with(cls, mistake: type[Node | DatabaseCounter], machine: Machine) -> Adapter:
        if issubclass(mistake, Node):
            return cls(machine, node=mistake)
        return cls(machine, counter=mistake)

    def begin(self, initial: Mapping[str, Json]) -> None:
        self._session.execute(b"DELETE FROM counters")
        self._effects = Effects()
        self._given: list[int] = []
        self._nodes: dict[str, Node] = {}
        for name in self._names:
            self._boot(name)

    def _boot(self, name: str) -> None:
        database = CrashingDatabase(self._session, self._effects)
        self._nodes[name] = self._make_node(self._make_counter(database, NAME), self._size)

    # ---- the steps

    @step("Node.Take")
    def take(self, event: Event) -> None:
        node = self._nodes[node_of(event)]
        if node.used != node.upto:
            raise Refused("its range is not used up")
        if self._taken() + self._size > self._last:
            raise Refused("there are no more numbers in the model")
        node.refill()

    @step("Node.Next")
    def next(self, event: Event) -> None:
        node = self._nodes[node_of(event)]
        try:
            number = node.next_of_range()
        except UsedUp:
            raise Refused("its range is used up") from None
        self._effects.happen()
        self._given.append(number)

    @step("Database.FailOver")
    def fail_over(self, event: Event) -> None:
        """What was committed is still there."""

    @step("crash Node")
    def crash(self, event: Event) -> None:
        if event.torn is not None:
            with self._effects.until(event.torn):
                self.perform(event.torn.event)
        del self._nodes[node_of(event)]

    @step("restart Node")
    def restart(self, event: Event) -> None:
        self._boot(node_of(event))

    unsupported = ("Node.Read", "Database.Save")
    """Those of an implementation that reads before it writes, and of a database that answers too early."""

    # ---- what can be seen

    def _taken(self) -> int:
        found = self._session.execute(b"SELECT taken FROM counters WHERE name = %s", (NAME,)).fetchall()
        return int(found[0][0]) if found else 0

    def observe(self) -> Observation:
        taken = self._taken()
        seen: dict[str, object] = {
            "counter": taken,
            "safe": taken,
            "given": sorted({*self._given}),
            "twice": len({*self._given}) < len(self._given),
            "disordered": self._given != sorted(self._given),
        }
        for name in self._names:
            node = self._nodes.get(name)
            if node is not None:
                seen[f"{name}.used"], seen[f"{name}.upto"], seen[f"{name}.seen"] = node.used, node.upto, None
            if self.can_fall("Node"):
                seen[f"{name}.status"] = "down" if node is None else "up"
        return seen
