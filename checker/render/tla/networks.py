"""Networks in TLA+: what a send adds, what a delivery takes away.

| kind | variable |
|---|---|
| soup | a set of messages |
| bag | a function from messages to how many copies there are |
| fifo | a function from pairs `<<sender, receiver>>` to sequences, for all pairs |

A message is a record with the fields `kind`, `from`, `to` and those of the spec. `to` is `none` where a soup only records it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from checker.model.machine import Message, Network
from checker.render.tla.blocks import Block, bare
from checker.render.tla.unit import Unit


class Networks:
    """Texts about the networks of one machine."""

    def __init__(self, unit: Unit, *, stops: bool, lies: bool) -> None:
        """`stops` and `lies`: whether there are stopped or faulty processes, to whom messages vanish."""
        self.unit = unit
        self.stops = stops
        self.lies = lies

    def variable(self, index: int) -> str:
        return self.unit.names.claim(("network", index), "network")

    def index(self, message: str) -> int:
        return self.unit.machine.messages[message].network

    # ---- messages

    def constructor(self, message: Message) -> Block:
        """The operator that makes a message."""
        pool = self.unit.names.pool()
        sender, receiver = pool.fresh("sender"), pool.fresh("receiver")
        params = [pool.fresh(name) for name, _ in message.fields]
        fields = [f'kind |-> "{message.name}"', f"from |-> {sender}", f"to |-> {receiver}"]
        fields += [
            f"{self.unit.field(message.name, n)} |-> {p}" for (n, _), p in zip(message.fields, params, strict=True)
        ]
        head = f"{self.unit.names.claim(('message', message.name), message.name)}({', '.join([sender, receiver, *params])})"
        line = f"{head} == [{', '.join(fields)}]"
        return (line,) if len(line) <= 100 else (f"{head} ==", f"  [{', '.join(fields)}]")

    def message(self, kind: str, sender: str, receiver: str, args: list[str]) -> str:
        name = self.unit.names.claim(("message", kind), kind)
        return f"{name}({', '.join(bare(a) for a in [sender, receiver, *args])})"

    # ---- sending

    def recipients(self, network: Network, of: str) -> str:
        """Those of a set that a message can reach at all."""
        if self.stops:
            of = f"({of} \\ Stopped)"
        if self.lies and network.kind != "soup":
            of = f"({of} \\ faulty)"
        return of

    def filters(self, network: Network) -> bool:
        return self.stops or (self.lies and network.kind != "soup")

    def messages(self, name: str, of: str, make: Callable[[str], str], one: str | None) -> str:
        """The set of messages to some recipients: to a set, with the variable `name`, or to exactly one."""
        return f"{{{make(one)}}}" if one is not None else f"{{{make(name)} : {name} \\in {bare(of)}}}"

    def send(self, index: int, net: str, messages: str, place: str) -> tuple[str, str | None]:
        """The network with a set of messages more, and the condition under which a network that blocks takes them."""
        network, use = self.unit.machine.networks[index], self.unit.use
        if network.kind == "soup":
            return f"({net} \\cup {messages})", None
        queue = network.kind == "fifo"
        add = use("PushAll" if queue else "BagAdd")
        room = f"{use('QueueRoom' if queue else 'Room')}({net}, {messages}, {network.capacity})"
        match network.overflow:
            case "error":
                text = f'"{network.name} is full, at {place}"'
                return f"{use('Checked')}({add}({net}, {messages}), {room}, {text})", None
            case "drop":
                fitting = use("QueueFitting" if queue else "Fitting")
                return f"{add}({net}, {fitting}({net}, {messages}, {network.capacity}))", None
            case "block":
                return f"{add}({net}, {messages})", room
        assert_never(network.overflow)

    # ---- delivery

    def deliverable(self, index: int) -> str:
        """The set of the messages that can be delivered, each once."""
        net = self.variable(index)
        match self.unit.machine.networks[index].kind:
            case "soup":
                return net
            case "bag":
                return f"(DOMAIN {net})"
            case "fifo":
                return f"{self.unit.use('Heads')}({net})"
        assert_never(self.unit.machine.networks[index].kind)

    def consumed(self, index: int, net: str, m: str) -> str:
        """The network without a delivered message."""
        match self.unit.machine.networks[index].kind:
            case "soup":
                return net
            case "bag":
                return f"{self.unit.use('BagRemove')}({net}, {m})"
            case "fifo":
                return f"{self.unit.use('Pop')}({net}, {m})"
        assert_never(self.unit.machine.networks[index].kind)

    # ---- faults

    def without(self, index: int, net: str, process: str) -> str:
        """A session network after a crash: everything to and from the process is gone."""
        pool = self.unit.names.pool()
        m = pool.fresh("m")
        match self.unit.machine.networks[index].kind:
            case "soup":
                return f"{{{m} \\in {net} : {process} \\notin {{{m}.from, {m}.to}}}}"
            case "bag":
                y = pool.fresh("y")
                left = f"{{{y} \\in DOMAIN {net} : {process} \\notin {{{y}.from, {y}.to}}}}"
                return f"[{m} \\in {left} |-> {net}[{m}]]"
            case "fifo":
                return f"[{m} \\in DOMAIN {net} |-> IF {process} \\in {{{m}[1], {m}[2]}} THEN <<>> ELSE {net}[{m}]]"
        assert_never(self.unit.machine.networks[index].kind)

    def empty(self, index: int) -> str:
        match self.unit.machine.networks[index].kind:
            case "soup":
                return "{}"
            case "bag":
                return f"{self.unit.use('BagOf')}(<<>>)"
            case "fifo":
                return f"[{self.unit.names.pool().fresh('p')} \\in Processes \\X Processes |-> <<>>]"
        assert_never(self.unit.machine.networks[index].kind)
