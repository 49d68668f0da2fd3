"""Three-phase commit: nobody waits for a coordinator that is gone.

In two-phase commit, a participant that voted yes and hears nothing more is stuck. The coordinator may have committed and told
somebody, or not, and that somebody may be gone as well. Three-phase commit puts one round of messages between the votes and
the decision:

    coordinator                          participant
        | ---------- Prepare ---------------> |    force "prepared" to the log
        | <--------- Vote(yes) -------------- |
    force "ready" to the log                  |
        | ---------- PreCommit -------------> |    now I know that all voted yes
        | <--------- Ack -------------------- |
    force "commit" to the log                 |
        | ---------- Decide(commit) --------> |    force "committed" to the log

Nobody commits before everybody who is alive knows that all have voted yes. So the survivors of a crash can find out what may
have happened: if none of them knows of the votes, nobody has committed, and if one of them does, nobody has aborted.

**Termination.** When the coordinator is gone, the first participant that is alive leads. It asks the others how far they are
(`Inquire`, `Report`). If none is ready, it aborts. If one is, it makes all of them ready, waits for their acknowledgements as
the coordinator would have, and commits. Should it fail, the next one begins again, and whoever has reported to that one no
longer listens to those before: a message of the dead may still be on its way. Acting without this protocol, each by what
it knows itself, splits the outcome when a crash comes between two messages of one round.

**Who was down has no say.** The others may have gone on without it. So a process that restarts announces itself, is waited for
no more, and asks for the outcome (`Ask`). If all were down, all of them ask, and the protocol blocks after all. That a
participant is ready is for the same reason not logged: who forgets it has no say any more.

**What it stands on.** Someone has to tell a process that another one is down, and must never be wrong: `suspect` is called when
the other one has failed and all that it sent has arrived. Time-outs tell that only where delays have a bound. A network that
splits makes both sides think that the other one is dead, and they may decide differently. Where that can happen, use a
consensus protocol.

Processes, crashes and messages are as in `two_phase_commit`: an object for each process, what it knows beside its log is lost
with it, and a restart is a new object on the old log, followed by a call of `restart`. Messages may be late, repeated and
reordered. `conclude` is called when no more messages are waiting.

Sources: D. Skeen, "Nonblocking commit protocols", 1981; P. Bernstein, V. Hadzilacos and N. Goodman, "Concurrency control and
recovery in database systems", 1987, chapter 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from refimpl.runtime.log import Log
from refimpl.transactions.two_phase_commit import Address, Decide, Decision, Prepare, Resource, State, Vote


@dataclass(frozen=True, slots=True)
class PreCommit:
    """From a leader: all have voted yes."""


@dataclass(frozen=True, slots=True)
class Ack:
    """To a leader: I know that all have voted yes."""


@dataclass(frozen=True, slots=True)
class Inquire:
    """From a new leader: how far are you?"""


@dataclass(frozen=True, slots=True)
class Report:
    """To a new leader, from someone who has no outcome."""

    ready: bool
    """Whether it knows that all have voted yes."""


@dataclass(frozen=True, slots=True)
class Ask:
    """From someone who was down: I am back, and how did it end?"""


Message = Prepare | Vote | PreCommit | Ack | Decide | Inquire | Report | Ask
Send = Callable[[Address, Message], None]

READY = "ready"
"""The record of a coordinator that may have told somebody of the votes."""

OUTCOMES = {State.COMMITTED: Decision.COMMIT, State.ABORTED: Decision.ABORT}
STATES = {decision: state for state, decision in OUTCOMES.items()}


class Duty(Enum):
    """What a process does for the others. Leaders collect votes or reports first, and then complete the transaction."""

    FOLLOWS = "follows"
    COLLECTS = "collects"
    COMPLETES = "completes"
    LOOKS_ON = "looks_on"


class Coordinator:
    """Leads one transaction, until it fails."""

    def __init__(self, participants: Iterable[Address], log: Log, send: Send) -> None:
        self.participants = tuple(participants)
        self.duty = Duty.COLLECTS
        self.heard: set[Address] = set()
        self.gone: set[Address] = set()
        self._log = log
        self._send = send
        records = log.records()
        self.ready = READY in records
        self.decision = Decision(records[-1]) if records and records[-1] != READY else None

    def restart(self) -> None:
        """Takes up where the log ends. It leads no more: the participants may have decided by themselves.

        If nobody can have been told of the votes, nobody can have committed.
        """
        self.duty = Duty.LOOKS_ON
        if self.decision is None and not self.ready:
            self._record(Decision.ABORT)
        self._announce()

    def begin(self) -> None:
        """Phase one. May be repeated."""
        if self.decision is None and self.duty is Duty.COLLECTS:
            self._tell_all(Prepare())

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message."""
        match message:
            case Vote(yes):
                self._on_vote(sender, yes)
            case Ack():
                self._on_ack(sender)
            case Ask():
                self._on_ask(sender)
            case Decide(decision):
                self._on_decide(decision)
            case Prepare() | PreCommit() | Inquire() | Report():
                raise ValueError(f"the coordinator got a message for participants: {message}")
            case _:
                assert_never(message)

    def conclude(self) -> None:
        """Phase two, once everyone has agreed; phase three, once everyone who is left knows that."""
        if self.decision is not None:
            return
        if self.duty is Duty.COLLECTS and self.heard == set(self.participants):
            self._pre_commit()
        elif self.duty is Duty.COMPLETES and self.heard | self.gone == set(self.participants):
            self._decide(Decision.COMMIT)

    def timeout(self) -> None:
        """Votes are overdue: gives up, as it may for as long as nobody was told of them. Or an answer is: asks again."""
        if self.decision is None and self.duty is Duty.COLLECTS:
            self._decide(Decision.ABORT)
        elif self.decision is None and self.duty is Duty.LOOKS_ON:
            self._announce()

    def suspect(self, participant: Address) -> None:
        """A participant is down, and nothing of it is on its way."""
        self.gone.add(participant)

    def _on_vote(self, sender: Address, yes: bool) -> None:
        if self.decision is not None or self.duty is not Duty.COLLECTS:
            return
        if yes:
            self.heard.add(sender)
        else:
            self._decide(Decision.ABORT)

    def _on_ack(self, sender: Address) -> None:
        if self.decision is None and self.duty is Duty.COMPLETES:
            self.heard.add(sender)

    def _on_ask(self, sender: Address) -> None:
        self.gone.add(sender)
        if self.decision is not None:
            self._send(sender, Decide(self.decision))

    def _on_decide(self, decision: Decision) -> None:
        if self.decision is None:
            self._record(decision)

    def _pre_commit(self) -> None:
        self.duty = Duty.COMPLETES
        self.heard.clear()
        self._log.force(READY)  # from here on, it may no longer abort after a crash
        self.ready = True
        self._tell_all(PreCommit())

    def _announce(self) -> None:
        self._tell_all(Ask() if self.decision is None else Decide(self.decision))

    def _decide(self, decision: Decision) -> None:
        self._record(decision)
        self._tell_all(Decide(decision))

    def _record(self, decision: Decision) -> None:
        self._log.force(decision.value)
        self.decision = decision

    def _tell_all(self, message: Message) -> None:
        for participant in self.participants:
            self._send(participant, message)


class Participant:
    """Takes part in one transaction with one resource, and leads it if everyone who would come first is gone.

    Args:
        participants: all of them, in the order in which they come to lead.
    """

    def __init__(
        self,
        name: Address,
        participants: Sequence[Address],
        coordinator: Address,
        resource: Resource,
        log: Log,
        send: Send,
    ) -> None:
        self.name = name
        self.coordinator = coordinator
        self.others = tuple(participant for participant in participants if participant != name)
        self.ready = False
        self.leader = coordinator
        self.duty = Duty.FOLLOWS
        self.heard: set[Address] = set()
        self.gone: set[Address] = set()
        self._rank = {leader: rank for rank, leader in enumerate((coordinator, *participants))}
        self._resource = resource
        self._log = log
        self._send = send
        records = log.records()
        self.state = State(records[-1]) if records else State.WORKING
        self._apply()

    @property
    def outcome(self) -> Decision | None:
        """How the transaction ended, if it has."""
        return OUTCOMES.get(self.state)

    def restart(self) -> None:
        """Takes up where the log ends. Nobody can have committed without its vote; after that, it can only ask."""
        self.duty = Duty.LOOKS_ON
        if self.state is State.WORKING:
            self._become(State.ABORTED)
        self._announce()

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message."""
        match message:
            case Prepare():
                self._on_prepare(sender)
            case PreCommit():
                self._on_pre_commit(sender)
            case Decide(decision):
                self._on_decide(decision)
            case Inquire():
                self._on_inquire(sender)
            case Report(ready):
                self._on_report(sender, ready)
            case Ack():
                self._on_ack(sender)
            case Ask():
                self._on_ask(sender)
            case Vote():
                raise ValueError(f"a participant got a message for the coordinator: {message}")
            case _:
                assert_never(message)

    def conclude(self) -> None:
        """Leads as far as possible: takes over, or goes on once everyone who is left has answered."""
        match self.duty:
            case Duty.FOLLOWS:
                if self._comes_next():
                    self._take_over()
            case Duty.COLLECTS:
                if self.outcome is None and self._answered():
                    self._settle()
            case Duty.COMPLETES:
                if self.outcome is None and self._answered():
                    self._decide(Decision.COMMIT)
            case Duty.LOOKS_ON:
                pass

    def timeout(self) -> None:
        """Nothing was heard for too long: leaves, if it has not voted and no new leader has begun to ask; or asks again."""
        if self.state is State.WORKING and self.leader == self.coordinator:
            self._become(State.ABORTED)
        elif self.outcome is None and self.duty is Duty.LOOKS_ON:
            self._announce()

    def suspect(self, process: Address) -> None:
        """The coordinator or a participant is down, and nothing of it is on its way."""
        self.gone.add(process)

    def _comes_next(self) -> bool:
        before = {leader for leader, rank in self._rank.items() if rank < self._rank[self.name]}
        return self.leader != self.name and before <= self.gone

    def _answered(self) -> bool:
        return set(self.others) <= self.heard | self.gone

    def _take_over(self) -> None:
        self.leader = self.name
        if self.outcome is not None:
            self._tell_others(Decide(self.outcome))
        else:
            self.duty = Duty.COLLECTS
            self._tell_others(Inquire())

    def _settle(self) -> None:
        """All survivors have reported."""
        if self.ready:
            self.duty = Duty.COMPLETES
            self.heard.clear()
            self._tell_others(PreCommit())
        else:
            self._decide(Decision.ABORT)

    def _on_prepare(self, sender: Address) -> None:
        if self.state is not State.WORKING or self.leader != sender:
            return
        if self._resource.prepare():
            self._become(State.PREPARED)
            self._send(sender, Vote(yes=True))
        else:
            self._become(State.ABORTED)
            self._send(sender, Vote(yes=False))

    def _on_pre_commit(self, sender: Address) -> None:
        if self.leader != sender or self.duty is Duty.LOOKS_ON:
            return
        if self.outcome is None:
            self.ready = True
            self._send(sender, Ack())
        elif sender != self.coordinator:
            self._send(sender, Decide(self.outcome))

    def _on_decide(self, decision: Decision) -> None:
        if self.outcome is None:
            self._become(STATES[decision])
            if self.leader == self.name:
                self._tell_others(Decide(decision))

    def _on_inquire(self, sender: Address) -> None:
        if self.duty is Duty.LOOKS_ON or self._rank[sender] <= self._rank[self.leader]:
            return
        self.leader = sender
        self.duty = Duty.FOLLOWS
        self._send(sender, Report(self.ready) if self.outcome is None else Decide(self.outcome))

    def _on_report(self, sender: Address, ready: bool) -> None:
        if self.outcome is None and self.duty is Duty.COLLECTS:
            self.heard.add(sender)
            self.ready = self.ready or ready

    def _on_ack(self, sender: Address) -> None:
        if self.outcome is None and self.duty is Duty.COMPLETES:
            self.heard.add(sender)

    def _on_ask(self, sender: Address) -> None:
        self.gone.add(sender)
        if self.outcome is not None:
            self._send(sender, Decide(self.outcome))

    def _announce(self) -> None:
        if self.outcome is not None:
            self._tell_others(Decide(self.outcome))
        else:
            self._tell_others(Ask())
            self._send(self.coordinator, Ask())

    def _decide(self, decision: Decision) -> None:
        self._become(STATES[decision])
        self._tell_others(Decide(decision))

    def _become(self, state: State) -> None:
        self._log.force(state.value)
        self.state = state
        self._apply()

    def _apply(self) -> None:
        if self.state is State.COMMITTED:
            self._resource.commit()
        elif self.state is State.ABORTED:
            self._resource.rollback()

    def _tell_others(self, message: Message) -> None:
        for participant in self.others:
            self._send(participant, message)
