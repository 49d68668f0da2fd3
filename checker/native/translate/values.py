"""Expressions and conditions of the kernel language; what is known while translating is computed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FunctionType

from checker.native import words
from checker.native.translate.folding import ARITHMETIC, COMPARISON, WORD, compute, is_bit
from checker.native.translate.modules import Unit
from checker.native.translate.writer import Writer


class Values(Writer):
    """Writes expressions of one function of a module."""

    def __init__(
        self, unit: Unit, parameters: list[str], assigned: list[str], symbol: Callable[[FunctionType], str]
    ) -> None:
        super().__init__()
        self.unit = unit
        self.parameters = parameters
        self.locals = assigned
        self._symbol = symbol

    # ---- conditions

    def _branch(self, node: ast.expr, yes: str, no: str) -> None:
        """Goes to one of two blocks; evaluates no more than is needed."""
        match node:
            case ast.BoolOp(op=op, values=values):
                for part in values[:-1]:
                    further = self._label("test")
                    self._branch(part, *((further, no) if isinstance(op, ast.And) else (yes, further)))
                    self._start(further)
                self._branch(values[-1], yes, no)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._branch(operand, no, yes)
            case _:
                known = self._known(node)
                if known is not None:
                    self._jump(yes if known else no)
                else:
                    self._end(f"br i1 {self._test(node)}, label %{yes}, label %{no}")

    def _test(self, node: ast.expr) -> str:
        """A condition as a bit; not for `and`, `or` and `not`."""
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISON:
                a = self._value(left)
                return self._temp(f"icmp {COMPARISON[type(op)]} i64 {a}, {self._value(right)}")
            case ast.Compare():
                raise self.unit.error(node, "a comparison compares two words, with one of == != < <= > >=")
            case _:
                return self._temp(f"icmp ne i64 {self._value(node)}, 0")

    # ---- values

    def _value(self, node: ast.expr) -> str:
        """An expression as an operand."""
        known = self._known(node)
        if known is not None:
            if not 0 <= known < WORD:
                raise self.unit.error(node, f"{known} is no word of 64 bits")
            return str(known)
        match node:
            case ast.Name(id=name) if name in self.locals:
                return self._temp(f"load i64, ptr %{name}.at")
            case ast.Name(id=name) if name in self.parameters:
                return f"%{name}"
            case ast.Name(id=name):
                raise self.unit.error(node, f"`{name}` is neither a local nor an integer constant")
            case ast.BinOp(left=left, op=op, right=right):
                a = self._value(left)
                return self._arithmetic(node, op, a, self._value(right))
            case ast.Compare():
                return self._temp(f"zext i1 {self._test(node)} to i64")
            case ast.UnaryOp(op=ast.Not()):
                return self._choice(node, ast.Constant(1), ast.Constant(0))
            case ast.BoolOp(values=values) if all(is_bit(v) for v in values):
                return self._choice(node, ast.Constant(1), ast.Constant(0))
            case ast.BoolOp():
                raise self.unit.error(node, "`and` and `or` give a value only between comparisons")
            case ast.IfExp(test=test, body=body, orelse=orelse):
                known = self._known(test)
                if known is not None:
                    return self._value(body if known else orelse)
                return self._choice(test, body, orelse)
            case ast.Call():
                return self._call(node)
            case ast.Subscript():
                return self._temp(f"zext i32 {self._temp(f'load i32, ptr {self._cell(node)}, align 4')} to i64")
            case _:
                raise self.unit.lacking(node, node)

    def _cell(self, node: ast.Subscript) -> str:
        """The pointer to a cell of an array, which a kernel knows by the name of a local."""
        if not isinstance(node.value, ast.Name) or isinstance(node.slice, ast.Slice | ast.Tuple):
            raise self.unit.error(node, "a kernel looks at one cell of an array that has a name")
        array = self._pointer(self._value(node.value))
        return self._temp(f"getelementptr i32, ptr {array}, i64 {self._value(node.slice)}")

    def _choice(self, test: ast.expr, a: ast.expr, b: ast.expr) -> str:
        """One of two values; the other is not evaluated."""
        yes, no, after = self._label("then"), self._label("else"), self._label("after")
        self._branch(test, yes, no)
        sources = []
        for label, part in ((yes, a), (no, b)):
            self._start(label)
            sources.append((self._value(part), self.block))
            self._jump(after)
        self._start(after)
        return self._temp("phi i64 " + ", ".join(f"[ {value}, %{block} ]" for value, block in sources))

    def _arithmetic(self, node: ast.AST, op: ast.operator, a: str, b: str) -> str:
        if type(op) not in ARITHMETIC:
            raise self.unit.lacking(node, op)
        return self._temp(f"{ARITHMETIC[type(op)]} i64 {a}, {b}")

    def _call(self, node: ast.Call) -> str:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.unit.error(node, "a kernel calls functions by their names, with plain arguments")
        name = node.func.id
        if name in ("min", "max") and len(node.args) == 2:
            a = self._value(node.args[0])
            return self._temp(f"call i64 @llvm.u{name}.i64(i64 {a}, i64 {self._value(node.args[1])})")
        intrinsic = name in self.unit.intrinsics
        kernel = None if intrinsic else self.unit.kernels.get(name)
        if not intrinsic and kernel is None:
            raise self.unit.error(node, f"`{name}` is neither a kernel nor an intrinsic")
        arity = words.INTRINSICS[name] if kernel is None else kernel.__code__.co_argcount
        if len(node.args) != arity:
            raise self.unit.error(node, f"`{name}` takes {arity} arguments")
        if name in self.unit.given:
            return str(self.unit.given[name])
        arguments = [self._value(a) for a in node.args]
        if kernel is None:
            return self._intrinsic(name, arguments)
        return self._temp(f"call i64 @{self._symbol(kernel)}({', '.join(f'i64 {a}' for a in arguments)})")

    def _intrinsic(self, name: str, arguments: list[str]) -> str:
        a, b, c, d = (*arguments, "", "", "")[:4]
        match name:
            case "load64" | "load_atomic":
                how = "load i64, ptr {}, align 8" if name == "load64" else "load atomic i64, ptr {} acquire, align 8"
                return self._temp(how.format(self._pointer(a)))
            case "store64":
                self._line(f"store i64 {b}, ptr {self._pointer(a)}, align 8")
            case "load8" | "load16" | "load32":
                part = f"i{name.removeprefix('load')}"
                return self._temp(f"zext {part} {self._temp(f'load {part}, ptr {self._pointer(a)}')} to i64")
            case "store8" | "store16" | "store32":
                part = f"i{name.removeprefix('store')}"
                self._line(f"store {part} {self._temp(f'trunc i64 {b} to {part}')}, ptr {self._pointer(a)}")
            case "read_file":
                file = self._temp(f"trunc i64 {a} to i32")
                return self._temp(f"call i64 @pread(i32 {file}, ptr {self._pointer(b)}, i64 {c}, i64 {d})")
            case "prefetch":
                self._line(f"call void @llvm.prefetch.p0(ptr {self._pointer(a)}, i32 0, i32 3, i32 1)")
            case "match_line":
                return self._match_line(a, b, c)
            case "cas64":
                pair = self._temp(f"cmpxchg ptr {self._pointer(a)}, i64 {b}, i64 {c} acq_rel acquire, align 8")
                return self._temp(f"zext i1 {self._temp(f'extractvalue {{ i64, i1 }} {pair}, 1')} to i64")
            case "fetch_add":
                return self._temp(f"atomicrmw add ptr {self._pointer(a)}, i64 {b} acq_rel, align 8")
            case "mulhi":
                x, y = (self._temp(f"zext i64 {v} to i128") for v in (a, b))
                product = self._temp(f"mul i128 {x}, {y}")
                return self._temp(f"trunc i128 {self._temp(f'lshr i128 {product}, 64')} to i64")
            case "mul64" | "add64" | "sub64":
                return self._temp(f"{name[:3]} i64 {a}, {b}")
            case "lowest_bit":
                return self._temp(f"call i64 @llvm.cttz.i64(i64 {a}, i1 true)")
            case "count_bits":
                return self._temp(f"call i64 @llvm.ctpop.i64(i64 {a})")
        return "0"

    def _match_line(self, p: str, shift: str, value: str) -> str:
        """Eight words are compared at once; LLVM takes whatever vectors the processor has."""
        n = words.LINE_WORDS
        line = self._temp(f"load <{n} x i64>, ptr {self._pointer(p)}, align 64")
        if shift != "0":
            line = self._temp(f"lshr <{n} x i64> {line}, {self._splat(shift)}")
        bits = self._temp(f"icmp eq <{n} x i64> {line}, {self._splat(value)}")
        return self._temp(f"zext i{n} {self._temp(f'bitcast <{n} x i1> {bits} to i{n}')} to i64")

    def _splat(self, value: str) -> str:
        n = words.LINE_WORDS
        one = self._temp(f"insertelement <{n} x i64> poison, i64 {value}, i32 0")
        return self._temp(f"shufflevector <{n} x i64> {one}, <{n} x i64> poison, <{n} x i32> zeroinitializer")

    def _pointer(self, address: str) -> str:
        return self._temp(f"inttoptr i64 {address} to ptr")

    # ---- what is known

    def _known(self, node: ast.expr) -> int | None:
        """What an expression is, if that can be told now."""
        match node:
            case ast.Constant(value=int() as value):
                return int(value)
            case ast.Name(id=name) if name not in self.locals and name not in self.parameters:
                return self.unit.constants.get(name)
            case ast.Call(func=ast.Name(id=name), args=[]):
                return self.unit.given.get(name)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                known = self._known(operand)
                return None if known is None else int(not known)
            case ast.BoolOp(op=op, values=values):
                decisive = isinstance(op, ast.Or)
                for part in values:
                    known = self._known(part)
                    if known is None or bool(known) is decisive:
                        return None if known is None else int(decisive)
                return int(not decisive)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                a = self._known(left)
                b = None if a is None else self._known(right)
                return None if a is None or b is None else compute(op, a, b)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISON:
                a = self._known(left)
                b = None if a is None else self._known(right)
                return None if a is None or b is None else compute(op, a, b)
        return None
