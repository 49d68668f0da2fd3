"""The code that judges liveness, and the arrays that it works on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from ctypes import Array, addressof, c_uint32
from typing import cast

from checker.base.data import dataclass
from checker.engine.liveness.cells import Cells
from checker.model.liveness import asked
from checker.model.machine import Machine
from checker.native.code.module import Plan, plan
from checker.native.memory import Region
from checker.native.tiers import EdgeTiers

POLL = 0.005
"""Seconds between two looks at whether somebody asks for an end, while a kernel runs."""

Functions = Mapping[str, Callable[..., int]]


@dataclass(slots=True)
class LiveCode:
    """What judges the live properties of one machine: its layout, its code, and the functions of that so far."""

    plan: Plan
    tiers: EdgeTiers
    functions: Functions
    level: int | None

    def improve(self) -> None:
        """Starts to make optimised code."""
        if self.level is None:
            self.tiers.improve()

    def best(self) -> Functions:
        """The fastest functions there are by now."""
        better = self.tiers.better() if self.level is None else None
        self.functions = better or self.functions
        return self.functions


def live_code(machine: Machine, level: int | None) -> LiveCode | None:
    """The code for a machine, if it has live properties to be judged. Raises `Unsupported` and `JitError`."""
    cases = tuple(case for prop in asked(machine) for case in prop.cases)
    if not cases or machine.bound is not None:
        return None
    layout = plan(machine, cases=cases, coverage=False)
    tiers = EdgeTiers(layout)
    return LiveCode(layout, tiers, tiers.begin(level), level)


class NativeCells:
    """Runs compiled kernels on arrays in reserved memory."""

    def __init__(self, functions: Functions, look: Callable[[], None]) -> None:
        self.functions = functions
        self._look = look
        self._regions: list[Region] = []
        self.stop = self.cells(1)
        self.large = False

    def cells(self, count: int) -> Cells:
        """An array of so many cells, all 0 at first."""
        region = Region(max(4 * count, 4))
        region.use_huge_pages()
        self._regions.append(region)
        return cast(Cells, (c_uint32 * max(count, 1)).from_address(region.start))

    def free(self, cells: Cells) -> None:
        """Gives the memory of an array back that nobody uses any more."""
        region = next(region for region in self._regions if region.start == address_of(cells))
        region.release()
        self._regions.remove(region)

    def call(self, name: str, *arguments: object) -> int:
        """Runs a kernel; arrays are given by their addresses."""
        given = [a if isinstance(a, int) else address_of(cast(Cells, a)) for a in arguments]
        function = self.functions[name]
        if not self.large:
            return function(*given)
        results: list[int] = []
        thread = threading.Thread(target=lambda: results.append(function(*given)), name="liveness")
        thread.start()
        try:
            while thread.is_alive():
                thread.join(POLL)
                self._look()
        except BaseException:
            self.stop[0] = 1
            thread.join()
            self.stop[0] = 0
            raise
        return results[0]

    def release(self) -> None:
        """Gives all memory back."""
        for region in self._regions:
            region.release()


def address_of(cells: Cells) -> int:
    """Where an array of `NativeCells` begins."""
    return addressof(cast("Array[c_uint32]", cells))
