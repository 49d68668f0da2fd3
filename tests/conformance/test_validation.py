"""Recorded runs: what the spec allows, what it does not and why, and what shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

import checker
from checker.conformance.record import Entry, Kind, Record
from checker.conformance.recording import recorded
from checker.conformance.replay import Outcome
from checker.conformance.validation.evidence import NOTHING, overlapping_faults
from checker.conformance.validation.mapping import TraceMapping, TraceMappingError, read_mapping
from checker.conformance.validation.refusals import Refuser
from checker.conformance.validation.report import document_of, text_of
from checker.conformance.validation.validate import validate
from checker.conformance.walks import random_walks
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.two_phase_commit import TwoPhaseCommit
from tests.conformance.test_two_phase_commit import graph_of

STORE = """
spec Store
message Put(n: 0..3), Got(n: 0..3)
network bag[2]

role Client {
  volatile asked: 0..3 = 0
  action Ask when asked < 3 { asked += 1  send Put(asked) to Server }
  on Got(n) from s { }
}

role Server {
  durable log: 0..3 = 0
  volatile cached: 0..3 = 0
  on Put(n) from c when n == log + 1 and cached < 3 { log := n  send Got(n) to c }
  action Refresh when cached != log { cached := log }
}
final: true
check one { }
check falls { faults crash Server <= 1 }
"""


@cache
def store(check: str = "one") -> Machine:
    return checker.loads(STORE).machine(check)


def act(name: str, node: str | None = None, obs: Mapping[str, Json] | None = None, **args: Json) -> Entry:
    return Entry(0.0, node, Kind.ACTION, name, args, obs or {})


def record(*entries: Entry) -> Record:
    return Record(tuple(replace(entry, t=float(now)) for now, entry in enumerate(entries)))


HIDING = TraceMapping(hidden=("Server.Refresh", "Client.Got"))

# ---- what is allowed


def test_a_run_of_the_implementation_is_allowed() -> None:
    graph = graph_of("recovery")
    for path in random_walks(graph, seed=1, walks=4, steps=30).paths:
        run = recorded(TwoPhaseCommit(graph.machine), graph, path, graph.edges[path[0]].source)
        result = validate(graph.machine, run)
        assert result.outcome is Outcome.CONFORMS
        assert result.labels == tuple(graph.edges[number].label for number in path)
        assert (result.matched, result.entries, result.hidden) == (len(path) + 1, len(path) + 1, 0)
        assert result.points <= 2 * (len(path) + 1)


def test_names_are_taken_as_the_spec_has_them() -> None:
    run = record(
        act("Client.Ask", None, {"Client.asked": 1}),
        Entry(0.0, "Server", Kind.ACTION, "Put", {"n": 1, "from": "Client"}, {"log": 1}),
        act("Server.Refresh", "Server", {"cached": 1}),
        act("Client.Got(1) <- Server", "Client"),
    )
    result = validate(store(), run)
    assert result.outcome is Outcome.CONFORMS
    assert result.labels == ("Client.Ask()", "Server.Put(1) <- Client", "Server.Refresh()", "Client.Got(1) <- Server")
    assert (result.seen, result.never) == (("Client.asked", "Server.log", "Server.cached"), ())


def test_hidden_steps_are_taken_as_late_as_possible() -> None:
    run = record(act("Ask"), act("Ask"), act("Put", "Server"), act("Put", "Server", {"cached": 1}))
    run = record(*(replace(e, node=e.node or "Client") for e in run.entries))
    result = validate(store(), run, HIDING)
    assert result.outcome is Outcome.CONFORMS
    assert result.hidden == 1
    assert result.labels[-2:] == ("Server.Refresh()", "Server.Put(2) <- Client")


def test_one_entry_may_be_several_steps() -> None:
    mapping = TraceMapping(steps={"write": ("Client.Ask", "Server.Put")}, nodes={"anybody": "Client"})
    spread = record(act("write", None, {"Server.log": 1}), act("write", None, {"Server.log": 2}))
    result = validate(store(), spread, mapping)
    assert result.outcome is Outcome.CONFORMS
    assert len(result.labels) == 4
    assert (result.entries, result.matched) == (2, 2)


def test_a_step_may_be_taken_any_number_of_times() -> None:
    mapping = TraceMapping(steps={"burst": ("Client.Ask*",)}, hidden=("Client.Got",))
    for asked in (0, 1, 2):
        result = validate(store(), record(act("burst", "Client", {"asked": asked})), mapping)
        assert result.part is None
        assert result.labels == ("Client.Ask()",) * asked
    refused = validate(store(), record(act("burst", "Client", {"asked": 3, "Server.log": 3})), mapping)
    assert refused.outcome is Outcome.MISMATCH


def test_several_entries_may_be_one_step() -> None:
    mapping = TraceMapping(stutter=("prepare",))
    entries = [act("prepare", "Client", {"asked": 0}), act("Ask", "Client", {"asked": 1})]
    assert validate(store(), record(*entries), mapping).outcome is Outcome.CONFORMS
    wrong = [act("prepare", "Client", {"asked": 1}), act("Ask", "Client", {"asked": 1})]
    result = validate(store(), record(*wrong), mapping)
    assert result.outcome is Outcome.MISMATCH
    (stuck,) = result.stuck
    assert [(r.by, r.text) for r in stuck.refusals] == [(Refuser.FIELD, "Client.asked is 0 and was observed as 1")]


def test_crashes_are_faults_of_the_spec() -> None:
    fell = Entry(0.0, "Server", Kind.FAULT, "crash")
    rose = Entry(0.0, "Server", Kind.FAULT, "restart")
    run = record(
        act("Ask", "Client"), act("Put", "Server", {"log": 1}), fell, rose, act("Refresh", "Server", {"log": 1})
    )
    assert validate(store("falls"), run).outcome is Outcome.CONFORMS
    without = validate(store(), run)
    assert without.passed_over == {"fault crash": 1, "fault restart": 1}
    unsynced = record(act("Ask", "Client"), act("Put", "Server"), fell, rose, act("Refresh", "Server", {"log": 0}))
    assert validate(store("falls"), unsynced).outcome is Outcome.MISMATCH


def test_a_kill_is_a_crash_of_the_role_of_the_process() -> None:
    mapping = TraceMapping(nodes={"n1": "Client", "n2": "Server"})
    fell, rose = Entry(0.0, "n2", Kind.FAULT, "kill"), Entry(0.0, "n2", Kind.FAULT, "restart")
    run = record(act("Ask", "n1"), act("Put", "n2", {"log": 1}), fell, rose, act("Refresh", "n2", {"log": 1}))
    found = validate(store("falls"), run, mapping)
    assert found.outcome is Outcome.CONFORMS
    assert {"crash Server", "restart Server"} <= set(found.fired)
    forgotten = record(act("Ask", "n1"), act("Put", "n2"), fell, rose, act("Refresh", "n2", {"log": 0}))
    assert validate(store("falls"), forgotten, mapping).outcome is Outcome.MISMATCH
    others = [Entry(0.0, "n1", Kind.FAULT, "kill"), Entry(0.0, "n1", Kind.FAULT, "restart")]
    client = validate(store("falls"), record(act("Ask", "n1", {"asked": 1}), *others), mapping)
    assert client.passed_over == {"fault kill": 1, "fault restart": 1}, "the check has no crash of clients"


HELLO = """
spec Hello
message Hi
network soup
role Peer[3] {
  volatile heard: bool = false
  action Call { send Hi to Peer }
  on Hi { heard := true }
}
final: true
check cuts { faults cut <= 1 }
check calm { }
"""


@pytest.mark.parametrize(
    ("one", "other", "one_way", "said"),
    [
        (["n2"], ["n3", "n1"], False, "cut {Peer1}"),
        (["n3", "n1"], ["n2"], False, "cut {Peer1}"),
        (["n3", "n2"], ["n1"], False, "cut {Peer1, Peer2}"),
        (["n2"], ["n3", "n1"], True, None),
        (["n2"], ["n3"], False, None),
        (["n2"], ["lin-kv"], False, None),
    ],
)
def test_a_cut_of_nodes_is_that_of_their_processes(
    one: list[Json], other: list[Json], one_way: bool, said: str | None
) -> None:
    mapping = TraceMapping(nodes={"n1": "Peer0", "n2": "Peer1", "n3": "Peer2"})
    cut = Entry(0.0, None, Kind.FAULT, "cut", {"from": one, "to": other, "one_way": one_way})
    call = act("Call", "n1", {"heard": False})
    run = record(call, cut, Entry(0.0, None, Kind.FAULT, "heal"), act("Hi", "n2", {"heard": True}))
    for check in ("cuts", "calm"):
        found = validate(checker.loads(HELLO).machine(check), run, mapping)
        assert found.outcome is Outcome.CONFORMS, found
        is_step = said is not None and check == "cuts"
        assert [label for label in found.labels if label.startswith("cut")] == ([said] if is_step else [])
        assert found.passed_over == ({} if is_step else {"fault cut": 1, "fault heal": 1})
    across = record(call, cut, act("Hi", "n2", {"heard": True}))
    wanted = Outcome.CONFORMS if said is None else Outcome.MISMATCH
    assert validate(checker.loads(HELLO).machine("cuts"), across, mapping).outcome is wanted


# ---- what is not


def test_field_that_differs() -> None:
    result = validate(store(), record(act("Ask", "Client", {"asked": 2, "Server.log": 0})))
    assert result.outcome is Outcome.MISMATCH
    assert (result.matched, result.frontier) == (0, 1)
    (stuck,) = result.stuck
    assert [(r.step, r.by, r.text) for r in stuck.refusals] == [
        ("Client.Ask()", Refuser.FIELD, "Client.asked is 1 and was observed as 2")
    ]
    assert stuck.nearest == "Client.Ask()"


def test_guard_that_refuses() -> None:
    result = validate(store(), record(act("Ask", "Client"), act("Refresh", "Server")))
    (stuck,) = result.stuck
    first = stuck.refusals[0]
    assert (first.step, first.by) == ("Server.Refresh()", Refuser.GUARD)
    assert "cached != log" in first.text
    assert "is false" in first.text


def test_second_conjunct_that_refuses() -> None:
    text = STORE.replace("n == log + 1 and cached < 3", "n == log + 1 and cached > 0")
    result = validate(
        checker.loads(text).machine("one"), record(act("Ask", "Client"), act("Put", "Server", {"log": 1}))
    )
    assert "cached > 0" in result.stuck[0].refusals[0].text


def test_message_that_is_not_in_flight() -> None:
    result = validate(store(), record(act("Put", "Server")))
    assert [(r.by, r.text) for r in result.stuck[0].refusals if r.by is not Refuser.NAME] == [
        (Refuser.MESSAGE, "no such message is in flight")
    ]


def test_argument_that_differs() -> None:
    result = validate(store(), record(act("Ask", "Client"), act("Put", "Server", n=2)))
    assert [(r.by, r.text) for r in result.stuck[0].refusals if r.by is not Refuser.NAME] == [
        (Refuser.ARGUMENT, "`n` is 1 and 2 in the record")
    ]


def test_process_that_is_down() -> None:
    fell = Entry(0.0, "Server", Kind.FAULT, "crash")
    result = validate(store("falls"), record(act("Ask", "Client"), fell, act("Put", "Server")))
    assert Refuser.PROCESS in {r.by for r in result.stuck[0].refusals}


def test_all_that_agree_are_in_the_frontier() -> None:
    """After two requests and with a hidden cache, the server may have refreshed or not: two states, and both refuse."""
    entries = [act("Ask", "Client"), act("Put", "Server", {"log": 1}), act("Put", "Server", {"log": 2})]
    result = validate(store(), record(*entries), HIDING)
    assert result.outcome is Outcome.MISMATCH
    assert (result.matched, result.frontier) == (2, 4)


def test_text_of_a_rejection() -> None:
    result = validate(store(), record(act("Ask", "Client", {"asked": 1}), act("Ask", "Client", {"asked": 1})))
    assert text_of(result) == (
        "mismatch: 1 of 2 entries match Store, check one; 1 of 4 variables observed; 4 of 200,000 points looked at\n"
        "  never taken: Client.Got, Server.Put, Server.Refresh\n"
        "\n"
        "The spec does not allow entry 2 of the record, Ask.\n"
        "\n"
        "      1  Client.Ask()\n"
        "≠     2  Ask\n"
        "\n"
        "State: what the spec could do, and what refused it\n"
        "  Client.Ask()  field: Client.asked is 2 and was observed as 1\n"
        "  not what the record has: Server.Put(1) <- Client\n"
        "\n"
        "Nearest: Client.Ask()\n"
        "                 before  spec  implementation\n"
        "≠ Client.asked   1       2     1\n"
        "· Server.log     0       0     not observed\n"
        "· Server.cached  0       0     not observed\n"
        "\n"
    )
    document = document_of(result)
    assert document["result"] == "mismatch"
    assert document["refused"]["states"][0]["fields"][1] == {
        "name": "Server.log",
        "spec": "0",
        "observed": "not observed",
        "sight": "unseen",
    }


# ---- what shows nothing


def test_what_shows_nothing_is_incomplete() -> None:
    seen = act("Ask", "Client", {"asked": 1})
    whole = validate(store(), record(seen))
    assert whole.outcome is Outcome.CONFORMS
    cut = validate(store(), replace(record(seen), truncated=True))
    assert (cut.outcome, cut.lacks) == (Outcome.INCOMPLETE, ("the record was cut off: its last line is missing",))
    blind = validate(store(), record(act("Ask", "Client")))
    assert blind.outcome is Outcome.INCOMPLETE
    assert "observes no variable" in blind.lacks[0]
    empty = validate(store(), record(Entry(0.0, None, Kind.OBS, "now", {}, {"Server.log": 0})))
    assert (empty.outcome, empty.lacks) == (Outcome.INCOMPLETE, ("it has no step of the spec",))


def test_operations_without_success_are_incomplete() -> None:
    asked = Entry(0.0, "c1", Kind.INVOKE, "put", {"value": 1})
    failed = Entry(0.0, "c1", Kind.RETURN, "put", {}, {"type": "fail"})
    fell = Entry(0.0, "Server", Kind.FAULT, "crash")
    step = act("Ask", "Client", {"asked": 1})
    result = validate(store("falls"), record(asked, step, failed, fell))
    assert result.lacks == (
        "none of 1 operations succeeded",
        "none of 1 faults struck while an operation was under way",
    )
    fine = replace(failed, obs={"type": "ok"})
    assert validate(store("falls"), record(asked, step, fell, fine)).outcome is Outcome.CONFORMS


def test_faults_strike_while_something_is_under_way() -> None:
    """Without clients, the processes have to be at work before a fault and after it."""
    step, other = act("Ask", "Client", {"asked": 1}), act("Ask", "Client", {"asked": 2})
    fell = Entry(0.0, "Server", Kind.FAULT, "crash")
    rose = Entry(0.0, "Server", Kind.FAULT, "restart")
    for entries in ([fell, rose, step], [step, fell, rose]):
        result = validate(store("falls"), record(*entries))
        assert result.lacks == ("none of 1 faults struck while the processes were at work",)
    assert validate(store("falls"), record(step, fell, rose, other)).outcome is Outcome.CONFORMS
    asked = Entry(0.0, "c1", Kind.INVOKE, "put", {"value": 1})
    done = Entry(0.0, "c1", Kind.RETURN, "put", {}, {"type": "ok"})
    assert validate(store("falls"), record(step, fell, asked, rose, done)).outcome is Outcome.CONFORMS
    healed = validate(store("falls"), record(step, fell, rose, asked, other, done))
    assert healed.lacks == ("none of 1 faults struck while an operation was under way",)


def test_a_kill_shows_itself_after_the_restart() -> None:
    for name, end, overlapping in (("kill", "restart", 1), ("pause", "resume", 0)):
        fell, rose = Entry(0.0, "n1", Kind.FAULT, name), Entry(0.0, "n1", Kind.FAULT, end)
        asked = [Entry(0.0, "c1", Kind.INVOKE, "echo"), Entry(0.0, "c1", Kind.RETURN, "echo", obs={"type": "ok"})]
        assert overlapping_faults(record(*asked, fell, rose, *asked), clients=True) == (1, overlapping)
        assert overlapping_faults(record(*asked, fell, rose), clients=True) == (1, 0)


def test_evidence_of_several_records_adds_up() -> None:
    fell, step = Entry(0.0, "Server", Kind.FAULT, "crash"), act("Ask", "Client", {"asked": 1})
    early = validate(store("falls"), record(fell, step)).evidence
    between = validate(store("falls"), record(step, fell, act("Ask", "Client"))).evidence
    assert early.lacks
    assert (early + between).lacks == ()
    assert (NOTHING + early) == early


def test_faults_of_the_check_are_missed() -> None:
    run = record(act("Ask", "Client", {"asked": 1}))
    assert validate(store("falls"), run).never == ("Client.Got", "Server.Put", "Server.Refresh", "crash Server")
    assert "crash Server" not in validate(store(), run).never


def test_what_is_cut_off_and_wrong_is_wrong() -> None:
    wrong = replace(record(act("Ask", "Client", {"asked": 2})), truncated=True)
    assert validate(store(), wrong).outcome is Outcome.MISMATCH


def test_a_search_may_give_up() -> None:
    entries = [act("Ask", "Client"), act("Put", "Server"), act("Put", "Server", {"log": 2})]
    result = validate(store(), record(*entries), HIDING, budget=3)
    assert result.outcome is Outcome.INCOMPLETE
    assert result.part is None
    assert "the search gave up: 3 points" in result.lacks[-1]


# ---- words that mean nothing


@pytest.mark.parametrize(
    ("entry", "mapping", "message"),
    [
        (
            act("Asks", "Client"),
            TraceMapping(),
            "entry 1 is called 'Asks': no such step in Store; there are Client.Ask,",
        ),
        (act("Ask", "n1"), TraceMapping(), "of the node 'n1', which is no process of Store"),
        (act("Ask", "Client", {"ask": 1}), TraceMapping(), "observes 'ask', which is no variable"),
        (act("Ask", "Client"), TraceMapping(hidden=("Server.Refesh",)), "the mapping names the step 'Server.Refesh'"),
        (act("Ask", "Client"), TraceMapping(variables={"a": "askd"}), "the mapping names the variable 'askd'"),
    ],
)
def test_unknown_words_are_errors(entry: Entry, mapping: TraceMapping, message: str) -> None:
    with pytest.raises(TraceMappingError) as caught:
        validate(store(), record(entry), mapping)
    assert message in str(caught.value)


def test_other_words_are_mapped() -> None:
    mapping = read_mapping(
        '{"steps": {"ask": "Client.Ask", "recv put": "Server.Put"}, "nodes": {"n1": "Client", "n2": "Server"},'
        ' "variables": {"count": "asked", "debug": null}, "ignored": ["log"]}'
    )
    body: dict[str, Json] = {"type": "put", "n": 1, "msg_id": 7}
    run = record(
        act("log", "nobody"),
        act("ask", "n1", {"count": 1, "debug": "x"}),
        Entry(0.0, "n2", Kind.RECV, "put", {"from": "n1", "body": body}, {"log": 1}),
    )
    result = validate(store(), run, mapping)
    assert result.outcome is Outcome.CONFORMS
    assert result.labels == ("Client.Ask()", "Server.Put(1) <- Client")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "it is not a JSON object"),
        ('{"step": {}}', "the mapping has the key 'step'; keys are steps,"),
        ('{"hidden": "A.B"}', "`hidden` of the mapping should be a list of texts"),
        ('{"steps": {"a": 3}}', "`steps.a` of the mapping should be a list of texts"),
        ('{"steps": {"a": []}}', "`steps.a` of the mapping should be a list of texts"),
        ('{"nodes": {"a": 1}}', "`nodes.a` of the mapping should be a text and is '1'"),
    ],
)
def test_bad_mappings(text: str, message: str) -> None:
    with pytest.raises(TraceMappingError) as caught:
        read_mapping(text)
    assert message in str(caught.value)
