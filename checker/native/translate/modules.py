"""Modules in the kernel language: their functions and constants, and the modules from which they import functions.

Names are looked up in the imported module, so that they mean here what they mean to CPython. The source is read for the bodies.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType

from checker.native import words

DECORATORS = ("entry", "external", "inline", "rare")


class KernelError(Exception):
    """A kernel uses something that the kernel language does not have."""


def family(module: ModuleType) -> list[ModuleType]:
    """A module and all modules from which it imports kernels, directly or not."""
    found = {module.__name__: module}
    waiting = [module]
    while waiting:
        for function in kernels_in(waiting.pop()).values():
            name = function.__module__
            if name not in found:
                found[name] = sys.modules[name]
                waiting.append(found[name])
    return list(found.values())


def kernels_in(module: ModuleType) -> dict[str, FunctionType]:
    """The functions that a module defines or imports, without those of `words`."""
    functions = {n: f for n, f in vars(module).items() if isinstance(f, FunctionType)}
    return {n: f for n, f in functions.items() if f.__module__ != words.__name__}


def source_of(module: ModuleType) -> str:
    """The source text of a module, wherever it was imported from."""
    loader = module.__spec__.loader if module.__spec__ is not None else None
    source = loader.get_source(module.__name__) if loader is not None and hasattr(loader, "get_source") else None
    if source is None and module.__file__ is not None and module.__file__.endswith(".py"):
        source = Path(module.__file__).read_text(encoding="utf-8")  # loaders such as pytest's do not tell it
    if source is None:
        raise KernelError(f"the source of {module.__name__} cannot be read")
    assert isinstance(source, str)
    return source


@cache
def functions_of(module: ModuleType) -> dict[str, ast.FunctionDef]:
    """The syntax trees of a module's functions, which several programs look at."""
    return {n.name: n for n in ast.parse(source_of(module)).body if isinstance(n, ast.FunctionDef)}


class Unit:
    """One module under translation."""

    def __init__(self, module: ModuleType, given: Mapping[str, int]) -> None:
        self.name = module.__name__
        names = vars(module)
        self.kernels = kernels_in(module)
        """What a call can mean, besides intrinsics: functions of this module and of others."""
        self.intrinsics = {n for n in words.INTRINSICS if names.get(n) is getattr(words, n)}
        self.constants = {n: int(v) for n, v in names.items() if isinstance(v, int)}
        self.given = {n: given[f.__name__] for n, f in self.kernels.items() if f.__name__ in given}
        """Functions without arguments whose value is known."""
        self.nodes = functions_of(module)
        self.marks = {name: self._marks(node) for name, node in self.nodes.items()}

    def error(self, node: ast.AST, problem: str) -> KernelError:
        """An error at a node."""
        return KernelError(f"{self.name}, line {getattr(node, 'lineno', '?')}: {problem}")

    def lacking(self, node: ast.AST, construct: ast.AST) -> KernelError:
        """An error at a node: there is no such construct."""
        return self.error(node, f"the kernel language has no `{type(construct).__name__}`")

    def _marks(self, node: ast.FunctionDef) -> list[str]:
        marks = []
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Name) or decorator.id not in DECORATORS:
                raise self.error(decorator, f"a kernel has no decorators but {', '.join(DECORATORS)}")
            marks.append(decorator.id)
        return marks
