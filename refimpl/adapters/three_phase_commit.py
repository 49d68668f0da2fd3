"""Three-phase commit held to `specs/transactions/three_phase_commit.psm`.

Most steps of the spec are one call, and those in which a leader goes on are all the same one. A vote depends on the database
behind a participant, and the adapter tells that database which answer to give. The implementation says in one word what the spec
has two flags for: whether a process leads, and whether it looks on.

The failure detector is the adapter's part, since no process can be its own. The spec's detector is perfect: it speaks up when a
process is cut off, or when it is down and no message of it could make a difference any more. Whether one could is found out by
giving it to a copy of the process that would receive it. When the detector has to stay silent, the step is refused.

A process that is down has no memory to look at, so what it would hold there is unseen until it restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

from checker.conformance.adapter import UNSEEN, Adapter, Instance, Mistake, Observation, Refused
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.three_phase_commit_scenes import SCENES
from refimpl.adapters.two_phase_commit import Database
from refimpl.adapters.world import Disk, Letter, World, node_of, unanimous
from refimpl.runtime.log import Log, MemoryLog
from refimpl.transactions.three_phase_commit import (
    READY,
    Ack,
    Ask,
    Coordinator,
    Duty,
    Inquire,
    Message,
    Participant,
    PreCommit,
    Report,
    Send,
)
from refimpl.transactions.three_phase_commit_mistakes import MISTAKES
from refimpl.transactions.two_phase_commit import Address, Decide, Decision, Prepare, State, Vote

COORDINATOR = "TM"

MakeCoordinator = Callable[[Sequence[Address], Log, Send], Coordinator]
MakeParticipant = Callable[[Address, Sequence[Address], Address, Database, Log, Send], Participant]


class ThreePhaseCommit(Adapter):
    """Drives one coordinator and N participants. Other classes than the real ones may be put in their place, by tests."""

    checks = ("small", "gone", "three", "survivor", "recovery", "nobody_left", "lossy", "mistaken", "partition")
    smaller = (Instance("recovery", {"N": 1}),)
    scenes = SCENES
    unsupported = ("RM.Alone",)

    def __init__(
        self,
        machine: Machine,
        *,
        coordinator: MakeCoordinator = Coordinator,
        participant: MakeParticipant = Participant,
    ) -> None:
        super().__init__(machine)
        self._make_coordinator = coordinator
        self._make_participant = participant
        self.participants = self.instances("RM")
        self.everyone = (COORDINATOR, *self.participants)
        self.world: World[Message] = World(self.everyone, self._written)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        def wrong(mistake: type[Coordinator | Participant]) -> Callable[[Machine], Adapter]:
            if issubclass(mistake, Coordinator):
                return lambda machine: cls(machine, coordinator=mistake)
            return lambda machine: cls(machine, participant=mistake)

        return {mistake.__name__: Mistake.of(mistake, wrong(mistake)) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.world.begin()
        self.disks = {name: Disk(self.world, name) for name in self.everyone}
        self.databases = {name: Database() for name in self.participants}
        self.processes: dict[Address, Coordinator | Participant] = {}
        self.status = dict.fromkeys(self.everyone, "up")
        self.side: frozenset[object] = frozenset()
        self.tried: list[Letter[Message]] | None = None
        for name in self.everyone:
            self._boot(name)

    def _boot(self, name: Address) -> None:
        disk = self.disks[name]

        def send(receiver: Address, message: Message) -> None:
            letter = Letter(name, receiver, message)
            if self.status[receiver] == "stopped":
                return
            if self.tried is None:
                self.world.post(letter)
            else:
                self.tried.append(letter)

        if name == COORDINATOR:
            self.processes[name] = self._make_coordinator(self.participants, disk, send)
        else:
            self.processes[name] = self._make_participant(
                name, self.participants, COORDINATOR, self.databases[name], disk, send
            )

    # ---- the steps

    def _coordinator(self) -> Coordinator:
        process = self.processes[COORDINATOR]
        assert isinstance(process, Coordinator)
        return process

    @step("TM.Begin")
    def begin_voting(self, event: Event) -> None:
        self._coordinator().begin()

    @step("TM.PreCommit", "TM.Commit", "RM.TakeOver", "RM.Settle", "RM.Commit")
    def conclude(self, event: Event) -> None:
        self.processes[node_of(event)].conclude()

    @step("TM.GiveUp", "TM.AskAgain", "RM.Quit", "RM.AskAgain")
    def lose_patience(self, event: Event) -> None:
        self.processes[node_of(event)].timeout()

    @step("TM.Miss", "RM.Miss", "RM.MissTM")
    def miss(self, event: Event) -> None:
        if not self._silent(node_of(event), whom(event)):
            raise Refused(f"{whom(event)} is not silent")
        self.suspect(event)

    @step("TM.Suspect", "RM.Suspect", "RM.SuspectTM")
    def suspect(self, event: Event) -> None:
        self.processes[node_of(event)].suspect(whom(event))

    @step("RM.Prepare")
    def ask_to_prepare(self, event: Event) -> None:
        self.databases[node_of(event)].can_commit = event.branches == (0,)
        self.deliver(event)

    @step(
        "TM.Vote",
        "TM.Ack",
        "TM.Ask",
        "TM.Decide",
        "RM.PreCommit",
        "RM.Decide",
        "RM.Inquire",
        "RM.Report",
        "RM.Ack",
        "RM.Ask",
    )
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

    @step("TM.restart", "RM.restart")
    def restart(self, event: Event) -> None:
        name = node_of(event)
        self.status[name] = "up"
        self._boot(name)
        self.processes[name].restart()

    @step("cut", "heal")
    def cut(self, event: Event) -> None:
        side = event.args["side"]
        assert isinstance(side, list)
        self.side = frozenset(side if event.kind == "cut" else ())

    @step("lose")
    def lose(self, event: Event) -> None:
        for letter in [letter for letter, text in self.world.letters.items() if text == event.args["message"]]:
            del self.world.letters[letter]

    # ---- the failure detector

    def _silent(self, me: Address, other: Address) -> bool:
        """Whether one process can hear nothing of another one any more that would make a difference."""
        if (me in self.side) != (other in self.side):
            return True
        return self.status[other] != "up" and not any(
            self._matters(letter) for letter in self.world.letters if (letter.sender, letter.receiver) == (other, me)
        )

    def _matters(self, letter: Letter[Message]) -> bool:
        """Whether a message would change anything: its receiver, or what is on its way."""
        name = letter.receiver
        process, log = self.processes[name], MemoryLog(self.disks[name].records())
        surroundings: dict[int, object] = {id(self.disks[name]): log}
        if name in self.databases:
            surroundings[id(self.databases[name])] = Database()
        copy, self.tried = deepcopy(process, surroundings), []
        copy.receive(letter.sender, letter.message)
        tried, self.tried = self.tried, None
        return memory(copy) != memory(process) or any(sent not in self.world.letters for sent in tried)

    # ---- what can be seen

    def observe(self) -> Observation:
        seen: dict[str, object] = {NETWORK: self.world.network}
        for name in self.everyone:
            seen.update(self._of_coordinator() if name == COORDINATOR else self._of_participant(name))
        for role in ("TM", "RM"):
            if self.can_fall(role):
                seen.update({f"{name}.status": self.status[name] for name in self.instances(role)})
        if any(budget.kind == "cut" for budget in self.machine.budgets):
            seen["cut"] = sorted(map(str, self.side))
        return seen

    def _of_coordinator(self) -> Mapping[str, object]:
        process, records = self.processes.get(COORDINATOR), self.world.disks[COORDINATOR]
        ready, written = READY in records, records[-1] if records and records[-1] != READY else None
        if not isinstance(process, Coordinator):
            unseen = dict.fromkeys(("TM.back", "TM.heard", "TM.gone"), UNSEEN)
            return {"TM.ready": ready, "TM.log": written, **unseen}
        return {
            "TM.ready": unanimous(memory=process.ready, disk=ready),
            "TM.log": unanimous(memory=process.decision and process.decision.value, disk=written),
            "TM.back": process.duty is Duty.LOOKS_ON,
            "TM.heard": sorted(process.heard),
            "TM.gone": sorted(process.gone),
        }

    def _of_participant(self, name: Address) -> Mapping[str, object]:
        process, records = self.processes.get(name), self.world.disks[name]
        written = records[-1] if records else State.WORKING.value
        if not isinstance(process, Participant):
            hidden = ("ready", "leader", "back", "completes", "heard", "gone", "orphan")
            return {f"{name}.state": written, **dict.fromkeys((f"{name}.{field}" for field in hidden), UNSEEN)}
        places = {"memory": process.state.value, "disk": written, **self.databases[name].shows(process.state)}
        return {
            f"{name}.state": unanimous(**places),
            f"{name}.ready": process.ready,
            f"{name}.leader": None if process.leader == COORDINATOR else process.leader,
            f"{name}.back": process.duty is Duty.LOOKS_ON,
            f"{name}.completes": process.duty is Duty.COMPLETES,
            f"{name}.heard": sorted(process.heard),
            f"{name}.gone": sorted(process.gone - {COORDINATOR}),
            f"{name}.orphan": COORDINATOR in process.gone,
        }

    def _written(self, letter: Letter[Message]) -> str:
        sender, receiver = letter.sender, letter.receiver
        match letter.message:
            case Vote(yes):
                return self.letter(sender, receiver, "Vote", yes=yes)
            case Decide(decision):
                return self.letter(sender, receiver, "Decide", decision=decision.value)
            case Report(ready):
                return self.letter(sender, receiver, "Report", ready=ready)
            case Prepare() | PreCommit() | Ack() | Inquire() | Ask() as message:
                return self.letter(sender, receiver, type(message).__name__)


def memory(process: Coordinator | Participant) -> Sequence[object]:
    """Everything that a process knows."""
    common = process.duty, process.heard, process.gone, process.ready
    if isinstance(process, Coordinator):
        return *common, process.decision
    return *common, process.state, process.leader


def whom(event: Event) -> Address:
    """Who is taken for dead."""
    return str(event.args["r"]) if event.args else COORDINATOR


def message_of(event: Event) -> Message:
    """The message of an event, as the implementation has it."""
    match event.name:
        case "Vote":
            return Vote(yes=event.args["yes"] is True)
        case "Decide":
            return Decide(Decision(event.args["decision"]))
        case "Report":
            return Report(ready=event.args["ready"] is True)
        case "PreCommit":
            return PreCommit()
        case "Ack":
            return Ack()
        case "Inquire":
            return Inquire()
        case "Ask":
            return Ask()
    return Prepare()
