"""Networks as the interpreter holds them, and what can happen to messages.

| kind | slot |
|---|---|
| soup | a sorted tuple of codes, each once |
| bag | a sorted tuple of codes, one for each copy |
| fifo | a sorted tuple of queues `(sender * P + receiver, code, code, …)`, none of them empty |

Sorted tuples make equal networks equal values, and give deliveries a fixed order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from typing import Any

from checker.engine.runtime import Disabled, Fail
from checker.model.layout import STOPPED, Layout
from checker.model.machine import Network

Slot = tuple[Any, ...]
Send = Callable[[list[Any], int, int, int], None]


class Dropped:
    """How many messages networks marked `drop` have lost."""

    def __init__(self) -> None:
        self.count = 0


def sender(layout: Layout, index: int, dropped: Dropped) -> Send:
    """The function `send(state, code, receiver, site)` of one network."""
    network = layout.machine.networks[index]
    slot = layout.networks[index]
    insert = {"soup": _into_soup, "bag": _into_bag, "fifo": _into_fifo}[network.kind]
    capacity = network.capacity or 0
    status, faulty, width = layout.status, layout.faulty, layout.processes

    def send(state: list[Any], code: int, receiver: int, site: int) -> None:
        if receiver in status and state[status[receiver]] == STOPPED:
            return
        if faulty is not None and network.kind != "soup" and receiver >= 0 and state[faulty] >> receiver & 1:
            return
        full = insert(state, slot, code, capacity, width)
        if not full:
            return
        if network.overflow == "block":
            raise Disabled(empty=False)
        if network.overflow == "drop":
            dropped.count += 1
            return
        raise Fail(site)

    return send


def _into_soup(state: list[Any], slot: int, code: int, capacity: int, width: int) -> bool:
    net = state[slot]
    at = bisect_left(net, code)
    if at == len(net) or net[at] != code:
        state[slot] = (*net[:at], code, *net[at:])
    return False


def _into_bag(state: list[Any], slot: int, code: int, capacity: int, width: int) -> bool:
    net = state[slot]
    low, high = bisect_left(net, code), bisect_right(net, code)
    if high - low >= capacity:
        return True
    state[slot] = (*net[:low], code, *net[low:])
    return False


def _into_fifo(state: list[Any], slot: int, code: int, capacity: int, width: int) -> bool:
    pair = _pair(code, width)
    queues = list(state[slot])
    at = bisect_left(queues, (pair,))
    if at < len(queues) and queues[at][0] == pair:
        if len(queues[at]) - 1 >= capacity:
            return True
        queues[at] = (*queues[at], code)
    else:
        queues.insert(at, (pair, code))
    state[slot] = tuple(queues)
    return False


def _pair(code: int, width: int) -> int:
    """The number of a queue: sender and receiver. Offsets of kinds are multiples of both factors, so codes tell them."""
    return code // (width + 1) % width * width + code % (width + 1) - 1


def deliverable(network: Network, net: Slot) -> Iterable[int]:
    """The codes that can be delivered, each once, in order."""
    match network.kind:
        case "soup":
            return net
        case "bag":
            return dict.fromkeys(net)
        case "fifo":
            return [queue[1] for queue in net]


def remove(network: Network, net: Slot, code: int, width: int) -> Slot:
    """The network after a delivery; a soup keeps everything."""
    if network.kind == "soup":
        return net
    return take_out(network, net, code, 0, width)


def take_out(network: Network, net: Slot, code: int, position: int, width: int) -> Slot:
    """The network without one copy of a message: in a fifo, the one at that position of its queue."""
    if network.kind != "fifo":
        at = bisect_left(net, code)
        return (*net[:at], *net[at + 1 :])
    pair = _pair(code, width)
    queues = []
    for queue in net:
        if queue[0] == pair:
            queue = (*queue[: position + 1], *queue[position + 2 :])
            if len(queue) == 1:
                continue
        queues.append(queue)
    return tuple(queues)


def duplicate(network: Network, net: Slot, code: int, position: int, width: int) -> Slot | None:
    """The network with one more copy of a message, behind it in a fifo; None where it is full."""
    capacity = network.capacity or 0
    if network.kind == "bag":
        if net.count(code) >= capacity:
            return None
        copies = list(net)
        insort(copies, code)
        return tuple(copies)
    pair = _pair(code, width)
    queues = []
    for queue in net:
        if queue[0] == pair:
            if len(queue) - 1 >= capacity:
                return None
            queue = (*queue[: position + 2], code, *queue[position + 2 :])
        queues.append(queue)
    return tuple(queues)


def positions(network: Network, net: Slot) -> Iterable[tuple[int, int]]:
    """Every message that a fault could strike, as code and position in its queue."""
    if network.kind == "fifo":
        return [(code, at) for queue in net for at, code in enumerate(queue[1:])]
    return [(code, 0) for code in dict.fromkeys(net)]


def all_codes(network: Network, net: Slot) -> list[int]:
    """Every copy of every message, in the order of the network."""
    return [code for queue in net for code in queue[1:]] if network.kind == "fifo" else list(net)


def without_endpoint(network: Network, net: Slot, process: int, width: int) -> Slot:
    """A session network after `process` crashed: everything to and from it is gone."""

    def touches(code: int) -> bool:
        return process in (code // (width + 1) % width, code % (width + 1) - 1)

    if network.kind == "fifo":
        return tuple(queue for queue in net if not touches(queue[1]))
    return tuple(code for code in net if not touches(code))


def signatures(width: int) -> Callable[[Slot], frozenset[int]]:
    """A function from a soup to who sent what in it: codes without their receivers.

    The properties of a state ask many times for the same soup, so the last answer is kept.
    """
    last: Slot = ()
    known: frozenset[int] = frozenset()

    def signed(net: Slot) -> frozenset[int]:
        nonlocal last, known
        if net is not last:
            last, known = net, frozenset([code // (width + 1) for code in net])
        return known

    return signed
