"""The rules of SANY for names: everything is defined before it is used, with the right number of arguments, and only once;
a local name is never one that is visible already."""

from __future__ import annotations

from typing import Any

from tests.tla.syntax import Tree

MODULES = {
    "Integers": {"Int": 0, "Nat": 0},
    "Sequences": {"Len": 1, "Append": 2, "Head": 1, "Tail": 1, "SubSeq": 3, "SelectSeq": 2, "Seq": 1},
    "FiniteSets": {"Cardinality": 1, "IsFiniteSet": 1},
    "TLC": {"Assert": 2},
}
BUILT_IN = {"TRUE": 0, "FALSE": 0, "BOOLEAN": 0, "STRING": 0, "@": 0}


class RuleError(Exception):
    pass


def check_names(units: list[Tree]) -> None:
    """Raises `RuleError` for the first rule that is broken."""
    _units(units, dict(BUILT_IN), {})


def _units(units: list[Tree], known: dict[str, int], inside: dict[str, list[Tree]]) -> None:
    """Adds what units define to `known`, and modules inside to `inside`."""
    for unit in units:
        match unit:
            case ("EXTENDS", names):
                for name in names:
                    for operator, arity in MODULES[name].items():
                        _add(known, operator, arity)
            case ("CONSTANT" | "VARIABLES", names):
                for name in names:
                    _add(known, name, 0)
            case ("MODULE", name, inner):
                _units(inner, dict(known), {})
                inside[name] = inner
            case ("INSTANCE", name, module, given):
                _instance(name, inside[module], given, known)
            case _:
                _definition(unit, known)


def _instance(name: str, units: list[Tree], given: list[tuple[str, Tree]], known: dict[str, int]) -> None:
    """Adds the operators of an instance. Each of the module's variables is given, and no other."""
    if {x for x, _ in given} != {x for tag, names, *_ in units if tag == "VARIABLES" for x in names}:
        raise RuleError(f"{name} is not given what it needs")
    for x, value in given:
        if known.get(x):  # SANY looks for what has the name of a variable before it looks at what is given
            raise RuleError(f"{x} is given, but it is an operator with parameters here")
        _walk(value, known)
    _add(known, name, 0)
    for unit in units:
        if unit[0] == "define":
            _add(known, f"{name}!{unit[1]}", len(unit[2]))


def _add(known: dict[str, int], name: str, arity: int) -> None:
    if name in known:
        raise RuleError(f"{name} is defined already")
    known[name] = arity


def _definition(unit: Tree, known: dict[str, int]) -> None:
    """Adds a definition to the names that are visible behind it. A function knows itself, an operator does not."""
    if unit[0] == "function":
        _, name, (bound, domain), body = unit
        _walk(domain, known)
        _add(known, name, 0)
        inner = dict(known)
        _add(inner, bound, 0)
        _walk(body, inner)
        return
    _, name, params, body = unit
    inner = dict(known)
    for p in params:
        _add(inner, p, 0)
    _walk(body, inner)
    _add(known, name, len(params))


def _walk(tree: Any, known: dict[str, int]) -> None:
    match tree:
        case ("name", name):
            _used(known, name, 0)
        case ("of", instance, name):
            _used(known, f"{instance}!{name}", 0)
        case ("call", name, args):
            _used(known, name, len(args))
            _walk(args, known)
        case ("string" | "number", _):
            return
        case ("forall" | "exists" | "choose" | "filter" | "fn", (name, domain), body):
            _bound(name, domain, body, known)
        case ("map", body, (name, domain)):
            _bound(name, domain, body, known)
        case ("lambda", names, body):
            inner = dict(known)
            for name in names:
                _add(inner, name, 0)
            _walk(body, inner)
        case ("let", definitions, body):
            inner = dict(known)
            for d in definitions:
                _definition(d, inner)
            _walk(body, inner)
        case ("record" | "records", fields):
            for _, value in fields:
                _walk(value, known)
        case (("infix" | "prefix" | "fair"), _, *rest):
            _walk(rest, known)
        case ("box" | "angle", inner_tree, name):
            _walk(inner_tree, known)
            _used(known, name, 0)
        case tuple() if tree and isinstance(tree[0], str):
            _walk(list(tree[1:]), known)
        case list():
            for item in tree:
                _walk(item, known)
        case _:
            raise RuleError(f"unknown tree {tree!r}")


def _bound(name: str, domain: Tree, body: Tree, known: dict[str, int]) -> None:
    _walk(domain, known)
    inner = dict(known)
    _add(inner, name, 0)
    _walk(body, inner)


def _used(known: dict[str, int], name: str, arity: int) -> None:
    if name not in known:
        raise RuleError(f"{name} is used before it is defined")
    if known[name] != arity:
        raise RuleError(f"{name} has {known[name]} parameters, not {arity}")
