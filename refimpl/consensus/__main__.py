"""One process of a protocol of consensus, on a real machine.

    python -m refimpl.consensus raft n1 --folder data/n1 --member n1 n2 n3 \
        --place n1=127.0.0.1:7001 n2=127.0.0.1:7002 n3=127.0.0.1:7003 c1=127.0.0.1:7004

Members take part; places are where they and their clients listen. A process serves until it is killed, and takes up what its
folder holds when it is started again.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from refimpl.consensus import paxos_service, raft_service
from refimpl.runtime.interface import Environment
from refimpl.runtime.tcp import Place, tcp_environment

Serve = Callable[[Environment, Sequence[str]], Awaitable[None]]
PROTOCOLS: dict[str, Serve] = {"paxos": paxos_service.serve, "raft": raft_service.serve}


def place(text: str) -> tuple[str, Place]:
    """`n1=127.0.0.1:7001` as a name and its place."""
    name, _, address = text.partition("=")
    host, _, port = address.rpartition(":")
    if not name or not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no place: write NAME=HOST:PORT")
    return name, (host, int(port))


async def run(protocol: str, name: str, members: Sequence[str], places: dict[str, Place], folder: Path) -> None:
    """Serves until it is cancelled."""
    async with tcp_environment(name, places, folder) as env:
        await PROTOCOLS[protocol](env, members)


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m refimpl.consensus", description="one process of a protocol")
    parser.add_argument("protocol", choices=PROTOCOLS)
    parser.add_argument("name", help="which of the members it is")
    parser.add_argument("--member", nargs="+", required=True, help="all who take part")
    parser.add_argument("--place", nargs="+", type=place, required=True, help="NAME=HOST:PORT of members and clients")
    parser.add_argument("--folder", type=Path, required=True, help="its disk")
    options = parser.parse_args()
    places = dict(options.place)
    for name in (options.name, *options.member):
        if name not in places:
            parser.error(f"{name} has no place: add --place {name}=HOST:PORT")
    asyncio.run(run(options.protocol, options.name, options.member, places, options.folder))


if __name__ == "__main__":
    main()
