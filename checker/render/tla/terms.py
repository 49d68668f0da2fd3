"""What the translation of expressions stands on: environments, names, and the parts of a state.

`Env` says what a name stands for at one place: the current value of each variable (its own name, until a handler assigns
it), the texts of locals, and the running process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import is_dataclass, replace

from checker.base.data import dataclass, names_of
from checker.model import ir
from checker.model.types import OptT, RecordT, Type
from checker.render.tla.blocks import bare
from checker.render.tla.names import Pool, identifier
from checker.render.tla.unit import Unit


@dataclass(frozen=True, slots=True)
class Env:
    """See the module. `values` has every variable and network by its TLA+ name; `bound` the variables of quantifiers."""

    values: Mapping[str, str]
    locals: Mapping[int, str]
    me: str
    bound: frozenset[str] = frozenset()
    before: Env | None = None
    """The state before the step, in a property of a step."""
    quiet: bool = True
    """Whether effects are not looked at: outside of torn steps, and in an `atomic` block."""
    path: tuple[str, ...] = ()
    """The answers to the choices so far, which keep apart outcomes that are equal otherwise."""

    def set(self, variable: str, text: str) -> Env:
        return replace(self, values={**self.values, variable: text})

    def with_local(self, local: ir.Local, text: str) -> Env:
        return replace(self, locals={**self.locals, local.number: text})


def parts(node: object) -> list[object]:
    """All nodes of some code, itself first."""
    if isinstance(node, tuple):
        return [n for item in node for n in parts(item)]
    if is_dataclass(node) and type(node).__module__.startswith("checker.model.ir"):
        return [node, *(n for name in names_of(type(node)) for n in parts(getattr(node, name)))]
    return []


class Terms(ABC):
    """Names and variables within one definition, whose local names `pool` hands out."""

    def __init__(self, unit: Unit, pool: Pool) -> None:
        self.unit = unit
        self.pool = pool

    @abstractmethod
    def expr(self, e: ir.Expr, env: Env) -> str:
        """The text of an expression, atomic or in parentheses."""

    @abstractmethod
    def as_set(self, e: ir.Expr, env: Env) -> str:
        """The elements of a collection as a set."""

    def bind(self, local: ir.Local, env: Env) -> tuple[str, Env]:
        """A name for the variable of a quantifier, and the environment of its body."""
        name = self.pool.inner(local.name, env.bound)
        return name, replace(env.with_local(local, name), bound=env.bound | {name})

    def another(self, wanted: str, env: Env) -> tuple[str, Env]:
        """A name for a bound variable that the spec does not have, and the environment inside."""
        name = self.pool.inner(wanted, env.bound)
        return name, replace(env, bound=env.bound | {name})

    def single(self, var: ir.Var) -> bool:
        return var.role is not None and self.unit.machine.roles[var.role].single

    def variable(self, var: ir.Var, process: str, env: Env) -> str:
        text = env.values[self.unit.variable(var.role, var.name)]
        return text if var.role is None or self.single(var) else f"{text}[{bare(process)}]"

    def field(self, t: Type, index: int) -> str:
        record = t.inner if isinstance(t, OptT) else t
        assert isinstance(record, RecordT)
        return identifier(record.fields[index][0])

    def strict(self, e: ir.Expr, env: Env) -> str:
        """An expression where TLC itself stops at `none`, so that nothing needs to be asserted."""
        return self.expr(e.obj, env) if isinstance(e, ir.Unwrap) else self.expr(e, env)
