"""The counters of compiled specs: what they add up to, and how they go from the workers of one search to those of
another.

Each worker counts in its own block (`code.frame`). At the end they are added, or, for what was seen, joined. A search
that is taken up again may have another number of workers, so its blocks are merged into one, which the first worker
gets; whether an item is still looked at, all of them have to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checker.engine.idle import never_false, never_received
from checker.engine.interface import Tally
from checker.native.code import frame
from checker.native.code.module import Plan

Block = Sequence[int]

_WORD = (1 << 64) - 1


def initial_block(plan: Plan) -> list[int]:
    """The block of a worker of a new search: every item is looked at, and no enum value was seen."""
    block = [0] * plan.shape.block
    for i in range(len(plan.items)):
        block[plan.shape.active + i] = 1
    block[plan.shape.unseen] = 1
    return block


def merged(plan: Plan, blocks: Sequence[Block]) -> list[int]:
    """One block that counts what several counted."""
    shape = plan.shape
    result = initial_block(plan)
    for at in (frame.LIMIT_CUT, frame.DROPPED, *range(frame.FIRED, shape.frame)):
        result[at] = sum(block[at] for block in blocks) & _WORD
    for at in range(shape.active, shape.active + shape.items):
        result[at] = min(block[at] for block in blocks)
    for at in range(shape.seen, shape.block):
        for block in blocks:
            result[at] |= block[at]
    return result


def following(plan: Plan, block: Block, workers: int) -> Iterator[list[int]]:
    """The blocks of the workers that go on from a merged one."""
    yield list(block)
    for _ in range(workers - 1):
        other = initial_block(plan)
        active = slice(plan.shape.active, plan.shape.active + plan.shape.items)
        other[active] = block[active]
        yield other


def tally(plan: Plan, block: Block, bound_cut: int, *, complete: bool) -> Tally:
    """The counts for coverage, from a merged block."""
    machine, shape = plan.machine, plan.shape
    fired: dict[str, int] = {}
    empty: dict[str, int] = {}
    for i, name in enumerate(plan.units):
        fired[name] = fired.get(name, 0) + block[frame.FIRED + i]
        if block[shape.empty + i]:
            empty[name] = empty.get(name, 0) + block[shape.empty + i]
    steps = block[frame.FIRED : frame.FIRED + len(machine.steps)]
    vacuous = [item.name for i, item in enumerate(plan.items) if item.is_antecedent and block[shape.active + i]]
    return Tally(
        fired,
        tuple(vacuous) if complete else (),
        _unused(plan, block) if complete else (),
        never_received(machine, steps) if complete else (),
        empty,
        bound_cut,
        block[frame.LIMIT_CUT],
        block[frame.DROPPED],
        never_false(machine, steps, _blocked(plan, block)) if complete else (),
    )


def _blocked(plan: Plan, block: Block) -> bytes:
    """For each conjunct of a guard, whether it was the first false one."""
    return b"".join(word.to_bytes(8, "little") for word in block[plan.shape.blocked : plan.shape.block])


def _unused(plan: Plan, block: Block) -> tuple[str, ...]:
    """Enum values that no variable of that enum ever had; only enums that some value was seen of."""
    unused, at = [], plan.shape.seen
    for enum, words in zip(plan.enums, plan.shape.enums, strict=True):
        mask = sum(block[at + i] << 64 * i for i in range(words))
        at += words
        if mask:
            unused += [f"{enum.name}.{v}" for i, v in enumerate(enum.values) if not mask >> i & 1]
    return tuple(unused)
