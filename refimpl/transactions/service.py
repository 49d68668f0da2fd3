"""Two-phase commit as processes that talk: on sockets and disks, or in a simulator.

`two_phase_commit` says what a coordinator and a participant do with a message or a timeout. Here each of them gets what it
needs to run by itself: a log on its disk, messages as JSON, and patience. All of it comes through `env`, so the same coroutine
runs on a real machine and under virtual time.

What patience is for:

- A coordinator without all votes asks again, and gives up in the end. It may, for nothing is decided.
- A participant that has not voted leaves. One that has can only ask how it ended, again and again.

A message that cannot be read is passed over: it is of another program, or of another version, and the sender will ask again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import assert_never

from refimpl.runtime import interface
from refimpl.runtime.interface import Environment
from refimpl.runtime.log import DiskLog
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
    Vote,
)

AGAIN = 0.2
"""Seconds after which a coordinator asks again."""
PATIENCE = 2.0
"""Seconds after which a coordinator gives up, and a participant does what it can without an answer."""
STANDING = "standing"
"""The name under which processes tell what they know, after each message and each timeout."""


def written(message: Message) -> interface.Message:
    """A message as JSON."""
    match message:
        case Prepare():
            return {"type": "prepare"}
        case Vote(yes):
            return {"type": "vote", "yes": yes}
        case Decide(decision):
            return {"type": "decide", "decision": decision.value}
        case Ask():
            return {"type": "ask"}
    assert_never(message)


def read(message: interface.Message) -> Message:
    """The message that JSON stands for.

    Raises:
        ValueError: it stands for none.
    """
    match message:
        case {"type": "prepare"}:
            return Prepare()
        case {"type": "vote", "yes": bool() as yes}:
            return Vote(yes)
        case {"type": "decide", "decision": decision}:
            return Decide(Decision(decision))
        case {"type": "ask"}:
            return Ask()
    raise ValueError(f"no message of two-phase commit: {message}")


async def coordinate(
    env: Environment,
    participants: Sequence[Address],
    *,
    coordinator: type[Coordinator] = Coordinator,
    log: type[DiskLog] = DiskLog,
) -> None:
    """Runs the coordinator of one transaction, for as long as somebody may ask how it ended."""
    leader = coordinator(participants, log(env.disk), lambda to, message: env.send(to, written(message)))
    clock = asyncio.get_running_loop().time
    end = clock() + PATIENCE
    leader.begin()
    while True:
        env.trace(STANDING, log=leader.decision and leader.decision.value, agreed=sorted(leader.agreed))
        try:
            async with asyncio.timeout(AGAIN):
                sender, message = await env.receive()
        except TimeoutError:
            if clock() < end:
                leader.begin()
            else:
                leader.timeout()
            continue
        with suppress(ValueError):
            leader.receive(sender, read(message))
        leader.conclude()


async def take_part(
    env: Environment,
    coordinator: Address,
    resource: Resource,
    *,
    participant: type[Participant] = Participant,
    log: type[DiskLog] = DiskLog,
) -> None:
    """Runs a participant of one transaction."""
    follower = participant(coordinator, resource, log(env.disk), lambda to, message: env.send(to, written(message)))
    while True:
        env.trace(STANDING, state=follower.state.value)
        try:
            async with asyncio.timeout(PATIENCE):
                sender, message = await env.receive()
        except TimeoutError:
            follower.timeout()
            continue
        with suppress(ValueError):
            follower.receive(sender, read(message))
