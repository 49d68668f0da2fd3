"""Two-phase commit: all participants of a transaction commit it, or none of them does.

The protocol in four messages:

    coordinator                          participant
        | ---------- Prepare ---------------> |    can you commit?
        |                                     |    force "prepared" to the log
        | <--------- Vote(yes) -------------- |    yes, and I shall wait for you
    force "commit" to the log                 |
        | ---------- Decide(commit) --------> |
        |                                     |    force "committed" to the log

Why it is safe lies in two places. A participant that voted yes has given its right to abort away, so it writes that down
before it says so. And the coordinator's log is the only place where the decision is made: the instant in which `commit` is
on its disk is the instant in which the transaction is committed, whoever has heard of it. So each `force` below stands in
front of the `send` that tells of it, and that order is all there is to crash safety. It also tells the price. A participant
that is prepared can do nothing but ask, and if the coordinator never comes back, it holds its locks for ever.

**Processes and crashes.** A coordinator or participant is an object; what it knows beside its log it keeps in attributes,
and loses in a crash. A crash is simulated by dropping the object, and a restart by making a new one on the same log: the
constructor calls `recover`, which reads the log and sends nothing. Whoever waits for something has a timer and asks again.

**Messages.** They may be lost, late, repeated and reordered. A process is given `send(receiver, message)` and makes no other
use of the network. Whoever runs it calls `receive` for each message that arrives, `timeout` when a timer rings and, on a
coordinator, `conclude` when no more messages are waiting. None of these methods blocks or starts a thread, so the same
objects run under an event loop, in a test and in a simulator.

One pair of classes runs one transaction. A server keeps one such object for each transaction and adds its number to messages
and records.

Sources: J. Gray, "Notes on data base operating systems", 1978; P. Bernstein, V. Hadzilacos and N. Goodman, "Concurrency
control and recovery in database systems", 1987, chapter 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, assert_never

from refimpl.runtime.log import Log

Address = str


class Decision(Enum):
    """What the coordinator decides."""

    COMMIT = "commit"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Prepare:
    """From the coordinator: can you commit?"""


@dataclass(frozen=True, slots=True)
class Vote:
    """From a participant. A yes binds it."""

    yes: bool


@dataclass(frozen=True, slots=True)
class Decide:
    """From the coordinator: this is how it ended."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Ask:
    """From a participant that waits for the decision."""


Message = Prepare | Vote | Decide | Ask
Send = Callable[[Address, Message], None]


class Coordinator:
    """Leads one transaction.

    Its log holds one record, the decision. A coordinator without a decision in its log may still decide anything: nobody can
    have committed, for nobody was told to.
    """

    def __init__(self, participants: Iterable[Address], log: Log, send: Send) -> None:
        self.participants = tuple(participants)
        self.agreed: set[Address] = set()
        self.decision: Decision | None = None
        self._log = log
        self._send = send
        self.recover()

    def recover(self) -> None:
        """Takes up where the log ends. Votes that came before a crash are forgotten, and asked for again or given up."""
        records = self._log.records()
        self.decision = Decision(records[-1]) if records else None

    def begin(self) -> None:
        """Phase one. May be repeated, since requests get lost."""
        if self.decision is None:
            self._tell_all(Prepare())

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message."""
        match message:
            case Vote(yes):
                self._on_vote(sender, yes)
            case Ask():
                self._on_ask(sender)
            case Prepare() | Decide():
                raise ValueError(f"the coordinator got a message for participants: {message}")
            case _:
                assert_never(message)

    def conclude(self) -> None:
        """Phase two, once everyone has agreed.

        It is not part of `receive` so that votes which arrive together are counted together.
        """
        if self.decision is None and self.agreed == set(self.participants):
            self._decide(Decision.COMMIT)

    def timeout(self) -> None:
        """Votes are overdue: gives up, as it may for as long as nothing is decided."""
        if self.decision is None:
            self._decide(Decision.ABORT)

    def _on_vote(self, sender: Address, yes: bool) -> None:
        if self.decision is not None:
            return
        if yes:
            self.agreed.add(sender)
        else:
            self._decide(Decision.ABORT)

    def _on_ask(self, sender: Address) -> None:
        if self.decision is not None:
            self._send(sender, Decide(self.decision))

    def _decide(self, decision: Decision) -> None:
        self._log.force(decision.value)  # the transaction ends here; what follows is news of it
        self.decision = decision
        self._tell_all(Decide(decision))

    def _tell_all(self, message: Message) -> None:
        for participant in self.participants:
            self._send(participant, message)


class Resource(Protocol):
    """What a participant guards: a part of a database, say.

    `commit` and `rollback` are called again after a crash, and must then do nothing more.
    """

    def prepare(self) -> bool:
        """Makes sure that `commit` cannot fail any more, and tells whether it did."""

    def commit(self) -> None:
        """Makes the changes last."""

    def rollback(self) -> None:
        """Undoes the changes."""


class State(Enum):
    """How far a participant is. Every value but the first is also a record of its log."""

    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Participant:
    """Takes part in one transaction with one resource."""

    def __init__(self, coordinator: Address, resource: Resource, log: Log, send: Send) -> None:
        self.coordinator = coordinator
        self.state = State.WORKING
        self._resource = resource
        self._log = log
        self._send = send
        self.recover()

    def recover(self) -> None:
        """Takes up where the log ends, and repeats what a crash may have kept from happening to the resource."""
        records = self._log.records()
        self.state = State(records[-1]) if records else State.WORKING
        self._apply()

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message."""
        match message:
            case Prepare():
                self._on_prepare(sender)
            case Decide(decision):
                self._on_decide(decision)
            case Vote() | Ask():
                raise ValueError(f"a participant got a message for the coordinator: {message}")
            case _:
                assert_never(message)

    def timeout(self) -> None:
        """Nothing was heard for too long: leaves, if it has not voted yet, and otherwise can only ask."""
        if self.state is State.WORKING:
            self._become(State.ABORTED)
        elif self.state is State.PREPARED:
            self._send(self.coordinator, Ask())

    def abort_by_hand(self) -> None:
        """An operator frees the locks of a transaction in doubt.

        Known as a heuristic decision. It breaks the vote that was given, and somebody has to clean up if the decision turns
        out to be the other one.
        """
        if self.state is State.PREPARED:
            self._become(State.ABORTED)

    def _on_prepare(self, sender: Address) -> None:
        if self.state is not State.WORKING:
            return
        if self._resource.prepare():
            self._become(State.PREPARED)
            self._send(sender, Vote(yes=True))
        else:
            self._become(State.ABORTED)
            self._send(sender, Vote(yes=False))

    def _on_decide(self, decision: Decision) -> None:
        if self.state in (State.COMMITTED, State.ABORTED):
            return
        self._become(State.COMMITTED if decision is Decision.COMMIT else State.ABORTED)

    def _become(self, state: State) -> None:
        self._log.force(state.value)
        self.state = state
        self._apply()

    def _apply(self) -> None:
        if self.state is State.COMMITTED:
            self._resource.commit()
        elif self.state is State.ABORTED:
            self._resource.rollback()
