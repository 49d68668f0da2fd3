"""Snowflake held to `specs/idempotence/snowflake.psm`.

The clocks are the adapter's: a millisecond passes when the spec says so, and a clock is set back when it strikes. So are the
disks, on which a mark is one effect; that a number gets out is another. The mark is not set ahead here, as the spec writes one
in each millisecond, and a number has as few bits as the constants of the spec need.

What the spec knows about all numbers that got out, the adapter looks up in the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise

from checker.conformance.adapter import Adapter, Instance, Mistake, Observation, Refused
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.world import Effects, bound, node_of
from refimpl.idempotence.snowflake import Layout, Node, NotNow
from refimpl.idempotence.snowflake_mistakes import MISTAKES

MakeNode = Callable[..., Node]


class SafeMark:
    """A mark that outlives its process. Writing it is an effect."""

    def __init__(self, effects: Effects) -> None:
        self.milliseconds: int | None = None
        self._effects = effects

    def read(self) -> int | None:
        return self.milliseconds

    def write(self, milliseconds: int) -> None:
        self._effects.happen()
        self.milliseconds = milliseconds


class Snowflake(Adapter):
    """Drives all nodes. Another class than the real one may be put in its place, by tests."""

    checks = ("calm", "set_back", "drifting", "crashes")
    smaller = (
        Instance("set_back", {"T": 1}),
        Instance("drifting", {"T": 1}),
        Instance("crashes", {"T": 1, "HIGHEST": 0}),
    )

    def __init__(self, machine: Machine, *, node: MakeNode = Node) -> None:
        super().__init__(machine)
        self._make = node
        self._names = self.instances("Node")
        self._latest = bound(machine, "T")
        counts = bound(machine, "HIGHEST") + 1
        if counts.bit_count() != 1:
            raise ValueError(f"counts are bits of a number, so there are 1, 2 or 4 of them, and not {counts}")
        self._layout = Layout(node=(len(self._names) - 1).bit_length(), count=counts.bit_length() - 1)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""
        return {mistake.__name__: Mistake.of(mistake, partial(cls, node=mistake)) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        self._effects = Effects()
        self._clocks = dict.fromkeys(self._names, 0)
        self._marks = {name: SafeMark(self._effects) for name in self._names}
        self._given: list[tuple[str, int]] = []
        """Who gave out which number, in order."""
        self._nodes: dict[str, Node] = {}
        for name in self._names:
            self._boot(name)

    def _boot(self, name: str) -> None:
        self._nodes[name] = self._make(
            self._names.index(name),
            self._marks[name],
            lambda: self._clocks[name],
            ahead=0,
            layout=self._layout,
            epoch=0,
        )

    # ---- the steps

    @step("tick")
    def tick(self, event: Event) -> None:
        for name in self._names:
            self._pass(name)

    @step("drift Node")
    def drift(self, event: Event) -> None:
        for name in self._names:
            times = event.args["times"] if name == event.node else 1
            assert isinstance(times, int)
            for _ in range(times):
                self._pass(name)

    def _pass(self, name: str) -> None:
        self._clocks[name] = min(self._clocks[name] + 1, self._latest)

    @step("Node.SetBack")
    def set_back(self, event: Event) -> None:
        self._clocks[node_of(event)] -= 1

    @step("Node.Next")
    def take(self, event: Event) -> None:
        name = node_of(event)
        try:
            number = self._nodes[name].take()
        except NotNow as problem:
            raise Refused(str(problem)) from None
        self._effects.happen()
        self._given.append((name, number))

    @step("crash Node")
    def crash(self, event: Event) -> None:
        if event.torn is not None:
            with self._effects.until(event.torn):
                self.perform(event.torn.event)
        del self._nodes[node_of(event)]

    @step("Node.restart")
    def restart(self, event: Event) -> None:
        self._boot(node_of(event))

    # ---- what can be seen

    def observe(self) -> Observation:
        numbers = [number for _, number in self._given]
        times = [self._layout.split(number)[0] for number in numbers]
        seen: dict[str, object] = {
            "given": [self._number(number) for number in dict.fromkeys(numbers)],
            "twice": len({*numbers}) < len(numbers),
            "latest": max(times, default=0),
            "disordered": times != sorted(times),
        }
        for name in self._names:
            own = [number for node, number in self._given if node == name]
            node = self._nodes.get(name)
            seen[f"{name}.now"] = self._clocks[name]
            seen[f"{name}.kept"] = self._marks[name].milliseconds
            seen[f"{name}.before"] = self._number(own[-1]) if own else None
            seen[f"{name}.shrunk"] = any(a >= b for a, b in pairwise(own))
            if node is not None:
                seen[f"{name}.last"], seen[f"{name}.next"] = node.last, node.next
            if self.can_fall("Node"):
                seen[f"{name}.status"] = "down" if node is None else "up"
        return seen

    def _number(self, number: int) -> dict[str, object]:
        milliseconds, node, count = self._layout.split(number)
        return {"ms": milliseconds, "node": self._names[node], "count": count}
