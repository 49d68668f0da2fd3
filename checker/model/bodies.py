"""Translators for every place that has code, and the functions that they share.

`Bodies` hands out a translator for a kind of place (`Mode`) and a role. Functions are translated once, on first use, in a
mode that notes what they read; each call answers for that reading at its own place (see `context`).
"""

from __future__ import annotations

from dataclasses import replace

from checker.base.data import dataclass
from checker.base.diagnostics import Reporter
from checker.base.source import Span
from checker.lang import ast
from checker.model import ir
from checker.model.context import Context, Mode
from checker.model.convert import coerce
from checker.model.machine import Function
from checker.model.statements import Statements
from checker.model.types import RoleInfo, join
from checker.model.walk import assigned_names, widened
from checker.model.world import World


class Body(Statements):
    """A translator that finds functions and procedures through its owner."""

    owner: Bodies

    def function(self, key: str, span: Span) -> Function:
        return self.owner.function(key, span)

    def inside(self, params: tuple[ast.Param, ...], body: ast.Block) -> Statements:
        assert self.ctx.role is not None
        inner = self.owner.body(Mode.HANDLER, self.ctx.role)
        self.owner.bind_params(inner, params)
        inner.ctx.assigned = assigned_names(body)
        return inner


@dataclass(slots=True)
class Bodies:
    """See the module. `cut`: the check has partitions, so a guard may not ask what was sent."""

    world: World
    cut: bool = False

    @property
    def reporter(self) -> Reporter:
        return self.world.reporter

    def body(self, mode: Mode, role: RoleInfo | None = None) -> Body:
        """A translator for code at one kind of place."""
        body = Body(self.world, Context(mode, role, cut=self.cut))
        body.owner = self
        return body

    def function_keys(self) -> list[str]:
        """The functions of the spec, those of roles as `Role.name`."""
        keys = [n for n, d in self.world.symbols.globals.items() if isinstance(d, ast.FunDecl)]
        return keys + [f"{role}.{f}" for role, m in self.world.symbols.roles.items() for f in m.functions]

    def function(self, key: str, span: Span) -> Function:
        """A function, translated once and with its uses recorded."""
        if key in self.world.functions:
            return self.world.functions[key]
        role, _, name = key.rpartition(".")
        decl = self.world.symbols.roles[role].functions[name] if role else self.world.symbols.globals[name]
        assert isinstance(decl, ast.FunDecl)
        with self.world.defining(key, span if span.end else decl.name.span):
            body = self.body(Mode.FUNCTION, self.world.roles[role] if role else None)
            # a function takes whatever it is given, so inside of it no number is known to be in the range of its type
            params = self.bind_params(body, decl.params, widen=True)
            value = body.expr(decl.body)
            if decl.result is not None:
                declared = self.world.type(decl.result)
                value = coerce(value, declared, decl.body.span, self.reporter, f"the result of `{name}`")
                result = (
                    join(declared, value.type) or value.type
                )  # `none` alone is no record yet, a wide number stays wide
            else:
                result = value.type
            function = Function(key, role or None, params, result, value)
        self.world.functions[key] = function
        self.world.function_uses[key] = tuple(body.ctx.uses)
        return function

    def bind_params(
        self, body: Statements, params: tuple[ast.Param, ...], *, widen: bool = False
    ) -> tuple[ir.Local, ...]:
        """Puts parameters with written types in scope; `widen`: numbers and sizes may exceed what is written."""
        locals_ = []
        for param in params:
            self.world.check_shadow(param.name, body.ctx.role, body.ctx.scope)
            declared = self.world.type(param.type)
            local = self.world.local(param.name.text, declared)
            body.ctx.scope[param.name.text] = replace(local, type=widened(declared)) if widen else local
            locals_.append(local)
        return tuple(locals_)
