"""How large a state is: every variable, fault and message kind with its bits, and which types are wastefully wide.

A state is stored as a fixed part and a list of message codes. Each bit of the fixed part is paid for in every state, so a
clock that counts to a million where five would do costs memory and, worse, makes states that differ in nothing else. The
rule for a warning (PSM701) is simple on purpose, and `RULE` says it to the user:

1. an integer anywhere in a type that takes more than `WIDE_INTEGER` bits, or
2. one variable of one process, or one message, of more than `WIDE_VALUE` bits, or
3. one collection that takes more than half of a state whose fixed part is wider than `WIDE_VALUE` bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic, Severity
from checker.base.source import Span
from checker.model.layout import Layout, Width, bits_for
from checker.model.machine import Machine
from checker.model.types import BagT, IntT, MapT, OptT, RecordT, SeqT, SetT, Type, show
from checker.model.values import show_value, space, to_json
from checker.render.plain import plural

WIDE_INTEGER = 16
WIDE_VALUE = 64

RULE = (
    f"wide is an integer of more than {WIDE_INTEGER} bits, a variable or message of more than {WIDE_VALUE}, or a"
    f" collection that takes more than half of a state of more than {WIDE_VALUE}"
)


@dataclass(frozen=True, slots=True)
class Constant:
    name: str
    value: str
    json: Any
    outside: bool
    """Whether it was set on the command line."""


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    instances: int
    single: bool
    symmetric: bool


@dataclass(frozen=True, slots=True)
class Variable:
    width: Width
    keep: str


@dataclass(frozen=True, slots=True)
class MessageKind:
    width: Width
    signature: str
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    network: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that `lockstep inspect` shows about one check."""

    path: str
    spec: str
    check: str
    constants: tuple[Constant, ...]
    roles: tuple[Role, ...]
    variables: tuple[Variable, ...]
    faults: tuple[Width, ...]
    messages: tuple[MessageKind, ...]
    fixed_bits: int
    message_bits: int
    warnings: tuple[Diagnostic, ...]


def inspect_machine(machine: Machine, path: str) -> Inspection:
    """The layout of one machine, as data."""
    layout = Layout(machine)
    constants = tuple(
        Constant(name, show_value(t, value), to_json(t, value), name in machine.overrides)
        for name, (t, value) in machine.constants.items()
    )
    messages = tuple(
        MessageKind(
            width,
            m.name + (f"({', '.join(f'{n}: {show(t)}' for n, t in m.fields)})" if m.fields else ""),
            tuple(r.name for r in m.senders.roles),
            tuple(r.name for r in m.receivers.roles),
            _network(machine, m.network),
        )
        for m, width in zip(machine.messages.values(), layout.message_widths, strict=True)
    )
    keeps = ["shared " + v.keep if v.role is None else v.keep for v in machine.variables]
    return Inspection(
        path=path,
        spec=machine.spec,
        check=machine.check,
        constants=constants,
        roles=tuple(Role(r.name, r.size, r.single, r.symmetric) for r in machine.roles.values()),
        variables=tuple(Variable(w, k) for w, k in zip(layout.variable_widths, keeps, strict=True)),
        faults=layout.fault_widths,
        messages=messages,
        fixed_bits=layout.fixed_bits,
        message_bits=layout.code_bits,
        warnings=tuple(wide_types(machine, layout)),
    )


def _network(machine: Machine, number: int) -> str:
    network = machine.networks[number]
    return network.kind if network.capacity is None else f"{network.kind}[{network.capacity}]"


def wide_types(machine: Machine, layout: Layout) -> Iterator[Diagnostic]:
    """PSM701 for each variable and message that the rule calls wide, once."""
    for var, width in zip(machine.variables, layout.variable_widths, strict=True):
        yield from _variable(machine, layout, width, var.type, var.span)
    for message, width in zip(machine.messages.values(), layout.message_widths, strict=True):
        where = f"a message {message.name}"
        wide = next((i for _, t in message.fields for i in _wide_integers(t)), None)
        if wide is not None:
            yield _warning(
                machine, message.span, f"{where} holds {show(wide)}, which takes {_bits(wide)} bits", _NARROW
            )
        elif width.bits > WIDE_VALUE:
            yield _warning(machine, message.span, f"{where} takes {width.bits} bits", _SEND_LESS)


_NARROW = "narrow the range to the values that a small instance needs, or tie it to a constant"
_BOUND = "bound its size, or its elements, more tightly: `Set[T, n]`, `Seq[T, n]`"
_SEND_LESS = "send less: an id or a number in place of a collection"


def _variable(machine: Machine, layout: Layout, width: Width, t: Type, span: Span) -> Iterator[Diagnostic]:
    wide = next(_wide_integers(t), None)
    total = width.bits * width.copies
    each = f"{width.bits} bits" + (
        f" in each of {plural(width.copies, 'process', 'processes')}" if width.copies > 1 else ""
    )
    if wide is not None:
        part = "" if wide == t else f" with {show(wide)} in it"
        yield _warning(machine, span, f"{width.name} is {width.type}{part}, which takes {each}", _NARROW)
    elif width.bits > WIDE_VALUE:
        yield _warning(machine, span, f"{width.name} is {width.type}, which takes {each}", _BOUND)
    elif isinstance(t, SetT | MapT | SeqT | BagT) and layout.fixed_bits > WIDE_VALUE and 2 * total > layout.fixed_bits:
        message = f"{width.name} is {width.type}, which takes {total} of the {layout.fixed_bits} bits of a state"
        yield _warning(machine, span, message, _BOUND)


def _warning(machine: Machine, span: Span, message: str, help: str) -> Diagnostic:
    return Diagnostic("PSM701", message, machine.source, span, (), help, Severity.WARNING)


def _bits(t: Type) -> int:
    return bits_for(space(t))


def _wide_integers(t: Type) -> Iterator[IntT]:
    """The integers in a type that take too many bits."""
    match t:
        case IntT():
            if _bits(t) > WIDE_INTEGER:
                yield t
        case OptT(inner):
            yield from _wide_integers(inner)
        case RecordT(_, fields):
            for _, field in fields:
                yield from _wide_integers(field)
        case SetT(elem) | SeqT(elem) | BagT(elem):
            yield from _wide_integers(elem)
        case MapT(_, value):
            yield from _wide_integers(value)
