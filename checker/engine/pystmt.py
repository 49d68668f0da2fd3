"""Statements as Python source.

A body becomes a function of a list `s`, the state under construction, which it changes in place. There are two forms of
each body. The plain one does what it says. The torn one, made only where a crash may strike, announces every effect to
`fx` (see `runtime.Effects`) before it happens, and lets `fx` decide the order of recipients and of loops over sets.

Choices are asked of `tape`. Values are computed before the place they go to.
"""

from __future__ import annotations

from typing import assert_never

from checker.engine.names import Names
from checker.engine.pycode import PyExpressions
from checker.model import ir
from checker.model.machine import NOBODY
from checker.model.types import IntT, MapT, SeqT, SetT
from checker.model.walk import has_effect


class PyStatements:
    """Translates the statements of one body; `torn` selects the form."""

    def __init__(self, names: Names, *, torn: bool) -> None:
        self.names = names
        self.torn = torn
        self.quiet = not torn
        self.lines: list[str] = []
        self._depth = 1
        self._fresh = 0
        self.expressions = PyExpressions(names)

    def expr(self, e: ir.Expr) -> str:
        return self.expressions.expr(e)

    def line(self, text: str) -> None:
        self.lines.append("    " * self._depth + text)

    def fresh(self) -> str:
        self._fresh += 1
        return f"x{self._fresh}"

    def effect(self) -> None:
        if not self.quiet:
            self.line("fx.hit(s)")

    def block(self, stmts: tuple[ir.Stmt, ...]) -> None:
        self._depth += 1
        for s in stmts:
            self.stmt(s)
        if not stmts:
            self.line("pass")
        self._depth -= 1

    def stmt(self, s: ir.Stmt) -> None:
        match s:
            case ir.SetVar(var, path, value):
                x = self.fresh()
                self.line(f"{x} = {self.expr(value)}")
                place = f"s[{self.expressions.index(var, None)}]"
                if s.is_effect:
                    self.effect()
                self.line(f"{place} = {self.updated(place, path, x)}")
            case ir.SetLocal(local, path, value):
                x = self.fresh()
                self.line(f"{x} = {self.expr(value)}")
                self.line(f"v{local.number} = {self.updated(f'v{local.number}', path, x)}")
            case ir.SendMsg():
                self.send(s)
            case ir.IfS(arms, orelse):
                for i, (cond, body) in enumerate(arms):
                    self.line(f"{'elif' if i else 'if'} {self.expr(cond)}:")
                    self.block(body)
                if orelse:
                    self.line("else:")
                    self.block(orelse)
            case ir.ForS(local, domain, body):
                elements = self.expressions.iterate(domain)
                if not self.quiet and isinstance(domain.type, SetT) and has_effect(body, self.names.machine.procedures):
                    elements = f"fx.order({elements})"
                self.line(f"for v{local.number} in {elements}:")
                self.block(body)
            case ir.ChooseS(local, domain):
                label = self.names.constant("label", local, lambda: local)
                self.line(f"v{local.number} = tape.element({label}, tuple({self.expressions.iterate(domain)}))")
            case ir.EitherS(kind, branches):
                label = self.names.constant("label", kind, lambda: kind)
                x = self.fresh()
                self.line(f"{x} = tape.branch({label}, {len(branches)})")
                for i, body in enumerate(branches):
                    self.line(f"{'elif' if i else 'if'} {x} == {i}:")
                    self.block(body)
            case ir.DoProc(proc, args):
                form = "t" if not self.quiet else ""
                given = "".join(", " + self.expr(a) for a in args)
                extra = ", fx" if not self.quiet else ""
                self.line(f"{form}{self.names.procedures[proc]}(s, tape{extra}, me{given})")
            case ir.AssertS(cond, span, text):
                site = self.names.site("PSM605", span, text)
                self.line(f"if not {self.expr(cond)}:")
                self.line(f"    raise Fail({site})")
            case ir.AtomicS(body):
                self.effect()
                before, self.quiet = self.quiet, True
                self._depth -= 1
                self.block(body)
                self._depth += 1
                self.quiet = before
            case _:
                assert_never(s)

    def updated(self, place: str, path: ir.Path, value: str) -> str:
        """The new value of a variable whose part at `path` becomes `value`; the parts on the way are read first."""
        if not path:
            return value
        reads: list[tuple[ir.FieldStep | ir.IndexStep, str, str]] = []
        for step in path:
            holder = self.fresh()
            if step.unwrap:
                site = self.names.site("PSM603", step.span, "this is none, and has no parts")
                self.line(f"{holder} = some({place}, {site})")
            else:
                self.line(f"{holder} = {place}")
            if isinstance(step, ir.FieldStep):
                at = str(step.index)
            else:
                at = self.fresh()
                key = self.expr(step.key)
                self.line(f"{at} = {self.position(step, key, holder)}")
            reads.append((step, holder, at))
            place = f"{holder}[{at}]"
        for _, holder, at in reversed(reads):
            value = f"put({holder}, {at}, {value})"
        return value

    def position(self, step: ir.IndexStep, key: str, holder: str) -> str:
        if isinstance(step.of, SeqT):
            site = self.names.site(
                "PSM604", step.span, "there is no element {value}: sequences count from 0", IntT(None, None)
            )
            return f"entry({key}, 0, len({holder}), {site})"
        assert isinstance(step.of, MapT)
        return self.expressions.position(step.of, key, step.key.type, step.span)

    def send(self, s: ir.SendMsg) -> None:
        names = self.names
        message = names.machine.messages[s.message]
        layout = names.layout
        types = [t for _, t in message.fields]
        args = []
        for arg in s.args:
            x = self.fresh()
            self.line(f"{x} = {self.expr(arg)}")
            args.append(x)
        payload = self.expressions.payload(s.message, args, types)
        width = layout.processes + 1
        code = self.fresh()
        self.line(f"{code} = {layout.offsets[s.message] + 1} + ({payload} * {layout.processes} + me) * {width}")
        call = f"send{message.network}"
        network = names.machine.networks[message.network].name
        which = "the network" if network == "network" else f"network {network}"
        site = names.site("PSM602", s.span, f"{which} is full for {s.message}")
        if s.to is None:
            self.effect()
            self.line(f"{call}(s, {code} + {NOBODY}, {NOBODY}, {site})")
        elif not s.many:
            to = self.fresh()
            self.line(f"{to} = {self.expr(s.to)}")
            self.effect()
            self.line(f"{call}(s, {code} + {to}, {to}, {site})")
        else:
            to, recipients = self.fresh(), self.expressions.iterate(s.to)
            if not self.quiet:
                recipients = f"fx.recipients({recipients})"
            self.line(f"for {to} in {recipients}:")
            self._depth += 1
            self.effect()
            self.line(f"{call}(s, {code} + {to}, {to}, {site})")
            self._depth -= 1
