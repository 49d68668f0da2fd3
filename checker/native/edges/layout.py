"""The block of words that the kernels of `linking` and their driver share."""

from __future__ import annotations

STATES = 0
"""How many states there are."""
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
"""Addresses of the cells of the graph (`engine.liveness.graph`)."""
EDGES = 9
EDGE_LIMIT = 10
"""How many edges there are, and may be."""
NOTES = 11
"""Address of what `expand` notes about each successor of a batch: unit and key. There is room for as many as the output
buffer holds."""
HASHES = 13
HASHES_END = 14
"""A word for each successor of a batch; again as many."""
UNIT_TABLE = 15
UNIT_SHIFT = 16
"""A table of units: slots of unit, key, and number."""
UNITS = 17
UNIT_LIMIT = 18
"""How many numbers of units are taken, 0 included, and may be."""
FAIRNESS = 19
"""Address of a cell for each unit that a note may name: 0 not fair, 1 weakly, 2 strongly."""
STRONG = 20
"""Address of the cells that say of each number of a unit whether it is strongly fair."""
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
"""How many states have a step that a `limit` refused."""
NO_SIDE = 0xFFFFFFFF
WORDS = 32

# ---- what entries give besides the codes of `native.abi`

MORE_EDGES = 32
MORE_UNITS = 33
