"""The services that nodes may use: what each promises, and what it does not."""

from __future__ import annotations

from random import Random

from checker.conformance.nodes.protocol import Body
from checker.conformance.nodes.services import LastWriterWins, Linearizable, Sequential, Service, Timestamps


def write(service: Service, key: object, value: object, client: str = "n1") -> Body:
    return service.handle(client, {"type": "write", "key": key, "value": value})  # type: ignore[dict-item]


def read(service: Service, key: object, client: str = "n1") -> object:
    answer = service.handle(client, {"type": "read", "key": key})  # type: ignore[dict-item]
    return answer["value"] if answer["type"] == "read_ok" else answer["code"]


def cas(service: Service, key: object, old: object, new: object, **more: bool) -> object:
    answer = service.handle("n1", {"type": "cas", "key": key, "from": old, "to": new, **more})  # type: ignore[dict-item]
    return answer.get("code", "ok")


def test_the_linearizable_store() -> None:
    kv = Linearizable()
    assert read(kv, "x") == 20
    assert cas(kv, "x", 1, 2) == 20
    assert cas(kv, "x", 1, 2, create_if_not_exists=True) == "ok"
    assert read(kv, "x") == 2
    assert cas(kv, "x", 1, 3) == 22
    assert cas(kv, "x", 2, 3) == "ok"
    assert write(kv, "x", {"a": [1]}) == {"type": "write_ok"}
    assert cas(kv, "x", {"a": [True]}, 0) == 22, "true is not 1"
    assert cas(kv, "x", {"a": [1]}, 0) == "ok"
    assert write(kv, [1], "list") == write(kv, "[1]", "text")
    assert (read(kv, [1]), read(kv, "[1]")) == ("list", "text")


def test_what_is_no_request_is_an_error() -> None:
    kv = Linearizable()
    assert kv.handle("n1", {"type": "delete", "key": 1})["code"] == 10
    assert kv.handle("n1", {"type": "write", "key": 1})["code"] == 12
    assert kv.handle("n1", {})["code"] == 10
    assert Timestamps().handle("n1", {"type": "read"})["code"] == 10


def test_timestamps_grow() -> None:
    tso = Timestamps()
    assert [tso.handle(c, {"type": "ts"})["ts"] for c in "aba"] == [0, 1, 2]


def test_the_sequential_store_is_stale_but_never_goes_back() -> None:
    stale = 0
    for seed in range(50):
        kv, seen = Sequential(Random(seed)), {"n1": 0, "n2": 0}
        write(kv, "x", 0, "n3")
        for value in range(1, 12):
            write(kv, "x", value, "n3")
            for client, before in list(seen.items()):
                found = read(kv, "x", client)
                if found == 20:  # from before the first write
                    assert before == 0
                    continue
                assert isinstance(found, int) and before <= found <= value
                stale += found < value
                seen[client] = found
            assert read(kv, "x", "n3") == value, "whoever writes has seen it"
    assert stale > 200


def test_updates_of_the_sequential_store_are_not_lost() -> None:
    for seed in range(20):
        kv = Sequential(Random(seed))
        write(kv, "x", 0)
        done = sum(cas(kv, "x", value, value + 1) == "ok" for value in range(30))
        assert done == 30


def test_the_last_writer_wins_store_loses_updates_and_agrees_in_the_end() -> None:
    lost = 0
    for seed in range(30):
        kv = LastWriterWins(Random(seed))
        for value in range(6):
            write(kv, "x", value)
        for _ in range(200):
            read(kv, "x")
        last = read(kv, "x")
        assert {read(kv, "x") for _ in range(50)} == {last}
        lost += last != 5
    assert lost > 3
