"""What native code notices, and what the interpreter says about it.

Native code only says that a state, or a step, has something that an item (`code.judge`) asks for. What it is, the
interpreter finds out: so an error has the place and the value that the interpreter gives it, steps have its names,
and every witness has been replayed before anybody sees it. Where the two disagree, that is a `Mismatch`, which is a
mistake of this program and no result.

An item is settled by the first finding. One worker meets states in the interpreter's order, so that is the finding of
the interpreter. Of several workers, who comes first is chance; the path is a shortest one in any case, as levels are
searched one after the other, but another state may have been found. Such items are `noticed`, and `search` has them
looked for again, so that a counterexample is the same on every run. A `reach` that holds is not: that would cost another
search, since the last of them often is reached in the last level, and any shortest way there is a witness.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from ctypes import Array, c_uint64
from functools import cached_property

from checker.engine.interface import Finding
from checker.engine.interface import Path as Trace
from checker.engine.reduction import Reducer
from checker.engine.replay import Mismatch
from checker.engine.runtime import Fail, State
from checker.native import abi
from checker.native.checkpoint import Found
from checker.native.code import frame
from checker.native.code.judge import Item
from checker.native.code.module import Plan
from checker.native.retrace import Retracing
from checker.native.workers import Words


class Notices(Retracing):
    """The findings of one exploration, as the handler of its explorer collects them."""

    def __init__(self, layout: Plan, workers: int) -> None:
        super().__init__(layout)
        self.workers = workers
        self.ordered = workers == 1
        """Whether states are met in the interpreter's order."""
        self.noticed: set[int] = set()
        """Items of which something was found that may not be the interpreter's first."""
        self.wanted: set[int] | None = None
        """Items that are still looked for, when one worker goes through the states again; None in an ordinary search."""
        self.settled: set[int] = set()
        self.violations: dict[str, Finding] = {}
        self.reached: dict[str, Finding] = {}
        self.broken: dict[str, Finding] = {}

    @cached_property
    def reducer(self) -> Reducer | None:
        """What chooses the steps of a state, where some are left out."""
        return None if self.plan.classes is None else Reducer(self.reference)

    def packed(self, state: State) -> Words:
        """A state as it is kept: with symmetry, the canonical one of its orbit."""
        words = self.plan.packed.pack(state)
        if self.plan.orders is not None:
            words, _ = self.plan.orders.canonical(words, self.plan.packed.words)
        return tuple(words)

    # ---- what is noticed

    def on_initial(self, states: Iterable[State]) -> None:
        """Judges initial states by what only they have to satisfy, in the interpreter's order."""
        for name, test in self.reference.program.first:
            number = next(i for i, item in enumerate(self.plan.items) if (item.kind, item.name) == ("step", name))
            for state in states:
                if not self._looked_for(number):
                    break
                try:
                    if not test(state):
                        self._settle(number, self.violations, name, Finding(Trace((state,), ())), any_will_do=True)
                except Fail as problem:
                    finding = Finding(Trace((state,), ()), self.reference.diagnose(problem))
                    self._settle(number, self.broken, name, finding, any_will_do=True)

    def on_state(self, worker: int, state: int, parent: int) -> None:
        """`visit` noticed something about a state."""
        for number, item, answer in self._results(worker, steps=False):
            here = self.plan.packed.unpack(list(self.explorer.words(state)))
            if item.is_antecedent:
                self._look_left(worker, number, item, here)
            else:
                self._judge(number, item, answer, (here,), parent)

    def on_step(self, worker: int, old: int, new: int, parent: int) -> None:
        """`transition` noticed something about a step."""
        for number, item, answer in self._results(worker, steps=True):
            before, after = (self.plan.packed.unpack(list(self.explorer.words(w))) for w in (old, new))
            if item.is_antecedent:
                self._look_left(worker, number, item, before, after)
            else:
                self._judge(number, item, answer, (before, after), parent)

    def _results(self, worker: int, *, steps: bool) -> Iterator[tuple[int, Item, int]]:
        """The items with a result of a worker that are still looked for, and the result, which is taken away.

        `steps`: those that judge steps, or those that judge states.
        """
        block, first = self.explorer.spec_block(worker), self.plan.shape.results
        for number, item in enumerate(self.plan.items):
            if item.is_over_steps != steps:
                continue
            result, block[first + number] = block[first + number], 0
            if result and self._looked_for(number):
                yield number, item, result - 1

    def _looked_for(self, number: int) -> bool:
        return number not in self.settled and (self.wanted is None or number in self.wanted)

    def _judge(self, number: int, item: Item, answer: int, states: tuple[State, ...], parent: int) -> None:
        """Asks the interpreter about the last of some states, and settles the item if it is as native code says."""
        try:
            holds = self.test(item)(*states)
        except Fail as problem:
            if answer not in (frame.ERROR, frame.DEFERRED):
                raise Mismatch(f"{item.name} errs where native code saw {answer}") from None
            path = self.trace(parent, states[-1])
            renamed = self.plan.orders is not None  # then the error is that of the state at the end of the path
            finding = self.failing(path, item.name) if renamed else Finding(path, self.reference.diagnose(problem))
            self._settle(number, self.broken, item.name, finding)
            return
        if answer not in (int(holds), frame.DEFERRED):
            raise Mismatch(f"{item.name} is {holds} where native code saw {answer}")
        if item.kind == "reach" and holds:
            witness = Finding(self.trace(parent, states[-1]))
            self._settle(number, self.reached, item.name, witness, any_will_do=True)
        elif item.kind in ("invariant", "step") and not holds:
            self._settle(number, self.violations, item.name, Finding(self.trace(parent, states[-1])))

    def _settle(
        self, number: int, where: dict[str, Finding], name: str, finding: Finding, *, any_will_do: bool = False
    ) -> None:
        """An item is not looked at any more, nor looked for again where any finding is as good as the interpreter's."""
        where.setdefault(name, finding)
        self.settled.add(number)
        if self.wanted is not None:
            self.wanted.discard(number)
        elif not self.ordered and not any_will_do:
            self.noticed.add(number)
        for worker in range(self.workers):
            self.explorer.spec_block(worker)[self.plan.shape.active + number] = 0

    def attend(self, worker: int, numbers: Collection[int]) -> None:
        """Has a worker look at some items alone, as if it had seen nothing yet."""
        block, shape = self.explorer.spec_block(worker), self.plan.shape
        for number in range(len(self.plan.items)):
            block[shape.active + number], block[shape.results + number] = int(number in numbers), 0
        block[shape.stuttered] = 0

    def say(self, number: int, way: Sequence[int], answer: int) -> None:
        """Says what native code noticed, by one item, about the last of the states on a path.

        Args:
            number: Of the item.
            way: References.
            answer: The result of the item, or what `expand` reported.
        """
        self.detour, item = way, self.plan.items[number]
        if item.kind == "invariant":
            self._judge(number, item, answer, (self.state(way[-1]),), way[-2] if len(way) > 1 else abi.NO_PARENT)
        elif item.kind == "step":
            self.explorer.spec_block(0)[self.plan.shape.results + number] = answer + 1
            self.on_expanded(0, 0, way[-1], abi.REPORT_STEP)
        else:
            self.on_expanded(0, 0, way[-1], answer)
        self.detour = ()

    def test(self, item: Item) -> Callable[..., bool]:
        """The interpreter's predicate for a property or the bound."""
        program = self.reference.program
        if item.kind == "bound":
            assert program.bound is not None
            return program.bound
        tests: dict[str, Callable[..., bool]] = {c.name: c.test for c in program.invariants}
        tests |= dict(program.reach) | {c.name: c.test for c in program.step_properties}
        return tests[item.name]

    def _look_left(self, worker: int, number: int, item: Item, *states: State) -> None:
        """Asks the interpreter whether an antecedent is true, which then is not looked at any more."""
        program = self.reference.program
        tests = program.antecedents if item.kind == "when" else program.step_antecedents
        _, test = tests[number - next(i for i, other in enumerate(self.plan.items) if other.kind == item.kind)]
        try:
            true = test(*states)
        except Fail:
            return
        if true:
            self.explorer.spec_block(worker)[self.plan.shape.active + number] = 0

    def on_expanded(self, worker: int, state: int, ref: int, report: int) -> None:
        """`expand` noticed an error, a deadlock, a `final` that cannot be evaluated, or something about a step."""
        if report & abi.REPORT_STEP:
            self._judge_steps(worker, self.path(ref))
        kinds = {abi.REPORT_ERROR: "no error", abi.REPORT_DEADLOCK: "no deadlock", abi.REPORT_FINAL: "final"}
        for bit, kind in kinds.items():
            number = self._number(kind)
            if not report & bit or not self._looked_for(number):
                continue
            if kind == "no error":
                self._settle(number, self.violations, "NoError", self.erring(self.path(ref)))
            elif kind == "no deadlock":
                self._settle(number, self.violations, "NoDeadlock", Finding(self.path(ref)))
            else:
                self._settle(number, self.broken, "NoDeadlock", self.failing(self.path(ref), "NoDeadlock"))

    def _judge_steps(self, worker: int, path: Trace) -> None:
        """Asks the interpreter about the steps of the last state of a path."""
        here = path.states[-1]
        done, _ = self.expanded(here)
        for number, item, answer in self._results(worker, steps=True):
            if item.is_antecedent:
                for _, _, target in done:
                    self._look_left(worker, number, item, here, target)
                continue
            test = self.test(item)
            for _, move, target in done:
                longer = Trace((*path.states, target), (*path.steps, self.reference.labels.step(move)))
                try:
                    if test(here, target):
                        continue
                    self._settle(number, self.violations, item.name, Finding(longer))
                except Fail as problem:
                    self._settle(number, self.broken, item.name, Finding(longer, self.reference.diagnose(problem)))
                break
            else:
                if answer != frame.DEFERRED:
                    raise Mismatch(f"{item.name} is {answer} for a step that the interpreter does not have")

    def _number(self, kind: str) -> int:
        return next(i for i, item in enumerate(self.plan.items) if item.kind == kind)

    def erring(self, path: Trace) -> Finding:
        """The finding about a path to a state of which a step errs."""
        _, failed = self.expanded(path.states[-1])
        if not failed:
            raise Mismatch("a step erred in native code and not in the interpreter")
        _, move, problem = failed[0]
        erring = Trace(path.states, path.steps, self.reference.labels.step(move))
        return Finding(erring, self.reference.diagnose(problem))

    def failing(self, path: Trace, name: str) -> Finding:
        """The finding about a path to a state, or over a step, for which a property cannot be evaluated."""
        item = next((i for i in self.plan.items if i.name == name and not i.is_antecedent), None)
        assert item is not None
        test, count = self.reference.program.final, 1
        if item.kind not in ("no deadlock", "final"):
            test, count = self.test(item), 2 if item.kind == "step" else 1
            if count > len(path.states):  # it is about where everything begins
                test, count = dict(self.reference.program.first)[name], 1
        assert test is not None
        try:
            test(*path.states[-count:])
        except Fail as problem:
            return Finding(path, self.reference.diagnose(problem))
        raise Mismatch(f"{name} erred in native code and not in the interpreter")

    def on_defer(self, worker: int, state: Words, ref: int) -> tuple[Sequence[Words], int]:
        """Expands a state that native code leaves to the interpreter, and judges it by its steps."""
        here = self.plan.packed.unpack(list(state))
        block, shape = self.explorer.spec_block(worker), self.plan.shape
        steps, program = self.reference.steps, self.reference.program
        counters = steps.counters
        cut, empty, dropped = counters.limit_cut, dict(counters.empty_choices), program.dropped.count
        done, failed = steps.expand(here)
        if self.plan.coverage:
            for i, noted in enumerate(counters.blocked):
                block[shape.blocked + i // 8] |= noted << i % 8 * 8
        weight = 1 if self.plan.orders is None else self.canonical(here)[1]
        block[frame.EXTRA] += (weight - 1) * len(done)
        block[frame.LIMIT_CUT] += weight * (counters.limit_cut - cut)
        block[frame.DROPPED] += weight * (program.dropped.count - dropped)
        names = {name: i for i, name in reversed(list(enumerate(self.plan.units)))}
        for name, count in counters.empty_choices.items():
            block[shape.empty + names[name]] += weight * (count - empty.get(name, 0))
        alive = counters.limit_cut > cut
        for unit, move, target in done:
            block[frame.FIRED + unit] += weight
            if move.forged:
                block[frame.FIRED + steps.liars[move.sender]] += weight
            if not steps.units[unit].fault and not move.forged and move.torn is None and target != here:
                alive = True
        if self.reducer is not None:
            done = self.reducer.ample(here, done, failed, lambda target: self.explorer.is_later(self.packed(target)))
        report = 0
        if failed:
            report = self._once(block, self._number("no error"), abi.REPORT_ERROR)
        elif not alive and block[shape.active + self._number("no deadlock")]:
            try:
                final = program.final is not None and program.final(here)
            except Fail:
                report = self._once(block, self._number("final"), abi.REPORT_FINAL)
            else:
                report = 0 if final else self._once(block, self._number("no deadlock"), abi.REPORT_DEADLOCK)
        if self.plan.orders is not None:
            report |= self._notice_steps(block, here, [target for _, _, target in done])
        return [self.packed(target) for _, _, target in done], report

    def _notice_steps(self, block: Array[c_uint64], here: State, targets: Sequence[State]) -> int:
        """A report, if some step property has something to say about the steps of a state."""
        report, shape = 0, self.plan.shape
        for number, item in enumerate(self.plan.items):
            if item.kind == "step when" and block[shape.active + number]:
                block[shape.results + number] = frame.DEFERRED + 1
                report = abi.REPORT_STEP
            if item.kind == "step" and block[shape.active + number]:
                test = self.test(item)
                try:
                    quiet = all(test(here, target) for target in targets)
                except Fail:
                    quiet = False
                if not quiet:
                    block[shape.results + number] = frame.DEFERRED + 1
                    report = abi.REPORT_STEP
        return report

    def _once(self, block: Array[c_uint64], number: int, report: int) -> int:
        """A report, unless there was one about this item."""
        at = self.plan.shape.active + number
        active, block[at] = block[at], 0
        return report if active else 0

    # ---- kept

    def kept(self) -> tuple[Found, ...]:
        """The findings as a checkpoint keeps them."""
        found = []
        for kind in ("violations", "reached", "broken"):
            findings: dict[str, Finding] = getattr(self, kind)
            for name, finding in findings.items():
                states = tuple(tuple(self.plan.packed.pack(state)) for state in finding.path.states)
                found.append(Found(kind, name, states))
        return tuple(found)

    def rebuild(self, kept: Sequence[Found], block: Sequence[int]) -> None:
        """Takes over what a checkpoint kept; the interpreter says again what it said before."""
        for found in kept:
            path = self.named(tuple(self.plan.packed.unpack(list(words)) for words in found.states))
            if found.kind == "broken":
                finding = self.failing(path, found.name)
            else:
                finding = self.erring(path) if found.name == "NoError" else Finding(path)
            getattr(self, found.kind)[found.name] = finding
        active = self.plan.shape.active
        self.settled = {i for i, item in enumerate(self.plan.items) if not item.is_antecedent and not block[active + i]}
