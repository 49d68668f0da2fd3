"""What the compiled spec, the kernels and the driver agree on: records, blocks of words, status codes.

Everything is an unsigned word of 64 bits, and every pointer a plain address. Three parties share memory:

- the **spec**, compiled from a machine: `expand` and what judges states;
- the **kernels**: the loop over a level and the visited set, the same for every spec;
- the **driver**, in Python: starts workers, grows tables, looks at limits, and at what the kernels report.

**Record.** A state in an arena, and a successor that waits in the output buffer, have one form: a header word, then the words
of the state. The header holds the reference of the state it was found from in its lower 48 bits (`NO_PARENT` for an
initial state) and the number of words in its upper 16. Where `expand` notes something about states (`memo_words`), the header
may say, besides, which step of the parent led to the state, in its upper 8 bits (`code.sleep`). The topmost bit tells that it
does, and that the number of words has no more than the 8 bits below. A reference is `worker << 40 | offset`, the offset of the
record in the arena of that worker, counted in words. Offset 0 is never used.

**Blocks of work.** A level is cut into blocks of records, each a pair of addresses (first record, end). Those of an arena are a
queue, from which workers take the next by an atomic counter: first from their own, as what a worker has found is nearer to its
processor, and leads to what it has found, too; then from others'. One worker takes them in order, which makes the search exactly
breadth-first.

**Resuming.** `run` returns to the driver with a status whenever something has to be decided, and goes on where it was when
called again: the current block, the output buffer and the position in it are kept in the worker's context.

The spec is a module with these functions, all over words:

    expand(ctx, state, out) -> end     writes all successors of a state as records at `out`, with PARENT as parent,
                                       and returns the end of what it wrote, or a code below `LOWEST_ADDRESS`:
                                       `DEFER` (nothing was counted) or `NEED_SPACE` (OUT_END would be passed)
    inside(ctx, state) -> 0, 1         whether the state lies within the bound; only asked if has_bound()
    visit(ctx, state) -> 0, 1          judges a state seen for the first time; 1: something is to be reported
    transition(ctx, old, new) -> 0, 1  judges a step; only asked if has_steps(); 1: something is to be reported
    fixed_words() -> n                 the number of words of every state, 0 where states differ in length
    memo_words() -> n                  how many words `expand` may note about each state (`code.recall`)
    table_kind() -> INLINE, INDIRECT, FINGERPRINT
    has_bound() -> 0, 1
    has_steps() -> 0, 1
    has_peers() -> 0, 1                whether there may be several workers
    resumes() -> 0, 1                  whether there may be states of an earlier search to take over

`expand` adds to TRANSITIONS and to its own counters behind CTX_COUNTERS, and sets REPORT to what the driver has to be told about
the expanded state (0: nothing). It leaves out successors equal to the state itself where no step property has to see them,
but counts them. In a reduced search it leaves out steps that need not be taken, too, and does not count those (`native.ample`).
"""

from __future__ import annotations

# ---- records

REF_BITS = 48
"""Lower bits of a header: the reference of the parent."""
REF_MASK = (1 << REF_BITS) - 1
NO_PARENT = REF_MASK
MOST_WORDS = 1 << (64 - REF_BITS)
"""No state has as many."""
ORIGIN = 56
"""Where there are memo words: from this bit on, a header may say which step of the parent led to the state; bit 63 says if."""
SETTLED = 62
"""In such a header: whether step properties said nothing of a step that leaves the parent as it is."""
FEW_WORDS = 1 << (ORIGIN - REF_BITS)
"""A state with as many words has no such header, and one with a header for memo words has less than 128 times as many."""

WORKER_SHIFT = 40
"""Lower bits of a reference: the offset of the record in the arena."""
OFFSET_MASK = (1 << WORKER_SHIFT) - 1

# ---- the context of a worker: numbers of words

CTX_SHARED = 0
"""Address of the block that all workers share."""
CTX_WORKER = 1
CTX_OUT = 2
CTX_OUT_END = 3
"""The output buffer."""
CTX_PENDING = 4
"""Where the next successor to be looked at stands in the output buffer."""
CTX_PENDING_END = 5
CTX_BLOCK = 6
"""Address of the next record to expand in the current block; equal to CTX_BLOCK_END where there is none."""
CTX_BLOCK_END = 7
CTX_ARENA = 8
"""Address of the arena: of the word with offset 0."""
CTX_ARENA_NEXT = 9
CTX_ARENA_END = 10
"""Where the next record goes, and the end of what may be written."""
CTX_MARKS = 11
"""Address of the marks: the address of each record whose number in this arena is a multiple of `MARK_EVERY`."""
CTX_RECORDS = 12
"""Records in this arena."""
CTX_PARENT = 13
"""The reference of the state that is expanded, as `expand` puts it into headers."""
CTX_REPORT = 14
"""What `expand` has to report about the expanded state; see `REPORT_…`."""
CTX_EVENT_STATE = 15
"""For a status that speaks of a state: the address of its words."""
CTX_EVENT_REF = 16
"""For EVENT_STATE and EVENT_STEP: the reference of the state's parent. For EVENT_EXPANDED and DEFER: its own."""
CTX_EVENT_OLD = 17
"""For EVENT_STEP: the address of the words of the state before the step."""
CTX_TRANSITIONS = 18
CTX_EXPANDED = 19
CTX_BOUND_CUT = 20
CTX_SCRATCH = 21
CTX_SCRATCH_END = 22
"""Memory for the kernels: entries of the batch with their hashes."""
CTX_SPEC = 23
"""Address of the spec's own block, shared by nobody: active properties, results, counters (see `code.frame`)."""
CTX_SPEC_SCRATCH = 24
CTX_SPEC_SCRATCH_END = 25
"""Memory for the spec: torn states under construction."""
CTX_FLUSH = 26
"""How many bytes of successors `run` collects before it looks them up. At least one state's successors are collected."""
CTX_MAX_STATES = 27
"""Looked at after every state: `run` stops with LIMIT when CTX_RECORDS reaches it (one worker only). 2**64 - 1: none."""
CTX_BLOCK_REF = 28
"""The reference of the record at CTX_BLOCK."""
CTX_JUDGED = 29
"""The pending successor whose step has been judged already, or 0."""
CTX_PAUSE_AT = 30
"""`run` returns PAUSED at the end of the batch in which CTX_EXPANDED + CTX_TRANSITIONS reach this."""
CTX_NOTES = 31
"""Where `expand` notes the unit and key of the next successor, if the spec was compiled for its edges (`code.module`)."""
CTX_RECALLED = 32
"""Address of memory for a copy of a record that is on disk."""
CTX_MEMO = 33
"""Where `expand` leaves what it notes about the state, memo words that are 0; 0 for nowhere."""
CTX_MEMO_BEFORE = 34
"""Where it finds what it noted about the state's parent; 0 where that is not known."""
CTX_BLOCK_NUMBER = 35
"""The number of the record at CTX_BLOCK in its arena."""
CTX_PARENT_REF = 36
CTX_PARENT_NUMBER = 37
"""A state of the level before, and its number in its arena (`kernels.memos`)."""
CTX_FOUND = 38
"""Where `kernels.again` puts the next state that it finds."""
CTX_TALLIES = 40
"""From here on, for each shard, the entries that this worker has not yet added to SHARD_COUNT: fewer than TALLY."""
TALLY = 64
CTX_WORDS = 104

# ---- the block that all workers share

SHARED_STOP = 0
"""Not 0: workers return PAUSED at the next end of a batch."""
SHARED_QUEUES = 1
SHARED_QUEUES_END = 2
"""Where a table begins and ends with QUEUE_WORDS words for each arena: the number of the next block of its records, which is
taken by an atomic addition, and the number behind that of the last."""
QUEUE_WORDS = 2
SHARED_BLOCKS = 3
"""Address of a table with BLOCK_WORDS words for each block: the address of its first record and that of its end, and the
reference and the number of its first record."""
BLOCK_WORDS = 4
SHARED_ARENAS = 4
"""Address of a table with the address of each worker's arena."""
SHARED_WORKERS = 5
"""How many workers there are. One alone needs no atomic instructions."""
SHARED_LEVELS = 6
"""Address of the offsets in each arena at which the current level ends."""
SHARED_DISK = 7
"""Address of a table with two words for each arena: the address where what is in memory begins, and the descriptor of the
file with all that stands before; what stands at an address is in the file DISK_OFFSET further than in the arena."""
DISK_OFFSET = 1 << 16
SHARED_MEMOS = 8
"""Address of a table with MEMO_WORDS words for each arena (`native.memos`)."""
SHARED_MODE = 9
"""What `run` does: SEARCH, or something with states of an earlier level (`kernels.again`)."""
SEARCH, RETRACE, SURVEY, ENTER = 0, 1, 2, 3
SHARED_WANTED = 10
SHARED_WANTED_SHIFT = 11
"""Address of the table of the states that are looked for, 0 for none, and by how much a hash is shifted to choose a slot."""
SHARED_SHARDS = 16
"""From here on four words for each of the SHARDS shards of the visited set: address, shift, entries, most entries."""
SHARD_BITS = 6
SHARDS = 1 << SHARD_BITS
SHARD_BASE, SHARD_SHIFT, SHARD_COUNT, SHARD_LIMIT = 0, 1, 2, 3
SHARED_WORDS = SHARED_SHARDS + 4 * SHARDS

# ---- the table of what is noted about states

MEMO_WORDS = 8
MEMO_MARKS = 0
"""Address of the marks of the arena."""
MEMO_BEFORE, MEMO_NOW = 1, 2
"""Where the memo words of a state with number 0 would stand, for the level before and the one that is expanded; 0: nowhere."""
MEMO_FIRST, MEMO_END = 3, 4
"""The numbers of the states of the level before: the first, and one more than the last."""

# ---- kinds of visited sets

INLINE = 0
"""Slots hold the states themselves: one word of at most 63 bits, with the top bit set."""
INDIRECT = 1
"""Slots hold a tag of 16 bits of the hash above a reference."""
FINGERPRINT = 2
"""Slots hold a hash of 63 bits, with the top bit set. Not exact."""

# ---- status codes of `run`, and the codes below LOWEST_ADDRESS of `expand`

DONE = 0
"""No block is left, nothing is pending."""
DEFER = 1
"""The state at CTX_BLOCK cannot be expanded by native code. The driver writes its successors to the output buffer."""
NEED_SPACE = 2
"""One state has more successors than the whole output buffer holds."""
GROW = 3
"""A shard is full: CTX_EVENT_REF is its number."""
ARENA_FULL = 4
EVENT_STATE = 5
"""`visit` has something to report about the state at CTX_EVENT_STATE, which is in the set now or outside the bound."""
EVENT_STEP = 6
"""`transition` has something to report."""
EVENT_EXPANDED = 7
"""`expand` has something to report, in CTX_REPORT, about the state with reference CTX_EVENT_REF."""
PAUSED = 8
LIMIT = 9
LOWEST_ADDRESS = 16

REPORT_ERROR = 1
"""A step of the expanded state erred."""
REPORT_DEADLOCK = 2
REPORT_FINAL = 4
"""`final` could not be evaluated."""
REPORT_STEP = 8
"""A step property has something to say about a step of the expanded state (with symmetry: see `code.expand`)."""

MARK_EVERY = 256
