"""What types are called in a module, and which of their values TLC may compare."""

from __future__ import annotations

from collections.abc import Collection

from checker.model.machine import Message
from checker.model.types import (
    BagT,
    BoolT,
    EnumT,
    IdT,
    IntT,
    MapT,
    NeverT,
    OptT,
    ProcT,
    RecordT,
    SeqT,
    SetT,
    Type,
)
from checker.render.tla.names import Names


def title(t: Type) -> str:
    """A name for a type, for operators about it."""
    match t:
        case IntT(lo, hi):
            return f"Int{lo}to{hi}".replace("-", "m")
        case ProcT(roles):
            return "Or".join(r.name for r in roles) or "Nobody"
        case OptT(inner):
            return f"Opt{title(inner)}"
        case SetT(elem) | SeqT(elem) | BagT(elem):
            return f"{type(t).__name__[:-1]}Of{title(elem)}"
        case MapT(key, value):
            return f"Map{title(key)}To{title(value)}"
        case BoolT():
            return "Bool"
        case NeverT():
            return "Nothing"
    return t.name


def shape(t: Type) -> object:
    """What of a type TLC must not compare with other things: numbers, strings, records and so on."""
    match t:
        case OptT(inner):
            return shape(inner)
        case EnumT() | IdT() | ProcT():
            return "string"
        case IntT():
            return "number"
        case RecordT(_, fields):
            return tuple((n, shape(f)) for n, f in fields)
        case SetT(elem):
            return ("set", shape(elem))
        case SeqT(elem):
            return ("sequence", shape(elem))
        case BagT(elem):
            return ("bag", shape(elem))
        case MapT(key, value):
            return ("map", shape(key), shape(value))
    return type(t).__name__


def field_names(messages: Collection[Message]) -> dict[tuple[str, str], str]:
    """The record field of each field of each message. TLC compares fields of one name in different messages, which fails
    for values of different kinds, so these get names of their own.
    """
    shapes: dict[str, set[object]] = {}
    for message in messages:
        for name, t in message.fields:
            shapes.setdefault(name, set()).add(shape(t))
    names: dict[tuple[str, str], str] = {}
    for message in messages:
        used = Names(frozenset({"kind", "from", "to"}))
        for name, _ in message.fields:
            wanted = name if len(shapes[name]) == 1 else f"{message.name}_{name}"
            names[message.name, name] = used.claim(name, wanted)
    return names
