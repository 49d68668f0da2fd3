"""Ample sets in native code: which successors of a state are kept, where a search leaves out steps (`engine.reduction`).

`expand` writes all successors of a state, as ever, with the number of a class in place of the parent, and counts the steps of
each class. Then it calls `ample`, which chooses as `engine.reduction.Reducer` does, step for step: it closes a set for each class
that may begin one, takes the one with the fewest steps of which one leads to a later level, and moves what is kept together.

A state belongs to a later level if it is not known, or if its record was written after the current level began. Records of other
workers that come and go meanwhile make no difference to that, so the choice depends on the state alone.

Like the kernels, this is restricted Python over words (`words`), translated with a spec that is explored this way and with no
other. What it knows of the classes, the spec defines (`code.classes`). A set of classes is an address of `set_words()` words.
The **notes** behind `frame.CLASSES` are, for n classes:

| words | |
|---|---|
| n | how many steps each class has here, and flags: whether one begins a set (LEADS), whether one errs (ERRS) |
| n | for each class the address of the set of its openers, or 0 while nobody has asked |
| 5 sets | the enabled classes, the hopeless ones, the set that is constructed, what of it is not closed yet, the best set |

A class is **hopeless** if no set that contains it can be better than the best so far: one that is enabled and visible, or one
whose own set was constructed and saves nothing more, as that is part of every closed set with the class.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_PARENT,
    CTX_SHARED,
    OFFSET_MASK,
    REF_MASK,
    SHARED_LEVELS,
    WORKER_SHIFT,
)
from checker.native.code.frame import CLASSES, LEADS, OUT, STEPS, TRANSITIONS
from checker.native.kernels.records import hash_of, keep, words_of
from checker.native.kernels.table import later_key, later_line, line_of, referred_in, shard_of, tag_of
from checker.native.words import entry, external, inline, load64, lowest_bit, match_line, store64

ENABLED, HOPELESS, FOUND, WAITING, BEST = range(5)
"""The sets in the notes."""

# ---- what the spec defines


@external
def classes() -> int:
    """How many classes there are."""
    return 0


@external
def set_words() -> int:
    """How many words a set of classes has."""
    return 0


@external
def relations() -> int:
    """The address of the table of what does not depend on the state."""
    return 0


@external
def locked(ctx: int, state: int, number: int) -> int:
    """Which of the ways to open a class there are: a bit for each."""
    return 0 * ctx * state * number


@inline
def dependent(number: int) -> int:
    """The set of the classes that depend on one."""
    return relations() + 8 * load64(relations() + 8 * number)


@inline
def visible() -> int:
    """The set of the classes that are visible."""
    return relations() + 16 * classes()


def openers(ctx: int, state: int, number: int) -> int:
    """The set of classes of which one has to run before another step of a class becomes enabled."""
    ways = locked(ctx, state, number)
    way = relations() + 8 * load64(relations() + 8 * (classes() + number))
    while ways >> load64(way) & 1 == 0:
        way += 16
    return relations() + 8 * load64(way + 8)


# ---- sets


@inline
def has(numbers: int, number: int) -> int:
    """Whether a class is in a set."""
    return load64(numbers + (number >> 6) * 8) >> (number & 63) & 1


@inline
def include(numbers: int, number: int) -> int:
    """Puts a class into a set."""
    word = numbers + (number >> 6) * 8
    return store64(word, load64(word) | 1 << (number & 63))


@inline
def set_of(notes: int, which: int) -> int:
    """One of the sets in the notes."""
    return notes + 8 * (2 * classes() + which * set_words())


def gather(notes: int) -> int:
    """Finds the enabled classes, and forgets what was known of the last state. Gives how many are enabled."""
    for i in range(set_words()):
        store64(set_of(notes, ENABLED) + 8 * i, 0)
    count = 0
    for number in range(classes()):
        store64(notes + 8 * (classes() + number), 0)
        if load64(notes + 8 * number) != 0:
            include(set_of(notes, ENABLED), number)
            count += 1
    for i in range(set_words()):
        store64(set_of(notes, HOPELESS) + 8 * i, load64(set_of(notes, ENABLED) + 8 * i) & load64(visible() + 8 * i))
    return count


@inline
def join(notes: int, more: int) -> int:
    """Puts classes into the set that is constructed. Gives 0 if it is hopeless now, or has all that are enabled."""
    lacking = 0
    hopeless = 0
    for i in range(set_words()):
        found = load64(set_of(notes, FOUND) + 8 * i)
        both = found | load64(more + 8 * i)
        waiting = set_of(notes, WAITING) + 8 * i
        store64(waiting, load64(waiting) | both ^ found)
        store64(set_of(notes, FOUND) + 8 * i, both)
        enabled = load64(set_of(notes, ENABLED) + 8 * i)
        lacking |= enabled ^ (enabled & both)
        hopeless |= both & load64(set_of(notes, HOPELESS) + 8 * i)
    return lacking if hopeless == 0 else 0


def close(ctx: int, notes: int, state: int, seed: int) -> int:
    """Constructs the stubborn set of a class; gives 0 if it is hopeless, or leaves nothing out."""
    for i in range(set_words()):
        store64(set_of(notes, FOUND) + 8 * i, 0)
        store64(set_of(notes, WAITING) + 8 * i, 0)
    include(set_of(notes, FOUND), seed)
    include(set_of(notes, WAITING), seed)
    i = 0
    while i < set_words():
        waiting = load64(set_of(notes, WAITING) + 8 * i)
        if waiting == 0:
            i += 1
            continue
        store64(set_of(notes, WAITING) + 8 * i, waiting & (waiting - 1))
        number = 64 * i + lowest_bit(waiting)
        if load64(notes + 8 * number) != 0 and join(notes, dependent(number)) == 0:
            return 0
        known = notes + 8 * (classes() + number)
        if load64(known) == 0:
            store64(known, openers(ctx, state, number))
        if join(notes, load64(known)) == 0:
            return 0
        i = 0
    return 1


def steps_in(notes: int) -> int:
    """How many steps the set that is constructed has here."""
    total = 0
    for i in range(set_words()):
        rest = load64(set_of(notes, FOUND) + 8 * i) & load64(set_of(notes, ENABLED) + 8 * i)
        while rest != 0:
            total += load64(notes + 8 * (64 * i + lowest_bit(rest))) & STEPS
            rest &= rest - 1
    return total


# ---- the choice


def is_later(ctx: int, record: int) -> int:
    """Whether a successor is of a later level: not known, or only since the current level began."""
    shared = load64(ctx + 8 * CTX_SHARED)
    h = hash_of(record)
    shard = shard_of(shared, h)
    home = line_of(shard, h)
    line = home
    key = tag_of(shard, h)
    tried = 0
    while True:
        ref = referred_in(ctx, shared, line, key, record)
        if ref != 0:
            end = load64(load64(shared + 8 * SHARED_LEVELS) + 8 * (ref >> WORKER_SHIFT))
            return 1 if ref & OFFSET_MASK >= end else 0
        if match_line(line, 0, 0) != 0:
            return 1
        tried += 1
        line = later_line(shard, home, tried)
        key = later_key(key)


def leads_on(ctx: int, notes: int, record: int, end: int) -> int:
    """Whether a step of the set that is constructed leads to a later level."""
    while record != end:
        if has(set_of(notes, FOUND), load64(record) & REF_MASK) != 0 and is_later(ctx, record) != 0:
            return 1
        record += 8 + 8 * words_of(record)
    return 0


def choose(ctx: int, notes: int, state: int, out: int, end: int, steps: int) -> int:
    """Finds the best set; gives how many steps it has, or 0 where all of them have to be taken, of which there are `steps`."""
    best = 0
    for number in range(classes()):
        if load64(notes + 8 * number) & LEADS != 0 and has(set_of(notes, HOPELESS), number) == 0:
            some = steps if close(ctx, notes, state, number) == 0 else steps_in(notes)
            if some < steps:
                if leads_on(ctx, notes, out, end) == 0:
                    continue  # a set that contains it may lead on
                steps = some
                best = some
                for i in range(set_words()):
                    store64(set_of(notes, BEST) + 8 * i, load64(set_of(notes, FOUND) + 8 * i))
            include(set_of(notes, HOPELESS), number)
    return best


@entry
def ample(ctx: int, frame: int, state: int, out: int, whole: int) -> int:
    """Keeps an ample set of the successors from `out` on, or all; if `whole` is not 0, all. Then they have their parent."""
    notes = load64(frame + 8 * CLASSES)
    end = load64(frame + 8 * OUT)
    steps = 0
    if whole == 0 and gather(notes) > 1:
        steps = choose(ctx, notes, state, out, end, load64(frame + 8 * TRANSITIONS))
    parent = load64(ctx + 8 * CTX_PARENT)
    record = out
    kept = out
    while record != end:
        number = load64(record) & REF_MASK
        after = record + 8 + 8 * words_of(record)
        if steps == 0 or has(set_of(notes, BEST), number) != 0:
            store64(record, (load64(record) ^ number) | parent)
            if kept != record:
                keep(record, kept)
            kept += after - record
        record = after
    if steps != 0:
        store64(frame + 8 * TRANSITIONS, steps)
    return store64(frame + 8 * OUT, kept)
