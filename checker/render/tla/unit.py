"""What the translation of one machine has in common: names, types, values, and the operators made for them on demand.

| type | values in TLA+ |
|---|---|
| integers, booleans | the same |
| enums, ids, processes | strings: `"commit"`, `"Val0"`, `"RM1"`, `"TM"` |
| optional | the value, or `none` |
| records | records |
| sets | sets |
| maps | functions over all keys |
| sequences | sequences (counted from 1, so every index is moved by one) |
| bags | functions from the elements to how many copies there are |

The order of strings is not that of the language, so `<` on them compares positions in a function made for the type.
"""

from __future__ import annotations

from typing import assert_never

from checker.base.diagnostics import SpecError, error
from checker.base.source import Span
from checker.model.machine import Machine, Message
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
    RoleInfo,
    SeqT,
    SetT,
    Type,
    TypeTooLarge,
    cardinality,
    show,
)
from checker.model.values import Value, domain, in_order, instance_name
from checker.render.tla.blocks import WIDEST, Block, bare
from checker.render.tla.helpers import HELPERS
from checker.render.tla.names import Names, identifier
from checker.render.tla.shapes import field_names, title

LISTED = 1 << 10
"""How many values of a type the module may list one by one."""


OWN = frozenset(
    """
    none vars self m Processes Init Next Spec FairSpec Fairness Steps Faults Forged Bound Final NoDeadlock Up Stopped Separated
    Silent status faulty cut Tick Drift Cut Heal
""".split()
)
"""Names that a module uses for itself."""


def _together(pairs: list[str]) -> str:
    """Pairs as one function. Of many, halves stand in parentheses, so that no reader has to go thousands of levels deep."""
    if len(pairs) <= 16:
        return " @@ ".join(pairs)
    half = len(pairs) // 2
    return f"({_together(pairs[:half])}) @@ ({_together(pairs[half:])})"


def refused(machine: Machine, what: str, span: Span | None, help: str) -> SpecError:
    """PSM920 for a construct that is not translated."""
    return error("PSM920", f"{what} cannot be exported to TLA+", source=machine.source, span=span, help=help)


class Unit:
    """See the module. `definitions` are the operators for types, in the order in which they were needed.

    `outside` has the names around a module that is inside of another. A variable must not have one of them: SANY would first
    try to instantiate it with what has its name there.
    """

    def __init__(self, machine: Machine, outside: Names | None = None) -> None:
        self.machine = machine
        self._outside = outside
        self.names = Names(frozenset(HELPERS) | OWN)
        self.helpers: set[str] = set()
        self.definitions: list[Block] = []
        self._made: set[str] = set()
        self._declare()
        self._fields = field_names(machine.messages.values())

    def _declare(self) -> None:
        """Claims the names that a reader knows before any other."""
        machine, claim = self.machine, self.names.claim
        for role in machine.roles.values():
            claim(("role", role.name), role.name)
        for var in machine.variables:
            wanted = var.name if var.role is None else f"{var.role}_{var.name}"
            taken = self._outside is not None and identifier(wanted) in self._outside
            claim(("var", var.role, var.name), f"{machine.spec}_{wanted}" if taken else wanted)
        for index, network in enumerate(machine.networks):
            claim(("network", index), network.name)
        for message in machine.messages.values():
            claim(("message", message.name), message.name)
        for prop in machine.properties:
            claim(("property", prop.name), prop.name)
        for key in machine.functions:
            claim(("function", key), key.replace(".", "_"))
        for i, step in enumerate(machine.steps):
            claim(("step", i), step.label.replace("ignore ", "Ignore").replace(".", "_"))

    def _first(self, name: str) -> bool:
        """Whether an operator is not defined yet; from now on it is."""
        new = name not in self._made
        self._made.add(name)
        return new

    def use(self, helper: str) -> str:
        """The name of a helper, which the module then contains."""
        assert helper in HELPERS, helper
        self.helpers.add(helper)
        return helper

    def variable(self, role: str | None, name: str) -> str:
        return self.names.claim(("var", role, name), name)

    def place(self, span: Span) -> str:
        """`12:5`, for the message of an error."""
        found = self.machine.source.place(span.start)
        return f"line {found.line}, column {found.column}"

    # ---- roles

    def role_set(self, role: RoleInfo) -> str:
        """The set of the instances of a role: the name of the role, or `{TM}` for a single one."""
        name = self.names.claim(("role", role.name), role.name)
        return f"{{{name}}}" if role.single else name

    def process(self, process: int) -> str:
        """The name of a process where it is a value."""
        role = self.machine.role_of(process)
        if role.single:
            return self.names.claim(("role", role.name), role.name)
        return f'"{instance_name(role, process)}"'

    def processes(self, roles: tuple[RoleInfo, ...]) -> str:
        """The set of the instances of several roles."""
        if not roles:
            return "{}"
        singles = [self.names.claim(("role", r.name), r.name) for r in roles if r.single]
        parts = [self.role_set(r) for r in roles if not r.single]
        if singles:
            parts.append("{" + ", ".join(singles) + "}")
        return parts[0] if len(parts) == 1 else "(" + " \\cup ".join(parts) + ")"

    # ---- messages

    def field(self, message: str, name: str) -> str:
        """The record field of a message's field."""
        return self._fields[message, name]

    def messages_to(self, message: Message) -> str:
        """An operator for all messages of a kind to a process, its argument."""
        name = self.names.claim(("messages", message.name), f"{message.name}Messages")
        if self._first(name):
            to = self._bound("receiver")
            parts = [
                f'kind : {{"{message.name}"}}',
                f"from : {bare(self.processes(message.senders.roles))}",
                f"to : {{{to}}}",
            ]
            parts += [f"{self.field(message.name, n)} : {bare(self.type_set(t))}" for n, t in message.fields]
            self.definitions.append((f"{name}({to}) == [{', '.join(parts)}]",))
        return name

    # ---- values

    def constant(self, value: Value, t: Type) -> str:
        """A value where a spec has it. A long one is an operator of its own, which TLC computes once."""
        text = self.literal(value, t)
        if len(text) <= WIDEST:
            return text
        name = self.names.claim(("constant", text), "Constant")
        if self._first(name):
            self.definitions.append((f"{name} == {bare(text)}",))
        return name

    def literal(self, value: Value, t: Type) -> str:
        """A value of a type; atomic or in parentheses."""
        match t:
            case OptT(inner):
                return "none" if value is None else self.literal(value, inner)
            case BoolT():
                return "TRUE" if value else "FALSE"
            case IntT():
                return str(value) if value >= 0 else f"(-{-value})"
            case EnumT(_, values):
                return f'"{values[value]}"'
            case IdT(name):
                return f'"{name}{value}"'
            case ProcT():
                return self.process(value)
            case RecordT(_, fields):
                parts = [f"{identifier(n)} |-> {self.literal(v, f)}" for (n, f), v in zip(fields, value, strict=True)]
                return f"[{', '.join(parts)}]"
            case SetT(elem):
                return "{" + ", ".join(self.literal(v, elem) for v in in_order(value)) + "}"
            case SeqT(elem):
                return self.sequence([self.literal(v, elem) for v in value])
            case BagT(elem):
                return f"{self.use('BagOf')}({self.sequence([self.literal(v, elem) for v in value])})"
            case MapT(key, inner):
                return self._map_literal(key, inner, value)
            case NeverT():
                raise AssertionError("no value")
        assert_never(t)

    def _map_literal(self, key: Type, inner: Type, value: Value) -> str:
        texts = [self.literal(v, inner) for v in value]
        if texts and len(set(texts)) == 1:
            return f"[k \\in {self.type_set(key)} |-> {texts[0]}]"
        pairs = [f"({self.literal(k, key)} :> {v})" for k, v in zip(domain(key), texts, strict=True)]
        return f"({_together(pairs)})" if pairs else "<<>>"

    @staticmethod
    def sequence(items: list[str]) -> str:
        return f"<<{', '.join(items)}>>"

    def listed(self, t: Type, span: Span | None = None) -> str:
        """All values of a type as a sequence in the order of the language. An operator of its own, made once."""
        try:
            count = cardinality(t)
        except (TypeTooLarge, ValueError):
            count = LISTED + 1
        if count > LISTED:
            raise refused(
                self.machine, f"the order of the {show(t)} in a loop or sum", span, "range over a narrower type"
            )
        name = self.names.claim(("listed", t), f"{title(t)}InOrder")
        if self._first(name):
            self.definitions.append((f"{name} == {self.sequence([self.literal(v, t) for v in domain(t)])}",))
        return name

    # ---- types

    def type_set(self, t: Type) -> str:
        """The set of all values of a type; atomic or in parentheses."""
        match t:
            case NeverT():
                return "{}"
            case BoolT():
                return "BOOLEAN"
            case IntT(lo, hi):
                if lo is None or hi is None:
                    return "Int"
                return f"({self.literal(lo, t)}..{self.literal(hi, t)})"
            case EnumT(name, values):
                return self._named(t, name, "{" + ", ".join(f'"{v}"' for v in values) + "}")
            case IdT(name, size):
                return self._named(t, name, "{" + ", ".join(f'"{name}{i}"' for i in range(size)) + "}")
            case ProcT(roles):
                return self.processes(roles)
            case OptT(inner):
                return f"{self.use('OrNone')}({self.type_set(inner)})"
            case RecordT(name, fields):
                return self._named(t, name, self._records(t, name, fields))
            case SetT(elem, limit):
                if limit is None:
                    return f"(SUBSET {self.type_set(elem)})"
                s = self._bound("s")
                return self._named(
                    t, title(t), f"{{{s} \\in SUBSET {self.type_set(elem)} : Cardinality({s}) <= {limit}}}"
                )
            case MapT(key, value):
                return f"[{self.type_set(key)} -> {self.type_set(value)}]"
            case SeqT(elem, limit):
                n = self._bound("n")
                return self._named(t, title(t), f"UNION {{[1..{n} -> {self.type_set(elem)}] : {n} \\in 0..{limit}}}")
            case BagT(elem, limit):
                of, q = self.use("BagOf"), self._bound("q")
                return self._named(t, title(t), f"{{{of}({q}) : {q} \\in {self.type_set(SeqT(elem, limit))}}}")
        assert_never(t)

    def _records(self, t: RecordT, name: str, fields: tuple[tuple[str, Type], ...]) -> str:
        if not fields:
            return "{<<>>}"
        everything = f"[{', '.join(f'{identifier(n)} : {self.type_set(f)}' for n, f in fields)}]"
        if not t.constrained:
            return everything
        r = self._bound("r")
        args = ", ".join(f"{r}.{identifier(n)}" for n, _ in fields)
        return f"{{{r} \\in {everything} : {self.where(name)}({args})}}"

    def where(self, record: str) -> str:
        """The operator for the `where` of a record."""
        return self.names.claim(("where", record), f"{record}Where")

    def _named(self, t: Type, name: str, body: str) -> str:
        known = self.names.claim(("type", t), name)
        if self._first(known):
            self.definitions.append((f"{known} == {body}",))
        return known

    def member(self, x: str, t: Type) -> str:
        """Whether a value is one of the type; kinds are known to agree. `x` may be written several times."""
        match t:
            case OptT(inner):
                return f"(({x} = none) \\/ {self.member(x, inner)})"
            case SetT(elem, limit) if limit is not None:
                return f"((Cardinality({x}) <= {limit}) /\\ ({x} \\subseteq {self.type_set(elem)}))"
            case SetT(elem):
                return f"({x} \\subseteq {self.type_set(elem)})"
            case SeqT(elem, limit):
                test = self._each(elem, self.use("Range"), x)
                return f"((Len({x}) <= {limit}) /\\ {test})"
            case BagT(elem, limit):
                test = self._each(elem, "DOMAIN ", x)
                return f"(({self.use('BagCount')}({x}, DOMAIN {x}) <= {limit}) /\\ {test})"
            case MapT(_, value):
                return self._each(value, self.use("Range"), x)
        return f"({x} \\in {self.type_set(t)})"

    def _each(self, t: Type, of: str, x: str) -> str:
        return f"({of}({x}) \\subseteq {self.type_set(t)})"

    def test(self, t: Type) -> str:
        """An operator that says whether a value is one of a type."""
        name = self.names.claim(("test", t), f"Is{title(t)}")
        if self._first(name):
            x = self._bound("x")
            self.definitions.append((f"{name}({x}) == {bare(self.member(x, t))}",))
        return name

    # ---- order

    def position(self, x: str, t: Type) -> str:
        """The position of an enum value, id or process among those of its type."""
        name = self.names.claim(("order", t), f"{title(t)}Order")
        if self._first(name):
            base = t.roles[0].base if isinstance(t, ProcT) and t.roles else 0
            pairs = [f"({self.literal(v, t)} :> {v - base})" for v in domain(t)]
            self.definitions.append((f"{name} == {' @@ '.join(pairs) if pairs else '<<>>'}",))
        return f"{name}[{x}]"

    def less(self, a: str, b: str, t: Type) -> str:
        """Whether a is below b in the order of the language."""
        match t:
            case IntT():
                return f"({a} < {b})"
            case EnumT() | IdT() | ProcT():
                return f"({self.position(a, t)} < {self.position(b, t)})"
            case NeverT():
                return "FALSE"
        name = self.names.claim(("less", t), f"{title(t)}Less")
        if self._first(name):
            x, y = self._bound("a"), self._bound("b")
            self.definitions.append((f"{name}({x}, {y}) == {bare(self._less(t, x, y))}",))
        return f"{name}({a}, {b})"

    def extreme(self, op: str, of: str, t: Type) -> str:
        """The least or greatest of a set of values that are no numbers."""
        name = self.names.claim((op, t), f"{'Least' if op == 'min' else 'Greatest'}{title(t)}")
        if self._first(name):
            pool = self.names.pool()
            s, x, y = pool.fresh("S"), pool.fresh("x"), pool.fresh("y")
            less = self.less(y, x, t) if op == "min" else self.less(x, y, t)
            self.definitions.append((f"{name}({s}) == CHOOSE {x} \\in {s} : \\A {y} \\in {s} : ~{less}",))
        return f"{name}({of})"

    def _less(self, t: Type, a: str, b: str) -> str:
        if isinstance(t, OptT):
            if isinstance(t.inner, NeverT):
                return "FALSE"
            return f"(({b} # none) /\\ (({a} = none) \\/ {self.less(a, b, t.inner)}))"
        assert isinstance(t, RecordT)
        text = "FALSE"
        for name, field in reversed(t.fields):
            x, y = f"{a}.{identifier(name)}", f"{b}.{identifier(name)}"
            text = f"({self.less(x, y, field)} \\/ (({x} = {y}) /\\ {text}))"
        return text

    def _bound(self, wanted: str) -> str:
        return self.names.pool().inner(wanted, frozenset())
