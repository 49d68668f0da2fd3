"""A machine as one LLVM module: everything that `native.abi` asks of a compiled spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checker.base.data import dataclass
from checker.engine.classes import Classes
from checker.model.machine import LiveCase, Machine
from checker.model.types import EnumT
from checker.native import abi
from checker.native.code import frame
from checker.native.code.classes import sizes, write_classes
from checker.native.code.columns import Orders, orders_of
from checker.native.code.expand import UNROLLED, call_sites, write_expand
from checker.native.code.handlers import write_commit, write_handler
from checker.native.code.judge import Item, items_of, write_asking, write_judges
from checker.native.code.orbits import write_orbits
from checker.native.code.packed import Packed
from checker.native.code.program import Program
from checker.native.code.recallable import WORDS, recall_of
from checker.native.code.seen import enum_words, enums_of
from checker.native.code.silent import write_silent
from checker.native.code.torn import write_resets
from checker.native.code.unit import Unit


@dataclass(frozen=True, slots=True)
class Plan:
    """What the driver has to know about a compiled machine; made without writing any code."""

    machine: Machine
    packed: Packed
    shape: frame.Shape
    items: tuple[Item, ...]
    enums: tuple[EnumT, ...]
    units: tuple[str, ...]
    kinds: tuple[str, ...]
    fixed_words: int
    memo: int
    """Words behind each state for what `expand` recalls (`recall`)."""
    table_kind: int
    has_bound: int
    has_steps: int
    orders: Orders | None
    unused: Mapping[str, str]
    """Symmetric groups that native code cannot use, and why."""
    coverage: bool = True
    """Whether anything is counted that a verdict does not need."""
    cases: tuple[LiveCase, ...] = ()
    """Live properties to be asked about states. Where there are some, the spec is compiled for its edges, and judges nothing."""
    classes: Classes | None = None
    """The classes of steps, where some of them are left out."""
    peers: bool = True
    """Whether several workers may search."""
    resumes: bool = True
    """Whether a search may go on from a checkpoint."""

    @property
    def constants(self) -> dict[str, int]:
        """The functions of `abi` that only give a number."""
        return {
            "fixed_words": self.fixed_words,
            "memo_words": self.memo,
            "table_kind": self.table_kind,
            "has_bound": self.has_bound,
            "has_steps": 0 if self.orders is not None else self.has_steps,  # `expand` sees to them before it renames
            "has_peers": int(self.peers),
            "resumes": int(self.resumes),
            **({} if self.classes is None else sizes(self.classes)),
        }

    def text(self) -> str:
        """The module's text. Raises `Unsupported` where native code cannot do what the machine needs."""
        unit = Unit(self.machine, edges=bool(self.cases))
        program = Program(unit, coverage=self.coverage, reduced=self.classes is not None)
        recall = recall_of(program) if self.memo and not self.cases else None
        inline = _inlining(program)
        write_commit(program, "alwaysinline" if not program.in_place else "", recalls=recall is not None)
        for number in range(len(self.machine.steps)):
            write_handler(program, number, inline)
        write_resets(program)
        if self.orders is not None:
            write_orbits(unit, self.orders)
        write_expand(program, self.shape, self.items, symmetry=self.orders is not None, recall=recall)
        if self.cases:
            write_asking(unit, self.cases)
        else:
            write_judges(unit, self.items, self.shape, self.enums, symmetry=self.orders is not None, memo=self.memo)
        if program.classes is not None:
            write_classes(program, program.classes)
        if unit.asks_silence:
            write_silent(program, self.shape)
        for name, value in self.constants.items():
            unit.functions.append(f"define i64 @{name}() alwaysinline {{\n  ret i64 {value}\n}}\n")
        return unit.text()


def plan(
    machine: Machine,
    *,
    fingerprints: bool = False,
    coverage: bool = True,
    cases: tuple[LiveCase, ...] = (),
    reduced: bool = False,
    peers: bool = True,
    resumes: bool = True,
) -> Plan:
    """Lays a machine out. Raises `Unsupported` where native code cannot hold it."""
    unit = Unit(machine, edges=bool(cases))
    program = Program(unit, coverage=coverage, reduced=reduced)
    items, enums = items_of(unit), enums_of(unit)
    if not coverage:
        items, enums = tuple(i for i in items if not i.is_antecedent), ()
    packed = unit.packed
    orders, unused = orders_of(packed)
    table_kind = abi.FINGERPRINT if fingerprints else abi.INLINE if packed.is_small and not reduced else abi.INDIRECT
    return Plan(
        replace(machine, symmetric=() if orders is None else orders.groups),
        packed,
        frame.Shape(len(program.names), len(items), enum_words(enums), program.record, program.conjuncts[-1]),
        items,
        enums,
        tuple(program.names),
        tuple(program.kinds),
        packed.words if packed.fixed else 0,
        WORDS if table_kind == abi.INDIRECT and not reduced and recall_of(program) is not None else 0,
        table_kind,
        int(machine.bound is not None),
        int(program.has_steps),
        orders,
        unused,
        coverage,
        cases,
        program.classes,
        peers,
        resumes,
    )


def _inlining(program: Program) -> str:
    """Whether handlers are expanded where they are called: only then are process and message constants in them."""
    return "alwaysinline" if call_sites(program.unit) <= UNROLLED // 2 else ""
