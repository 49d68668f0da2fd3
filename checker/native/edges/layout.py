"""The blocks of words that the kernels of `linking` and their driver share: one of each worker, and one of them all."""

from __future__ import annotations

# ---- the block of a worker

NEXT = 1
"""The next state that an entry looks at."""
PAUSE = 2
"""The state before which it returns to the driver."""
REFERENCES = 3
"""Address of the references of all records, in the order of their numbers."""
TABLE = 4
"""Address of the table that finds numbers: slots of a tag in the upper half, and one more than a number in the lower."""
TABLE_SHIFT = 5
"""By how much a hash is shifted to the right to give a slot."""
FIRST = 6
TARGET = 7
UNIT = 8
"""Addresses of the cells of the graph (`engine.liveness.graph`); of the last two, each worker has its own."""
EDGES = 9
EDGE_LIMIT = 10
"""How many edges this worker has written, and may."""
NOTES = 11
"""Address of what `expand` notes about each successor of a batch: unit and key. There is room for as many as the output
buffer holds."""
TWINS = 12
"""How many states look like another one to who looks for them in TABLE (`edges.numbering`): those that this worker has
numbered, and afterwards those of all."""
HASHES = 13
HASHES_END = 14
"""A word for each successor of a batch; again as many."""
UNITS = 15
"""Address of the block about units."""
CLAIMS = 16
"""How many more units this worker may number: those are in UNIT_CLAIMED already."""
FLAGS = 21
"""Address of the flags of vertices."""
MARK = 22
"""Address of their marks."""
MARKS_OF = 23
"""Address of a cell with the marks for each pair of answers, four times the left one plus the right one."""
LEFT = 24
RIGHT = 25
"""Numbers of the questions about the two sides; NO_SIDE for the right one where there is none."""
CUTS = 26
"""At least 1 if a state has a step that a `limit` refused."""
NO_SIDE = 0xFFFFFFFF
WORDS = 32

# ---- the block about units, which all workers share

UNIT_TABLE = 0
UNIT_SHIFT = 1
"""A table of units: slots of unit, key, and number. No slot is ever emptied, and one with a unit is complete."""
UNIT_COUNT = 2
"""How many numbers of units are taken, 0 included; changes under UNIT_LOCK."""
UNIT_CLAIMED = 3
UNIT_LIMIT = 4
"""How many workers have claimed, taken or not, and may."""
UNIT_STRONG = 5
"""Address of the cells that say of each number of a unit whether it is strongly fair."""
UNIT_FAIRNESS = 6
"""Address of a cell for each unit that a note may name: 0 not fair, 1 weakly, 2 strongly."""
UNIT_LOCK = 8
"""1 while a worker adds a unit."""
UNIT_WORDS = 16

# ---- what entries give besides the codes of `native.abi`

MORE_EDGES = 32
MORE_UNITS = 33
