"""Two-phase commit held to `specs/transactions/two_phase_commit.psm`.

The adapter is the world in which the coordinator and the participants live: it keeps their disks, the messages that they
have sent, and which of them are up. Messages are never taken away, as in the spec's network, so that any of them can be
delivered at any later time and again.

Most steps of the spec are one call. Two deserve a word:

- **A vote** depends on the database behind a participant. The spec leaves it open (`either`), so the adapter tells the
  database which answer to give.
- **A crash in the middle of a handler.** Every record that is forced and every message that is sent is one effect. The handler
  runs, and ends by `Fallen` at the first effect that the crash does not let happen. Of a message to many, those that get it are
  the ones that the spec names, since a network reaches them in any order. The object is dropped: what it knew beside its log
  is gone.
- **The database** behind a participant is a few lines in memory, or a real one: whatever is `Guarded`.

A process that is down has no memory to look at, so what it would hold there is unseen until it restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from checker.conformance.adapter import UNSEEN, Adapter, Instance, Observation, Refused
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event, Torn
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
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


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way."""

    sender: Address
    receiver: Address
    message: Message


class Fallen(BaseException):  # as a crash, it is nothing that a handler could catch
    """The process ends here."""


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


@dataclass(slots=True)
class World:
    """What survives every crash: the disks, by owner, and the network.

    `left` is how many effects happen before a crash, and `reached` are the only ones whom messages reach until then.
    """

    disks: dict[Address, list[str]] = field(default_factory=dict)
    letters: set[Letter] = field(default_factory=set)
    left: int | None = None
    reached: frozenset[Address] | None = None

    def happen(self, effect: tuple[Address, str] | Letter) -> None:
        if isinstance(effect, Letter) and self.reached is not None and effect.receiver not in self.reached:
            return
        if self.left == 0:
            raise Fallen
        if self.left is not None:
            self.left -= 1
        if isinstance(effect, Letter):
            self.letters.add(effect)
        else:
            owner, record = effect
            self.disks[owner].append(record)


class Disk:
    """The log of one process in the world."""

    def __init__(self, world: World, owner: Address) -> None:
        self._world = world
        self._owner = owner

    def force(self, record: str) -> None:
        self._world.happen((self._owner, record))

    def records(self) -> Sequence[str]:
        return tuple(self._world.disks[self._owner])


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
        self._texts: dict[Letter, str] = {}

    @classmethod
    def mistakes(cls) -> Mapping[str, Callable[[Machine], Adapter]]:
        def wrong(mistake: type[Coordinator | Participant]) -> Callable[[Machine], Adapter]:
            if issubclass(mistake, Coordinator):
                return lambda machine: cls(machine, coordinator=mistake)
            return lambda machine: cls(machine, participant=mistake)

        return {mistake.__name__: wrong(mistake) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        everyone = (COORDINATOR, *self.participants)
        self.world = World({name: [] for name in everyone})
        self.databases = {name: self._make_database(name) for name in self.participants}
        self.processes: dict[Address, Coordinator | Participant] = {}
        self.status = dict.fromkeys(everyone, "up")
        for name in everyone:
            self._boot(name)

    def _boot(self, name: Address) -> None:
        disk = Disk(self.world, name)

        def send(receiver: Address, message: Message) -> None:
            if self.status[receiver] != "stopped":
                self.world.happen(Letter(name, receiver, message))

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
        process = self.processes[event.node or ""]
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
        self.databases[event.node or ""].can_commit = event.branches == (0,)
        self.deliver(event)

    @step("TM.Vote", "TM.Ask", "RM.Decide")
    def deliver(self, event: Event) -> None:
        assert event.sender is not None and event.node is not None
        letter = Letter(event.sender, event.node, message_of(event))
        if letter not in self.world.letters:
            raise Refused(f"{letter.sender} never sent {letter.message} to {letter.receiver}")
        self.processes[event.node].receive(event.sender, letter.message)

    @step("crash TM", "crash RM", "stop TM", "stop RM")
    def fall(self, event: Event) -> None:
        assert event.node is not None
        if event.torn is not None:
            self._tear(event.torn)
        del self.processes[event.node]
        self.status[event.node] = "down" if event.kind == "crash" else "stopped"

    @step("restart TM", "restart RM")
    def restart(self, event: Event) -> None:
        assert event.node is not None
        self.status[event.node] = "up"
        self._boot(event.node)

    def _tear(self, torn: Torn) -> None:
        self.world.left = torn.effects
        self.world.reached = None if torn.reached is None else frozenset(torn.reached)
        with suppress(Fallen):
            self.perform(torn.event)
        self.world.left = self.world.reached = None

    # ---- what can be seen

    def observe(self) -> Observation:
        seen: dict[str, object] = {NETWORK: [self._text(letter) for letter in self.world.letters]}
        for name, records in self.world.disks.items():
            process = self.processes.get(name)
            written = records[-1] if records else None
            if name == COORDINATOR:
                coordinator = process if isinstance(process, Coordinator) else None
                known = written if coordinator is None else coordinator.decision and coordinator.decision.value
                seen["TM.log"] = unanimous({"memory": known, "disk": written})
                seen["TM.agreed"] = UNSEEN if coordinator is None else sorted(coordinator.agreed)
            else:
                seen[f"{name}.state"] = self._state(name, process, written or State.WORKING.value)
        for role in ("TM", "RM"):
            if self.can_fall(role):
                seen.update({f"{name}.status": self.status[name] for name in self.instances(role)})
        return seen

    def _state(self, name: Address, process: Coordinator | Participant | None, written: str) -> str | None:
        places: dict[str, str | None] = {"memory": written, "disk": written}
        if isinstance(process, Participant):
            places["memory"] = process.state.value
            places.update(self.databases[name].shows(process.state))
        return unanimous(places)

    def _text(self, letter: Letter) -> str:
        """A message as the spec writes it. Observing is what takes the time of a replay, so texts are kept."""
        text = self._texts.get(letter)
        if text is None:
            text = self._texts[letter] = self._written(letter)
        return text

    def _written(self, letter: Letter) -> str:
        sender, receiver = letter.sender, letter.receiver
        match letter.message:
            case Vote(yes):
                return self.letter(sender, receiver, "Vote", yes=yes)
            case Decide(decision):
                return self.letter(sender, receiver, "Decide", decision=decision.value)
            case Prepare() | Ask() as message:
                return self.letter(sender, receiver, type(message).__name__)


def unanimous(places: Mapping[str, str | None]) -> str | None:
    """What several places say of one thing if they agree, and otherwise what each says: that is no value of any spec."""
    values = list(places.values())
    if len(set(values)) == 1:
        return values[0]
    return ", ".join(f"{value or 'nothing'} ({place})" for place, value in places.items())


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
