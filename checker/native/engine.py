"""The native engine: gets everything ready that one exploration by compiled code needs, and cleans up after it.

What a search shows is said in `search`; where its code comes from, in `tiers`; where it can go on after a kill, in
`checkpoint`. Live properties are judged behind the search by code of their own (`livecode`), over every state.
"""

from __future__ import annotations

from collections.abc import Callable

from checker.engine.interface import Exploration, Limits, Observer
from checker.engine.liveness.verdicts import every_state
from checker.engine.reduction import reducible
from checker.engine.replay import Mismatch
from checker.model.machine import Machine
from checker.native.checkpoint import Checkpoint, Keeping
from checker.native.code.module import plan
from checker.native.graphs import LARGE
from checker.native.livecode import live_code
from checker.native.search import NAME, NativeSearch
from checker.native.tiers import Tiers


class NativeEngine:
    """Explores machines with compiled code."""

    name = NAME

    def __init__(
        self,
        workers: int = 1,
        *,
        level: int | None = None,
        fingerprints: bool = False,
        coverage: bool = True,
        reduced: bool = False,
        keeping: Keeping | None = None,
        tell: Callable[[str], None] | None = None,
        look: Callable[[NativeSearch], None] | None = None,
    ) -> None:
        """Says how to explore.

        Args:
            workers: How many explore at the same time.
            level: Only code of this level; where it is None, both tiers.
            fingerprints: Keep a hash of each state in the visited set, and states on disk.
            coverage: Count what a check exercises. Without it the tally is empty; that is for measuring what it costs.
            reduced: Leave out steps whose order does not matter (`engine.reduction`). Then nothing is counted for coverage.
            keeping: Where checkpoints go.
            tell: Is told what the user should know, such as that a checkpoint cannot be written.
            look: Is given the search when it has ended, while its states are still there.
        """
        assert not reduced or (not fingerprints and keeping is None), "the proviso asks when a state was found"
        self.workers = workers
        self.level = level
        self.fingerprints = fingerprints
        self.coverage = coverage
        self.reduced = reduced
        self.keeping = keeping
        self.tell = tell or (lambda text: None)
        self.look = look

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """See `Engine.explore`.

        Raises:
            Unsupported: the machine has values that native code cannot hold.
            SpecError: also PSM904, where a checkpoint cannot be used, and PSM902, where the machine cannot be reduced.
        """
        workers = 1 if limits.max_states is not None else self.workers
        machine = reducible(machine) if self.reduced else every_state(machine)
        coverage = self.coverage and not self.reduced
        layout = plan(
            machine,
            fingerprints=self.fingerprints,
            coverage=coverage,
            reduced=self.reduced,
            peers=workers > 1,
            resumes=self.keeping is not None and self.keeping.resume,
        )
        checkpoint = None if self.keeping is None else Checkpoint(self.keeping, layout, self.tell)
        tiers = Tiers(layout, tell=self.tell)
        live = None if self.fingerprints else live_code(machine, self.level)
        try:
            search = NativeSearch(layout, tiers, workers, self.level, tell=self.tell, checkpoint=checkpoint, live=live)
            search.look = self.look
            if self.keeping is not None and self.keeping.resume:
                assert checkpoint is not None
                search.resumed = checkpoint.load()
            found = search.run(limits, observe)
            if found.states >= LARGE:  # otherwise there was nothing to be gained
                for name, reason in layout.unused.items():
                    self.tell(f"native code does not use the symmetry of {name}: {reason}")
            return found
        except Mismatch as problem:
            problem.machine, problem.engine = machine, self.name
            raise
        finally:
            tiers.close()
            if live is not None:
                live.tiers.close()
            if checkpoint is not None:
                checkpoint.close()
