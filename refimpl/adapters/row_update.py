"""Updates of one row held to `specs/locks/row_update.psm`, in a real PostgreSQL and a real MariaDB at once.

Each step of the spec is carried out in both databases, by clients of their own with sessions of their own, and what is seen has
to be the same in both. Amount, owner, version and locks are what the databases say; see `row_places` for how they are asked who
has locked a row, and why no session ever waits.

A client that crashes is forgotten, and its connection stays open: that is how it looks to a server until it notices. `End` and
`EndLate` close the connection, and wait until the database has let the locks go.

An update is one step of the spec, in which nobody else comes between; so it has to be one statement, which is counted. Whether
a deposit has been made is what the client says; whether it should have been is known by the amount that is due then.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from checker.conformance.adapter import Adapter, Instance, Mistake, Observation, Refused
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.row_places import PATIENCE, Driven, InMariaDB, InPostgres, Place, missing
from refimpl.adapters.world import bound, node_of, unanimous
from refimpl.locks.row_update import ACCOUNT, ByValue, ByVersion, Comparing, Locking, Office, OutOfTurn, Seen
from refimpl.locks.row_update_mistakes import MISTAKES
from refimpl.locks.sessions import Session

LOCKS, VERSIONS, VALUES, _ = range(4)
"""The values of `Way`."""
HEIR = "bob"
AGAIN = 0.001
"""Seconds between two looks at a lock that should go."""

Client = Locking | Comparing
MakeClient = Callable[[Session], Client]


@dataclass(eq=False, slots=True)
class Process:
    """A client and its session. The status is that of the spec; `late` is whether it has come back with another session."""

    name: str
    session: Driven
    client: Client
    status: str = "up"
    late: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What is in a database, and by whom each row is locked: by somebody unknown, if it is none of the clients."""

    amount: int
    owner: str
    version: int
    holders: Mapping[int, Process | None]


@dataclass(slots=True)
class Side:
    """One of the two databases, and the clients in it. `left` have crashed, and their connections are still there."""

    place: Place
    office: Office
    office_session: Driven
    processes: dict[str, Process] = field(default_factory=dict)
    left: list[Process] = field(default_factory=list)
    due: int = 0
    misled: bool = False
    sight: Sight | None = None

    def look(self) -> Sight:
        """Asks the database, unless nothing was done since the last time."""
        if self.sight is None:
            free = self.place.free()
            rows = self.place.rows()
            self.sight = Sight(*rows[ACCOUNT], {row: None if row in free else self._holder_of(row) for row in rows})
        return self.sight

    def _holder_of(self, row: int) -> Process:
        """Whose session has locked a row. Those who believe that they have are asked first."""

        def doubts(process: Process) -> bool:
            return not isinstance(process.client, Locking) or row not in process.client.locked

        everybody = [*(it for it in self.processes.values() if it.status == "up"), *self.left]
        unknown = Process("somebody", self.office_session, Locking(self.office_session))
        return next((it for it in sorted(everybody, key=doubts) if it.session.can_lock(row)), unknown)


class RowUpdateAdapter(Adapter):
    """Drives C clients in each of several places, which are PostgreSQL and MariaDB unless others are given."""

    services = ("PostgreSQL", "MariaDB")
    checks = ("versioned", "given_away", "one_order", "found")
    smaller = (
        Instance("locked", {"CHANGES": 2}),
        Instance("versioned", {"CHANGES": 2}),
        Instance("one_order", {"CHANGES": 1}),
    )

    def __init__(
        self,
        machine: Machine,
        places: Sequence[Callable[[], Place]] = (InPostgres, InMariaDB),
        *,
        locking: Callable[..., Locking] = Locking,
        by_version: Callable[[Session], Comparing] = ByVersion,
    ) -> None:
        super().__init__(machine)
        self._clients = self.instances("Client")
        self._rows = tuple(range(bound(machine, "ROWS")))
        self._last = bound(machine, "CHANGES")
        way, ordered = machine.constants["WAY"][1], bool(machine.constants["ORDERED"][1])
        makers: dict[object, MakeClient] = {
            LOCKS: lambda session: locking(session, self._rows, ordered=ordered),
            VERSIONS: by_version,
            VALUES: ByValue,
        }
        self._make = makers[way]
        self._finds = bool(machine.constants["FINDS"][1])
        self._sides: list[Side] = []
        self._end = weakref.finalize(self, partial(_end, self._sides))
        for make in places:
            place = make()
            session = place.session()
            self._sides.append(Side(place, Office(session), session))

    @classmethod
    def absent(cls) -> str | None:
        return missing()

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""
        return {mistake.__name__: Mistake.of(mistake, partial(cls.wrong, mistake)) for mistake in MISTAKES}

    @classmethod
    def wrong(cls, mistake: type[Client], machine: Machine) -> Adapter:
        """An adapter with a mistake in it. In checks of another way nobody makes it, and no database is needed to see that."""
        way = machine.constants["WAY"][1]
        if issubclass(mistake, Locking):
            return cls(machine, locking=mistake) if way == LOCKS else cls(machine, ())
        return cls(machine, by_version=mistake) if way == VERSIONS else cls(machine, ())

    def close(self) -> None:
        """Ends all sessions and removes the tables."""
        self._end()

    def begin(self, initial: Mapping[str, Json]) -> None:
        for side in self._sides:
            for left in side.left:
                left.session.roll_back()  # or its locks would stay until the server notices
                left.session.close()
            side.left.clear()
            for name in self._clients:
                process = side.processes.get(name)
                session = process.session if process is not None and process.status == "up" else side.place.session()
                session.roll_back()
                side.processes[name] = Process(name, session, self._make(session))
            side.place.fill(self._rows, str(initial["owner"]), int(str(initial["amount"])))
            side.due, side.misled, side.sight = int(str(initial["amount"])), False, None

    def _on_each(self, act: Callable[[Side], None]) -> None:
        """Does something in each place. If it is refused in one of them, it is refused, and all are looked at."""
        refused = []
        for side in self._sides:
            try:
                act(side)
            except (Refused, OutOfTurn) as reason:
                refused.append(f"{side.place.name}: {reason}")
            finally:
                side.sight = None
        if refused:
            raise Refused("; ".join(refused))

    # ---- the steps of clients

    @step("Client.Lock")
    def lock(self, event: Event) -> None:
        self._on_each(lambda side: self._lock(side, node_of(event), _row(event)))

    def _lock(self, side: Side, name: str, row: int) -> None:
        self._within_the_model(side)
        self._locking(side, name).lock(row)

    @step("Client.Change")
    def change(self, event: Event) -> None:
        self._on_each(lambda side: self._locking(side, node_of(event)).change())

    @step("Client.Commit")
    def commit(self, event: Event) -> None:
        def commit(side: Side) -> None:
            client = self._locking(side, node_of(event))
            seen, owner = client.seen, side.look().owner
            client.commit()
            self._deposited(side, seen, owner)

        self._on_each(commit)

    @step("Client.Victim")
    def give_up(self, event: Event) -> None:
        """The database would choose one of those who wait; here nobody waits, and the adapter chooses."""

        def give_up(side: Side) -> None:
            client = self._locking(side, node_of(event))
            others = [holder for row, holder in side.look().holders.items() if row not in client.locked]
            if not self._finds or not client.locked or not any(others):
                raise Refused("it waits for nobody, nobody waits for it, or nobody looks for that")
            client.give_up()

        self._on_each(give_up)

    @step("Client.Read")
    def read(self, event: Event) -> None:
        def read(side: Side) -> None:
            self._within_the_model(side)
            self._comparing(side, node_of(event)).read()

        self._on_each(read)

    @step("Client.Update")
    def update(self, event: Event) -> None:
        def update(side: Side) -> None:
            self._within_the_model(side)
            process = side.processes[node_of(event)]
            client = self._comparing(side, node_of(event))
            seen, owner = client.seen, side.look().owner
            before = process.session.count
            if client.update():
                self._deposited(side, seen, owner)
            if process.session.count != before + 1:
                raise Refused("it takes several statements, and somebody else may come between them")

        self._on_each(update)

    def _deposited(self, side: Side, seen: Seen | None, owner: str) -> None:
        assert seen is not None
        side.due += 1
        side.misled |= seen.owner != owner

    def _within_the_model(self, side: Side) -> None:
        if side.look().version >= self._last:
            raise Refused("the model ends here")

    def _locking(self, side: Side, name: str) -> Locking:
        client = side.processes[name].client
        if not isinstance(client, Locking):
            raise Refused("this client has another way")
        return client

    def _comparing(self, side: Side, name: str) -> Comparing:
        client = side.processes[name].client
        if not isinstance(client, Comparing):
            raise Refused("this client has another way")
        return client

    # ---- the steps of others

    @step("Office.PayOut")
    def pay_out(self, event: Event) -> None:
        def pay_out(side: Side) -> None:
            self._within_the_model(side)
            if not side.office.pay_out(HEIR):
                raise Refused("the account is empty")
            side.due = 0

        self._on_each(pay_out)

    @step("crash Client", "stop Client")
    def crash(self, event: Event) -> None:
        assert event.torn is None, "no step of a client has two effects"
        for side in self._sides:
            process = side.processes[node_of(event)]
            process.status = "down" if event.kind == "crash" else "stopped"
            side.left.append(process)
            side.sight = None

    @step("Client.restart")
    def restart(self, event: Event) -> None:
        for side in self._sides:
            side.processes[node_of(event)].late = True
            session = side.place.session()
            side.sight = None
            side.processes[node_of(event)] = Process(node_of(event), session, self._make(session))

    @step("Database.End")
    def end(self, event: Event) -> None:
        self._on_each(lambda side: self._notice(side, str(event.args["c"]), late=False))

    @step("Database.EndLate")
    def end_late(self, event: Event) -> None:
        self._on_each(lambda side: self._notice(side, str(event.args["c"]), late=True))

    def _notice(self, side: Side, name: str, *, late: bool) -> None:
        """The server notices that a connection is gone, with which somebody has locked something."""
        holders = side.look().holders
        found = next((it for it in side.left if (it.name, it.late) == (name, late) and it in holders.values()), None)
        if found is None:
            raise Refused(f"{name} has left no such connection behind, or has locked nothing with it")
        held = {row for row, holder in holders.items() if holder is found}
        found.session.close()
        side.left.remove(found)
        end = time.monotonic() + PATIENCE
        while not held <= side.place.free():
            if time.monotonic() > end:
                raise Refused("the connection is closed, and its locks stay")
            time.sleep(AGAIN)

    # ---- what can be seen

    def observe(self) -> Observation:
        views = {side.place.name: self._view(side) for side in self._sides}
        first = next(iter(views.values()), {})
        seen = {name: unanimous(**{place: view[name] for place, view in views.items()}) for name in first}
        return {**seen, NETWORK: []}

    def _view(self, side: Side) -> dict[str, object]:
        sight = side.look()
        holders = {f"Row{row}": holder for row, holder in sight.holders.items()}
        up = {name: process for name, process in side.processes.items() if process.status == "up"}
        seen: dict[str, object] = {
            "amount": sight.amount,
            "owner": sight.owner,
            "version": sight.version,
            "holder": {row: None if it is None else it.name for row, it in holders.items()},
            "left": [row for row, holder in holders.items() if holder is not None and holder.late],
            "due": side.due,
            "misled": side.misled,
        }
        for name, process in side.processes.items():
            if self.can_fall("Client"):
                seen[f"{name}.status"] = process.status
        for name, process in up.items():
            client = process.client
            seen[f"{name}.seen"] = _fields(client.seen)
            seen[f"{name}.locked"] = (
                [f"Row{row}" for row in sorted(client.locked)] if isinstance(client, Locking) else []
            )
            seen[f"{name}.changed"] = isinstance(client, Locking) and client.changed
        return seen


def _fields(seen: Seen | None) -> Mapping[str, Json] | None:
    return None if seen is None else {"amount": seen.amount, "owner": seen.owner, "version": seen.version}


def _row(event: Event) -> int:
    return int(str(event.args["row"]).removeprefix("Row"))


def _end(sides: list[Side]) -> None:
    for side in sides:
        up = [process for process in side.processes.values() if process.status == "up"]
        for session in (side.office_session, *(process.session for process in (*up, *side.left))):
            session.close()
        side.place.drop()
    sides.clear()
