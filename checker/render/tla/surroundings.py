"""What the surroundings do: crashes between steps, restarts, the tick, partitions, lost and doubled messages.

The tick runs the bodies of all clocks one after the other, in one action; it is no step if it changes nothing. With a drift
budget one clock stands still or runs twice: the action is the same, along other sequences of processes.
"""

from __future__ import annotations

from dataclasses import replace

from checker.model.liveness import tick_fairness
from checker.model.machine import Budget, Step
from checker.model.types import ProcT, RoleInfo
from checker.model.walk import chooses
from checker.render.tla.actions import Actions, Call, split_guard
from checker.render.tla.blocks import (
    Block,
    Definition,
    bare,
    conjunction,
    disjunction,
    let,
    prefixed,
    quantified,
    suffixed,
)
from checker.render.tla.statements import Action, Body, End
from checker.render.tla.straight import OK
from checker.render.tla.terms import Env
from checker.render.tla.world import World


class Surroundings:
    """Adds the actions of the surroundings to those of the handlers."""

    def __init__(self, world: World, actions: Actions) -> None:
        self.world = world
        self.unit = world.unit
        self.machine = world.machine
        self.actions = actions

    def add(self) -> None:
        """Adds them all."""
        for role in self.world.struck:
            self._crashes(role)
        self._tick()
        if self.world.cut is not None:
            self._cut(self.world.cut)
        for budget in self.world.budgets:
            if budget.kind in ("lose", "dup"):
                for index in range(len(self.machine.networks)):
                    self._link(budget, index)

    # ---- failure detection

    def silent(self) -> None:
        """The operator for `silent`, where a guard uses it. It stands behind the handlers of messages, which it asks."""
        world, pool = self.world, self.unit.names.pool()
        p, q, m = pool.fresh("p"), pool.fresh("q"), pool.fresh("m")
        cases: list[Block] = []
        if world.cut is not None:
            cases.append((f"Separated({p}, {q})",))
        if world.struck:
            tests: list[Block] = [(f"{q} \\in DOMAIN status",), (f'status[{q}] # "up"',)]
            for index in range(len(self.machine.networks)):
                calls = [c for c in self.actions.steps if c.message == index and c.step and c.step.kind == "message"]
                able: list[Block] = []
                for c in calls:
                    assert c.step is not None
                    own = c.name + (f"({m})" if c.step.role.single else f"({p}, {m})")
                    able.append((f"({p} \\in {self.unit.role_set(c.step.role)}) /\\ (ENABLED <<{own}>>_vars)",))
                if able:
                    net = bare(world.networks.deliverable(index))
                    inside = conjunction([(f"{m}.from = {q}",), (f"{m}.to = {p}",), disjunction(able)])
                    tests.append((f"~\\E {m} \\in {net} :", *(f"    {line}" for line in inside)))
            cases.append(conjunction(tests))
        above = ("\\* Whether q is down or cut off, and nothing from it can change anything at p any more.",)
        self.actions.define(Call("Silent", ((p, ""), (q, ""))), disjunction(cases), above)

    # ---- crashes

    def _crashes(self, role: RoleInfo) -> None:
        me = self.unit.process(role.base) if role.single else "self"
        arguments = () if role.single else (("self", self.unit.role_set(role)),)
        for budget in self.world.tearing(role):
            word = "Crash" if budget.kind == "crash" else "Stop"
            call = Call(self.unit.names.claim((word, role.name), f"{role.name}_{word}"), arguments)
            conditions: list[Block] = [(f"Up({me})",), (f"{self.world.left[budget.key]} > 0",)]
            body = self.world.body(self.unit.names.pool())
            end = self.world.crash(budget, replace(self.world.start, me=me), body)
            self.actions.define(call, conjunction([*conditions, end]), ())
            self.actions.faults.append(call)
        written = any(s.kind == "restart" and s.role == role for s in self.machine.steps)
        if not written and any(b.kind == "crash" for b in self.world.tearing(role)):
            call = Call(self.unit.names.claim(("restart", role.name), f"{role.name}_Restart"), arguments, fair="weak")
            up = self.world.start.set("status", f'[status EXCEPT ![{me}] = "up"]')
            self.actions.define(call, conjunction([(f'status[{me}] = "down"',), self.world.end(up)]), ())
            self.actions.steps.append(call)

    # ---- time

    def _tick(self) -> None:
        """The tick, and the odd ones that drift budgets allow."""
        clocks = [s for s in self.machine.steps if s.kind == "tick"]
        if not clocks:
            return
        drifts = [b for b in self.world.budgets if b.kind == "drift"]
        pool = self.unit.names.pool()
        body = self.world.body(pool)
        params = [pool.fresh(f"clocks_{s.role.name}") for s in clocks]
        rest = {self.world.left[b.key]: pool.fresh(f"rest_{b.roles[0].name}") for b in drifts}

        def end(env: Env) -> Block:
            changed = [v for v in self.world.variables if env.values[v] != v]
            if not changed:
                return ("FALSE",)
            now = ", ".join(bare(env.values[v]) for v in changed)
            spent = replace(env, values={**env.values, **rest})
            possible: list[Block] = [] if env.values[OK] == "TRUE" else [(bare(env.values[OK]),)]
            end_ = self.world.end(replace(spent, values={**spent.values, OK: "TRUE"}))
            return conjunction([*possible, (f"<<{now}>> # <<{', '.join(changed)}>>",), end_])

        after: End = end
        for step, param in reversed(list(zip(clocks, params, strict=True))):
            after = self._along(body, step, param, after)
        urgent = [b for s in clocks for b in self._urgent(body, s)]
        above = ("\\* The clocks of these processes run, one after the other.",)
        whole = Call("TickOf", tuple((p, "") for p in (*params, *rest.values())))
        self.actions.define(whole, conjunction([*urgent, after(self.world.start)]), above)
        running = [self._running(s) for s in clocks]
        call = Call("Tick", (), fair=tick_fairness(self.machine))
        self.actions.define(call, (f"TickOf({', '.join([*running, *rest])})",), ())
        self.actions.steps.append(call)
        for budget in drifts:
            self._drift(budget, clocks, running, list(rest))

    def _along(self, body: Body, step: Step, sequence: str, after: End) -> End:
        """Runs the body of a clock for each process of a sequence, and then what comes after."""

        def bind(env: Env, item: str, inside: list[Definition]) -> Env:
            if step.role.single:
                return replace(env, me=self.unit.process(step.role.base))
            return replace(env, me=body.define("clock", item, inside))

        def run(env: Env) -> Block:
            definitions: list[Definition] = []
            if chooses(step.body, self.machine.procedures):
                block = body.along_all(sequence, bind, step.body, env, after, Action(), definitions)
            else:
                block = after(body.along(sequence, bind, step.body, env, definitions))
            return let(definitions, block)

        return run

    def _urgent(self, body: Body, step: Step) -> list[Block]:
        """The guards of all clocks: time waits for what is urgent."""
        if step.guard is None and step.limit is None:
            return []
        me = self.unit.process(step.role.base) if step.role.single else body.pool.fresh("clock")
        env = replace(self.world.start, me=me)
        parts = conjunction([*split_guard(body, step.guard, env), *split_guard(body, step.limit, env)])
        if not step.role.single:
            return [quantified(f"\\A {me} \\in {bare(self._honest(step.role))}", parts)]
        if self._can_lie(step.role):
            return [prefixed(f"({me} \\notin faulty) => (", suffixed(parts, ")"))]
        return [parts]

    def _can_lie(self, role: RoleInfo) -> bool:
        return any(role in b.roles for b in self.world.liars)

    def _honest(self, role: RoleInfo) -> str:
        everyone = self.unit.role_set(role)
        return f"({everyone} \\ faulty)" if self._can_lie(role) else everyone

    def _running(self, step: Step) -> str:
        """The processes whose clocks run, as a sequence."""
        listed = self.unit.listed(ProcT((step.role,)), step.span)
        return (
            f"{self.unit.use('Ordered')}({listed}, {bare(self._honest(step.role))})"
            if self._can_lie(step.role)
            else listed
        )

    def _drift(self, budget: Budget, clocks: list[Step], running: list[str], rest: list[str]) -> None:
        """One clock stands still or runs twice in a tick."""
        role, left = budget.roles[0], self.world.left[budget.key]
        me = self.unit.process(role.base) if role.single else "self"
        arguments = () if role.single else (("self", bare(self._honest(role))),)
        call = Call(self.unit.names.claim(("drift", role.name), f"{role.name}_Drift"), arguments)
        c = self.unit.names.pool().fresh("c")
        spent = [f"{name} - 1" if name == left else name for name in rest]
        forms = []
        for form in (f"SelectSeq(@, LAMBDA {c} : {c} # {me})", f"{self.unit.use('Twice')}(@, {me})"):
            args = [form.replace("@", q) if s.role == role else q for s, q in zip(clocks, running, strict=True)]
            forms.append((f"TickOf({', '.join([*args, *spent])})",))
        able: list[Block] = [(f"{me} \\notin faulty",)] if role.single and self._can_lie(role) else []
        self.actions.define(call, conjunction([(f"{left} > 0",), *able, disjunction(forms)]), ())
        self.actions.faults += [call for s in clocks if s.role == role]

    # ---- the network

    def _cut(self, budget: Budget) -> None:
        left = self.world.left[budget.key]
        group = [p for r in (budget.roles or tuple(self.machine.roles.values())) for p in r.processes]
        others = "{" + ", ".join(self.unit.process(p) for p in group[1:]) + "}"
        side = self.unit.names.pool().fresh("side")
        end = self.world.end(self.world.start.set("cut", side).set(left, f"({left} - 1)"))
        chosen = Action().choose(side, (f"(SUBSET {others}) \\ {{{{}}}}",), end)
        self.actions.define(Call("Cut", ()), conjunction([("cut = {}",), (f"{left} > 0",), chosen]), ())
        self.actions.faults.append(Call("Cut", ()))
        healed = self.world.end(self.world.start.set("cut", "{}"))
        self.actions.define(Call("Heal", ()), conjunction([("cut # {}",), healed]), ())
        self.actions.steps.append(Call("Heal", (), fair="weak"))

    def _link(self, budget: Budget, index: int) -> None:
        """Loses a message of a network, or adds a second copy of one."""
        network, net, use = self.machine.networks[index], self.world.networks.variable(index), self.unit.use
        lose = budget.kind == "lose"
        if network.kind == "soup" and not lose:
            return
        pool = self.unit.names.pool()
        m, p, i = pool.fresh("m"), pool.fresh("p"), pool.fresh("i")
        room: list[Block] = []
        if network.kind == "fifo":
            args = ((p, f"DOMAIN {net}"), (i, f"DOMAIN {net}[{p}]"))
            change = f"[{net} EXCEPT ![{p}] = {use('Without' if lose else 'Doubled')}(@, {i})]"
            room = [(f"Len({net}[{p}]) < {network.capacity}",)]
        elif network.kind == "bag":
            args = ((m, f"DOMAIN {net}"),)  # type: ignore[assignment]
            change = f"{use('BagRemove')}({net}, {m})" if lose else f"{use('BagAdd')}({net}, {{{m}}})"
            room = [(f"{net}[{m}] < {network.capacity}",)]
        else:
            args = ((m, net),)  # type: ignore[assignment]
            change = f"{net} \\ {{{m}}}"
        word = "Lose" if lose else "Duplicate"
        name = self.unit.names.claim((budget.kind, index), word if len(self.machine.networks) == 1 else f"{word}_{net}")
        end = self.world.end(self.world.spend(budget, self.world.start).set(net, change))
        conditions: list[Block] = [(f"{self.world.left[budget.key]} > 0",), *([] if lose else room)]
        self.actions.define(Call(name, args), conjunction([*conditions, end]), ())
        self.actions.faults.append(Call(name, args))
