"""The kernels with which the native engine judges liveness. They make the graph (`numbering`, `linking`) and search it
(`engine.liveness`).

They are one module, translated together with each spec, as `kernels` is. EXPORTS are the functions that a driver calls.
"""

from __future__ import annotations

from checker.engine.liveness.components import fair_sets, trim
from checker.engine.liveness.paths import nearest, stem
from checker.native.edges.linking import label, link, may_add_units, move_ends, move_units, number_of
from checker.native.edges.numbering import enroll_all, find, index

__all__ = [
    "EXPORTS",
    "enroll_all",
    "fair_sets",
    "find",
    "index",
    "label",
    "link",
    "may_add_units",
    "move_ends",
    "move_units",
    "nearest",
    "number_of",
    "stem",
    "trim",
]

EXPORTS = {
    "enroll_all": 4,
    "index": 2,
    "find": 3,
    "number_of": 4,
    "may_add_units": 3,
    "move_ends": 3,
    "move_units": 4,
    "link": 2,
    "label": 2,
    "trim": 8,
    "fair_sets": 20,
    "stem": 11,
    "nearest": 16,
}
"""With the numbers of their arguments."""
