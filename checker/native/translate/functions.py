"""Functions and statements of the kernel language."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FunctionType

from checker.native.translate.modules import Unit
from checker.native.translate.values import Values

_ATTRIBUTES = {"inline": " alwaysinline", "rare": " noinline cold"}


class Function(Values):
    """A function under translation."""

    def __init__(self, unit: Unit, node: ast.FunctionDef, symbol: Callable[[FunctionType], str]) -> None:
        a = node.args
        if a.posonlyargs or a.kwonlyargs or a.vararg or a.kwarg or a.defaults:
            raise unit.error(node, "a kernel's parameters are plain names without defaults")
        super().__init__(unit, [arg.arg for arg in a.args], _assigned(node), symbol)
        self.node = node
        self._loops: list[tuple[str, str]] = []
        """For each loop around the current statement: where `continue` and `break` go."""

    def text(self, symbol: str, marks: list[str]) -> str:
        """The whole function."""
        parameters = ", ".join(f"i64 %{p}" for p in self.parameters)
        linkage = "" if "entry" in marks else "internal "
        attributes = "".join(_ATTRIBUTES.get(mark, "") for mark in marks)
        self._body(self.node.body)
        if self.open:
            self._end("ret i64 0")
        head = [f"define {linkage}i64 @{symbol}({parameters}) nounwind{attributes} {{", "entry:"]
        head += [f"  %{name}.at = alloca i64" for name in self.locals]
        head += [f"  store i64 %{name}, ptr %{name}.at" for name in self.parameters if name in self.locals]
        return "\n".join([*head, *self.lines, "}", ""])

    # ---- statements

    def _body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if not self.open:  # behind a test with a known result, or plainly dead
                return
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._set(name, self._value(value))
            case ast.Assign(targets=[ast.Subscript() as cell], value=value):
                stored = self._value(value)
                self._line(f"store i32 {self._temp(f'trunc i64 {stored} to i32')}, ptr {self._cell(cell)}, align 4")
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._set(name, self._value(value))
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                old = self._temp(f"load i64, ptr %{name}.at")
                self._set(name, self._arithmetic(node, op, old, self._value(value)))
            case ast.Expr(value=ast.Constant(value=str())) | ast.Pass():
                pass
            case ast.Expr(value=ast.Call() as call):
                self._call(call)
            case ast.If():
                self._if(node)
            case ast.While(orelse=[]):
                self._while(node)
            case ast.For(
                target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=bounds, keywords=[]), orelse=[]
            ):
                self._for(node, name, bounds)
            case ast.Return(value=value):
                self._end(f"ret i64 {'0' if value is None else self._value(value)}")
            case ast.Break() | ast.Continue():
                self._jump(self._loops[-1][isinstance(node, ast.Break)])
            case _:
                raise self.unit.lacking(node, node)

    def _if(self, node: ast.If) -> None:
        known = self._known(node.test)
        if known is not None:
            self._body(node.body if known else node.orelse)
            return
        yes, no, after = self._label("then"), self._label("else"), self._label("after")
        self._branch(node.test, yes, no if node.orelse else after)
        reached = not node.orelse
        for label, body in ((yes, node.body), (no, node.orelse)):
            if body:
                self._start(label)
                self._body(body)
                reached |= self.open
                if self.open:
                    self._jump(after)
        if reached:
            self._start(after)

    def _while(self, node: ast.While) -> None:
        known = self._known(node.test)
        if known == 0:
            return
        top, body, after = self._label("while"), self._label("do"), self._label("done")
        self._jump(top)
        self._start(top)
        if known is None:
            self._branch(node.test, body, after)
            self._start(body)
        self._loop(node.body, top, after)
        if self.open:
            self._jump(top)
        if known is None or any(f"label %{after}" in line for line in self.lines):
            self._start(after)

    def _for(self, node: ast.For, name: str, bounds: list[ast.expr]) -> None:
        if not 1 <= len(bounds) <= 3:
            raise self.unit.error(node, "`range` takes one to three numbers")
        first = "0" if len(bounds) == 1 else self._value(bounds[0])
        last = self._value(bounds[len(bounds) > 1])
        step = self._known(bounds[2]) if len(bounds) == 3 else 1
        if step is None or step <= 0:
            raise self.unit.error(node, "the step of a `range` is a positive constant")
        entered = self.block
        top, body, again, after = (self._label(w) for w in ("for", "do", "next", "done"))
        self._jump(top)
        self._start(top)
        at, following = self._fresh(), self._fresh()
        self._line(f"{at} = phi i64 [ {first}, %{entered} ], [ {following}, %{again} ]")
        self._end(f"br i1 {self._temp(f'icmp ult i64 {at}, {last}')}, label %{body}, label %{after}")
        self._start(body)
        self._set(name, at)
        self._loop(node.body, again, after)
        if self.open:
            self._jump(again)
        self._start(again)
        self._line(f"{following} = add i64 {at}, {step}")
        self._jump(top)
        self._start(after)

    def _loop(self, body: list[ast.stmt], again: str, after: str) -> None:
        self._loops.append((again, after))
        self._body(body)
        self._loops.pop()


def _assigned(node: ast.FunctionDef) -> list[str]:
    """The names that a function assigns to, once each. Statements alone are looked at, as expressions assign nothing here."""
    names: dict[str, None] = {}
    waiting: list[ast.stmt] = [*node.body]
    while waiting:
        match statement := waiting.pop():
            case ast.Assign(targets=[ast.Name(id=name)]):
                names[name] = None
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
                names[name] = None
            case ast.For(target=ast.Name(id=name)):
                names[name] = None
        waiting += [*getattr(statement, "body", ()), *getattr(statement, "orelse", ())]
    return list(names)
