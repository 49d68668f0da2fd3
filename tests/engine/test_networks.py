"""What networks do with messages, for each kind."""

from __future__ import annotations

import pytest

import checker
from checker.engine import networks
from checker.engine.labels import StateView
from checker.engine.runtime import Disabled, Fail
from checker.model.layout import Envelope, Layout
from checker.model.machine import Machine

SPEC = """spec Net
message Ping(n: 0..2), Pong
network NETWORK
role A[2] { durable x: bool = false
  action Go(n: 0..2) { send Ping(n) to B }
  on Pong from b { x := true } }
role B { durable y: bool = false
  on Ping(n) from a { send Pong to a } }
"""


def machine(network: str) -> Machine:
    return checker.loads(SPEC.replace("NETWORK", network)).machine()


def filled(
    network: str, *codes: tuple[str, int, int, tuple[int, ...]]
) -> tuple[Layout, networks.Slot, networks.Dropped]:
    """A network after these messages were sent to it one after the other."""
    layout = Layout(machine(network))
    dropped = networks.Dropped()
    send = networks.sender(layout, 0, dropped)
    state: list[object] = [None] * layout.slots
    state[layout.networks[0]] = ()
    for kind, sender, receiver, payload in codes:
        send(state, layout.encode(kind, sender, receiver, payload), receiver, 0)
    net = state[layout.networks[0]]
    assert isinstance(net, tuple)
    return layout, net, dropped


PING0, PING1, PONG = ("Ping", 0, 2, (0,)), ("Ping", 0, 2, (1,)), ("Pong", 2, 0, ())


def test_codes_can_be_undone() -> None:
    layout = Layout(machine("soup"))
    seen = set()
    for kind, payloads in (("Ping", [(0,), (1,), (2,)]), ("Pong", [()])):
        for payload in payloads:
            for sender in range(3):
                for receiver in range(-1, 3):
                    code = layout.encode(kind, sender, receiver, payload)
                    assert 0 <= code < layout.codes
                    assert layout.decode(code) == Envelope(kind, sender, receiver, payload)
                    seen.add(code)
    assert len(seen) == (3 + 1) * 3 * 4


def test_a_soup_holds_each_message_once_and_keeps_it() -> None:
    layout, net, _ = filled("soup", PING1, PING0, PING1)
    network = layout.machine.networks[0]
    assert len(net) == 2
    assert networks.remove(network, net, net[0], 3) == net


def test_a_bag_counts_copies_of_one_message() -> None:
    layout, net, _ = filled("bag[2]", PING0, PING1, PING0)
    network = layout.machine.networks[0]
    assert len(net) == 3
    assert len(list(networks.deliverable(network, net))) == 2
    assert len(networks.remove(network, net, net[0], 3)) == 2
    with pytest.raises(Fail):
        filled("bag[2]", PING0, PING0, PING0)


def test_a_fifo_delivers_its_heads_and_is_full_by_queue() -> None:
    layout, net, _ = filled("fifo[2]", PING1, PING0, PONG)
    network = layout.machine.networks[0]
    heads = [layout.decode(code) for code in networks.deliverable(network, net)]
    assert heads == [Envelope("Ping", 0, 2, (1,)), Envelope("Pong", 2, 0, ())]
    rest = networks.remove(network, net, next(iter(networks.deliverable(network, net))), 3)
    assert [layout.decode(c).payload for c in networks.deliverable(network, rest)] == [(0,), ()]
    with pytest.raises(Fail):
        filled("fifo[2]", PING0, PING0, PING1)


def test_a_full_network_drops_or_blocks_where_it_says_so() -> None:
    _, net, dropped = filled("bag[1] drop", PING0, PING0, PING0)
    assert (len(net), dropped.count) == (1, 2)
    with pytest.raises(Disabled):
        filled("fifo[1] block", PING0, PING1)


def test_faults_strike_any_position_of_a_queue() -> None:
    layout, net, _ = filled("fifo[3]", PING0, PING1, PING0)
    network = layout.machine.networks[0]
    assert [at for _, at in networks.positions(network, net)] == [0, 1, 2]
    code = layout.encode(*PING1)
    lost = networks.take_out(network, net, code, 1, 3)
    assert [layout.decode(c).payload[0] for c in networks.all_codes(network, lost)] == [0, 0]
    assert networks.duplicate(network, net, code, 1, 3) is None
    doubled = networks.duplicate(network, lost, layout.encode(*PING0), 0, 3)
    assert doubled is not None
    assert len(networks.all_codes(network, doubled)) == 3


def test_a_broken_session_loses_both_directions() -> None:
    layout, net, _ = filled("fifo[2] session", PING0, PONG, ("Ping", 1, 2, (2,)))
    network = layout.machine.networks[0]
    left = networks.without_endpoint(network, net, 0, 3)
    view = StateView(layout)
    assert [view.message(c) for c in networks.all_codes(network, left)] == ["Ping(2) A1 -> B"]


def test_signatures_ignore_receivers() -> None:
    layout, net, _ = filled("soup", PING0)
    signed = networks.signatures(3)
    assert layout.encode("Ping", 0, 1, (0,)) // 4 in signed(net)
    assert layout.encode("Ping", 1, 2, (0,)) // 4 not in signed(net)
    assert not signed(())
