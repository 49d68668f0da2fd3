"""Blocks of words that compiled specs keep: the frame of one expansion, the spec's block, and its scratch memory.

The **frame** lives on the stack while one state is expanded: where the next successor goes, and counters. It is added to the
spec's block when the expansion is complete, so an expansion that is given up leaves no trace.

The **block** of a worker (`abi.CTX_SPEC`) has the counters at the same places, then for each item that is judged whether it is
still looked at and what was found, then which enum values were seen, and which conjuncts of guards were false. These are
written at once: noting one again does no harm.

The **scratch memory** has the tapes of choices, the effects of a torn step, and pictures of torn states.
"""

from __future__ import annotations

from checker.base.data import dataclass

# ---- the frame, and the counters of the block

OUT = 0
"""Where the next successor goes."""
END = 1
"""Where room for successors ends."""
PROBE = 2
"""Not 0: only whether something changes is asked for, and no successor is kept."""
ALIVE = 3
"""Whether some step that is no fault changes the state."""
FAILED = 4
TRANSITIONS = 5
LIMIT_CUT = 6
DROPPED = 7
STUTTERED = 8
"""Whether there was a step that changes nothing; TOLD if it was kept, as step properties have something to say about it."""
TOLD = 2
NOTES = 9
"""Where it is noted which conjuncts of guards were false: the address of a word for each (`Shape.blocked`)."""
STATES = 10
"""How many states those stand for that were found (with symmetry)."""
EXTRA = 11
"""Transitions of deferred states that the driver, which counts them once, leaves out (with symmetry)."""
CUT = 12
"""Cuts by the bound that the loop, which counts them once for each orbit, leaves out (with symmetry)."""
KEY = 13
"""Of the step under way: where edges are noted, what tells its fair unit from others of the same handler; in a reduced search,
its class; where steps are recalled, what headers say of it (`abi.ORIGIN`), or 0."""
CLASSES = 14
"""Where a reduced search notes what steps there are of each class: the address of its notes (`native.ample`)."""
FIRED = 15
"""From here on, how often each unit fired; then, how often a choice of each unit was empty."""

# ---- what is noted of each class

LEADS = 1 << 63
"""Some step of the class changes the state and is no fault."""
ERRS = 1 << 62
"""Some step of the class errs."""
STEPS = ERRS - 1
"""The bits that count steps."""

# ---- results of items

HOLDS = 1
FALSE = 0
ERROR = 2
DEFERRED = 3

# ---- statuses of bodies

OK = 0
BLOCKED = 1
EMPTY = 2
FAIL = 3
DISCARDED = 4
DEFER = 5

# ---- scratch memory

TAPE_SIZE = 256
"""The most choices of one step; a step with more is left to the interpreter."""
TAPE_WORDS = 2 + 2 * TAPE_SIZE
TAPE = 0
RESET_TAPE = TAPE + TAPE_WORDS
EFFECTS = RESET_TAPE + TAPE_WORDS
EFFECTS_LIMIT, EFFECTS_COUNT, EFFECTS_TORN, EFFECTS_PICTURE = 0, 1, 2, 4
"""Within the effects: the effect before which the crash strikes, how many there were, whether it struck, and the state then."""

MAX_PICTURES = 2048
"""The most torn states of one step."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a compiled spec's blocks. `record` is the most words of a state."""

    units: int
    items: int
    enums: tuple[int, ...]
    record: int
    conjuncts: int = 0

    @property
    def empty(self) -> int:
        """Where the counters of empty choices begin."""
        return FIRED + self.units

    @property
    def frame(self) -> int:
        """The words of a frame."""
        return FIRED + 2 * self.units

    @property
    def active(self) -> int:
        """Where the flags of the items begin: 1 while an item is looked at."""
        return self.frame

    @property
    def results(self) -> int:
        """Where the results of the items begin: 0 for none, else one more than HOLDS, FALSE, ERROR or DEFERRED."""
        return self.active + self.items

    @property
    def inside(self) -> int:
        """Whether the state that was asked about last lies within the bound."""
        return self.results + self.items

    @property
    def unseen(self) -> int:
        """Not 0 while some enum value has not been seen."""
        return self.inside + 1

    @property
    def stuttered(self) -> int:
        """The address of the last state over which step properties were judged where nothing that they read changes."""
        return self.unseen + 1

    @property
    def seen(self) -> int:
        """Where the masks of seen enum values begin, one word for each 64 values of each enum."""
        return self.stuttered + 1

    @property
    def blocked(self) -> int:
        """Where it is noted for each conjunct of a guard whether it was the first false one (`engine.idle`)."""
        return self.seen + sum(self.enums)

    @property
    def block(self) -> int:
        """The words of the block."""
        return self.blocked + self.notes

    @property
    def notes(self) -> int:
        """The words of the notes about conjuncts: a byte for each."""
        return -(-self.conjuncts // 8)

    @property
    def pictures(self) -> int:
        """Where the pictures begin in the scratch memory."""
        return EFFECTS + EFFECTS_PICTURE + self.record + 1

    @property
    def picture(self) -> int:
        """The words of one picture: how many words its state has, then the state."""
        return 1 + self.record

    @property
    def scratch(self) -> int:
        """The words of the scratch memory."""
        return self.states + 3 * (1 + self.record)

    @property
    def most_pictures(self) -> int:
        """How many torn states of one step there is room for; a step with more is left to the interpreter."""
        return MAX_PICTURES if self.record <= 64 else 256

    @property
    def states(self) -> int:
        """Where three states under construction stand in the scratch memory."""
        return self.pictures + self.picture * self.most_pictures
