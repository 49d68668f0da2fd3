"""From kernels to LLVM: restricted Python becomes the text of LLVM functions.

The language of kernels is Python over unsigned words of 64 bits. A module in it has functions of words that give a word,
and integer constants, its own or imported ones. A body has assignments to names, `if`, `while`, `for … in range(…)`,
`return`, `break`, `continue` and calls; an expression has arithmetic, comparisons, `and`, `or`, `not`, conditional
expressions, `min` and `max` of two words, and calls of functions: of the module itself, of modules that it imports them
from, and of the intrinsics in `words`. Everything else is an error that names its line. Divisions round down, as words have
no sign; sums and products are taken modulo 2**64, which CPython does not do, so a kernel that may overflow says so (`add64`,
`mul64`, or a mask). An array of cells of 32 bits is a word, too, namely its address; `a[i]` reads a cell and `a[i] = v` writes
one, which CPython does with any array.

The translation goes over the syntax tree once. Each local is an `alloca` that LLVM turns into a register; conditions become
jumps, so `and` and `or` evaluate no more than Python would. What is known while translating is computed here: constants, and
the functions of a spec that a caller gives values for (`fixed_words() == 1`). A branch that such a test excludes leaves no
code, so that a module costs at O0, too, only what the spec needs.

LLVM code is written as text, not built with `llvmlite.ir`: that is quicker, and nothing is imported that a warm start would
have to wait for.

`modules` finds functions and what names mean, `functions` translates statements, `values` expressions, `folding` computes what
is known, `writer` writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import FunctionType, ModuleType

from checker.native.translate.functions import Function
from checker.native.translate.modules import KernelError, Unit, family

__all__ = ["KernelError", "family", "join", "translate"]

DECLARATIONS = """\
declare i64 @pread(i32, ptr, i64, i64)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare i64 @llvm.cttz.i64(i64, i1)
declare i64 @llvm.ctpop.i64(i64)
declare i64 @llvm.umin.i64(i64, i64)
declare i64 @llvm.umax.i64(i64, i64)
"""


def translate(
    module: ModuleType, given: Mapping[str, int] | None = None, prefix: str = "", exports: Collection[str] = ()
) -> str:
    """The LLVM text of a module: its entries, also imported ones, and all that these need. Without entries, of all functions.
    External functions that it calls are declared.

    Args:
        module: A module in the language of kernels.
        given: Values of external functions without arguments that are known already. They are not called then.
        prefix: What the names of functions begin with that are neither entries nor external.
        exports: Names of more entries.
    """
    return _Program(module, given or {}, prefix, exports).text()


def join(texts: Iterable[str]) -> str:
    """Texts of LLVM functions as one module; what several of them declare is declared once, or not if one defines it."""
    declared: dict[str, None] = {}
    defined: set[str] = set()
    lines: list[str] = []
    for text in texts:
        for line in text.splitlines():
            if line.startswith("declare "):
                declared[line.strip()] = None
            else:
                if line.startswith("define "):
                    defined.add(_symbol_in(line))
                lines.append(line)
    return "\n".join([*(line for line in declared if _symbol_in(line) not in defined), *lines, ""])


def _symbol_in(line: str) -> str:
    """What the function is called that a line declares, or begins to define."""
    return line[line.index("@") : line.index("(")]


def apart(text: str, name: str) -> tuple[str, str]:
    """A module as two that can be compiled on their own: one that gives others a single function, and one with all the rest."""
    alone: list[str] = []
    rest: list[str] = []
    inside = False
    for line in text.splitlines():
        begins = line.startswith("define ")
        if begins and f"@{name}(" in line:
            inside = True
            head = line.removeprefix("define ")
            rest.append("declare " + head[: head.index(")") + 1])
        elif begins and not line.startswith("define internal "):
            alone.append("define internal " + line.removeprefix("define "))
            rest.append(line)
            continue
        elif not inside:
            rest.append(line)
        alone.append(line)
        inside = inside and line != "}"
    return "\n".join([*alone, ""]), "\n".join([*rest, ""])


class _Program:
    """A module under translation, with those from which it imports functions."""

    def __init__(self, module: ModuleType, given: Mapping[str, int], prefix: str, exports: Collection[str]) -> None:
        self._units = {m.__name__: Unit(m, given) for m in family(module)}
        self._root = self._units[module.__name__]
        self._prefix = prefix
        self._exports = exports
        self._wanted: list[FunctionType] = []
        """What is still to be translated, or has been."""
        self._declared: dict[str, None] = {}
        """Lines that declare the external functions that are called."""

    def text(self) -> str:
        """All functions that are needed, in the order in which they stand in their modules."""
        functions = list(self._root.kernels.values())
        entries = [f for f in functions if "entry" in self._marks(f)]
        for function in entries or functions:
            self._symbol(function)
        done: dict[str, FunctionType] = {}
        texts: dict[FunctionType, str] = {}
        while self._wanted:
            function = self._wanted.pop()
            if function in texts:
                continue
            name = function.__name__
            if done.setdefault(name, function) is not function:
                raise KernelError(f"`{name}` stands in {function.__module__} and in {done[name].__module__}")
            unit = self._units[function.__module__]
            texts[function] = Function(unit, unit.nodes[name], self._symbol).text(
                self._symbol(function), self._marks(function)
            )
        order = [f for unit in self._units.values() for f in unit.kernels.values() if f.__module__ == unit.name]
        return "\n".join([DECLARATIONS + "\n".join([*self._declared, ""]), *(texts[f] for f in order if f in texts)])

    def _symbol(self, function: FunctionType) -> str:
        """What a function is called in LLVM's text, which is going to call it."""
        marks, name = self._marks(function), function.__name__
        if "external" in marks:
            words = ", ".join(["i64"] * function.__code__.co_argcount)
            self._declared[f"declare i64 @{name}({words})"] = None
        else:
            self._wanted.append(function)
        return name if "entry" in marks or "external" in marks else self._prefix + name

    def _marks(self, function: FunctionType) -> list[str]:
        marks = self._units[function.__module__].marks.get(function.__name__)
        if marks is None:
            raise KernelError(f"`{function.__name__}` is no function of {function.__module__}")
        return [*marks, "entry"] if function.__name__ in self._exports else marks
