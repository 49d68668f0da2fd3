"""The module under construction: functions, tables of constants, and what the types of a machine look like in it.

Every function of the compiled spec is written with a `Unit` at hand. It keeps what is made once: declarations of LLVM's
own functions, tables of the values of a type, and the functions of the spec in each form that is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from checker.base.data import dataclass
from checker.base.diagnostics import SpecError
from checker.engine.program import Program
from checker.model.machine import Machine
from checker.model.types import (
    BagT,
    MapT,
    OptT,
    RecordT,
    SeqT,
    SetT,
    Type,
    TypeTooLarge,
    cardinality,
    has_where,
    show,
)
from checker.model.values import Value, domain, order_key, rank, space
from checker.native.code.packed import Packed
from checker.native.code.width import Unsupported, elements, is_dense, to_bits

MAX_TABLE = 1 << 14
"""The most values of a type that stand in a table."""


@dataclass(frozen=True, slots=True)
class Made:
    """A function of the spec as it was compiled: `result` is its LLVM type, `type` that of the value.

    One that may fail gives a status, too: 0, or 1 for an error, or 2 for what is left to the interpreter.
    """

    name: str
    result: str
    type: Type
    may_fail: bool


class Unit:
    """See the module."""

    def __init__(self, machine: Machine, *, edges: bool = False) -> None:
        self.machine = machine
        self.edges = edges
        """Whether `expand` notes which unit each step takes, for liveness; nothing is judged then."""
        self.packed = Packed(machine)
        self.layout = self.packed.layout
        self.functions: list[str] = []
        self.globals: dict[str, str] = {}
        self._tables: dict[tuple[str, tuple[int, ...]], str] = {}
        self._patterns: dict[Type, tuple[int, ...]] = {}
        self._orders: dict[Type, tuple[int, ...]] = {}
        self.made: dict[tuple[str, tuple[Type, ...]], Made] = {}
        """Functions of the spec, by their names and the types of their arguments."""
        self.conditions: dict[str, Made] = {}
        """The functions that test the conditions of records."""
        self.may_fail: dict[str, bool] = {}
        """Which functions of the spec can go wrong, as far as somebody asked (`pitfalls`)."""
        self.asks_silence = False
        """Whether something calls `silent`."""
        self._names = 0
        self._program: Program | None = None

    def name(self, hint: str) -> str:
        """A new name for a function."""
        self._names += 1
        return f"{hint}{self._names}"

    def declare(self, text: str) -> None:
        """A declaration, made once."""
        self.globals.setdefault(text, text)

    def table(self, kind: str, values: Sequence[int]) -> str:
        """A constant array, made once."""
        key = kind, tuple(values)
        if key not in self._tables:
            name = f"@table{len(self._tables)}"
            items = ", ".join(f"{kind} {v}" for v in values)
            self.globals[name] = f"{name} = internal constant [{len(values)} x {kind}] [{items}]"
            self._tables[key] = name
        return self._tables[key]

    def text(self) -> str:
        """The whole module."""
        return "\n".join(
            [*self.globals.values(), "", *self.functions, '!0 = !{!"branch_weights", i32 2000, i32 1}', ""]
        )

    # ---- types

    @property
    def program(self) -> Program:
        """The machine compiled for the interpreter, for what only it can say: which records fulfil their conditions."""
        if self._program is None:
            self._program = Program(self.machine)
        return self._program

    def values(self, t: Type) -> tuple[Value, ...]:
        """The values of a type in order. Raises `Unsupported` where they are too many for a table."""
        if self.cardinality(t) == 0:
            return ()
        if has_where(t):
            try:
                found = tuple(islice(self.program.names.values(t), MAX_TABLE + 1))
            except SpecError as problem:  # the interpreter asks only when it needs them
                raise Unsupported(problem.diagnostics[0].message) from None
        else:
            if self.cardinality(t) > MAX_TABLE:
                raise Unsupported(f"{show(t)} has more than {MAX_TABLE:,} values, and all are asked for")
            found = tuple(domain(t))
        if len(found) > MAX_TABLE:
            raise Unsupported(f"a type has more than {MAX_TABLE:,} values, and all are asked for")
        return found

    def count(self, t: Type) -> int:
        """How many values a type has."""
        return len(self.values(t)) if has_where(t) else self.cardinality(t)

    def cardinality(self, t: Type) -> int:
        """How many values a type has, conditions of records aside. Raises `Unsupported` where that is beyond counting."""
        try:
            count = cardinality(t)
        except TypeTooLarge:
            count = 1 << 62
        if count >= 1 << 62:
            raise Unsupported(f"{show(t)} has too many values to count them")
        return count

    def patterns(self, t: Type) -> tuple[int, ...]:
        """The patterns of all values of a type in order."""
        if t not in self._patterns:
            self._patterns[t] = tuple(to_bits(t, v) for v in self.values(t))
        return self._patterns[t]

    def listable(self, t: Type) -> int:
        """How many values a type has that are all listed by number."""
        if space(t) > 1 << 20:
            raise Unsupported("a type has too many values to list them all")
        return space(t)

    def in_rank_order(self, t: Type) -> bool:
        """Whether the values of a type are in the order of their ranks; some ranks may be nobody's."""
        match t:
            case SetT():
                return False
            case OptT(inner):
                return self.in_rank_order(inner)
            case RecordT(_, fields):
                return all(self.in_rank_order(f) for _, f in fields)
            case SeqT(elem) | BagT(elem):
                return self.in_rank_order(elem)
            case MapT(_, value):
                return self.in_rank_order(value)
        return True

    def ranks_in_order(self, t: Type) -> tuple[int, ...]:
        """The ranks of the values of a type, in the order of the values."""
        if t not in self._orders:
            if elements(t) > MAX_TABLE:
                raise Unsupported("a set of collections has too many possible elements")
            self._orders[t] = tuple(rank(t, v) for v in sorted(domain(t), key=order_key))
        return self._orders[t]

    def all_ranks(self, t: Type) -> int:
        """The set of all values of a type, as the pattern of that set."""
        if is_dense(t):
            return (1 << elements(t)) - 1
        return sum(1 << rank(t, v) for v in self.values(t))
