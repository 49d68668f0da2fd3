"""A machine compiled for the interpreter: generated functions for guards, bodies, functions and properties.

The text is assembled by `pycode` and `pystmt`, compiled once for each machine, and run with a namespace that has nothing
but the runtime's helpers and no builtins beyond those it uses. How the functions are put together to steps is written in
`steps`; this module only makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic, SpecError, error
from checker.base.source import Span
from checker.engine import networks
from checker.engine.idle import antecedents, first_numbers
from checker.engine.names import DomainTooLarge, Names
from checker.engine.networks import Dropped, all_codes, sender
from checker.engine.pycode import PyExpressions
from checker.engine.pystmt import PyStatements
from checker.engine.runtime import Fail, State, Tape, describe, kept
from checker.model import ir
from checker.model.layout import Layout
from checker.model.machine import NOBODY, Machine, Step
from checker.model.types import show
from checker.model.values import Value, conforms
from checker.model.walk import conjuncts

Predicate = Callable[..., bool]

MAX_INITIAL = 1 << 20
"""The most initial states."""

MAX_BINDINGS = 1 << 20
"""The most combinations of parameters of one step."""

_BUILTINS = {f.__name__: f for f in (all, any, sum, len, min, max, range, frozenset, tuple, int)} | {
    "True": True,
    "False": False,
    "None": None,
}


@dataclass(frozen=True, slots=True)
class StepCode:
    """The functions of one step. `blocked` and `limit` are None where they are not written; `torn` where nothing can tear it."""

    step: Step
    blocked: Callable[..., int] | None
    """The number of the first conjunct of the guard that is false (`idle.first_numbers`), -1 where the guard holds."""
    limit: Callable[..., bool] | None
    body: Callable[..., None]
    torn: Callable[..., None] | None
    bindings: tuple[tuple[Value, ...], ...]
    """Every combination of parameters of an action, timeout or own fault; empty for messages."""

    def allows(self, state: State, *args: Value) -> bool:
        """Whether the guard holds, where nobody asks which part of it does not. Raises `Fail`."""
        return self.blocked is None or self.blocked(state, *args) < 0


@dataclass(frozen=True, slots=True)
class JudgedCode:
    """An invariant, or a step property, whose functions take the state before the step first."""

    name: str
    test: Predicate


def too_large(problem: DomainTooLarge, machine: Machine, span: Span | None) -> SpecError:
    """PSM307 for a type whose values would have to be listed."""
    return error(
        "PSM307",
        f"{show(problem.args[0])} has too many values to list them all",
        source=machine.source,
        span=span,
        help="make the type narrower, or range over a smaller set",
    )


class Program:
    """See the module. Raises `SpecError` where a type has too many values to be listed (PSM307)."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.layout = Layout(machine)
        self.names = Names(machine, self.layout)
        self.dropped = Dropped()
        self._source: list[str] = []
        self._long: list[str] = []
        self._install_helpers()
        self._writing: Span | None = None
        try:
            self._write()
        except DomainTooLarge as problem:
            raise too_large(problem, machine, self._writing) from None
        self.text = "\n".join(self._source)
        exec(compile(self.text, f"<{machine.spec}.{machine.check}>", "exec"), self.names.globals)  # noqa: S102
        for name in self._long:
            self.names.globals[name] = kept(self.names.globals[name])
        self._collect()

    def _install_helpers(self) -> None:
        layout, width = self.layout, self.layout.processes
        globals_ = self.names.globals
        signed = networks.signatures(width)
        globals_["__builtins__"] = _BUILTINS
        for i in range(len(self.machine.networks)):
            globals_[f"send{i}"] = sender(layout, i, self.dropped)

        def sent_checked(net: networks.Slot, kind: str, payload: Any, process: int) -> bool:
            fields = self.machine.messages[kind].fields
            if not all(conforms(t, v, self.names.where) for (_, t), v in zip(fields, payload, strict=True)):
                return False
            return layout.encode(kind, process, NOBODY, payload) // (width + 1) in signed(net)

        def inflight(net: Any, kind: str, senders: Any, receivers: Any) -> int:
            network = self.machine.networks[self.machine.messages[kind].network]
            letters = (layout.decode(code) for code in all_codes(network, net))
            return sum(
                1
                for letter in letters
                if letter.kind == kind
                and (senders is None or letter.sender in senders)
                and (receivers is None or letter.receiver in receivers)
            )

        globals_.update(signed=signed, sent_checked=sent_checked, inflight=inflight)
        globals_["silent"] = self._ask_silent
        self.names.where = self._where

    def _ask_silent(self, state: State, me: int, process: int) -> bool:
        return self.silent(state, me, process)

    silent: Callable[[State, int, int], bool]
    """Whether nothing can come from a process any more; set by `steps.Steps`, which knows how messages are delivered."""

    # ---- writing

    def _write(self) -> None:
        machine = self.machine
        self._record_tests: dict[str, str] = {}
        for name, (_, locals_, where) in machine.records.items():
            if where is not None:
                self._record_tests[name] = f"r{len(self._record_tests)}"
                params = "".join(f"v{p.number}, " for p in locals_)
                self._function(self._record_tests[name], params, where)
        for key, function in machine.functions.items():
            me = "me, " if function.role is not None else ""
            params = "".join(f"v{p.number}, " for p in function.params)
            name = self.names.functions[key]
            text = self._function(name, f"s, {me}{params}", function.body)
            # one that walks over a domain, or calls others, has results worth keeping
            if " for " in text or any(f"{other}(" in text for other in self.names.functions.values()):
                self._long.append(name)
        self._tearable = {r.name for b in machine.budgets if b.kind in ("crash", "stop") and b.count for r in b.roles}
        for key, procedure in machine.procedures.items():
            name = self.names.procedures[key]
            params = "".join(f", v{p.number}" for p in procedure.params)
            self._body(name, f"s, tape, me{params}", procedure.body, torn=False)
            if procedure.role in self._tearable:
                self._body(f"t{name}", f"s, tape, fx, me{params}", procedure.body, torn=True)
        numbers = first_numbers(machine)
        for i, step in enumerate(machine.steps):
            self._writing = step.span
            src = f", v{step.sender.number}" if step.sender is not None else ""
            params = f"me{src}" + "".join(f", v{p.number}" for p in step.params)
            if step.guard is not None:
                self._source.append(f"def g{i}(s, {params}):\n    return {self._blocked(step.guard, numbers[i])}")
            if step.limit is not None:
                self._function(f"l{i}", f"s, {params}", step.limit)
            self._body(f"b{i}", f"s, tape, {params}", step.body, torn=False)
            if self._can_tear(step):
                self._body(f"tb{i}", f"s, tape, fx, {params}", step.body, torn=True)
        for i, init in enumerate(machine.inits):
            self._writing = init.var.span
            if init.any:
                self._source.append(f"def i{i}(me):\n    return {PyExpressions(self.names).iterate(init.value)}")
            else:
                self._function(f"i{i}", "me", init.value)
        for i, prop in enumerate(machine.properties):
            self._writing = prop.span
            if prop.body is not None:
                self._function(f"q{i}", "o, s" if prop.judged_as == "step" else "s", prop.body)
            if prop.initial is not None:
                self._function(f"first{i}", "s", prop.initial)
        for i, (_, test) in enumerate(antecedents(machine, "states")):
            self._function(f"when{i}", "s", test)
        for i, (_, test) in enumerate(antecedents(machine, "steps")):
            self._function(f"stepwhen{i}", "o, s", test)
        if machine.final is not None:
            self._function("final", "s", machine.final)
        if machine.bound is not None:
            self._function("bound", "s", machine.bound)

    def _can_tear(self, step: Step) -> bool:
        """Handlers of a process can be torn; what its surroundings do to it (faults of its own, clocks) cannot."""
        return step.role.name in self._tearable and step.kind not in ("fault", "tick", "ignore")

    def _blocked(self, guard: ir.Expr, number: int) -> str:
        """The number of the first conjunct that is false: they stop each other as `and` does."""
        tests = enumerate(conjuncts(guard), number)
        return "".join(f"{n} if not {PyExpressions(self.names).expr(part)} else " for n, part in tests) + "-1"

    def _function(self, name: str, params: str, body: ir.Expr) -> str:
        """Writes a function of one expression, whose text it returns."""
        text = PyExpressions(self.names).expr(body)
        self._source.append(f"def {name}({params}):\n    return {text}")
        return text

    def _body(self, name: str, params: str, body: tuple[ir.Stmt, ...], *, torn: bool) -> None:
        writer = PyStatements(self.names, torn=torn)
        for s in body:
            writer.stmt(s)
        self._source.append("\n".join([f"def {name}({params}):", *(writer.lines or ["    pass"])]))

    def diagnose(self, problem: Fail) -> Diagnostic:
        """An error at run time as a diagnostic with its place and value."""
        site = self.names.sites[problem.site]
        return Diagnostic(site.code, describe(site, problem.value), self.machine.source, site.span)

    def expression(self, e: ir.Expr, params: str = "s") -> Callable[..., Value]:
        """Compiles one more expression over the state, such as a view for a graph; `params` may name the process, too."""
        text = f"def extra({params}):\n    return {PyExpressions(self.names).expr(e)}"
        exec(compile(text, "<view>", "exec"), self.names.globals)  # noqa: S102
        result: Callable[..., Value] = self.names.globals.pop("extra")
        return result

    # ---- collecting

    def _collect(self) -> None:
        made, machine = self.names.globals, self.machine
        self.steps = tuple(
            StepCode(
                step,
                made.get(f"g{i}"),
                made.get(f"l{i}"),
                made[f"b{i}"],
                made.get(f"tb{i}"),
                () if step.kind in ("message", "ignore") else self._bindings(step),
            )
            for i, step in enumerate(machine.steps)
        )
        self.invariants: list[JudgedCode] = []
        self.step_properties: list[JudgedCode] = []
        self.reach: list[tuple[str, Predicate]] = []
        self.first: list[tuple[str, Predicate]] = []
        """What initial states have to satisfy besides, by the names of properties."""
        for i, prop in enumerate(machine.properties):
            if prop.body is None:
                continue
            test = made[f"q{i}"]
            match prop.judged_as:
                case "invariant":
                    self.invariants.append(JudgedCode(prop.name, test))
                case "step":
                    if prop.initial is not None:
                        self.first.append((prop.name, made[f"first{i}"]))
                    self.step_properties.append(JudgedCode(prop.name, test))
                case "reach":
                    self.reach.append((prop.name, test))
        self.antecedents = [(text, made[f"when{i}"]) for i, (text, _) in enumerate(antecedents(machine, "states"))]
        self.step_antecedents = [(t, made[f"stepwhen{i}"]) for i, (t, _) in enumerate(antecedents(machine, "steps"))]
        self.final: Predicate | None = made.get("final")
        self.bound: Predicate | None = made.get("bound")

    def _bindings(self, step: Step) -> tuple[tuple[Value, ...], ...]:
        count = 1
        lists = []
        for param in step.params:
            try:
                lists.append(self.names.values(param.type))
            except DomainTooLarge as problem:
                raise too_large(problem, self.machine, step.span) from None
            count *= len(lists[-1])
        if count > MAX_BINDINGS:
            raise error(
                "PSM307",
                f"{step.label} has {count:,} combinations of parameters, more than {MAX_BINDINGS:,}",
                source=self.machine.source,
                span=step.span,
                help="make the types of its parameters narrower",
            )
        return tuple(product(*lists))

    def _where(self, record: str, value: Value) -> bool:
        test = self.names.globals.get(self._record_tests.get(record, ""))
        return test is None or bool(test(*value))

    # ---- initial states and resets

    def initial_states(self) -> list[State]:
        """Every initial state, each once, in order.

        Raises:
            SpecError: an initial value is outside its type, or there are more than `MAX_INITIAL` states.
        """
        base: list[Any] = [0] * self.layout.slots
        for slot in self.layout.networks:
            base[slot] = ()
        for budget in self.machine.budgets:
            if budget.key in self.layout.budgets:
                base[self.layout.budgets[budget.key]] = budget.count
        states = [base]
        try:
            for i, init in enumerate(self.machine.inits):
                role = None if init.var.role is None else self.machine.roles[init.var.role]
                for process in (None,) if role is None else role.processes:
                    slot = self.layout.slot(init.var, process)
                    states = self._set(states, slot, i, process)
        except Fail as problem:
            site = self.names.sites[problem.site]
            text = describe(site, problem.value)
            raise error(site.code, f"an initial value: {text}", source=self.machine.source, span=site.span) from None
        return list(dict.fromkeys(tuple(s) for s in self._choose_faulty(states)))

    def _set(self, states: list[list[Any]], slot: int, init: int, process: int | None) -> list[list[Any]]:
        values = self.names.globals[f"i{init}"](process)
        if not self.machine.inits[init].any:
            for state in states:
                state[slot] = values
            return states
        var = self.machine.inits[init].var
        listed = list(values)
        bad = next((v for v in listed if not conforms(var.type, v, self._where)), None)
        if bad is not None or (None in listed and not conforms(var.type, None)):
            raise error(
                "PSM601", f"`any` gives `{var.name}` a value outside {show(var.type)}",
                source=self.machine.source, span=var.span,
            )  # fmt: skip
        if not listed or len(states) * len(listed) > MAX_INITIAL:
            count = "no initial state" if not listed else f"more than {MAX_INITIAL:,} initial states"
            raise error("PSM507", f"`{var.name}` makes {count}", source=self.machine.source, span=var.span)
        return [[*state[:slot], value, *state[slot + 1 :]] for state in states for value in listed]

    def _choose_faulty(self, states: list[list[Any]]) -> list[list[Any]]:
        if self.layout.faulty is None:
            return states
        sets = [0]
        for budget in self.machine.budgets:
            if budget.kind == "byzantine" and budget.count:
                chosen = [sum(1 << p for p in c) for c in combinations(budget.roles[0].processes, budget.count)]
                sets = [a | b for a in sets for b in chosen]
        result = []
        for state in states:
            for faulty in sets:
                state = state.copy()
                state[self.layout.faulty] = faulty
                result.append(state)
        return result

    def reset(self, state: list[Any], process: int, tape: Tape) -> None:
        """Forgets what is volatile: every such variable gets an initial value again."""
        role = self.machine.role_of(process)
        for i, init in enumerate(self.machine.inits):
            if init.var.role == role.name and init.var.keep == "volatile":
                value = self.names.globals[f"i{i}"](process)
                if init.any:
                    value = tape.element(ir.Local(0, init.var.name, init.var.type), tuple(value))  # type: ignore[arg-type]
                state[self.layout.slot(init.var, process)] = value
