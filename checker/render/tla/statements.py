r"""Bodies of handlers, with all their outcomes.

What has several outcomes branches, and an `Algebra` says how: in an action, `choose` is `\E`, and each branch ends with the
primed variables; in an expression, each branch is a set of outcomes, and `choose` is their union. The second is what choices
inside loops need, branches with much behind them (which would otherwise be written twice), and the torn form of a body.

An outcome holds the answers that led to it (`path`), since TLC counts equal successors of different answers as often as
the checker does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from checker.model import ir
from checker.model.walk import chooses
from checker.render.tla.blocks import Block, Definition, bare, branches, disjunction, indent, let, prefixed, quantified
from checker.render.tla.straight import OK, Key, Straight
from checker.render.tla.terms import Env

End = Callable[[Env], Block]
Bind = Callable[[Env, str, list[Definition]], Env]


class Algebra(Protocol):
    """How outcomes are put together."""

    def choose(self, name: str, of: Block, inner: Block) -> Block:
        """An outcome for each element of a set."""
        ...

    def either(self, parts: Sequence[Block]) -> Block:
        """The outcomes of all parts."""
        ...


class Action:
    """Outcomes as the disjuncts of an action."""

    def choose(self, name: str, of: Block, inner: Block) -> Block:
        if len(of) > 1:
            return (*prefixed(f"\\E {name} \\in ", (*of[:-1], f"{of[-1]} :")), *indent(inner, 2))
        return quantified(f"\\E {name} \\in {bare(of[0])}", inner)

    def either(self, parts: Sequence[Block]) -> Block:
        return disjunction(parts)


class Outcomes:
    """Outcomes as the elements of a set."""

    def choose(self, name: str, of: Block, inner: Block) -> Block:
        if len(of) == len(inner) == 1:
            return (f"(UNION {{{bare(inner[0])} : {name} \\in {bare(of[0])}}})",)
        return (*prefixed("(UNION {", inner), *prefixed(f"   : {name} \\in ", (*of[:-1], f"{of[-1]}}})")))

    def either(self, parts: Sequence[Block]) -> Block:
        lines: list[str] = []
        for part in parts:
            lines += prefixed("\\cup (" if lines else "     (", (*part[:-1], f"{part[-1]})"))
        return prefixed("(", (*lines[:-1], f"{lines[-1]})"))


class Body(Straight):
    """Translates the bodies of one definition."""

    def run(self, stmts: tuple[ir.Stmt, ...], env: Env, end: End, algebra: Algebra, *, last: bool = True) -> Block:
        """The outcomes of a body.

        `end` makes a block of the environment after it; `last` says that it is short, so that it may stand in each branch.
        """
        definitions: list[Definition] = []
        for i, s in enumerate(stmts):
            whole = last and i == len(stmts) - 1 and isinstance(s, ir.IfS)  # reads better as branches
            if not whole and not chooses((s,), self.procedures):
                env = self.step(s, env, definitions)
                continue
            rest = stmts[i + 1 :]
            short = last and len(rest) <= 1 and not chooses(rest, self.procedures)

            def after(e: Env, rest: tuple[ir.Stmt, ...] = rest) -> Block:
                return self.run(rest, e, end, algebra, last=last)

            return let(definitions, self._branch(s, env, after, algebra, definitions, short))
        return let(definitions, end(env))

    def _branch(
        self, s: ir.Stmt, env: Env, after: End, algebra: Algebra, definitions: list[Definition], short: bool
    ) -> Block:
        match s:
            case ir.ChooseS(local, domain):
                name = self.pool.fresh(local.name)
                inner = replace(env.with_local(local, name), path=(*env.path, name))
                return algebra.choose(name, (self.expressions.as_set(domain, env),), after(inner))
            case ir.EitherS() | ir.IfS() if short:
                return self._split(s, env, after, algebra, short)
            case ir.EitherS() | ir.IfS():
                keys = self.assigned((s,), env)
                outcomes = self._split(s, replace(env, path=()), lambda e: self.outcome(keys, e), Outcomes(), True)
                return self._chosen(keys, outcomes, env, after, algebra)
            case ir.ForS():
                self.refuse_torn_loop(s, env)
                sequence = self.define("elements", self.expressions.as_sequence(s.domain, env, s.span), definitions)

                def bind(inner: Env, item: str, inside: list[Definition]) -> Env:
                    return inner.with_local(s.local, self.define(s.local.name, item, inside))

                return self.along_all(sequence, bind, s.body, env, after, algebra, definitions)
            case ir.DoProc(proc, args):
                inner = self.arguments(proc, args, env, definitions)

                def back(e: Env) -> Block:
                    return after(replace(e, locals=env.locals))

                return self.run(self.procedures[proc].body, inner, back, algebra, last=short)
            case ir.AtomicS(body):
                inner = replace(self.effect(env, definitions), quiet=True)
                return self.run(body, inner, lambda e: after(replace(e, quiet=env.quiet)), algebra, last=short)
        raise AssertionError(s)

    def _split(self, s: ir.EitherS | ir.IfS, env: Env, after: End, algebra: Algebra, last: bool) -> Block:
        """The branches of an `either` or `if`, each followed by what comes after."""
        if isinstance(s, ir.EitherS):
            return algebra.either([
                self.run(b, replace(env, path=(*env.path, str(i))), after, algebra, last=last)
                for i, b in enumerate(s.branches)
            ])  # fmt: skip
        block = self.run(s.orelse, env, after, algebra, last=last)
        for cond, body in reversed(s.arms):
            block = branches(self.expressions.expr(cond, env), self.run(body, env, after, algebra, last=last), block)
        return block

    def outcome(self, keys: tuple[Key, ...], env: Env) -> Block:
        """The set of one outcome, or of none where a network is full."""
        path = f"path |-> <<{', '.join(env.path)}>>"
        one = f"{{{self.record(keys, env, path)}}}"
        return (one,) if env.values[OK] == "TRUE" else (f"(IF {bare(env.values[OK])} THEN {one} ELSE {{}})",)

    def _chosen(self, keys: tuple[Key, ...], outcomes: Block, env: Env, after: End, algebra: Algebra) -> Block:
        """Goes on with each of a set of outcomes."""
        name = self.pool.fresh("o")
        inner = self.unpacked(keys, name, env, alone=False)
        return algebra.choose(name, outcomes, after(replace(inner, path=(*env.path, f"{name}.path"))))

    def along_all(
        self,
        sequence: str,
        bind: Bind,
        body: tuple[ir.Stmt, ...],
        env: Env,
        after: End,
        algebra: Algebra,
        definitions: list[Definition],
    ) -> Block:
        """Like `along`, where a round has several outcomes: the function has the set of all of them."""
        keys = self.assigned(body, env)
        loop, i, before = self.pool.fresh("loop"), self.pool.fresh("i"), self.pool.fresh("before")
        inside: list[Definition] = []
        inner = bind(self.unpacked(keys, before, env, alone=False), f"{sequence}[{i}]", inside)
        inner = replace(inner, path=(f"{before}.path",))
        round_ = let(inside, self.run(body, inner, lambda e: self.outcome(keys, e), Outcomes()))
        each = Outcomes().choose(before, (f"{loop}[{i} - 1]",), round_)
        start = self.outcome(keys, replace(env, path=()))
        definitions.append(Definition(loop, f"{loop}[{i} \\in 0..Len({sequence})]", branches(f"{i} = 0", start, each)))
        return self._chosen(keys, (f"{loop}[Len({sequence})]",), env, after, algebra)
