"""A saga held to `specs/transactions/saga.psm`.

Each step of the spec is one call. Whether a station books or refuses is up to its business, which the spec leaves open
(`either`); so the adapter decides it. What has to survive a crash is looked up on disk, too: what stands in memory alone is no
value of the spec.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from checker.conformance.adapter import Adapter, Instance, Mistake, Observation, Refused
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.world import Disk, Letter, World, node_of, unanimous
from refimpl.runtime.log import Log
from refimpl.transactions import saga
from refimpl.transactions.saga import Address, Answer, Message, Orchestrator, Phase, Send, Station
from refimpl.transactions.saga_mistakes import MISTAKES

ORCHESTRATOR = "Orchestrator"
MESSAGES: Mapping[str, Message] = {
    "Book": saga.Book(),
    "Booked": saga.Booked(),
    "Refused": saga.Refused(),
    "Cancel": saga.Cancel(),
    "Cancelled": saga.Cancelled(),
}

MakeOrchestrator = Callable[[Sequence[Address], Log, Send], Orchestrator]
MakeStation = Callable[[Callable[[], bool], Log, Send], Station]


class Saga(Adapter):
    """Drives an orchestrator and N stations. Other classes than the real ones may be put in their place, by tests."""

    checks = ("calm", "crashes")
    smaller = (Instance("crashes", {"N": 1}), Instance("crashes", {"N": 2}))

    def __init__(
        self, machine: Machine, *, orchestrator: MakeOrchestrator = Orchestrator, station: MakeStation = Station
    ) -> None:
        super().__init__(machine)
        self._make_orchestrator = orchestrator
        self._make_station = station
        self._stations = self.instances("Station")
        self.world: World[Message] = World((ORCHESTRATOR, *self._stations), self._written)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""

        def wrong(mistake: type[Orchestrator | Station]) -> Callable[[Machine], Adapter]:
            if issubclass(mistake, Orchestrator):
                return lambda machine: cls(machine, orchestrator=mistake)
            return lambda machine: cls(machine, station=mistake)

        return {mistake.__name__: Mistake.of(mistake, wrong(mistake)) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.world.begin()
        self._agrees = True
        self._processes: dict[Address, Orchestrator | Station] = {}
        for name in (ORCHESTRATOR, *self._stations):
            self._processes[name] = self._start(name, Disk(self.world, name), self.world.sender(name))

    def _start(self, name: Address, log: Log, send: Send) -> Orchestrator | Station:
        if name == ORCHESTRATOR:
            return self._make_orchestrator(self._stations, log, send)
        return self._make_station(lambda: self._agrees, log, send)

    def _orchestrator(self) -> Orchestrator:
        process = self._processes[ORCHESTRATOR]
        assert isinstance(process, Orchestrator)
        return process

    # ---- the steps

    @step("Orchestrator.Begin")
    def set_out(self, event: Event) -> None:
        self._orchestrator().begin()

    @step("Orchestrator.Ask")
    def ask(self, event: Event) -> None:
        """The same timer rings on both ways."""
        if self._orchestrator().phase is not Phase.FORWARD:
            raise Refused("nobody is asked to book")
        self._orchestrator().timeout()

    @step("Orchestrator.Undo")
    def undo(self, event: Event) -> None:
        orchestrator = self._orchestrator()
        if not orchestrator.owing or orchestrator.next_to_cancel() != event.args["i"]:
            raise Refused(f"station {event.args['i']} does not cancel next")
        orchestrator.timeout()

    @step("Orchestrator.GiveUp")
    def give_up(self, event: Event) -> None:
        self._orchestrator().give_up()

    @step("Station.Book")
    def book(self, event: Event) -> None:
        self._agrees = event.branches == (0,)
        self.deliver(event)

    @step("Orchestrator.Booked", "Orchestrator.Refused", "Orchestrator.Cancelled", "Station.Cancel")
    def deliver(self, event: Event) -> None:
        assert event.sender is not None
        message = self.world.letter(event.sender, node_of(event), MESSAGES[event.name])
        self._processes[node_of(event)].receive(event.sender, message)

    @step("crash Orchestrator", "crash Station")
    def crash(self, event: Event) -> None:
        if event.torn is not None:
            self.world.tear(self, event.torn)
        del self._processes[node_of(event)]

    @step("Orchestrator.restart", "restart Station")
    def restart(self, event: Event) -> None:
        name = node_of(event)
        self._processes[name] = self._start(name, Disk(self.world, name), self.world.sender(name))

    # ---- what can be seen

    def observe(self) -> Observation:
        seen: dict[str, object] = {NETWORK: self.world.network}
        for name, records in self.world.disks.items():
            stored = self.world.stored(name, lambda log, send, name=name: self._start(name, log, send))  # type: ignore[misc]
            process = self._processes.get(name, stored)
            if isinstance(process, Orchestrator) and isinstance(stored, Orchestrator):
                seen[f"{name}.phase"] = unanimous(memory=process.phase.value, disk=stored.phase.value)
                seen[f"{name}.place"] = unanimous(memory=process.place, disk=stored.place)
                seen[f"{name}.owing"] = unanimous(memory=sorted(process.owing), disk=sorted(stored.owing))
            elif isinstance(process, Station) and isinstance(stored, Station):
                seen[f"{name}.closed"] = unanimous(memory=process.closed, disk=stored.closed)
                seen[f"{name}.bookings"] = _bookings(records)
            if self.can_fall("Orchestrator" if name == ORCHESTRATOR else "Station"):
                seen[f"{name}.status"] = "up" if name in self._processes else "down"
        return seen

    def _written(self, letter: Letter[Message]) -> str:
        return self.letter(letter.sender, letter.receiver, type(letter.message).__name__)


def _bookings(records: Sequence[str]) -> int:
    """How often a station has booked since it last cancelled."""
    booked = 0
    for record in records:
        booked = booked + 1 if record == Answer.BOOKED.value else 0 if record == Answer.CANCELLED.value else booked
    return booked
