"""Statements with one outcome as definitions.

A body is run symbolically, in order. Each assignment defines a new name for the changed variable (`RM_state_1`), and what
follows reads that name. An `if` defines what each changed variable is after it; a `for` is a recursive function that goes
along the sequence of its elements. Definitions of TLA+ are lazy, so those of the branch not taken do no harm.

Besides variables, an environment carries what a run has found out:

- `OK`: false where a network that blocks is full, so that the outcome is no step. An `assert` stands here, too.
- `HIT`, `TORN`: in the torn form of a body, whether it has had an effect, and what a crash leaves behind that strikes
  between two effects. A tear needs an effect before it and one behind it, so every effect but the first adds the
  state before it. Recipients of one send are reached in any order: every part of them is added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from checker.model import ir
from checker.model.types import IntT, MapT, OptT, RecordT, SetT, Type, cardinality
from checker.model.walk import has_effect, statements_in
from checker.render.tla.blocks import Definition, bare, binders, branches, let
from checker.render.tla.expressions import Expressions
from checker.render.tla.names import identifier
from checker.render.tla.networks import Networks
from checker.render.tla.terms import Env
from checker.render.tla.unit import refused

OK, HIT, TORN = "$ok", "$hit", "$torn"
_NAMES = {OK: "enabled", HIT: "hit", TORN: "torn"}

Key = str | int
"""What a statement may change: a variable by its name, or a local by its number."""


class Straight:
    """Translates the statements of one definition that have one outcome."""

    def __init__(self, expressions: Expressions, networks: Networks) -> None:
        self.expressions = expressions
        self.networks = networks
        self.unit = expressions.unit
        self.pool = expressions.pool
        self.procedures = self.unit.machine.procedures
        self.left_behind: Callable[[Env], str] = lambda env: "<<>>"
        """The state that a crash leaves behind, as a value. Set for torn bodies."""

    def step(self, s: ir.Stmt, env: Env, definitions: list[Definition]) -> Env:
        """The environment after a statement."""
        expr = self.expressions.expr
        match s:
            case ir.SetVar(var, path, value):
                text = expr(value, env)
                if s.is_effect:
                    env = self.effect(env, definitions)
                key = self.unit.variable(var.role, var.name)
                whole = env.values[key]
                own = "" if var.role is None or self.expressions.single(var) else f"[{bare(env.me)}]"
                if own or path:
                    place = own + self._place(path, var.type, whole + own, env)
                    text = f"[{whole} EXCEPT !{place} = {bare(text)}]"
                return self.assign(key, text, env, definitions)
            case ir.SetLocal(local, path, value):
                text = expr(value, env)
                if path:
                    whole = env.locals[local.number]
                    text = f"[{whole} EXCEPT !{self._place(path, local.type, whole, env)} = {bare(text)}]"
                return env.with_local(local, self.define(local.name, text, definitions))
            case ir.SendMsg():
                return self._send(s, env, definitions)
            case ir.IfS():
                return self._if(s, env, definitions)
            case ir.ForS():
                return self._for(s, env, definitions)
            case ir.DoProc(proc, args):
                inner = self.arguments(proc, args, env, definitions)
                for part in self.procedures[proc].body:
                    inner = self.step(part, inner, definitions)
                return replace(inner, locals=env.locals)
            case ir.AssertS(cond, span):
                text = f'"the assertion does not hold, at {self.unit.place(span)}"'
                return self.require(f"Assert({bare(expr(cond, env))}, {text})", env, definitions)
            case ir.AtomicS(body):
                inner = replace(self.effect(env, definitions), quiet=True)
                for part in body:
                    inner = self.step(part, inner, definitions)
                return replace(inner, quiet=env.quiet)
            case ir.ChooseS() | ir.EitherS():
                raise AssertionError("a statement with several outcomes")
        assert_never(s)

    # ---- names for values

    def define(self, base: str, text: str, definitions: list[Definition]) -> str:
        """A name for a value, which later text uses."""
        name = self.pool.numbered(base)
        definitions.append(Definition(name, name, (text,)))
        return name

    def assign(self, key: str, text: str, env: Env, definitions: list[Definition]) -> Env:
        return env.set(key, self.define(_NAMES.get(key, key), text, definitions))

    def require(self, test: str, env: Env, definitions: list[Definition]) -> Env:
        """Adds a condition without which the outcome is no step."""
        text = test if env.values[OK] == "TRUE" else f"({env.values[OK]} /\\ {test})"
        return self.assign(OK, text, env, definitions)

    def arguments(self, proc: str, args: tuple[ir.Expr, ...], env: Env, definitions: list[Definition]) -> Env:
        """The environment in which a procedure begins."""
        inner = env
        for p, a in zip(self.procedures[proc].params, args, strict=True):
            inner = inner.with_local(p, self.define(p.name, self.expressions.expr(a, env), definitions))
        return inner

    def _place(self, path: ir.Path, t: Type, holder: str, env: Env) -> str:
        """The way to a part, as EXCEPT writes it."""
        text = ""
        for step in path:
            t = t.inner if isinstance(t, OptT) else t
            if isinstance(step, ir.FieldStep):
                assert isinstance(t, RecordT)
                name, t = t.fields[step.index]
                way = f".{identifier(name)}"
            else:
                way = f"[{self.expressions.key(step.of, step.key, holder, env, step.span)}]"
                t = step.of.value if isinstance(step.of, MapT) else getattr(step.of, "elem", step.of)
            text += way
            holder += way
        return text

    # ---- what a statement changes

    def assigned(self, stmts: tuple[ir.Stmt, ...], env: Env) -> tuple[Key, ...]:
        """The variables, networks, and locals of `env` that statements may change, in a fixed order."""
        found: set[Key] = set()
        self._collect(stmts, env, found)
        known = [k for k in env.values if k in found]
        return (*known, *sorted(k for k in found if isinstance(k, int)))

    def _collect(self, stmts: tuple[ir.Stmt, ...], env: Env, found: set[Key]) -> None:
        for s in statements_in(stmts):
            match s:
                case ir.SetVar(var):
                    found.add(self.unit.variable(var.role, var.name))
                case ir.SetLocal(local) if local.number in env.locals:
                    found.add(local.number)
                case ir.SendMsg(message):
                    index = self.networks.index(message)
                    found.add(self.networks.variable(index))
                    if self.unit.machine.networks[index].overflow == "block":
                        found.add(OK)
                case ir.AssertS():
                    found.add(OK)
                case ir.DoProc(proc):
                    self._collect(self.procedures[proc].body, env, found)
            if not env.quiet and isinstance(s, ir.SetVar | ir.SendMsg | ir.AtomicS):
                found |= {HIT, TORN}

    def value(self, key: Key, env: Env) -> str:
        return env.locals[key] if isinstance(key, int) else env.values[key]

    def record(self, keys: tuple[Key, ...], env: Env, *more: str) -> str:
        """The values of keys as one value: a record, or the value itself where it is alone."""
        if len(keys) == 1 and not more:
            return self.value(keys[0], env)
        inside = [f"{self._field(k)} |-> {bare(self.value(k, env))}" for k in keys]
        return f"[{', '.join([*inside, *more])}]"

    def unpacked(self, keys: tuple[Key, ...], record: str, env: Env, *, alone: bool) -> Env:
        """The environment in which keys have the values of such a record; `alone`: it may be the value itself."""
        values, locals_ = dict(env.values), dict(env.locals)
        for key in keys:
            text = record if alone and len(keys) == 1 else f"{record}.{self._field(key)}"
            if isinstance(key, int):
                locals_[key] = text
            else:
                values[key] = text
        return replace(env, values=values, locals=locals_)

    @staticmethod
    def _field(key: Key) -> str:
        return f"local{key}" if isinstance(key, int) else _NAMES.get(key, key)

    # ---- control

    def _if(self, s: ir.IfS, env: Env, definitions: list[Definition]) -> Env:
        """Both branches are run, and each changed value is chosen between them."""
        keys = self.assigned((s,), env)
        conds = [self.expressions.expr(cond, env) for cond, _ in s.arms]
        if len(keys) > 1:
            conds = [self.define("cond", cond, definitions) for cond in conds]
        ends = []
        for body in (*(body for _, body in s.arms), s.orelse):
            inner = env
            for part in body:
                inner = self.step(part, inner, definitions)
            ends.append(inner)
        result = env
        for key in keys:
            texts = [self.value(key, e) for e in ends]
            if all(t == texts[0] for t in texts):
                merged = texts[0]
            else:
                merged = texts[-1]
                for cond, text in zip(reversed(conds), reversed(texts[:-1]), strict=True):
                    merged = f"(IF {bare(cond)} THEN {text} ELSE {merged})"
            if isinstance(key, int):
                result = replace(result, locals={**result.locals, key: self.define("local", merged, definitions)})
            else:
                result = self.assign(key, merged, result, definitions)
        return result

    def _for(self, s: ir.ForS, env: Env, definitions: list[Definition]) -> Env:
        self.refuse_torn_loop(s, env)
        sequence = self.define("elements", self.expressions.as_sequence(s.domain, env, s.span), definitions)

        def bind(inner: Env, item: str, inside: list[Definition]) -> Env:
            return inner.with_local(s.local, self.define(s.local.name, item, inside))

        return self.along(sequence, bind, s.body, env, definitions)

    def along(
        self,
        sequence: str,
        bind: Callable[[Env, str, list[Definition]], Env],
        body: tuple[ir.Stmt, ...],
        env: Env,
        definitions: list[Definition],
    ) -> Env:
        """The environment after a body was run for each element of a sequence."""
        keys = self.assigned(body, env)
        if not keys:
            return env
        loop, i, before = self.pool.fresh("loop"), self.pool.fresh("i"), self.pool.fresh("before")
        inside = [Definition(before, before, (f"{loop}[{i} - 1]",))]
        inner = bind(self.unpacked(keys, before, env, alone=True), f"{sequence}[{i}]", inside)
        for part in body:
            inner = self.step(part, inner, inside)
        after = self.record(keys, inner)
        if OK in keys and len(keys) > 1:  # behind a full network nothing is evaluated any more
            after = f"(IF {bare(inner.values[OK])} THEN {after} ELSE [{before} EXCEPT !.{self._field(OK)} = FALSE])"
        text = branches(f"{i} = 0", (self.record(keys, env),), let(inside, (bare(after),)))
        definitions.append(Definition(loop, f"{loop}[{i} \\in 0..Len({sequence})]", text))
        return self.unpacked(keys, self.define("done", f"{loop}[Len({sequence})]", definitions), env, alone=True)

    def refuse_torn_loop(self, s: ir.ForS, env: Env) -> None:
        """A torn loop over a set goes through it in any order, which is not translated."""
        if env.quiet or not isinstance(s.domain.type, SetT) or not has_effect(s.body, self.procedures):
            return
        elem = s.domain.type.elem
        if not (isinstance(elem, IntT) and elem.lo is None) and cardinality(elem) < 2:
            return
        raise refused(
            self.unit.machine, "a loop over a set that a crash can tear", s.span,
            "put the loop in an `atomic` block, send to the set at once, or export a check without crashes of this role",
        )  # fmt: skip

    # ---- effects

    def effect(self, env: Env, definitions: list[Definition]) -> Env:
        """Notes that an effect is about to happen: a crash may strike here if it is not the first."""
        if env.quiet:
            return env
        hit = env.values[HIT]
        if hit != "FALSE":
            more = _union(env.values[TORN], f"{{{self.left_behind(env)}}}")
            if hit != "TRUE":
                more = f"(IF {hit} THEN {more} ELSE {env.values[TORN]})"
            env = self.assign(TORN, more, env, definitions)
        return env.set(HIT, "TRUE")

    def _send(self, s: ir.SendMsg, env: Env, definitions: list[Definition]) -> Env:
        networks = self.networks
        index = networks.index(s.message)
        network, key = self.unit.machine.networks[index], networks.variable(index)
        args = [self.expressions.expr(a, env) for a in s.args]
        args = [self.define("arg", a, definitions) if binders((a,)) else a for a in args]
        name = self.pool.fresh("r")

        def make(to: str) -> str:
            return networks.message(s.message, env.me, to, args)

        one = to = None
        if s.to is None:
            one = "none"
        elif not s.many:
            one = self.expressions.expr(s.to, env)
            if networks.filters(network):
                one, to = None, networks.recipients(network, f"{{{one}}}")
        else:
            to = networks.recipients(network, self.expressions.as_set(s.to, env))
        net, place = env.values[key], self.unit.place(s.span)
        if not env.quiet and s.many:
            assert s.to is not None
            env = self._torn_send(s, env, definitions, make)
        else:
            env = self.effect(env, definitions)
        text, room = networks.send(index, net, networks.messages(name, to or "", make, one), place)
        if room is not None:
            env = self.require(room, env, definitions)
        return self.assign(key, text, env, definitions)

    def _torn_send(self, s: ir.SendMsg, env: Env, definitions: list[Definition], make: Callable[[str], str]) -> Env:
        """A crash may strike after any part of the recipients was reached; after nobody, if this is not the first effect."""
        assert s.to is not None
        networks, index = self.networks, self.networks.index(s.message)
        key, hit = networks.variable(index), env.values[HIT]
        everyone = self.define("recipients", self.expressions.as_set(s.to, env), definitions)
        part, subset, name = self.pool.fresh("reached"), self.pool.fresh("part"), self.pool.fresh("r")
        reached = networks.recipients(self.unit.machine.networks[index], part)
        text, _ = networks.send(
            index, env.values[key], networks.messages(name, reached, make, None), self.unit.place(s.span)
        )
        nobody = {"TRUE": "", "FALSE": ", {}"}.get(hit)
        parts = f"((SUBSET {everyone}) \\ {{{everyone}{nobody or ''}}})"
        if nobody is None:
            tests = f"({subset} # {everyone}) /\\ (({subset} # {{}}) \\/ {hit})"
            parts = f"{{{subset} \\in SUBSET {everyone} : {tests}}}"
        states = f"{{{self.left_behind(env.set(key, text))} : {part} \\in {bare(parts)}}}"
        env = self.assign(TORN, _union(env.values[TORN], states), env, definitions)
        if hit == "TRUE":
            return env
        now = f"({everyone} # {{}})" if hit == "FALSE" else f"({hit} \\/ ({everyone} # {{}}))"
        return self.assign(HIT, now, env, definitions)


def _union(a: str, b: str) -> str:
    return b if a == "{}" else f"({a} \\cup {b})"
