"""Calls of functions, and questions to the network.

A function of the spec is an operator, which reads the variables as they are before the step. Where a handler has assigned one
of them already, the body of the function is written out instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from checker.model import ir
from checker.model.machine import Function
from checker.model.types import SetT
from checker.render.tla.blocks import bare, binders
from checker.render.tla.terms import Env, Terms, parts


class Questions(Terms):
    """Translates calls, `sent` and `inflight`."""

    # ---- calls

    def reads(self, function: Function) -> set[str]:
        """The variables and networks that a function looks at, itself or through others."""
        found: set[str] = set()
        for node in parts(function.body):
            match node:
                case ir.GetVar(var):
                    found.add(self.unit.variable(var.role, var.name))
                case ir.Sent(message) | ir.Inflight(message):
                    found.add(self.network_of(message))
                case ir.CallFun(fun):
                    found |= self.reads(self.unit.machine.functions[fun])
        return found

    def call(self, e: ir.CallFun, env: Env) -> str:
        """A call of the function's operator. Where variables have been assigned before, its body is written out instead,
        since an operator reads the state before the step; the state after a step is asked for with a prime.
        """
        function = self.unit.machine.functions[e.fun]
        read = self.reads(function)
        changed = [name for name in read if env.values[name] != name]
        plain = env
        if changed and all(env.values[name] == f"{name}'" for name in read):
            if any(isinstance(n, ir.Old) for n in parts((e.of, e.args))) or env.before is None:
                return self.inlined(function, e, env)
            plain = replace(env.before, locals=env.locals, bound=env.bound)
        elif changed:
            return self.inlined(function, e, env)
        args = [bare(self.expr(a, plain)) for a in e.args]
        if self.takes_self(function):
            args.insert(0, env.me if e.of is None else bare(self.strict(e.of, plain)))
        name = self.unit.names.claim(("function", e.fun), e.fun)
        text = f"{name}({', '.join(args)})" if args else name
        return f"({text})'" if changed else text

    def takes_self(self, function: Function) -> bool:
        """Whether an operator has the process as its first parameter: a function of a role with several instances."""
        return function.role is not None and not self.unit.machine.roles[function.role].single

    def inlined(self, function: Function, e: ir.CallFun, env: Env) -> str:
        """The body of a function with its arguments in place."""
        texts = {p.number: self.expr(a, env) for p, a in zip(function.params, e.args, strict=True)}
        me = env.me if e.of is None else self.expr(e.of, env)
        if function.role is not None and self.unit.machine.roles[function.role].single:
            me = self.unit.process(self.unit.machine.roles[function.role].base)
        bound = env.bound | binders(texts.values())
        return self.expr(function.body, replace(env, locals={**env.locals, **texts}, me=me, bound=bound))

    # ---- the network

    def network_of(self, message: str) -> str:
        """The variable of the network that carries a message."""
        return self.unit.names.claim(("network", self.unit.machine.messages[message].network), "network")

    def sent(self, e: ir.Sent, env: Env) -> str:
        message = self.unit.machine.messages[e.message]
        m, inner = self.another("m", env)
        tests = [f'{m}.kind = "{e.message}"']
        sender = self.as_set(e.sender, inner) if e.many else self.expr(e.sender, inner)
        tests.append(f"{m}.from \\in {sender}" if e.many else f"{m}.from = {sender}")
        tests += [
            f"{m}.{self.unit.field(e.message, name)} = {self.expr(arg, inner)}"
            for (name, _), arg in zip(message.fields, e.args, strict=True)
        ]
        both = " /\\ ".join(f"({t})" for t in tests)
        test = f"(\\E {m} \\in {env.values[self.network_of(e.message)]} : {both})"
        if "faulty" not in env.values:
            return test
        if e.many:
            return f"(({sender} \\cap faulty # {{}}) \\/ {test})"
        return f"(({sender} \\in faulty) \\/ {test})"

    def inflight(self, e: ir.Inflight, env: Env) -> str:
        """How many messages of a kind are in the network."""
        network = self.unit.machine.networks[self.unit.machine.messages[e.message].network]
        net = env.values[self.network_of(e.message)]
        m, inner = self.another("m", env)
        tests = [f'({m}.kind = "{e.message}")']
        for end, of in (("from", e.sender), ("to", e.receiver)):
            if of is not None:
                many = isinstance(of.type, SetT)
                text = self.as_set(of, inner) if many else self.expr(of, inner)
                sign = "\\in" if many else "="
                tests.append(f"({m}.{end} {sign} {text})")
        test = " /\\ ".join(tests)
        match network.kind:
            case "soup":
                return f"Cardinality({{{m} \\in {net} : {test}}})"
            case "bag":
                return f"{self.unit.use('BagCount')}({net}, {{{m} \\in DOMAIN {net} : {test}}})"
            case "fifo":
                p = self.pool.inner("p", inner.bound)
                i = self.pool.inner("i", inner.bound | {p})
                places = f"UNION {{{{<<{p}, {i}>> : {i} \\in DOMAIN {net}[{p}]}} : {p} \\in DOMAIN {net}}}"
                at = self.pool.inner("at", inner.bound)
                test = test.replace(f"{m}.", f"{net}[{at}[1]][{at}[2]].")
                return f"Cardinality({{{at} \\in {places} : {test}}})"
        assert_never(network.kind)
