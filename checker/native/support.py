"""Routines that compiled specs call: tapes of choices, torn steps, lists of messages, comparison of states.

Like the kernels they are restricted Python over words (`words`), run by CPython as they stand and translated with each spec. A
pointer is an address; a lane is a message code of 2, 4 or 8 bytes in the list behind a state's fixed words.

**Tapes** enumerate the outcomes of a body that chooses, as `engine.runtime.Tape` does: `at`, `length`, then the answers, then how
many alternatives each had. **Effects** are `engine.runtime.Effects`: the effect before which the crash strikes, how many there
were, whether it struck, and the state at that moment (at word 4).
"""

from __future__ import annotations

from checker.engine.runtime import MAX_TEARS
from checker.native.abi import REF_BITS
from checker.native.code.frame import TAPE_SIZE
from checker.native.words import (
    MASK,
    count_bits,
    load16,
    load32,
    load64,
    lowest_bit,
    rare,
    store16,
    store32,
    store64,
    sub64,
)

# ---- tapes


def tape_reset(tape: int) -> int:
    """Forgets all answers."""
    store64(tape, 0)
    store64(tape + 8, 0)
    return 0


def tape_choose(tape: int, alternatives: int) -> int:
    """The answer to the next choice; MASK where the tape is full."""
    at = load64(tape)
    if at >= TAPE_SIZE:
        return MASK
    answers = tape + 16
    if at == load64(tape + 8):
        store64(answers + 8 * at, 0)
        store64(answers + 8 * (TAPE_SIZE + at), alternatives)
        store64(tape + 8, at + 1)
    store64(tape, at + 1)
    return load64(answers + 8 * at)


def tape_advance(tape: int) -> int:
    """Moves to the next sequence of answers; 0 when all have been given."""
    length = load64(tape)
    answers = tape + 16
    store64(tape, 0)
    while length > 0:
        answer = load64(answers + 8 * (length - 1)) + 1
        if answer < load64(answers + 8 * (TAPE_SIZE + length - 1)):
            store64(answers + 8 * (length - 1), answer)
            store64(tape + 8, length)
            return 1
        length -= 1
    store64(tape + 8, 0)
    return 0


# ---- states


def copy_words(target: int, source: int, words: int) -> int:
    """Copies a state, four words at a time: up to three words behind it are overwritten, too."""
    end = source + 8 * words
    while source < end:
        store64(target, load64(source))
        store64(target + 8, load64(source + 8))
        store64(target + 16, load64(source + 16))
        store64(target + 24, load64(source + 24))
        source += 32
        target += 32
    return 0


def same_state(a: int, words_a: int, b: int, words_b: int) -> int:
    """Whether two states are equal, word for word."""
    if words_a != words_b:
        return 0
    for i in range(words_a):
        if load64(a + 8 * i) != load64(b + 8 * i):
            return 0
    return 1


def seen_before(begin: int, end: int, state: int, words: int) -> int:
    """Whether a state is among the records from `begin` to `end`."""
    at = begin
    while at < end:
        length = load64(at) >> REF_BITS
        if same_state(at + 8, length, state, words):
            return 1
        at += 8 * (1 + length)
    return 0


# ---- torn steps


@rare
def effects_reset(effects: int, limit: int) -> int:
    """Begins a run that is torn after `limit` effects."""
    store64(effects, limit)
    store64(effects + 8, 0)
    store64(effects + 16, 0)
    return 0


@rare
def effect(effects: int, state: int, words: int) -> int:
    """One effect is about to happen."""
    count = load64(effects + 8)
    if count == load64(effects):
        store64(effects + 16, 1)
        copy_words(effects + 32, state, words)
    store64(effects + 8, count + 1)
    return 0


@rare
def picture_add(pictures: int, count: int, stride: int, state: int, words: int) -> int:
    """Adds a torn state unless it is known; gives how many there are."""
    for i in range(count):
        picture = pictures + 8 * i * stride
        if same_state(picture + 8, load64(picture), state, words):
            return count
    picture = pictures + 8 * count * stride
    store64(picture, words)
    copy_words(picture + 8, state, words)
    return count + 1


@rare
def choose_count(n: int, r: int) -> int:
    """How many subsets of r among n elements there are, but no more than MAX_TEARS + 1."""
    if r > n - r:
        r = n - r
    result = 1
    for i in range(r):  # grows with each round, since r is at most n / 2
        result = result * (n - i) // (i + 1)
        if result > MAX_TEARS:
            return MAX_TEARS + 1
    return result


@rare
def reached_first(effects: int, tape: int, recipients: int) -> int:
    """The recipients that are reached before the tear, where it lies among them: a set, 0 where it does not.

    MASK where there are too many such sets, or choices.
    """
    limit = load64(effects)
    count = load64(effects + 8)
    n = count_bits(recipients)
    if limit <= count or limit - count >= n:
        return 0
    r = limit - count
    subsets = choose_count(n, r)
    if subsets > MAX_TEARS:
        return MASK
    index = tape_choose(tape, subsets)
    if index == MASK:
        return MASK
    # the index counts subsets in lexicographic order
    chosen = 0
    rest = recipients
    while r > 0:
        low = lowest_bit(rest)
        rest = rest & (rest - 1)
        n -= 1
        with_it = choose_count(n, r - 1)
        if index < with_it:
            chosen = chosen | (1 << low)
            r -= 1
        else:
            index -= with_it
    return chosen


# ---- lists of messages


def lane_load(lanes: int, size: int, lane: int) -> int:
    """The code in a lane."""
    if size == 2:
        return load16(lanes + 2 * lane)
    if size == 4:
        return load32(lanes + 4 * lane)
    return load64(lanes + 8 * lane)


def lane_store(lanes: int, size: int, lane: int, code: int) -> int:
    """Writes a lane."""
    if size == 2:
        return store16(lanes + 2 * lane, code)
    if size == 4:
        return store32(lanes + 4 * lane, code)
    return store64(lanes + 8 * lane, code)


def lower_bound(lanes: int, size: int, begin: int, end: int, code: int) -> int:
    """The first lane from `begin` on whose code is not below `code`; the lanes ascend.

    Which half it is in cannot be predicted, so the search moves by arithmetic, not by branches: a difference of codes, which
    have less than 63 bits, has its top bit set if and only if it is negative.
    """
    n = end - begin
    while n > 1:
        half = n // 2
        below = sub64(lane_load(lanes, size, begin + half - 1), code) >> 63
        begin += half * below
        n -= half
    if n == 1:
        begin += sub64(lane_load(lanes, size, begin), code) >> 63
    return begin


def lane_is(lanes: int, size: int, lane: int, end: int, code: int) -> int:
    """Whether a lane before `end` holds a code."""
    if lane >= end:
        return 0
    return 1 if lane_load(lanes, size, lane) == code else 0


def pair_bound(lanes: int, size: int, begin: int, end: int, code: int, mask: int, behind: int) -> int:
    """Where the queue of a message begins among queues, or, if `behind` is 1, where it ends.

    `mask` has the bits of a lane that tell its queue.
    """
    pair = (code & mask) + behind
    while begin < end:
        middle = (begin + end) // 2
        if (lane_load(lanes, size, middle) & mask) < pair:
            begin = middle + 1
        else:
            end = middle
    return begin


def lane_insert(lanes: int, size: int, lane: int, total: int, code: int) -> int:
    """Puts a code into a list of `total` lanes; those from `lane` on move up."""
    if total * size % 8 == 0:  # a new word begins, which may hold anything
        store64(lanes + total * size, 0)
    at = total
    while at > lane:
        lane_store(lanes, size, at, lane_load(lanes, size, at - 1))
        at -= 1
    lane_store(lanes, size, lane, code)
    return 0


def lane_remove(lanes: int, size: int, lane: int, total: int) -> int:
    """Takes a lane out of a list of `total` lanes."""
    for at in range(lane, total - 1):
        lane_store(lanes, size, at, lane_load(lanes, size, at + 1))
    lane_store(lanes, size, total - 1, 0)
    return 0


@rare
def without_endpoint(
    lanes: int, size: int, begin: int, end: int, total: int, process: int, sender_bits: int, receiver_bits: int
) -> int:
    """Takes out everything to and from a process among the lanes from `begin` to `end`; gives how many of them are left."""
    target = begin
    for at in range(begin, end):
        code = lane_load(lanes, size, at)
        sender = (code >> receiver_bits) & ((1 << sender_bits) - 1)
        receiver = code & ((1 << receiver_bits) - 1)
        if sender != process and receiver != process + 1:
            lane_store(lanes, size, target, code)
            target += 1
    left = target - begin
    for at in range(end, total):
        lane_store(lanes, size, target, lane_load(lanes, size, at))
        target += 1
    while target < total:
        lane_store(lanes, size, target, 0)
        target += 1
    return left
