"""Two-phase commit held to `specs/transactions/two_phase_commit.psm`.

Most steps of the spec are one call. A vote depends on the database behind a participant; the spec leaves it open (`either`), so
the adapter tells the database which answer to give. That database is a few lines in memory, or a real one: whatever is `Guarded`.

A process that is down has no memory to look at, so what it would hold there is unseen until it restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from checker.conformance.adapter import UNSEEN, Adapter, Instance, Mistake, Observation
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.world import Disk, Letter, World, node_of, unanimous
from refimpl.runtime.log import Log
from refimpl.transactions.two_phase_commit import (
    Address,
    Ask,
    Coordinator,
    Decide,
    Decision,
    Message,
    Participant,
    Prepare,
    Resource,
    Send,
    State,
    Vote,
)
from refimpl.transactions.two_phase_commit_mistakes import MISTAKES

COORDINATOR = "TM"
PAST = {Decision.COMMIT: State.COMMITTED, Decision.ABORT: State.ABORTED}

MakeCoordinator = Callable[[Sequence[Address], Log, Send], Coordinator]
MakeParticipant = Callable[[Address, Resource, Log, Send], Participant]
MakeDatabase = Callable[[Address], "Guarded"]


class Guarded(Resource, Protocol):
    """A participant's database, as the adapter needs it."""

    can_commit: bool
    """Which answer it has to give when it is asked to prepare."""

    def shows(self, state: State) -> Mapping[str, str | None]:
        """What it says of the transaction when its participant is in a state: a value of the spec's `State` for each place to
        look at, and nothing where it cannot tell.
        """


@dataclass(slots=True)
class Database:
    """A database in memory: it answers as it is told to, and remembers how the transaction ended."""

    can_commit: bool = True
    outcome: Decision | None = None

    def prepare(self) -> bool:
        return self.can_commit

    def commit(self) -> None:
        self.outcome = Decision.COMMIT

    def rollback(self) -> None:
        self.outcome = Decision.ABORT

    def shows(self, state: State) -> Mapping[str, str | None]:
        if state in (State.WORKING, State.PREPARED):
            return {}
        return {"database": None if self.outcome is None else PAST[self.outcome].value}


class TwoPhaseCommit(Adapter):
    """Drives one coordinator and N participants, each with a database that `database` makes for it at every beginning.

    Other classes than the real ones may be put in their place, by tests.
    """

    smaller = (Instance("recovery", {"N": 1}),)

    def __init__(
        self,
        machine: Machine,
        *,
        coordinator: MakeCoordinator = Coordinator,
        participant: MakeParticipant = Participant,
        database: MakeDatabase = lambda _: Database(),
    ) -> None:
        super().__init__(machine)
        self._make_coordinator = coordinator
        self._make_participant = participant
        self._make_database = database
        self.participants = self.instances("RM")
        self.world: World[Message] = World((COORDINATOR, *self.participants), self._written)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        def wrong(mistake: type[Coordinator | Participant]) -> Callable[[Machine], Adapter]:
            if issubclass(mistake, Coordinator):
                return lambda machine: cls(machine, coordinator=mistake)
            return lambda machine: cls(machine, participant=mistake)

        return {mistake.__name__: Mistake.of(mistake, wrong(mistake)) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        everyone = (COORDINATOR, *self.participants)
        self.world.begin()
        self.databases = {name: self._make_database(name) for name in self.participants}
        self.processes: dict[Address, Coordinator | Participant] = {}
        self.status = dict.fromkeys(everyone, "up")
        for name in everyone:
            self._boot(name)

    def _boot(self, name: Address) -> None:
        disk = Disk(self.world, name)

        def send(receiver: Address, message: Message) -> None:
            if self.status[receiver] != "stopped":
                self.world.post(Letter(name, receiver, message))

        if name == COORDINATOR:
            self.processes[name] = self._make_coordinator(self.participants, disk, send)
        else:
            self.processes[name] = self._make_participant(COORDINATOR, self.databases[name], disk, send)

    # ---- the steps

    def _coordinator(self) -> Coordinator:
        process = self.processes[COORDINATOR]
        assert isinstance(process, Coordinator)
        return process

    def _participant(self, event: Event) -> Participant:
        process = self.processes[node_of(event)]
        assert isinstance(process, Participant)
        return process

    @step("TM.Begin")
    def begin_voting(self, event: Event) -> None:
        self._coordinator().begin()

    @step("TM.Commit")
    def commit(self, event: Event) -> None:
        self._coordinator().conclude()

    @step("TM.LoseLog")
    def lose_log(self, event: Event) -> None:
        """A blank disk is in the place of the old one, and the coordinator, which runs on, reads what is on it."""
        self.world.disks[COORDINATOR].clear()
        self._coordinator().recover()

    @step("TM.GiveUp")
    def give_up(self, event: Event) -> None:
        self._coordinator().timeout()

    @step("RM.Quit", "RM.Inquire")
    def lose_patience(self, event: Event) -> None:
        self._participant(event).timeout()

    @step("RM.AbortByHand")
    def abort_by_hand(self, event: Event) -> None:
        self._participant(event).abort_by_hand()

    @step("RM.Prepare")
    def ask_to_prepare(self, event: Event) -> None:
        self.databases[node_of(event)].can_commit = event.branches == (0,)
        self.deliver(event)

    @step("TM.Vote", "TM.Ask", "RM.Decide")
    def deliver(self, event: Event) -> None:
        assert event.sender is not None
        message = self.world.letter(event.sender, node_of(event), message_of(event))
        self.processes[node_of(event)].receive(event.sender, message)

    @step("crash TM", "crash RM", "stop TM", "stop RM")
    def fall(self, event: Event) -> None:
        if event.torn is not None:
            self.world.tear(self, event.torn)
        del self.processes[node_of(event)]
        self.status[node_of(event)] = "down" if event.kind == "crash" else "stopped"

    @step("restart TM", "restart RM")
    def restart(self, event: Event) -> None:
        self.status[node_of(event)] = "up"
        self._boot(node_of(event))

    # ---- what can be seen

    def observe(self) -> Observation:
        seen: dict[str, object] = {NETWORK: self.world.network}
        for name, records in self.world.disks.items():
            process = self.processes.get(name)
            written = records[-1] if records else None
            if name == COORDINATOR:
                coordinator = process if isinstance(process, Coordinator) else None
                known = written if coordinator is None else coordinator.decision and coordinator.decision.value
                seen["TM.log"] = unanimous(memory=known, disk=written)
                seen["TM.agreed"] = UNSEEN if coordinator is None else sorted(coordinator.agreed)
            else:
                seen[f"{name}.state"] = self._state(name, process, written or State.WORKING.value)
        for role in ("TM", "RM"):
            if self.can_fall(role):
                seen.update({f"{name}.status": self.status[name] for name in self.instances(role)})
        return seen

    def _state(self, name: Address, process: Coordinator | Participant | None, written: str) -> object:
        places: dict[str, str | None] = {"memory": written, "disk": written}
        if isinstance(process, Participant):
            places["memory"] = process.state.value
            places.update(self.databases[name].shows(process.state))
        return unanimous(**places)

    def _written(self, letter: Letter[Message]) -> str:
        sender, receiver = letter.sender, letter.receiver
        match letter.message:
            case Vote(yes):
                return self.letter(sender, receiver, "Vote", yes=yes)
            case Decide(decision):
                return self.letter(sender, receiver, "Decide", decision=decision.value)
            case Prepare() | Ask() as message:
                return self.letter(sender, receiver, type(message).__name__)


def message_of(event: Event) -> Message:
    """The message of an event, as the implementation has it."""
    match event.name:
        case "Vote":
            return Vote(yes=event.args["yes"] is True)
        case "Decide":
            return Decide(Decision(event.args["decision"]))
        case "Ask":
            return Ask()
    return Prepare()
