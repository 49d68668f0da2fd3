"""Kernels by themselves: hashes, the visited set, records on disk, the blocks of a level."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from ctypes import addressof, c_uint64, sizeof
from pathlib import Path

import pytest

from checker.native import abi, jit
from checker.native.explorer import Outcome
from checker.native.kernels import blocks, records, table
from checker.native.memory import words_at
from checker.native.words import load64
from checker.native.workers import Sizes
from tests.native.rig import Recorder, Spec, counters, opened, oracle, rounds, stacks

COUNT = 1 << 13


def sparse() -> list[int]:
    """Words with three bits set."""
    return [1 << a | 1 << b | 1 << c for a, b, c in itertools.combinations(range(63), 3)][:COUNT]


WORDS = {
    "small": list(range(COUNT)),
    "high": [n << 49 for n in range(COUNT)],
    "middle": [n << 20 | 1 << 40 for n in range(COUNT)],
    "apart": [(n & 127) | (n >> 7) << 50 for n in range(COUNT)],
    "sparse": sparse(),
    "stepped": [n * 1000003 % (1 << 63) for n in range(COUNT)],
}


def hash_of(*words: int) -> int:
    record = (c_uint64 * (len(words) + 1))(len(words) << abi.REF_BITS, *words)
    return records.hash_of(addressof(record))


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_hashes_spread_evenly(name: str, length: int) -> None:
    """4096 buckets of 2 on average: the sum of squares is near what chance gives, whichever bits choose the bucket."""
    hashes = [hash_of(*[7] * (length - 1), word) for word in WORDS[name]]
    chance = COUNT + COUNT * COUNT / 4096
    for shift in (0, 40, 52):
        buckets = Counter(h >> shift & 4095 for h in hashes)
        assert sum(n * n for n in buckets.values()) < 1.15 * chance, shift


def test_hashes_of_different_states_differ() -> None:
    numbers = random.Random(5)
    states = {tuple(numbers.randrange(4) for _ in range(numbers.randrange(10))) for _ in range(60000)}
    assert len({hash_of(*state) for state in states}) == len(states)


@pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")
@pytest.mark.parametrize("kind", [abi.INLINE, abi.INDIRECT, abi.FINGERPRINT])
def test_no_state_is_lost_or_doubled_when_workers_meet(kind: int) -> None:
    """Small batches, all workers in the same few lines, again and again."""
    spec = counters(kind, 60)
    expected = oracle(spec)
    for attempt in range(6):
        recorder = Recorder(spec)
        explorer = opened(spec, "O2", Sizes(workers=4, spec_words=6, flush=1, quota=40 + attempt), recorder)
        explorer.add_initial(spec.initial())
        assert all(outcome is Outcome.MORE for outcome in rounds(explorer))
        states = [explorer.state(ref) for ref in explorer.references()]
        assert len(states) == len(set(states)) == len(expected.states)
        assert explorer.transitions == expected.transitions
        assert [n for n in explorer.levels if n] == expected.levels
        explorer.close()


@pytest.mark.parametrize("spec", [counters(abi.INDIRECT, 40), stacks(5)], ids=["fixed", "variable"])
def test_records_on_disk_are_read_as_copies(spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.native.store.SPILL_LEAST", 1)
    recorder = Recorder(spec)
    explorer = opened(spec, "python", Sizes(spec_words=6), recorder)
    explorer.add_initial(spec.initial())
    list(rounds(explorer))
    monkeypatch.setattr(records, "fixed_words", lambda: spec.fixed)
    states = [(ref, explorer.state(ref)) for ref in explorer.references()]
    ctx = explorer.first.address
    shared = explorer.first.ctx[abi.CTX_SHARED]
    copy = explorer.first.ctx[abi.CTX_RECALLED]
    explorer.spill(tmp_path, everything=True)
    on_disk = explorer.first.arena.spilled
    assert explorer.first.ctx[abi.CTX_ARENA_NEXT] > on_disk
    for ref, state in states:
        record = records.record_at(shared, ref)
        found = records.whole(ctx, shared, ref)
        assert (found == copy) is (record + 8 + 8 * len(state) <= on_disk)
        assert explorer.words(found + 8) == state
    words_at(load64(shared + 8 * abi.SHARED_DISK), 2)[1] = (1 << 31) - 1  # no file: what is mapped is read
    assert records.whole(ctx, shared, states[0][0]) == records.record_at(shared, states[0][0])
    explorer.close()


@pytest.mark.parametrize("number", [0, 5, 63])
def test_a_slot_tells_where_its_state_goes_in_a_larger_table(number: int) -> None:
    """As long as tags stay the same, line, slot and shard give the line in the larger table, and the same tag."""
    numbers = random.Random(number)
    shard = (c_uint64 * 4)()
    at = addressof(shard)
    for bits in range(6, 40):
        for larger in (bits + 1, bits + 2):
            h = number << 58 | numbers.randrange(1 << 58)
            shard[abi.SHARD_SHIFT] = 64 - bits
            line, tag = table.line_of(at, h) // table.LINE, table.tag_of(at, h)
            same = table.tag_start(64 - bits) == table.tag_start(64 - larger)
            told = table.hash_in(number, 64 - bits, line, tag << abi.REF_BITS | numbers.randrange(1 << abi.REF_BITS))
            assert tag >= table.AT_HOME
            assert table.line_of(at, told) // table.LINE == line
            shard[abi.SHARD_SHIFT] = 64 - larger
            assert not same or table.line_of(at, told) == table.line_of(at, h)
            assert not same or table.tag_of(at, told) == table.tag_of(at, h) == tag


def test_tags_of_a_line_differ_enough() -> None:
    """However large the table, ten bits of a tag do not follow from the line."""
    for bits in range(6, 40):
        assert table.TAG_BITS - (bits - 3 - table.tag_start(64 - bits)) >= 10


@pytest.mark.parametrize("own", [0, 1, 2])
def test_workers_take_the_blocks_of_their_own_arena_first(own: int) -> None:
    """Then those of the others, each once."""
    queues = (c_uint64 * (3 * abi.QUEUE_WORDS))(0, 3, 3, 5, 5, 9)
    shared = (c_uint64 * abi.SHARED_WORDS)()
    shared[abi.SHARED_QUEUES] = addressof(queues)
    shared[abi.SHARED_QUEUES_END] = addressof(queues) + sizeof(queues)
    ctx = (c_uint64 * abi.CTX_WORDS)()
    ctx[abi.CTX_WORKER] = own
    taken = list(iter(lambda: blocks.next_block(addressof(ctx), addressof(shared)), blocks.EXHAUSTED))
    own_first = [[0, 1, 2], [3, 4], [5, 6, 7, 8]]
    assert taken == [*itertools.chain.from_iterable(own_first[own:] + own_first[:own])]
