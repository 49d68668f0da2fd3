r"""Handlers as actions.

Each handler is an operator with its instance, and with the message or the parameters of the step: `RM_Prepare(self, m)`. Its
conditions stand first, then what it does. A condition that TLC would split into several (a disjunction, `\E`, or an
operator that may be one) is compared with TRUE: otherwise TLC would count the step once for each part that holds.

A handler that a crash can tear has three more operators: its conditions (`…_When`), the states that a tear leaves
behind as a set (`…_Torn`), and the crash (`…_Crash`), one step for each of these states.
"""

from __future__ import annotations

from dataclasses import replace

from checker.base.data import dataclass
from checker.model import ir
from checker.model.liveness import Fairness, fairness_of
from checker.model.machine import Budget, Message, Step
from checker.model.types import EnumT, IdT, IntT, ProcT, roles_of
from checker.render.tla.blocks import Block, bare, comment, conjunction, indent, prefixed, suffixed
from checker.render.tla.statements import Action, Body, Outcomes
from checker.render.tla.straight import HIT, OK, TORN
from checker.render.tla.terms import Env
from checker.render.tla.world import World


@dataclass(frozen=True, slots=True)
class Call:
    r"""An action, and the sets from which its arguments come, by their names: `\E self \in RM, v \in Val : Propose(self, v)`.

    `message` is the number of the network from which a message is taken, as the last argument.
    """

    name: str
    arguments: tuple[tuple[str, str], ...]
    step: Step | None = None
    message: int | None = None
    text: str | None = None
    """How it is called, where that is not with the arguments alone."""
    fair: Fairness = ""
    """How fair runs are to it, with each value of its arguments."""

    def written(self) -> str:
        if self.text is not None:
            return self.text
        return f"{self.name}({', '.join(n for n, _ in self.arguments)})" if self.arguments else self.name


def split_guard(body: Body, guard: ir.Expr | None, env: Env) -> list[Block]:
    """The parts of a guard, each such that TLC takes it for one condition."""
    if guard is None or guard == ir.Const(True, guard.type):
        return []
    if isinstance(guard, ir.Logic) and guard.op == "and":
        return [b for item in guard.items for b in split_guard(body, item, env)]
    block = body.expressions.block(guard, env)
    plain = isinstance(guard, ir.In | ir.Not | ir.GetLocal | ir.GetVar)
    if isinstance(guard, ir.Compare):
        plain = guard.op in ("==", "!=", "<=", ">=") or all(
            isinstance(side.type, IntT | EnumT | IdT | ProcT) for side in (guard.left, guard.right)
        )
    if plain:
        return [block]
    return [suffixed(prefixed("(", block), ") = TRUE")]


class Actions:
    """Translates the handlers of one machine. `definitions` are the operators, in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.unit = world.unit
        self.definitions: list[Block] = []
        self.steps: list[Call] = []
        self.faults: list[Call] = []
        self.forged: list[Call] = []

    def handler(self, number: int, step: Step) -> None:
        """Adds the operators and calls of a handler."""
        world, unit = self.world, self.unit
        if step.kind == "restart" and not any(b.kind == "crash" for b in world.tearing(step.role)):
            return
        if step.kind == "fault" and step.label not in world.left:
            return
        pool = unit.names.pool()
        body = world.body(pool)
        name = unit.names.claim(("step", number), step.label)
        me = unit.process(step.role.base) if step.role.single else "self"
        arguments = [] if step.role.single else [("self", unit.role_set(step.role))]
        env = replace(world.start, me=me)
        conditions: list[Block] = []
        index: int | None = None
        if step.kind in ("message", "ignore"):
            env, conditions, index = self._received(step, env)
            arguments.append(("m", bare(world.networks.deliverable(index))))
        else:
            for p in step.params:
                param = pool.fresh(p.name)
                env = env.with_local(p, param)
                arguments.append((param, bare(unit.type_set(p.type))))
        conditions += self._possible(step, me)
        conditions += split_guard(body, step.guard, env) + split_guard(body, step.limit, env)
        call = Call(name, tuple(arguments), step, index, fair=fairness_of(unit.machine, step))
        self._write(call, step, conditions, self._begin(step, env), body)
        (self.faults if step.kind == "fault" else self.steps).append(call)
        if step.kind == "message":
            self.forged += self._forgeries(call, step, self.unit.machine.messages[step.name])

    def _received(self, step: Step, env: Env) -> tuple[Env, list[Block], int]:
        """The conditions on the message, and what the names of its parts stand for."""
        message = self.unit.machine.messages[step.name]
        assert step.sender is not None
        conditions: list[Block] = [(f'm.kind = "{step.name}"',), (f"m.to = {env.me}",)]
        if not set(message.senders.roles) <= set(roles_of(step.sender.type)):
            conditions.append((f"m.from \\in {bare(self.unit.processes(roles_of(step.sender.type)))}",))
        env = env.with_local(step.sender, "m.from")
        for p, (name, _) in zip(step.params, message.fields, strict=True):
            env = env.with_local(p, f"m.{self.unit.field(step.name, name)}")
        if self.world.cut is not None:
            conditions.append((f"~Separated({env.me}, m.from)",))
        return env, conditions, message.network

    def _possible(self, step: Step, me: str) -> list[Block]:
        """The conditions of the world on a handler."""
        if step.kind == "restart":
            return [(f'status[{me}] = "down"',)]
        found = self.world.can_act(step.role, me)
        if step.kind == "fault":
            found.append((f"{self.world.left[step.label]} > 0",))
        return found

    def _begin(self, step: Step, env: Env) -> Env:
        """The environment in which the body begins: the message is consumed, the budget spent, the process up again."""
        world = self.world
        if step.kind in ("message", "ignore"):
            index = world.networks.index(step.name)
            net = world.networks.variable(index)
            return env.set(net, world.networks.consumed(index, net, "m"))
        if step.kind == "fault":
            left = world.left[step.label]
            return env.set(left, f"({left} - 1)")
        if step.kind == "restart":
            return env.set("status", f'[status EXCEPT ![{env.me}] = "up"]')
        return env

    def _write(self, call: Call, step: Step, conditions: list[Block], env: Env, body: Body) -> None:
        world = self.world
        torn = None
        budgets = world.tearing(step.role)
        if budgets and step.kind in ("message", "action", "timeout", "restart"):
            torn = self._torn(call, step, env)
        actual = body.run(step.body, env, world.end, Action())
        if torn is None:
            self.define(call, conjunction([*conditions, actual]), comment(step.doc))
            return
        when = replace(call, name=self.unit.names.claim(("when", call.name), f"{call.name}_When"))
        self.define(when, conjunction(conditions or [("TRUE",)]), comment(step.doc))
        self.define(call, conjunction([(when.written(),), actual]), ())
        states, keys = torn
        self.define(states[0], states[1], comment([f"What a crash in the middle of {call.name} leaves behind."]))
        for budget in budgets:
            self._crash(call, step, when, states[0], keys, budget, budgets)

    def define(self, call: Call, block: Block, above: Block) -> None:
        self.definitions.append((*above, f"{call.written()} ==", *indent(block, 2)))

    # ---- tears

    def _torn(self, call: Call, step: Step, env: Env) -> tuple[tuple[Call, Block], tuple[str, ...]] | None:
        """The states that a tear of a handler leaves behind, and of which variables; None where nothing can be torn."""
        world = self.world
        body = world.body(self.unit.names.pool())
        env = replace(env, quiet=False, values={**env.values, HIT: "FALSE", TORN: "{}"})
        changed = [k for k in body.assigned(step.body, env) if isinstance(k, str) and k not in (OK, HIT, TORN)]
        if step.kind in ("message", "ignore"):
            changed.append(world.networks.variable(world.networks.index(step.name)))
        forgotten = {
            self.unit.variable(i.var.role, i.var.name)
            for i in world.machine.inits
            if i.var.role == step.role.name and i.var.keep == "volatile"
        }
        keys = tuple(v for v in world.variables if v in changed and v not in forgotten)
        sessions = {world.networks.variable(i): i for i, n in enumerate(world.machine.networks) if n.session}

        def left_behind(e: Env) -> str:
            for key in keys:
                if key in sessions:
                    e = e.set(key, world.networks.without(sessions[key], e.values[key], e.me))
            return body.record(keys, e) if keys else "<<>>"

        body.left_behind = left_behind
        tears = False

        def end(e: Env) -> Block:
            nonlocal tears
            tears = tears or e.values[TORN] != "{}"
            return (
                e.values[TORN]
                if e.values[OK] == "TRUE"
                else f"(IF {bare(e.values[OK])} THEN {e.values[TORN]} ELSE {{}})",
            )

        block = body.run(step.body, env, end, Outcomes())
        if not tears:
            return None
        name = self.unit.names.claim(("torn", call.name), f"{call.name}_Torn")
        return (replace(call, name=name), block if len(block) > 1 else (bare(block[0]),)), keys

    def _crash(
        self,
        call: Call,
        step: Step,
        when: Call,
        states: Call,
        keys: tuple[str, ...],
        budget: Budget,
        all_: list[Budget],
    ) -> None:
        """The crash of a process in the middle of a handler."""
        world = self.world
        suffix = "Crash" if budget.kind == "crash" else "Stop"
        name = self.unit.names.claim((suffix, call.name), f"{call.name}_{suffix}")
        torn = replace(call, name=name)
        body = world.body(self.unit.names.pool())
        t = body.pool.fresh("t")
        me = self.unit.process(step.role.base) if step.role.single else "self"
        env = body.unpacked(keys, t, replace(world.start, me=me), alone=True)
        chosen = Action().choose(t, (states.written(),), world.crash(budget, env, body, cleared=keys))
        conditions: list[Block] = [(when.written(),), (f"{world.left[budget.key]} > 0",)]
        self.define(torn, conjunction([*conditions, chosen]), ())
        self.faults.append(torn)
        if step.kind == "message":
            self.faults += self._forgeries(torn, step, self.unit.machine.messages[step.name])

    # ---- lies

    def _forgeries(self, call: Call, step: Step, message: Message) -> list[Call]:
        """What a faulty process may make a handler believe: every message of its kind."""
        world, unit = self.world, self.unit
        assert step.sender is not None
        liars = tuple(r for r in roles_of(step.sender.type) if any(r in b.roles for b in world.liars))
        if not liars:
            return []
        pool = unit.names.pool()
        liar = pool.fresh("liar")
        me = unit.process(step.role.base) if step.role.single else "self"
        arguments = [*call.arguments[:-1], (liar, f"({bare(unit.processes(liars))} \\cap faulty) \\ {{{me}}}")]
        params = []
        for p, (name, _) in zip(step.params, message.fields, strict=True):
            params.append(pool.fresh(name))
            arguments.append((params[-1], bare(unit.type_set(p.type))))
        made = world.networks.message(step.name, liar, me, params)
        inside = ", ".join([n for n, _ in call.arguments[:-1]] + [made])
        return [Call(call.name, tuple(arguments), text=f"{call.name}({inside})")]
