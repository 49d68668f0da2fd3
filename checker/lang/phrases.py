"""Documents of expressions and types.

Parentheses are not in the syntax tree, so they are set anew: where the grammar needs them, and, in the text of a
formatted file, where a reader needs them (`and` inside `or`, a quantifier or an `if` beside an operator, a comparison
behind `not`). Each kind of expression has a level, its place in the grammar's chain of rules; an operand is put in
parentheses when its level is below the one that its place asks for.

A long expression breaks behind its operators, the outermost first. What belongs to a quantifier, and the right side of
`=>`, goes to lines of its own, indented; the items of a chain and the arguments of a call fill lines like words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from checker.lang import ast
from checker.lang.document import Concat, Doc, Fill, Group, Line, Nest, Text, concat, flat

_EXPR, _IMPLIES, _OR, _AND, _NOT, _COMPARE, _SUM, _TERM, _UNARY, _POST, _ATOM = range(11)

_BINARY: dict[str, int] = {"=>": _IMPLIES, "+": _SUM, "-": _SUM, "*": _TERM, "/": _TERM, "%": _TERM, "&": _TERM}

_BRACKETED = (ast.Call, ast.SetLit, ast.SeqLit, ast.SetComp, ast.MapComp, ast.Quant)
"""What indents its own lines, and needs no further indentation as the only argument of a call."""


def _level(expr: ast.Expr) -> int:
    match expr:
        case ast.Quant() | ast.IfExpr():
            return _EXPR
        case ast.Binary():
            return _BINARY.get(expr.op, _COMPARE)
        case ast.Logic():
            return _OR if expr.op == "or" else _AND
        case ast.Unary():
            return _NOT if expr.op == "not" else _UNARY
        case ast.Int():
            return _ATOM if expr.value >= 0 else _UNARY
        case ast.Field() | ast.Index() | ast.Method() | ast.With():
            return _POST
        case _:
            return _ATOM


class Phrases:
    """Makes documents of expressions and types; `clear` sets the parentheses that only readers need."""

    def __init__(self, *, clear: bool) -> None:
        self._clear = clear

    # ---- expressions

    def expr(self, expr: ast.Expr, level: int = _EXPR) -> Doc:
        """An expression at a place that takes no lower level unless in parentheses."""
        if _level(expr) < level:
            return self.parenthesised(expr)
        match expr:
            case ast.Int():
                return Text(str(expr.value))
            case ast.Name():
                return Text(expr.text)
            case ast.Call():
                return self.call(expr.func.text, expr.args)
            case ast.Unary():
                return self._unary(expr)
            case ast.Binary():
                return self._binary(expr)
            case ast.Logic():
                return Group(self._chain(expr))
            case ast.IfExpr():
                return self._if(expr)
            case ast.Quant():
                return self.quant(expr)
            case ast.Field():
                return concat(self._object(expr.obj), ("?." if expr.optional else ".") + expr.name.text)
            case ast.Index():
                return concat(self._object(expr.obj), "[", Nest(self.expr(expr.key)), "]")
            case ast.Method():
                return concat(self._object(expr.obj), ".", self.call(expr.name.text, expr.args))
            case ast.With():
                updates = self.listed(self._update(update) for update in expr.updates)
                return concat(self.expr(expr.obj, _POST), " with (", updates, ")")
            case ast.SetLit():
                return concat("{", self.listed(self.expr(item, _SUM) for item in expr.items), "}")
            case ast.SeqLit():
                return concat("[", self.listed(self.expr(item) for item in expr.items), "]")
            case ast.SetComp():
                return self._comprehension(expr.binder, " where", expr.cond)
            case ast.MapComp():
                return self._comprehension(expr.binder, ":", expr.body)
            case ast.Sent():
                return concat("sent(", self.message(expr.msg), " from ", Nest(self.expr(expr.sender)), ")")
            case ast.Inflight():
                return self._inflight(expr)
            case ast.Old():
                return concat("old(", Nest(self.expr(expr.expr)), ")")
            case _:
                assert_never(expr)

    def parenthesised(self, expr: ast.Expr) -> Doc:
        body = self.expr(expr)
        return concat("(", body if isinstance(expr, ast.Quant) else Nest(body), ")")

    def apart(self, expr: ast.Expr) -> Doc:
        """An expression beside a temporal operator: a quantifier gets parentheses for the reader's sake."""
        return self._operand(expr, _EXPR, (ast.Quant, ast.IfExpr))

    def headed(self, head: Doc | str, expr: ast.Expr) -> Doc:
        """`head` and the expression that it introduces, which goes to the next line if it does not fit behind."""
        if isinstance(expr, ast.Quant):
            return concat(head, " ", self.quant(expr))
        return Group(concat(head, Nest(concat(Line(), self.expr(expr)))))

    def quant(self, expr: ast.Quant) -> Doc:
        head = concat(expr.kind + " ", self.binders(expr.binders), ":")
        if isinstance(expr.body, ast.Quant):
            return concat(head, " ", self.quant(expr.body))
        return Group(concat(head, Nest(concat(Line(), self.expr(expr.body)))))

    def binders(self, binders: Iterable[ast.Binder]) -> Doc:
        return self.listed((concat(f"{b.name} in ", self.range(b.domain)) for b in binders), by=4)

    def range(self, domain: ast.Expr | ast.Range) -> Doc:
        """The domain of a binder."""
        return self._between(domain) if isinstance(domain, ast.Range) else self.expr(domain, _SUM)

    def domain(self, domain: ast.Expr | ast.Range) -> Doc:
        """The domain of `for`, `choose` and `any`."""
        return self._between(domain) if isinstance(domain, ast.Range) else self.expr(domain)

    def call(self, name: str, args: Sequence[ast.Expr]) -> Doc:
        if len(args) == 1 and isinstance(args[0], _BRACKETED):
            return concat(f"{name}(", self.expr(args[0]), ")")
        return concat(f"{name}(", self.listed(self.expr(arg) for arg in args), ")")

    def message(self, msg: ast.MsgExpr) -> Doc:
        return self.call(msg.name.text, msg.args) if msg.args else Text(msg.name.text)

    def listed(self, items: Iterable[Doc], *, by: int = 2) -> Doc:
        """Items with commas between them, filling lines."""
        parts = list(items)
        ends = [","] * (len(parts) - 1) + [""]
        return Nest(Fill(tuple(concat(part, end) for part, end in zip(parts, ends, strict=False))), by)

    def _operand(self, expr: ast.Expr, level: int, unclear: tuple[type[ast.Node], ...]) -> Doc:
        """An operand; if the result shall be clear, in parentheses also when it is one of the unclear kinds."""
        if self._clear and isinstance(expr, unclear):
            return self.parenthesised(expr)
        return self.expr(expr, level)

    def _object(self, expr: ast.Expr) -> Doc:
        return self._operand(expr, _POST, (ast.With,))

    def _unary(self, expr: ast.Unary) -> Doc:
        if expr.op == "-":
            return concat("-", self.expr(expr.operand, _UNARY))
        return concat("not ", self._operand(expr.operand, _NOT, (ast.Binary,)))

    def _binary(self, expr: ast.Binary) -> Doc:
        level = _level(expr)
        right: Doc
        if level == _COMPARE:
            right = Group(Nest(concat(Line(), self.expr(expr.right, _SUM))))
            return concat(self.expr(expr.left, _SUM), f" {expr.op}", right)
        if level == _IMPLIES:
            right = Nest(concat(Line(), self._operand(expr.right, _EXPR, (ast.Quant, ast.IfExpr))))
            return Group(concat(self.expr(expr.left, _OR), " =>", right))
        parts: list[Doc] = []
        left: ast.Expr = expr
        while isinstance(left, ast.Binary) and _level(left) == level:
            parts.append(self.expr(left.right, level + 1))
            parts.append(Text(f" {left.op}"))
            left = left.left
        parts.append(self.expr(left, level))
        parts.reverse()
        pairs = [concat(*parts[i : i + 2]) for i in range(0, len(parts), 2)]
        return Group(Nest(Fill(tuple(pairs))))

    def _chain(self, expr: ast.Logic) -> Doc:
        level, unclear = (_AND, (ast.Logic,)) if expr.op == "or" else (_NOT, ())
        parts = [self._operand(item, level, unclear) for item in expr.items]
        return Fill((*(concat(part, f" {expr.op}") for part in parts[:-1]), parts[-1]))

    def _if(self, expr: ast.IfExpr) -> Doc:
        parts: list[Doc] = []
        head = "if "
        last: ast.Expr = expr
        while isinstance(last, ast.IfExpr):
            then = self._operand(last.then, _EXPR, (ast.IfExpr,))
            parts += [Group(concat(head, Nest(self.expr(last.cond)), Nest(concat(Line(), "then ", then)))), Line()]
            head = "else if "
            last = last.orelse
        parts += [concat("else ", Nest(self.expr(last)))]
        return Group(Concat(tuple(parts)))

    def _between(self, domain: ast.Range | ast.RangeType) -> Doc:
        simple = _level(domain.lo) >= _UNARY and _level(domain.hi) >= _UNARY
        return concat(self.expr(domain.lo, _SUM), ".." if simple else " .. ", self.expr(domain.hi, _SUM))

    def _comprehension(self, binder: ast.Binder, word: str, body: ast.Expr) -> Doc:
        head = concat(f"{{{binder.name} in ", self.range(binder.domain), word)
        return Group(concat(head, Nest(concat(Line(), self.expr(body))), "}"))

    def _update(self, update: ast.Update) -> Doc:
        value = self.expr(update.value)
        if update.name is not None:
            return concat(f"{update.name} = ", value)
        assert update.key is not None
        return concat("[", self.expr(update.key), "] = ", value)

    def _inflight(self, expr: ast.Inflight) -> Doc:
        parts: list[Doc | str] = [f"inflight({expr.message}"]
        if expr.sender is not None:
            parts += [" from ", Nest(self.expr(expr.sender))]
        if expr.receiver is not None:
            parts += [" to ", Nest(self.expr(expr.receiver))]
        return concat(*parts, ")")

    # ---- types

    def type(self, type_: ast.Type) -> str:
        """A type on one line; types are short."""
        match type_:
            case ast.BoolType():
                return "bool"
            case ast.RangeType():
                return flat(self._between(type_))
            case ast.NamedType():
                return type_.name
            case ast.SetType():
                limit = "" if type_.limit is None else f", {self.text(type_.limit)}"
                return f"Set[{self.type(type_.elem)}{limit}]"
            case ast.MapType():
                return f"Map[{self.type(type_.key)}, {self.type(type_.value)}]"
            case ast.SeqType():
                return f"Seq[{self.type(type_.elem)}, {self.text(type_.limit)}]"
            case ast.BagType():
                return f"Bag[{self.type(type_.elem)}, {self.text(type_.limit)}]"
            case ast.OptType():
                return f"{self.type(type_.inner)}?"
            case _:
                assert_never(type_)

    def text(self, expr: ast.Expr) -> str:
        """An expression on one line."""
        return flat(self.expr(expr))
