"""Who a property fails for: the values of its quantified variables that make it false.

`forall a in Client, b in Client: …` is one line in a spec and many claims in a model; a counterexample ends in a state that
breaks one of them, and a reader who has to find out which one looks through all variables of that state. So the property is
taken apart from outside: of a `forall` that is false (an `exists` that is true) the first value that decides it, of an `and`
that is false the first part that is, of an implication both sides, of a function its body; and so on, until something is met
that no single value decides.

A run that stops for ever has somebody to blame as well: whoever could go on there. That is no flaw of a protocol but of a spec,
where an action that should have been `fair` is not.

Each part is computed by the interpreter in the last state of the path (and the one before it, for what is about steps). Parts
that the property itself would not have come to may err when they are asked; there the search for values ends.
"""

from __future__ import annotations

from contextlib import suppress

from checker.engine.interface import Path
from checker.engine.names import DomainTooLarge
from checker.engine.program import Program
from checker.engine.runtime import Fail, State
from checker.engine.steps import Steps
from checker.model import ir
from checker.model.liveness import fairness_of, substituted
from checker.model.machine import Property
from checker.model.types import SetT
from checker.model.values import Value, order_key, show_value


def blamed(program: Program, prop: Property, path: Path) -> str | None:
    """`for a = Client0, b = Client1`: who breaks a property at the end of a path; None where no single values do."""
    over_steps = prop.judged_as == "step"
    if prop.body is None or (over_steps and not path.steps):
        return None
    states = path.states[-2:] if over_steps else path.states[-1:]
    finder = _Finder(program, "o, s" if over_steps else "s", states)
    with suppress(Fail, DomainTooLarge):  # what was found until then is true all the same
        finder.decide(prop.body, False)
    return f"for {', '.join(finder.found)}" if finder.found else None


def left_out(program: Program, path: Path) -> tuple[str, ...]:
    """The steps that could go on where a run stops for ever, and that nobody has to take, since they are not fair: `P.Enter`."""
    steps, last = Steps(program), path.states[-1]
    with steps.uncounted():
        done, _ = steps.expand(last)
    units = [steps.units[unit] for unit, move, to in done if to != last and not move.forged and move.torn is None]
    named = [
        u.step.label for u in units if u.step is not None and not u.fault and not fairness_of(program.machine, u.step)
    ]
    return tuple(dict.fromkeys(named))


class _Finder:
    def __init__(self, program: Program, params: str, states: tuple[State, ...]) -> None:
        self.program, self.params, self.states = program, params, states
        self.found: list[str] = []

    def value(self, e: ir.Expr) -> Value:
        return self.program.expression(e, self.params)(*self.states)

    def decide(self, e: ir.Expr, truth: bool) -> None:
        """Notes what makes an expression true or false, which it is."""
        match e:
            case ir.Not(operand):
                self.decide(operand, not truth)
            case ir.Quant(kind, local, domain, body) if kind == ("exists" if truth else "forall"):
                wanted = body if truth else ir.Not(body)
                deciding = self.value(ir.Filter(local, domain, wanted, SetT(local.type)))
                assert isinstance(deciding, frozenset)
                value = min(deciding, key=order_key)
                self.found.append(f"{local.name} = {show_value(local.type, value)}")
                self.decide(substituted(body, local, ir.Const(value, local.type)), truth)
            case ir.Logic("implies", (left, right)) if not truth:
                self.decide(left, True)
                self.decide(right, False)
            case ir.Logic("and" | "or" as op, items) if truth == (op == "or"):
                self.decide(next(item for item in items if self.value(item) is truth), truth)
            case ir.CallFun(fun, None, args):
                function = self.program.machine.functions[fun]
                body = function.body
                for param, arg in zip(function.params, args, strict=True):
                    body = substituted(body, param, ir.Const(self.value(arg), param.type))
                self.decide(body, truth)
