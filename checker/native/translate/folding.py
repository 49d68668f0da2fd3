"""What can be computed while translating: operators of the kernel language, as LLVM's instructions and on Python's numbers."""

from __future__ import annotations

import ast

WORD = 1 << 64

ARITHMETIC = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "udiv", ast.Mod: "urem",
    ast.LShift: "shl", ast.RShift: "lshr", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor",
}  # fmt: skip
COMPARISON = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "ult", ast.LtE: "ule", ast.Gt: "ugt", ast.GtE: "uge"}


def compute(op: ast.operator | ast.cmpop, a: int, b: int) -> int:
    """Python's own arithmetic, so that `(1 << 64) - 1` is what it says."""
    match op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.FloorDiv():
            return a // b
        case ast.Mod():
            return a % b
        case ast.LShift():
            return a << b
        case ast.RShift():
            return a >> b
        case ast.BitAnd():
            return a & b
        case ast.BitOr():
            return a | b
        case ast.BitXor():
            return a ^ b
        case ast.Eq():
            return int(a == b)
        case ast.NotEq():
            return int(a != b)
        case ast.Lt():
            return int(a < b)
        case ast.LtE():
            return int(a <= b)
        case ast.Gt():
            return int(a > b)
        case _:
            return int(a >= b)


def is_bit(node: ast.expr) -> bool:
    """Whether an expression is 0 or 1 in any case, so that `and` and `or` give no other value in Python either."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=values):
            return all(is_bit(v) for v in values)
    return False
