"""Which constructs of the language a machine uses, by names, and all the names that there are.

Names come from the typed representation: every class of node, and where one class stands for several operators or places,
each of these. So a construct that is added to the representation is missing here until the generator writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import get_args

from checker.lang.ast import FaultKind, NetworkKind
from checker.model import ir
from checker.model.machine import Machine, Network, StepKind
from checker.model.types import (
    BagT,
    EnumT,
    IdT,
    IntT,
    MapT,
    OptT,
    ProcT,
    RecordT,
    SeqT,
    SetT,
    Type,
)
from checker.model.values import width

_FORMS = ("BoolT", "IntT", "EnumT", "IdT", "ProcT", "RecordT", "OptT", "SetT", "MapT", "SeqT", "BagT")
_DOMAINS = ("type", "range", "filter", "set", "sequence", "bag")


def everything() -> frozenset[str]:
    """The names of all constructs."""
    nodes = [t.__name__ for t in (*get_args(ir.Expr), *get_args(ir.Stmt), ir.FieldStep, ir.IndexStep)]
    operators = [
        *(f"Arith {op}" for op in "+-*/%"),
        *(f"Compare {op} of {t}" for op in ("==", "!=") for t in _FORMS),
        *(f"Compare {op} of {t}" for op in ("<", "<=", ">", ">=") for t in ("IntT", "EnumT", "IdT", "ProcT", "OptT", "RecordT")),
        *(f"Logic {op}" for op in ("and", "or", "implies")),
        *(f"Collect {op}" for op in ("union", "minus", "meet", "concat", "bag_plus", "bag_minus")),
        *(f"MinMax {op} of {what}" for op in ("min", "max") for what in ("values", "SetT", "SeqT", "BagT")),
        *(f"MinMax over {t}" for t in ("IntT", "EnumT", "IdT", "ProcT", "OptT", "RecordT")),
        *(f"Slice {op}" for op in ("take", "drop")),
        *(f"Quant {q} over {d}" for q in ("forall", "exists", "sum") for d in _DOMAINS),
        *(f"In a {d}" for d in ("type", "optional type", "literal", "filter", "set", "sequence", "bag")),
        *(f"At of {t}" for t in ("EnumT", "IdT", "ProcT")),
        *(f"Ordinal of {t}" for t in ("EnumT", "IdT", "ProcT")),
        *(f"CountOf in {t}" for t in ("SeqT", "BagT")),
        *(f"GetIndex of {t}" for t in ("MapT", "SeqT")),
        *(f"WithIndex of {t}" for t in ("MapT", "SeqT")),
        *(f"Checked of {t}" for t in ("IntT", "RecordT", "OptT", "SetT", "MapT", "SeqT", "BagT")),
        *(f"{n} of {t}" for n in ("Unwrap", "DomainSet") for t in _FORMS if (n, t) != ("Unwrap", "OptT")),
        *(f"CallFun {how}" for how in ("global", "own", "of another", "with arguments", "nested")),
        *(f"Sent {how}" for how in ("by one", "by any of a set")),
        *(f"Inflight {how}" for how in ("anywhere", "from one", "from a set", "to one", "to a set")),
        "GetVar shared", "GetVar own", "GetVar of another", "RangeSet of numbers", "Size of a type", "Filter of optionals",
    ]  # fmt: skip
    statements = [
        *(f"ForS over {d}" for d in _DOMAINS),
        *(f"ChooseS from {d}" for d in ("type", "range", "filter", "set")),
        "EitherS either", "EitherS toss", "ForS nested", "EitherS nested", "DoProc nested", "DoProc with arguments",
        "FieldStep unwrapping", "IndexStep unwrapping", "IndexStep of MapT", "IndexStep of SeqT", "path of several steps",
        "SetLocal at a path", "SetVar ghost", "SetVar volatile", "SetVar durable", "SetVar shared", "AtomicS with a choice",
        "SendMsg to one", "SendMsg to a set", "SendMsg to all of several roles", "SendMsg to nobody", "send in a loop",
    ]  # fmt: skip
    world = [
        *(f"step {kind}" for kind in get_args(StepKind)),
        *(f"budget {kind}" for kind in get_args(FaultKind)),
        *(f"network {kind} {session}" for kind in get_args(NetworkKind) for session in ("plain", "session")),
        *(f"network {kind} {full}" for kind in ("bag", "fifo") for full in ("error", "drop", "block")),
        *(f"network {kind} of several" for kind in ("bag", "fifo")),
        *(f"var of {t}" for t in _FORMS),
        *(f"field of {t}" for t in _FORMS),
        *(f"argument of {t}" for t in _FORMS),
        *(f"map by {t}" for t in ("BoolT", "IntT", "EnumT", "IdT", "ProcT", "RecordT", "OptT", "SetT")),
        *(f"{c} of {t}" for c in ("SetT", "SeqT", "BagT") for t in _FORMS),
        *(f"torn {kind}" for kind in ("message", "action", "timeout", "restart")),
        *(f"role of {n}" for n in ("0", "1", "2", "3")),
        *(f"property {kind}" for kind in ("invariant", "step", "reach", "live")),
        *(f"{n} networks" for n in (1, 2, 3)),
        "guard", "limit", "bound", "final", "any", "from a role", "several senders", "several handlers", "two budgets",
        "budget of 0", "budget of 2", "cut of two roles", "two Byzantine roles", "record with a condition", "symmetric role",
        "symmetric id", "role of one without a number", "range below zero", "more than 64 enum values", "more than 64 bits",
        "more than 128 bits", "a state of several words", "a product of more than 64 bits", "no handler", "soup, bag and fifo",
        "restart without a handler", "guarded tick", "parameters", "initial states",
    ]  # fmt: skip
    return frozenset([*nodes, *operators, *statements, *world])


def used(machine: Machine) -> frozenset[str]:
    """The names of what a machine uses."""
    return frozenset([*_code(machine), *_world(machine)])


# ---- nodes


def _nodes(x: object) -> Iterator[object]:
    """All parts of some code, itself first."""
    if isinstance(x, tuple):
        for item in x:
            yield from _nodes(item)
    elif is_dataclass(x) and type(x).__module__.startswith("checker.model.ir"):
        yield x
        for f in fields(x):
            yield from _nodes(getattr(x, f.name))


def _form(t: Type) -> str:
    return type(t).__name__


def _domain(e: ir.Expr) -> str:
    match e:
        case ir.DomainSet():
            return "type"
        case ir.RangeSet():
            return "range"
        case ir.Filter():
            return "filter"
    return {"SetT": "set", "SeqT": "sequence", "BagT": "bag"}[_form(e.type)]


def _code(machine: Machine) -> Iterator[str]:
    roots: list[object] = [s for step in machine.steps for s in (step.guard, step.limit, step.body)]
    roots += [f.body for f in machine.functions.values()] + [p.body for p in machine.procedures.values()]
    roots += [p.body for p in machine.properties] + [machine.final, machine.bound]
    roots += [i.value for i in machine.inits] + [where for _, _, where in machine.records.values()]
    for node in (n for root in roots for n in _nodes(root)):
        yield type(node).__name__
        yield from _expression(node)
        yield from _statement(node)
    for p in machine.procedures.values():
        if any(isinstance(n, ir.DoProc) for n in _nodes(p.body)):
            yield "DoProc nested"


def _expression(node: object) -> Iterator[str]:
    match node:
        case ir.Arith(op, left, right, t):
            yield f"Arith {op}"
            if op == "*" and isinstance(t, IntT) and (t.hi is None or t.hi >= 1 << 63):
                yield "a product of more than 64 bits"
        case ir.Compare(op, left, right):
            yield f"Compare {op} of {_form(left.type)}"
            yield f"Compare {op} of {_form(right.type)}"
        case ir.Logic(op) | ir.Collect(op) | ir.Slice(op):
            yield f"{type(node).__name__} {op}"
        case ir.MinMax(op, items, whole):
            yield f"MinMax {op} of {_form(items[0].type) if whole else 'values'}"
            yield f"MinMax over {_form(node.type)}"
        case ir.Quant(kind, _, domain):
            yield f"Quant {kind} over {_domain(domain)}"
        case ir.Filter(_, domain):
            if isinstance(node.type.elem, OptT):
                yield "Filter of optionals"
        case ir.In(_, of):
            if isinstance(of, ir.DomainSet) and isinstance(of.of, OptT):
                yield "In a optional type"
            yield "In a literal" if isinstance(of, ir.MakeSet) else f"In a {_domain(of)}"
        case ir.At(of):
            yield f"At of {_form(of)}"
        case ir.Ordinal(obj) | ir.GetIndex(obj) | ir.WithIndex(obj):
            yield f"{type(node).__name__} of {_form(obj.type)}"
        case ir.CountOf(obj):
            yield f"CountOf in {_form(obj.type)}"
        case ir.DomainSet(of):
            yield f"DomainSet of {_form(of)}"
        case ir.Unwrap(_, t) | ir.Checked(_, t):
            yield f"{type(node).__name__} of {_form(t)}"
        case ir.Size(ir.DomainSet()):
            yield "Size of a type"
        case ir.RangeSet():
            yield "RangeSet of numbers"
        case ir.GetVar(var, of):
            yield "GetVar shared" if var.role is None else "GetVar own" if of is None else "GetVar of another"
        case ir.CallFun(fun, of, args):
            yield "CallFun of another" if of is not None else "CallFun own" if "." in fun else "CallFun global"
            if args:
                yield "CallFun with arguments"
            if any(isinstance(n, ir.CallFun) for n in _nodes(args)):
                yield "CallFun nested"
        case ir.Sent():
            yield "Sent by any of a set" if node.many else "Sent by one"
        case ir.Inflight(_, sender, receiver):
            ends = [("from", sender), ("to", receiver)]
            if sender is receiver is None:
                yield "Inflight anywhere"
            for word, end in ends:
                if end is not None:
                    yield f"Inflight {word} {'a set' if isinstance(end.type, SetT) else 'one'}"


def _statement(node: object) -> Iterator[str]:
    match node:
        case ir.ForS(_, domain, body):
            yield f"ForS over {_domain(domain)}"
            inner = list(_nodes(body))
            if any(isinstance(n, ir.ForS) for n in inner):
                yield "ForS nested"
            if any(isinstance(n, ir.SendMsg) for n in inner):
                yield "send in a loop"
        case ir.ChooseS(_, domain):
            yield f"ChooseS from {_domain(domain)}"
        case ir.EitherS(kind, branches):
            yield f"EitherS {kind}"
            if any(isinstance(n, ir.EitherS) for n in _nodes(branches)):
                yield "EitherS nested"
        case ir.FieldStep(_, unwrap):
            if unwrap:
                yield "FieldStep unwrapping"
        case ir.IndexStep(_, of, unwrap):
            yield f"IndexStep of {_form(of)}"
            if unwrap:
                yield "IndexStep unwrapping"
        case ir.SetLocal(_, path):
            if path:
                yield "SetLocal at a path"
        case ir.SetVar(var, path):
            yield f"SetVar {'shared' if var.role is None else var.keep}"
            yield f"SetVar {var.keep}"
            if len(path) > 1:
                yield "path of several steps"
        case ir.AtomicS(body):
            if any(isinstance(n, ir.EitherS | ir.ChooseS) for n in _nodes(body)):
                yield "AtomicS with a choice"
        case ir.SendMsg(_, args, to, many):
            yield from (f"argument of {_form(a.type)}" for a in args)
            yield "SendMsg to nobody" if to is None else "SendMsg to a set" if many else "SendMsg to one"
            if isinstance(to, ir.DomainSet) and isinstance(to.of, ProcT) and len(to.of.roles) > 1:
                yield "SendMsg to all of several roles"
        case ir.DoProc(_, args):
            if args:
                yield "DoProc with arguments"


# ---- the world


def _types(t: Type) -> Iterator[Type]:
    yield t
    match t:
        case OptT(inner) | SetT(inner) | SeqT(inner) | BagT(inner):
            yield from _types(inner)
        case MapT(key, value):
            yield from _types(key)
            yield from _types(value)
        case RecordT(_, parts):
            for _, part in parts:
                yield from _types(part)


def _world(machine: Machine) -> Iterator[str]:
    copies = {role.name: role.size for role in machine.roles.values()}
    bits = sum(width(v.type) * (copies[v.role] if v.role is not None else 1) for v in machine.variables)
    if bits > 64:
        yield "a state of several words"
    for var in machine.variables:
        yield f"var of {_form(var.type)}"
        yield from _type(var.type)
    for message in machine.messages.values():
        for _, t in message.fields:
            yield f"field of {_form(t)}"
            yield from _type(t)
        if len(message.senders.roles) > 1:
            yield "several senders"
    for step in machine.steps:
        yield from _step(machine, step.kind)
        yield from (
            name for name, what in (("guard", step.guard), ("limit", step.limit), ("parameters", step.params)) if what
        )
        if step.kind == "tick" and step.guard is not None:
            yield "guarded tick"
        if step.kind == "message" and step.sender is not None:
            many = machine.messages[step.name].senders.roles
            if len(many) > 1 and isinstance(step.sender.type, ProcT) and len(step.sender.type.roles) == 1:
                yield "from a role"
    handled = [(s.role.name, s.name) for s in machine.steps if s.kind in ("message", "ignore")]
    if len(set(handled)) < len(handled):
        yield "several handlers"
    if set(machine.messages) - {name for _, name in handled}:
        yield "no handler"
    yield from _faults(machine)
    yield from (f"property {p.kind}" for p in machine.properties)
    yield from (name for name, what in (("bound", machine.bound), ("final", machine.final)) if what is not None)
    if any(i.any for i in machine.inits):
        yield "any"
        yield "initial states"
    for role in machine.roles.values():
        yield f"role of {role.size}"
        if role.single:
            yield "role of one without a number"
        if role.symmetric:
            yield "symmetric role"
    if any(where is not None for _, _, where in machine.records.values()):
        yield "record with a condition"
    yield from _networks(machine.networks)


def _step(machine: Machine, kind: str) -> Iterator[str]:
    yield f"step {kind}"
    if any(b.kind in ("crash", "stop") and b.count for b in machine.budgets):
        yield f"torn {kind}"


def _faults(machine: Machine) -> Iterator[str]:
    for budget in machine.budgets:
        yield f"budget {budget.kind}"
        yield f"budget of {budget.count}"
        if budget.kind == "cut" and budget.roles:
            yield "cut of two roles"
        restarts = {s.role.name for s in machine.steps if s.kind == "restart"}
        if budget.kind == "crash" and budget.roles[0].name not in restarts:
            yield "restart without a handler"
    if len(machine.budgets) > 1:
        yield "two budgets"
    if sum(b.kind == "byzantine" for b in machine.budgets) > 1:
        yield "two Byzantine roles"


def _networks(networks: tuple[Network, ...]) -> Iterator[str]:
    yield f"{len(networks)} networks"
    if {n.kind for n in networks} == {"soup", "bag", "fifo"}:
        yield "soup, bag and fifo"
    for n in networks:
        yield f"network {n.kind} {'session' if n.session else 'plain'}"
        yield f"network {n.kind} {n.overflow}"
        if n.capacity is not None and n.capacity > 1:
            yield f"network {n.kind} of several"


def _type(t: Type) -> Iterator[str]:
    if width(t) > 64:
        yield "more than 64 bits"
    if width(t) > 128:
        yield "more than 128 bits"
    for part in _types(t):
        match part:
            case SetT(inner) | SeqT(inner) | BagT(inner):
                yield f"{_form(part)} of {_form(inner)}"
            case MapT(key):
                yield f"map by {_form(key)}"
            case EnumT(_, values):
                if len(values) > 64:
                    yield "more than 64 enum values"
            case IntT(lo):
                if lo is not None and lo < 0:
                    yield "range below zero"
            case IdT():
                if part.symmetric:
                    yield "symmetric id"
