"""Two-phase commit as its users meet it: on real logs, over a network that forgets nothing and one that loses things."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from refimpl.runtime.log import FileLog, Log, MemoryLog
from refimpl.transactions.two_phase_commit import (
    Ask,
    Coordinator,
    Decide,
    Decision,
    Message,
    Participant,
    Prepare,
    Send,
    State,
    Vote,
)


class Account:
    """Money that a transaction wants to move."""

    def __init__(self, balance: int, change: int) -> None:
        self.balance = balance
        self._after = balance + change
        self.ended = False

    def prepare(self) -> bool:
        return self._after >= 0

    def commit(self) -> None:
        self.balance = self._after
        self.ended = True

    def rollback(self) -> None:
        self.ended = True


class Bank:
    """A coordinator, two accounts, and the messages between them, delivered in the order in which they were sent."""

    def __init__(self, logs: dict[str, Log], *, alice: int = 10) -> None:
        self.logs = logs
        self.accounts = {"alice": Account(alice, -5), "bob": Account(0, 5)}
        self.mail: deque[tuple[str, str, Message]] = deque()
        self.coordinator = self.boot_coordinator()
        self.participants = {name: self.boot(name) for name in self.accounts}

    def boot_coordinator(self) -> Coordinator:
        return Coordinator(tuple(self.accounts), self.logs["coordinator"], self.sender("coordinator"))

    def boot(self, name: str) -> Participant:
        return Participant("coordinator", self.accounts[name], self.logs[name], self.sender(name))

    def sender(self, name: str) -> Send:
        return lambda receiver, message: self.mail.append((name, receiver, message))

    def run(self) -> None:
        while self.mail:
            sender, receiver, message = self.mail.popleft()
            if receiver == "coordinator":
                self.coordinator.receive(sender, message)
            else:
                self.participants[receiver].receive(sender, message)
            if not self.mail:
                self.coordinator.conclude()

    @property
    def balances(self) -> tuple[int, int]:
        return self.accounts["alice"].balance, self.accounts["bob"].balance

    @property
    def states(self) -> tuple[State, State]:
        return self.participants["alice"].state, self.participants["bob"].state


def memory() -> dict[str, Log]:
    return {name: MemoryLog() for name in ("coordinator", "alice", "bob")}


def files(folder: Path) -> dict[str, Log]:
    return {name: FileLog(folder / name) for name in ("coordinator", "alice", "bob")}


def test_money_moves() -> None:
    bank = Bank(memory())
    bank.coordinator.begin()
    bank.run()
    assert bank.balances == (5, 5)
    assert bank.coordinator.decision is Decision.COMMIT


def test_one_no_stops_it() -> None:
    bank = Bank(memory(), alice=3)
    bank.coordinator.begin()
    bank.run()
    assert bank.balances == (3, 0)
    assert bank.states == (State.ABORTED, State.ABORTED)


def test_late_vote_is_given_up() -> None:
    bank = Bank(memory())
    bank.coordinator.begin()
    bank.mail.pop()
    bank.run()
    assert bank.states == (State.PREPARED, State.WORKING)
    bank.coordinator.timeout()
    bank.run()
    assert bank.states == (State.ABORTED, State.ABORTED)


def test_logs_may_be_files(tmp_path: Path) -> None:
    bank = Bank(files(tmp_path))
    bank.coordinator.begin()
    bank.run()
    assert bank.coordinator.decision is Decision.COMMIT
    assert bank.balances == (5, 5)


def test_everyone_crashes_after_the_decision_and_finds_out(tmp_path: Path) -> None:
    bank = Bank(files(tmp_path))
    bank.coordinator.begin()
    for sender, receiver, message in [bank.mail.popleft(), bank.mail.popleft()]:
        bank.participants[receiver].receive(sender, message)
    for sender, _, message in [bank.mail.popleft(), bank.mail.popleft()]:
        bank.coordinator.receive(sender, message)
    bank.coordinator.conclude()
    assert [message for _, _, message in bank.mail] == [Decide(Decision.COMMIT)] * 2

    bank.mail.clear()  # the power fails: what was not on a disk is gone
    after = Bank(files(tmp_path))
    assert after.states == (State.PREPARED, State.PREPARED)
    for participant in after.participants.values():
        participant.timeout()
    assert [message for _, _, message in after.mail] == [Ask(), Ask()]
    after.run()
    assert after.balances == (5, 5)


def test_restart_repeats_what_the_resource_may_have_missed() -> None:
    logs = memory()
    logs["alice"].force("prepared")
    logs["alice"].force("committed")
    bank = Bank(logs)
    assert bank.accounts["alice"].balance == 5
    assert bank.accounts["alice"].ended


def test_prepared_participant_waits_and_asks() -> None:
    bank = Bank(memory())
    alice = bank.participants["alice"]
    alice.receive("coordinator", Prepare())
    bank.mail.clear()
    alice.timeout()
    assert alice.state is State.PREPARED
    assert list(bank.mail) == [("alice", "coordinator", Ask())]
    bank.run()
    assert not bank.mail, "there is no decision to tell of"


def test_operator_may_abort_by_hand_what_is_in_doubt() -> None:
    bank = Bank(memory())
    alice = bank.participants["alice"]
    alice.abort_by_hand()
    assert bank.states == (State.WORKING, State.WORKING)
    alice.receive("coordinator", Prepare())
    alice.abort_by_hand()
    alice.receive("coordinator", Decide(Decision.COMMIT))
    assert alice.state is State.ABORTED


def test_messages_for_the_other_side_are_refused() -> None:
    bank = Bank(memory())
    with pytest.raises(ValueError, match="message for participants"):
        bank.coordinator.receive("alice", Prepare())
    with pytest.raises(ValueError, match="message for the coordinator"):
        bank.participants["alice"].receive("bob", Vote(yes=True))


# ---- logs


def test_file_log_keeps_its_records(tmp_path: Path) -> None:
    log = FileLog(tmp_path / "log")
    assert log.records() == ()
    log.force("prepared")
    log.force("committed")
    assert FileLog(tmp_path / "log").records() == ("prepared", "committed")


def test_file_log_drops_a_record_that_a_crash_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"prepared\ncommi")
    log = FileLog(path)
    assert log.records() == ("prepared",)
    log.force("aborted")
    assert path.read_bytes() == b"prepared\naborted\n"


def test_record_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one line"):
        FileLog(tmp_path / "log").force("two\nlines")
