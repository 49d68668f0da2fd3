"""Mistakes that are easily made with prepared transactions, and what finds each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import pytest

from checker.conformance.simulate.simulation import ProcessFailed
from refimpl.transactions import branches
from refimpl.transactions import branches_mistakes as wrong
from refimpl.transactions.branches import Branch, MariaBranch, PostgresBranch
from refimpl.transactions.branches_mistakes import MISTAKES, Part
from refimpl.transactions.two_phase_commit import Address, Coordinator, Participant
from tests.refimpl.bank import MOVE, Bank, Make
from tests.refimpl.test_databases import MAKES, STRIKES, replayed, transfer

# ---- who finds them


def over(kind: type[Branch]) -> Mapping[Address, Make]:
    """The two databases, one of them with this kind of branch."""

    def make(bank: Bank, name: str, change: int) -> Branch:
        work = [(MOVE, (change,))]
        if issubclass(kind, PostgresBranch):
            return kind(bank.postgres, name, work)
        assert issubclass(kind, MariaBranch)
        return kind(bank.mariadb, bank.open_mariadb, name, work)

    return {**MAKES, "RM0" if issubclass(kind, PostgresBranch) else "RM1": make}


def by_replay(bank: Bank, kind: type[Part]) -> bool:
    if issubclass(kind, Branch):
        return replayed(bank, makes=over(kind)).mismatch is not None
    raise AssertionError(f"{kind.__name__} shows in crashes alone")


def by_crashes(bank: Bank, kind: type[Part]) -> bool:
    makes = over(kind) if issubclass(kind, Branch) else MAKES
    coordinator = kind if issubclass(kind, Coordinator) else Coordinator
    part = kind if issubclass(kind, Participant) else Participant
    for strike in STRIKES:
        try:
            if not transfer(bank, strike, makes=makes, coordinator=coordinator, part=part).atomic:
                return True
        except ProcessFailed:
            return True
    return False


def by_questions(bank: Bank, kind: type[Part]) -> bool:
    """By what is asked of a single branch."""
    assert issubclass(kind, Branch)
    make = next(make for who, make in over(kind).items() if make is not MAKES[who])
    name = bank.transaction()
    repeats = make(bank, name, 1).prepare() and make(bank, name, 1).prepare()
    make(bank, name, 1).rollback()
    try:
        make(bank, name, 1).commit()
    except branches.BranchLost:
        return not repeats
    return True


Finds = Callable[[Bank, type[Part]], bool]


@dataclass(frozen=True, slots=True)
class Caught:
    """A mistake, and what finds it."""

    mistake: type[Part]
    by: Literal["replay", "crashes", "questions"]


CAUGHT = [
    Caught(wrong.CommitsInPhaseOne, "replay"),
    Caught(wrong.OnePhase, "replay"),
    Caught(wrong.OnlySaysSo, "replay"),
    Caught(wrong.ForgetsToPrepare, "replay"),
    Caught(wrong.GoesOnAfterAnError, "replay"),
    Caught(wrong.NeverRollsBack, "replay"),
    Caught(wrong.NamesItselfTooEarly, "replay"),
    Caught(wrong.KeepsItsSession, "replay"),
    Caught(wrong.OneNameForAll, "replay"),
    Caught(wrong.CommitsOnlyOnce, "crashes"),
    Caught(wrong.VotesBeforeItPrepares, "crashes"),
    Caught(wrong.TellsBeforeItLogs, "crashes"),
    Caught(wrong.RepeatsTheWork, "questions"),
    Caught(wrong.TakesNothingForDone, "questions"),
]
FINDERS: dict[str, Finds] = {"replay": by_replay, "crashes": by_crashes, "questions": by_questions}


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake.__name__)
def test_mistake_is_caught(both: Bank, caught: Caught, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "ATTEMPTS", 200)
    assert FINDERS[caught.by](both, caught.mistake)


def test_every_mistake_is_looked_for() -> None:
    assert {caught.mistake for caught in CAUGHT} == {*MISTAKES}


@pytest.mark.parametrize("kind", [PostgresBranch, MariaBranch])
def test_right_answers_to_questions(both: Bank, kind: type[Branch]) -> None:
    """That replays and crashes find nothing in what is right is tested beside them."""
    assert not by_questions(both, kind)
