"""What a module says about the world of the processes: who is up, who lies, who is cut off, how many faults are left.

These are variables like those of the spec, since budgets, down flags, the faulty set and the cut belong to the state. A
module has only those that the budgets of its check need.
"""

from __future__ import annotations

from collections.abc import Sequence

from checker.model.machine import Budget, Init, Machine
from checker.model.types import RoleInfo
from checker.render.tla.blocks import Block, bare, conjunction, indent, operand
from checker.render.tla.expressions import Expressions
from checker.render.tla.names import Names, Pool, identifier
from checker.render.tla.networks import Networks
from checker.render.tla.statements import Action, Body
from checker.render.tla.straight import OK
from checker.render.tla.terms import Env
from checker.render.tla.unit import Unit


class World:
    """The variables of a module and the operators about them."""

    def __init__(self, machine: Machine, outside: Names | None = None) -> None:
        self.machine = machine
        self.unit = unit = Unit(machine, outside)
        self.budgets = [b for b in machine.budgets if b.count and b.kind != "byzantine"]
        self.liars = [b for b in machine.budgets if b.count and b.kind == "byzantine"]
        self.struck = [r for r in machine.roles.values() if any(r in b.roles for b in self._of("crash", "stop"))]
        self.cut = next(iter(self._of("cut")), None)
        self.networks = Networks(unit, stops=bool(self._of("stop")), lies=bool(self.liars))
        self.left = {b.key: unit.names.claim(("left", b.key), f"left_{identifier(b.key)}") for b in self.budgets}
        self.variables = [unit.variable(v.role, v.name) for v in machine.variables]
        self.variables += ["status"] * bool(self.struck) + ["faulty"] * bool(self.liars) + ["cut"] * bool(self.cut)
        self.variables += self.left.values()
        self.variables += [self.networks.variable(i) for i in range(len(machine.networks))]
        self.start = Env({**{v: v for v in self.variables}, OK: "TRUE"}, {}, "none")

    def _of(self, *kinds: str) -> list[Budget]:
        return [b for b in self.budgets if b.kind in kinds]

    def tearing(self, role: RoleInfo) -> list[Budget]:
        """The budgets by which a crash may strike the processes of a role."""
        return [b for b in self._of("crash", "stop") if role in b.roles]

    def body(self, pool: Pool) -> Body:
        return Body(Expressions(self.unit, pool), self.networks)

    def end(self, env: Env) -> Block:
        """The primed variables at the end of an action."""
        items: list[Block] = [] if env.values[OK] == "TRUE" else [(bare(env.values[OK]),)]
        same = []
        for name in self.variables:
            if env.values[name] == name:
                same.append(name)
            else:
                items.append((f"{name}' = {operand(env.values[name])}",))
        if same:
            items.append((f"UNCHANGED <<{', '.join(same)}>>",))
        return conjunction(items)

    # ---- operators

    def operators(self) -> list[Block]:
        """The operators about crashes, stops, lies and cuts that the module needs."""
        found: list[Block] = []
        pool = self.unit.names.pool()
        p, q = pool.fresh("p"), pool.fresh("q")
        if self.networks.stops:
            found.append((f'Stopped == {{{p} \\in DOMAIN status : status[{p}] = "stopped"}}',))
        if self.struck or self.liars:
            tests: list[Block] = []
            if self.struck:
                tests.append((f'({p} \\in DOMAIN status) => (status[{p}] = "up")',))
            if self.liars:
                tests.append((f"{p} \\notin faulty",))
            found.append((f"Up({p}) ==", *indent(conjunction(tests), 2)))
        if self.cut is not None:
            group = self.unit.processes(self.cut.roles or tuple(self.machine.roles.values()))
            found.append((
                f"Separated({p}, {q}) ==",
                f"  (cut # {{}}) /\\ ({{{p}, {q}}} \\subseteq {group}) /\\ (({p} \\in cut) # ({q} \\in cut))",
            ))  # fmt: skip
        return found

    def can_act(self, role: RoleInfo, me: str) -> list[Block]:
        """That a process takes steps of its own."""
        fallible = role in self.struck or any(role in b.roles for b in self.liars)
        return [(f"Up({me})",)] if fallible else []

    def initial(self) -> list[Block]:
        """The values that these variables begin with."""
        found: list[Block] = []
        pool = self.unit.names.pool()
        p, s = pool.fresh("p"), pool.fresh("s")
        if self.struck:
            found.append((f'status = [{p} \\in {bare(self.unit.processes(tuple(self.struck)))} |-> "up"]',))
        if self.liars:
            everyone = self.unit.processes(tuple(b.roles[0] for b in self.liars))
            tests = [f"(Cardinality({s} \\cap {self.unit.processes(b.roles[:1])}) = {b.count})" for b in self.liars]
            found.append((f"faulty \\in {{{s} \\in SUBSET {everyone} : {_both(tests)}}}",))
        if self.cut is not None:
            found.append(("cut = {}",))
        found += [(f"{self.left[b.key]} = {b.count}",) for b in self.budgets]
        found += [
            (f"{self.networks.variable(i)} = {self.networks.empty(i)}",) for i in range(len(self.machine.networks))
        ]
        return found

    # ---- what changes

    def spend(self, budget: Budget, env: Env) -> Env:
        left = self.left[budget.key]
        return env.set(left, f"({left} - 1)")

    def crash(self, budget: Budget, env: Env, body: Body, *, cleared: Sequence[str] = ()) -> Block:
        """The end of an action by which the process `env.me` goes down. `cleared`: networks without its messages already."""
        state = "down" if budget.kind == "crash" else "stopped"
        env = self.spend(budget, env).set("status", f'[status EXCEPT ![{env.me}] = "{state}"]')
        for index, network in enumerate(self.machine.networks):
            name = self.networks.variable(index)
            if network.session and name not in cleared:
                env = env.set(name, self.networks.without(index, env.values[name], env.me))
        role = budget.roles[0]
        resets = [i for i in self.machine.inits if i.var.role == role.name and i.var.keep == "volatile"]
        return self._reset(resets, env, body)

    def _reset(self, resets: list[Init], env: Env, body: Body) -> Block:
        if not resets:
            return self.end(env)
        init, rest = resets[0], resets[1:]
        name = self.unit.variable(init.var.role, init.var.name)
        own = body.expressions.single(init.var)

        def put(value: str) -> Env:
            return env.set(name, value if own else f"[{name} EXCEPT ![{env.me}] = {bare(value)}]")

        if not init.any:
            return self._reset(rest, put(body.expressions.expr(init.value, env)), body)
        chosen = body.pool.fresh(init.var.name)
        of = body.expressions.as_set(init.value, env)
        return Action().choose(chosen, (of,), self._reset(rest, put(chosen), body))


def _both(tests: list[str]) -> str:
    return bare(" /\\ ".join(tests)) if len(tests) == 1 else " /\\ ".join(tests)
