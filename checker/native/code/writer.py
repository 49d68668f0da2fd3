"""One LLVM function under construction, as text.

Text is several times faster to make than the objects of a builder, and the edit-check loop has to feel like that of a
scripting language. An operand is a string: a name (`%v7`) or a decimal number. Operations on two numbers are computed at
once, so code for a constant process folds while it is written, on every tier.

Basic blocks are opened by `place`. What is written behind a branch goes to a block of its own that nothing reaches, so the
translation need not know whether code is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

_FOLDS: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << b,
}
_COMPARES: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "slt": lambda a, b: a < b,
    "sle": lambda a, b: a <= b,
    "sgt": lambda a, b: a > b,
    "sge": lambda a, b: a >= b,
    "ult": lambda a, b: a < b,
    "ule": lambda a, b: a <= b,
    "ugt": lambda a, b: a > b,
    "uge": lambda a, b: a >= b,
}


def is_number(op: str) -> bool:
    """Whether an operand is a constant."""
    return op[0] != "%" and op[0] != "@"


def normal(value: int, width: int) -> str:
    """A number of so many bits as an operand: signed where it has 64 of them, unsigned otherwise."""
    value &= (1 << width) - 1
    if width == 64 and value >> 63:
        value -= 1 << 64
    return str(value)


def _aligned(kind: str) -> str:
    """States are aligned to words, whatever alignment a wide number would have by itself."""
    return ", align 8" if kind[0] == "i" and int(kind[1:]) > 64 else ""


def _inside(at: str, total: int, width: int) -> str:
    """A place that lies inside; one that does not stands in code behind an error, which is never reached."""
    return "0" if is_number(at) and not 0 <= int(at) <= total - width else at


class Writer:
    """See the module. Types are given by their width in bits wherever they are integers."""

    def __init__(self, name: str, result: str, params: Sequence[tuple[str, str]], attributes: str = "") -> None:
        self.name = name
        self.result = result
        self.params = tuple(params)
        self.attributes = attributes
        self.linkage = "internal "
        self.allocas: list[str] = []
        self.lines: list[str] = []
        self.here = "entry"
        self._open = True
        self._count = 0
        self._cut: dict[str, tuple[str, int]] = {}
        """Names of numbers of which `resize` took the low bits: from which number, of how many bits."""

    def text(self) -> str:
        """The whole function."""
        params = ", ".join(f"{t} %{n}" for t, n in self.params)
        head = f"define {self.linkage}{self.result} @{self.name}({params}) {self.attributes} {{\nentry:"
        return "\n".join([head, *self.allocas, *self.lines, "}", ""])

    # ---- instructions and blocks

    def fresh(self, hint: str = "v") -> str:
        self._count += 1
        return f"%{hint}{self._count}"

    def emit(self, text: str) -> None:
        """One instruction without a result."""
        self.reachable()
        self.lines.append("  " + text)

    def reachable(self) -> str:
        """The label of the block that the next instruction goes to; behind a branch that is a new one."""
        if not self._open:
            self.place(self.block("dead"))
        return self.here

    def let(self, text: str) -> str:
        """One instruction, and the name of its result."""
        name = self.fresh()
        self.emit(f"{name} = {text}")
        return name

    def block(self, hint: str = "b") -> str:
        """The label of a new block, which is placed later."""
        self._count += 1
        return f"{hint}{self._count}"

    def place(self, label: str) -> None:
        """Opens a block; the one before falls through to it."""
        if self._open:
            self.lines.append(f"  br label %{label}")
        self.lines.append(f"{label}:")
        self.here = label
        self._open = True

    def _end(self, text: str) -> None:
        self.emit(text)
        self._open = False

    def go(self, label: str) -> None:
        """Jumps."""
        if self._open:
            self._end(f"br label %{label}")

    def when(self, cond: str, yes: str, no: str) -> None:
        """Branches on a truth value."""
        if is_number(cond):
            self.go(no if cond == "0" else yes)
        else:
            self._end(f"br i1 {cond}, label %{yes}, label %{no}")

    def switch(self, value: str, targets: Mapping[int, str], otherwise: str) -> None:
        """Branches on an i64."""
        cases = " ".join(f"i64 {number}, label %{label}" for number, label in targets.items())
        self._end(f"switch i64 {value}, label %{otherwise} [ {cases} ]")

    def require(self, cond: str, otherwise: str, *, likely: bool = True) -> None:
        """Goes on only if the condition holds, and to another block if not."""
        if cond == "1":
            return
        on = self.block()
        if is_number(cond) or not likely:
            self.when(cond, on, otherwise)
        else:
            self._end(f"br i1 {cond}, label %{on}, label %{otherwise}, !prof !0")
        self.place(on)

    def ret(self, value: str) -> None:
        self._end(f"ret {self.result} {value}")

    def ret_void(self) -> None:
        self._end("ret void")

    def unreachable(self) -> None:
        """Says that nothing comes here."""
        self._end("unreachable")

    def leads_to(self, label: str) -> bool:
        """Whether something jumps to a block so far."""
        target = f"label %{label}"
        return any(target in line and f"{target}," in line + "," for line in self.lines)

    @contextmanager
    def discarded(self) -> Iterator[None]:
        """What is written inside is thrown away."""
        saved = self.lines, self.allocas, self.here, self._open
        self.lines, self.allocas = [], []
        try:
            yield
        finally:
            self.lines, self.allocas, self.here, self._open = saved

    def stack(self, kind: str, count: int = 1) -> str:
        """Memory on the stack, made once at the entry of the function."""
        name = self.fresh("a")
        self.allocas.append(f"  {name} = alloca {kind if count == 1 else f'[{count} x {kind}]'}, align 8")
        return name

    # ---- arithmetic

    def op(self, name: str, width: int, a: str, b: str) -> str:
        """A binary operation on numbers of so many bits."""
        if is_number(a) and is_number(b) and name in _FOLDS and not (name == "shl" and not 0 <= int(b) < width):
            return normal(_FOLDS[name](int(a), int(b)), width)
        if b == "0" and name in ("add", "sub", "or", "xor", "shl", "lshr"):
            return a
        if a == "0" and name in ("add", "or", "xor"):
            return b
        if "0" in (a, b) and name in ("mul", "and"):
            return "0"
        if name == "mul" and "1" in (a, b):
            return a if b == "1" else b
        if is_number(a) and is_number(b) and name == "lshr" and 0 <= int(b) < width:
            return normal((int(a) & ((1 << width) - 1)) >> int(b), width)
        return self.let(f"{name} i{width} {a}, {b}")

    def compare(self, how: str, width: int, a: str, b: str) -> str:
        """A truth value."""
        if is_number(a) and is_number(b):
            x, y = int(a), int(b)
            top = 1 << width - 1
            x, y = x % (2 * top), y % (2 * top)
            if how[0] == "s":
                x, y = x - 2 * (x & top), y - 2 * (y & top)
            return str(int(_COMPARES[how](x, y)))
        return self.let(f"icmp {how} i{width} {a}, {b}")

    def both(self, a: str, b: str) -> str:
        return b if a == "1" else a if b == "1" else self.op("and", 1, a, b)

    def either(self, a: str, b: str) -> str:
        return self.op("or", 1, a, b)

    def negate(self, a: str) -> str:
        return self.op("xor", 1, a, "1")

    def select(self, cond: str, kind: str, a: str, b: str) -> str:
        """One of two values that are both there already."""
        if is_number(cond):
            return b if cond == "0" else a
        return a if a == b else self.let(f"select i1 {cond}, {kind} {a}, {kind} {b}")

    def resize(self, op: str, old: int, new: int) -> str:
        """The same number in more or fewer bits, zero above.

        Bits that were cut out of a number and are wanted at its width again are masked in it: without optimisation, LLVM selects
        instructions for a whole block the slow way where it meets a number of, say, two bits that is extended.
        """
        if old == new:
            return op
        if is_number(op):
            return normal(int(op) & ((1 << min(old, new)) - 1), new)
        if new > old:
            whole, width = self._cut.get(op, (op, old))
            if width == new:
                return self.op("and", new, whole, str((1 << old) - 1))
            return self.let(f"zext i{old} {op} to i{new}")
        whole, width = self._cut.get(op, (op, old))
        name = self.let(f"trunc i{width} {whole} to i{new}")
        self._cut[name] = whole, width
        return name

    def extract(self, op: str, total: int, at: str, width: int) -> str:
        """Some bits of a number; `at` is an i64."""
        if width == total:
            return op
        at = _inside(at, total, width)
        op, total = self._cut.get(op, (op, total))
        return self.resize(self.op("lshr", total, op, self.resize(at, 64, total)), total, width)

    def insert(self, op: str, total: int, at: str, width: int, part: str) -> str:
        """A number with some bits replaced; `at` is an i64."""
        if width == total:
            return part
        at = _inside(at, total, width)
        ones = (1 << width) - 1
        shift = self.resize(at, 64, total)
        if is_number(at):
            hole = normal(~(ones << int(at)), total)
        else:
            hole = self.op("xor", total, self.op("shl", total, normal(ones, total), shift), normal(-1, total))
        kept = self.op("and", total, op, hole)
        return self.op("or", total, kept, self.op("shl", total, self.resize(part, width, total), shift))

    # ---- memory

    def load(self, pointer: str, kind: str = "i64") -> str:
        return self.let(f"load {kind}, ptr {pointer}{_aligned(kind)}")

    def store(self, value: str, pointer: str, kind: str = "i64") -> None:
        self.emit(f"store {kind} {value}, ptr {pointer}{_aligned(kind)}")

    def word(self, base: str, index: str | int) -> str:
        """The pointer to a word of a block."""
        return base if str(index) == "0" else self.let(f"getelementptr i64, ptr {base}, i64 {index}")

    def bump(self, pointer: str, by: str = "1") -> None:
        """Adds to a word in memory."""
        self.store(self.op("add", 64, self.load(pointer), by), pointer)

    def pointer(self, address: str) -> str:
        return self.let(f"inttoptr i64 {address} to ptr")

    def address(self, pointer: str) -> str:
        return self.let(f"ptrtoint ptr {pointer} to i64")

    def if_(self, cond: str, then: Callable[[], None]) -> None:
        """Runs code only if the condition holds."""
        if is_number(cond):
            if cond != "0":
                then()
            return
        yes, on = self.block("if"), self.block("on")
        self.when(cond, yes, on)
        self.place(yes)
        then()
        self.go(on)
        self.place(on)

    def loop(self, first: str, end: str, body: Callable[[str], None]) -> None:
        """Runs `body(i)` for i from `first` up to, and without, `end`: two i64, compared with their signs."""
        if is_number(first) and is_number(end) and int(end) - int(first) <= 1:
            if int(end) > int(first):
                body(first)
            return
        counter = self.stack("i64")
        self.store(first, counter)
        head, inside, done = self.block("head"), self.block("body"), self.block("done")
        self.place(head)
        i = self.load(counter)
        self.when(self.compare("slt", 64, i, end), inside, done)
        self.place(inside)
        body(i)
        if self._open:
            self.store(self.op("add", 64, i, "1"), counter)
            self.go(head)
        self.place(done)
