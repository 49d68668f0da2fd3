"""The entries of the kernels, in the two forms in which they run: compiled with a spec, and as CPython runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType

from checker.base.data import dataclass
from checker.native import kernels
from checker.native.jit import Linked
from checker.native.translate import family


@dataclass(frozen=True, slots=True)
class Kernels:
    """The entries of the kernels, linked with a spec."""

    run: Callable[[int], int]
    grow: Callable[[int, int, int, int, int], int]
    adopt: Callable[[int, int], int]


ENTRIES = {"run": 1, "grow": 5, "adopt": 2}
"""The functions that a linked object has to export for `Kernels`, with the number of their arguments."""


def native(linked: Linked) -> Kernels:
    """The kernels as functions of a linked object, which has to export ENTRIES."""
    return Kernels(**{name: linked.function(name, arguments) for name, arguments in ENTRIES.items()})


def interpreted(functions: Mapping[str, Callable[..., int]]) -> Kernels:
    """The kernels as CPython runs them, with the functions of a spec in place of the external ones.

    Every module of kernels is copied, and every kernel in it, so that they see each other and the spec.
    """
    copies = {module.__name__: dict(vars(module)) for module in family(kernels)}
    for names in copies.values():
        for name, value in names.items():
            if isinstance(value, FunctionType) and value.__module__ in copies:
                copy = FunctionType(value.__code__, copies[value.__module__], value.__name__)
                names[name] = functions.get(value.__name__, copy)
    return Kernels(**{name: copies[kernels.__name__][name] for name in ENTRIES})
