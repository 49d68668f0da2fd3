"""A small model checker for exported modules: it evaluates `Init` and `Next` as TLC does, for tests alone.

TLC evaluates a next-state relation from left to right: a conjunct `x' = e` sets x', a disjunction and `\\E` go through all
alternatives *wherever they stand in an action*, so that a guard that is a disjunction counts its step twice. Everything else
is evaluated to TRUE or FALSE. `explore` counts as TLC does: distinct states, and generated states with the initial ones.

Trees are compiled to closures. A closure takes a scope (local names), the state, and the next state as far as it is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

from tests.tla.operators import BUILT_IN, INFIX, PREFIX
from tests.tla.syntax import Tree, parse
from tests.tla.values import (
    NONE,
    AssertionFailed,
    EvalError,
    Fn,
    Lazy,
    Value,
    a_set,
    apply,
    boolean,
    contains,
    equal,
    function,
    make_set,
    number,
    pairs_of,
)

Scope = dict[str, Value]
State = dict[str, Value]
Eval = Callable[[Scope, State, State | None], Value]


class Later:
    """A value that is computed when it is needed, as TLC does with definitions and arguments."""

    __slots__ = ("_compute", "_done", "_value")

    def __init__(self, compute: Callable[[], Value]) -> None:
        self._compute, self._done, self._value = compute, False, None

    def get(self) -> Value:
        if not self._done:
            self._value, self._done = self._compute(), True
        return self._value


@dataclass(slots=True)
class Operator:
    params: list[str]
    body: Tree
    scope: Scope = field(default_factory=dict)


class Recursive:
    """`f[x \\in S] == e` in a LET."""

    def __init__(self, compute: Callable[[Value], Value]) -> None:
        self.compute = compute
        self.known: dict[Value, Value] = {}

    def at(self, x: Value) -> Value:
        if x not in self.known:
            self.known[x] = self.compute(x)
        return self.known[x]


class Module:
    """A module that can be run."""

    def __init__(self, units: list[Tree]) -> None:
        self.units = units
        self.variables: list[str] = next(names for tag, names, *_ in self.units if tag == "VARIABLES")
        self.operators = {u[1]: Operator(u[2], u[3]) for u in self.units if u[0] == "define"}
        self._compiled: dict[int, Eval] = {}
        self._constants: dict[str, Value] = {}

    @classmethod
    def read(cls, text: str) -> Module:
        """The module of a text."""
        return cls(parse(text)[1])

    def instance(self, name: str) -> tuple[Module, Callable[[State], State]]:
        """The module of an instance, and its state in a state of this module."""
        module, given = next(u[2:] for u in self.units if u[:2] == ("INSTANCE", name))
        inner = Module(next(u[2] for u in self.units if u[:2] == ("MODULE", module)))
        return inner, lambda s: {x: self.value(e, {}, s, None) for x, e in given}

    # ---- values

    def value(self, tree: Tree, scope: Scope, s: State, t: State | None) -> Value:
        """The value of an expression."""
        run = self._compiled.get(id(tree))
        if run is None:
            run = self._compiled[id(tree)] = getattr(self, f"_{tree[0]}")(*tree[1:])
        return run(scope, s, t)

    def _number(self, n: int) -> Eval:
        return lambda c, s, t: n

    _string = _number

    def _name(self, name: str) -> Eval:
        match name:
            case "TRUE" | "FALSE":
                return lambda c, s, t: name == "TRUE"
            case "BOOLEAN":
                return lambda c, s, t: frozenset((False, True))
            case "none":
                return lambda c, s, t: NONE
        if name in self.variables:
            return lambda c, s, t: s[name]

        def run(c: Scope, s: State, t: State | None) -> Value:
            if name in c:
                found = c[name]
                return found.get() if isinstance(found, Later) else found
            return self.value(self.operators[name].body, {}, s, t)

        return run

    def _call(self, name: str, args: list[Tree]) -> Eval:
        if name in BUILT_IN:
            return lambda c, s, t: BUILT_IN[name](*(self.value(a, c, s, t) for a in args))
        if name == "Assert":

            def check(c: Scope, s: State, t: State | None) -> Value:
                if not boolean(self.value(args[0], c, s, t)):
                    raise AssertionFailed(self.value(args[1], c, s, t))
                return True

            return check
        if name == "SelectSeq":
            _, (x,), body = args[1]

            def select(c: Scope, s: State, t: State | None) -> Value:
                sequence = self.value(args[0], c, s, t)
                return tuple(v for v in sequence if boolean(self.value(body, {**c, x: v}, s, t)))

            return select
        op = self.operators[name]

        def run(c: Scope, s: State, t: State | None) -> Value:
            return self.value(op.body, self.bound(op, args, c, s, t), s, t)

        return run

    def bound(self, op: Operator, args: list[Tree], c: Scope, s: State, t: State | None) -> Scope:
        """The scope of an operator's body: its arguments, computed when needed."""
        return {p: Later(lambda a=a: self.value(a, c, s, t)) for p, a in zip(op.params, args, strict=True)}  # type: ignore[misc]

    def _let(self, definitions: list[Tree], body: Tree) -> Eval:
        return lambda c, s, t: self.value(body, self.defined(definitions, c, s, t), s, t)

    def defined(self, definitions: list[Tree], c: Scope, s: State, t: State | None) -> Scope:
        c = dict(c)
        for d in definitions:
            if d[0] == "define":
                assert not d[2]
                c[d[1]] = Later(lambda b=d[3], c=dict(c): self.value(b, c, s, t))  # type: ignore[misc]
            else:
                _, name, (x, _domain), inner = d
                c[name] = Recursive(lambda v, x=x, b=inner, c=c: self.value(b, {**c, x: v}, s, t))  # type: ignore[misc]
                c = dict(c)
        return c

    def _and(self, items: list[Tree]) -> Eval:
        return lambda c, s, t: all(boolean(self.value(i, c, s, t)) for i in items)

    def _or(self, items: list[Tree]) -> Eval:
        return lambda c, s, t: any(boolean(self.value(i, c, s, t)) for i in items)

    def _if(self, cond: Tree, then: Tree, orelse: Tree) -> Eval:
        return lambda c, s, t: self.value(then if boolean(self.value(cond, c, s, t)) else orelse, c, s, t)

    def _forall(self, bound: Tree, body: Tree) -> Eval:
        x, domain = bound
        return lambda c, s, t: all(
            boolean(self.value(body, {**c, x: v}, s, t)) for v in a_set(self.value(domain, c, s, t))
        )

    def _exists(self, bound: Tree, body: Tree) -> Eval:
        x, domain = bound
        return lambda c, s, t: any(
            boolean(self.value(body, {**c, x: v}, s, t)) for v in a_set(self.value(domain, c, s, t))
        )

    def _choose(self, bound: Tree, body: Tree) -> Eval:
        x, domain = bound

        def run(c: Scope, s: State, t: State | None) -> Value:
            found = [v for v in a_set(self.value(domain, c, s, t)) if boolean(self.value(body, {**c, x: v}, s, t))]
            if len(found) != 1:
                raise EvalError(f"CHOOSE has {len(found)} values: which one TLC takes is not defined")
            return found[0]

        return run

    def _set(self, items: list[Tree]) -> Eval:
        return lambda c, s, t: make_set(self.value(i, c, s, t) for i in items)

    def _filter(self, bound: Tree, cond: Tree) -> Eval:
        x, domain = bound

        def run(c: Scope, s: State, t: State | None) -> Value:
            def test(v: Value) -> bool:
                return boolean(self.value(cond, {**c, x: v}, s, t))

            of = self.value(domain, c, s, t)
            if isinstance(of, Lazy):
                return Lazy(lambda v: of.has(v) and test(v), lambda: (v for v in of.items() if test(v)))
            return frozenset(v for v in a_set(of) if test(v))

        return run

    def _map(self, body: Tree, bound: Tree) -> Eval:
        x, domain = bound
        return lambda c, s, t: make_set(self.value(body, {**c, x: v}, s, t) for v in a_set(self.value(domain, c, s, t)))

    def _tuple(self, items: list[Tree]) -> Eval:
        return lambda c, s, t: tuple(self.value(i, c, s, t) for i in items)

    def _record(self, fields: list[tuple[str, Tree]]) -> Eval:
        return lambda c, s, t: Fn({n: self.value(v, c, s, t) for n, v in fields})

    def _records(self, fields: list[tuple[str, Tree]]) -> Eval:
        names = [n for n, _ in fields]

        def run(c: Scope, s: State, t: State | None) -> Value:
            sets = [self.value(v, c, s, t) for _, v in fields]

            def has(x: Value) -> bool:
                return set(pairs_of(x)) == set(names) and all(
                    contains(of, apply(x, n)) for n, of in zip(names, sets, strict=True)
                )

            return Lazy(has, lambda: (Fn(dict(zip(names, vs, strict=True))) for vs in product(*map(a_set, sets))))

        return run

    def _fn(self, bound: Tree, body: Tree) -> Eval:
        x, domain = bound
        return lambda c, s, t: function(
            {v: self.value(body, {**c, x: v}, s, t) for v in a_set(self.value(domain, c, s, t))}
        )

    def _functions(self, domain: Tree, codomain: Tree) -> Eval:
        def run(c: Scope, s: State, t: State | None) -> Value:
            keys = a_set(self.value(domain, c, s, t))
            values = self.value(codomain, c, s, t)
            order = list(keys)

            def has(x: Value) -> bool:
                return set(pairs_of(x)) == keys and all(contains(values, v) for v in pairs_of(x).values())

            return Lazy(
                has,
                lambda: (
                    function(dict(zip(order, vs, strict=True))) for vs in product(a_set(values), repeat=len(order))
                ),
            )

        return run

    def _except(self, whole: Tree, way: list[Tree], value: Tree) -> Eval:
        def change(f: Value, keys: list[Value], c: Scope, s: State, t: State | None) -> Value:
            if not keys:
                return self.value(value, {**c, "@": f}, s, t)
            old = apply(f, keys[0])  # TLC ignores a key outside, which an export must never ask for
            return function({**pairs_of(f), keys[0]: change(old, keys[1:], c, s, t)})

        return lambda c, s, t: change(self.value(whole, c, s, t), [self.value(k, c, s, t) for k in way], c, s, t)

    def _apply(self, f: Tree, x: Tree) -> Eval:
        def run(c: Scope, s: State, t: State | None) -> Value:
            found, at = self.value(f, c, s, t), self.value(x, c, s, t)
            return found.at(at) if isinstance(found, Recursive) else apply(found, at)

        return run

    def _prime(self, inner: Tree) -> Eval:
        def run(c: Scope, s: State, t: State | None) -> Value:
            if t is None:
                raise EvalError("a primed expression in a state")
            return self.value(inner, c, t, None)

        return run

    def _box(self, inner: Tree, _vars: str) -> Eval:
        return lambda c, s, t: s == t or boolean(self.value(inner, c, s, t))

    def _prefix(self, op: str, inner: Tree) -> Eval:
        if op == "ENABLED":
            assert inner[0] == "angle"
            return lambda c, s, t: any(n != s for n in self.successors(inner[1], s, c))
        return lambda c, s, t: PREFIX[op](self.value(inner, c, s, t))

    def _infix(self, op: str, left: Tree, right: Tree) -> Eval:
        match op:
            case "/\\":
                return self._and([left, right])
            case "\\/":
                return self._or([left, right])
            case "=>":
                return lambda c, s, t: not boolean(self.value(left, c, s, t)) or boolean(self.value(right, c, s, t))
            case "\\in" | "\\notin":
                return lambda c, s, t: self.member(right, self.value(left, c, s, t), c, s, t) == (op == "\\in")
        run = INFIX[op]
        return lambda c, s, t: run(self.value(left, c, s, t), self.value(right, c, s, t))

    def member(self, of: Tree, x: Value, c: Scope, s: State, t: State | None) -> bool:
        """Membership, without listing sets that are infinite or large."""
        if of == ("name", "Int"):
            return isinstance(number(x), int)
        return contains(self.value(of, c, s, t), x)

    # ---- actions

    def successors(self, tree: Tree, s: State, scope: Scope | None = None) -> Iterator[State]:
        """The states that an action leads to, once for each way in which TLC finds them."""
        for t in self.act(tree, scope or {}, s, {}):
            if len(t) != len(self.variables):
                raise EvalError(f"not all variables have a next value: {set(self.variables) - set(t)}")
            yield t

    def act(self, tree: Tree, c: Scope, s: State, t: State) -> Iterator[State]:
        match tree:
            case ("and", items):
                yield from self._in_turn(items, c, s, t)
            case ("infix", "/\\", left, right):
                yield from self._in_turn([left, right], c, s, t)
            case ("or", items):
                for item in items:
                    yield from self.act(item, c, s, t)
            case ("infix", "\\/", left, right):
                yield from self.act(left, c, s, t)
                yield from self.act(right, c, s, t)
            case ("exists", (x, domain), body):
                for v in a_set(self.value(domain, c, s, t)):
                    yield from self.act(body, {**c, x: v}, s, t)
            case ("forall", (x, domain), body):
                yield from self._all(body, [{**c, x: v} for v in a_set(self.value(domain, c, s, t))], s, t)
            case ("if", cond, then, orelse):
                yield from self.act(then if boolean(self.value(cond, c, s, t)) else orelse, c, s, t)
            case ("let", definitions, body):
                yield from self.act(body, self.defined(definitions, c, s, t), s, t)
            case ("infix", "=>", left, right):
                if boolean(self.value(left, c, s, t)):
                    yield from self.act(right, c, s, t)
                else:
                    yield t
            case ("call", name, args) if name in self.operators:
                op = self.operators[name]
                yield from self.act(op.body, self.bound(op, args, c, s, t), s, t)
            case ("name", name) if name in self.operators and name not in c:
                yield from self.act(self.operators[name].body, {}, s, t)
            case ("prefix", "UNCHANGED", ("tuple", names)):
                yield from self._in_turn([("infix", "=", ("prime", n), n) for n in names], c, s, t)
            case ("infix", "=", ("prime", ("name", x)), right) if x in self.variables:
                value = self.value(right, c, s, t)
                if x not in t:
                    yield {**t, x: value}
                elif equal(t[x], value):
                    yield t
            case _:
                if boolean(self.value(tree, c, s, t)):
                    yield t

    def _in_turn(self, items: list[Tree], c: Scope, s: State, t: State) -> Iterator[State]:
        if not items:
            yield t
            return
        for found in self.act(items[0], c, s, t):
            yield from self._in_turn(items[1:], c, s, found)

    def _all(self, body: Tree, scopes: list[Scope], s: State, t: State) -> Iterator[State]:
        if not scopes:
            yield t
            return
        for found in self.act(body, scopes[0], s, t):
            yield from self._all(body, scopes[1:], s, found)

    def initial(self) -> Iterator[State]:
        """The initial states: `Init` is a list of `x = e` and `x \\in S`."""
        body = self.operators["Init"].body
        items = body[1] if body[0] == "and" else [body]
        states: list[State] = [{}]
        for item in items:
            op, (name_tag, x), right = item[1:]
            assert name_tag == "name" and x in self.variables
            if op == "=":
                states = [{**s, x: self.value(right, {}, s, None)} for s in states]
            else:
                assert op == "\\in"
                states = [{**s, x: v} for s in states for v in a_set(self.value(right, {}, s, None))]
        yield from states

    def holds(self, name: str, s: State, t: State | None = None) -> bool:
        """Whether a named state predicate, or a property of steps, holds."""
        return boolean(self.value(self.operators[name].body, {}, s, t))
