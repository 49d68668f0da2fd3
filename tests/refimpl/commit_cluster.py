"""Three-phase commit under crashes at any point: a cluster whose chance is a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from random import Random

from refimpl.adapters.two_phase_commit import Database
from refimpl.adapters.world import Effects, Fallen
from refimpl.runtime.log import Log, MemoryLog
from refimpl.transactions.three_phase_commit import OUTCOMES, Coordinator, Message, Participant
from refimpl.transactions.two_phase_commit import Decision

Process = Coordinator | Participant

ENDS = {state.value: decision for state, decision in OUTCOMES.items()} | {d.value: d for d in Decision}
"""The last records of a log, and how the transaction ended by them."""


class Cluster:
    """A coordinator and three participants whose messages come late, twice and in any order, and who crash in the middle.

    Its failure detector waits until nothing of a process that is down is on its way.
    """

    def __init__(
        self,
        seed: int,
        *,
        crashes: int,
        come_back: bool,
        coordinator: type[Coordinator] = Coordinator,
        participant: type[Participant] = Participant,
    ) -> None:
        self.chance = Random(seed)
        self.left = crashes
        self.come_back = come_back
        self.names = ("a", "b", "c")
        self.made = coordinator, participant
        self.logs: dict[str, Log] = {name: MemoryLog() for name in ("tm", *self.names)}
        self.mail: list[tuple[str, str, Message]] = []
        self.effects = Effects()
        self.fallen: set[str] = set()
        self.up: dict[str, Process] = {name: self.boot(name) for name in self.logs}

    def boot(self, name: str) -> Process:
        records = self.logs[name]
        effects = self.effects

        class Disk:
            def force(self, record: str) -> None:
                effects.happen()
                records.force(record)

            def records(self) -> tuple[str, ...]:
                return tuple(records.records())

        def send(receiver: str, message: Message) -> None:
            effects.happen()
            self.mail.append((name, receiver, message))

        coordinator, participant = self.made
        if name == "tm":
            return coordinator(self.names, Disk(), send)
        database = Database(can_commit=self.chance.random() < 0.95)
        return participant(name, self.names, "tm", database, Disk(), send)

    def run(self) -> None:
        """A while with crashes, a while without, and then to the end."""
        coordinator = self.up["tm"]
        assert isinstance(coordinator, Coordinator)
        coordinator.begin()
        for _ in range(100):
            self.act(faults=True)
        for _ in range(100):
            self.act(faults=False)
        for _ in range(12):
            for name in [name for name in self.logs if name not in self.up and self.come_back]:
                self.restart(name)
            self.settle()

    def act(self, *, faults: bool) -> None:
        """One step that is possible; with faults, perhaps not to its end."""
        letters = [letter for letter in self.mail if letter[1] in self.up]
        action: Callable[[], None]
        if letters and self.chance.random() < 0.6:
            letter = self.chance.choice(letters)
            name, action = letter[1], partial(self.deliver, letter)
        else:
            actions = list(self.possible())
            if not actions:
                return
            name, action = self.chance.choice(actions)
        if faults and self.left and self.chance.random() < 0.08:
            self.left -= 1
            self.effects.left = self.chance.randrange(4)
            with suppress(Fallen):
                action()
            self.effects.left = None
            self.up.pop(name, None)
            self.fallen.add(name)
        else:
            action()

    def possible(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """What can happen beside the delivery of a message, and to whom."""
        for name, process in self.up.items():
            yield name, process.conclude
            for other in self.silent_to(name):
                yield name, partial(process.suspect, other)
        if self.come_back:
            for name in self.logs:
                if name not in self.up:
                    yield name, partial(self.restart, name)

    def silent_to(self, name: str) -> list[str]:
        """Who is down, with nothing on its way to this process."""
        awaited = {sender for sender, receiver, _ in self.mail if receiver == name}
        return [other for other in self.logs if other not in self.up and other not in awaited]

    def deliver(self, letter: tuple[str, str, Message]) -> None:
        sender, receiver, message = letter
        if self.chance.random() < 0.8:
            self.mail.remove(letter)
        self.up[receiver].receive(sender, message)

    def restart(self, name: str) -> None:
        self.up[name] = self.boot(name)
        self.up[name].restart()

    def settle(self) -> None:
        """Nothing fails any more: what is on its way arrives, and everyone is patient."""
        self.mail = [letter for letter in self.mail if letter[1] in self.up]
        while self.mail:
            sender, receiver, message = self.mail.pop(0)
            self.up[receiver].receive(sender, message)
        for name, process in self.up.items():
            for other in self.silent_to(name):
                process.suspect(other)
            process.timeout()
            process.conclude()

    def problem(self) -> str | None:
        """What is wrong at the end, if one was never down."""
        ends = {str(r) for name, log in self.logs.items() for r in log.records() if r in ENDS}
        if len({ENDS[end] for end in ends}) > 1:
            return "split"
        if self.fallen != set(self.logs) and any(self.outcome(name) is None for name in self.up):
            return "blocked"
        return None

    def outcome(self, name: str) -> Decision | None:
        process = self.up[name]
        return process.decision if isinstance(process, Coordinator) else process.outcome
