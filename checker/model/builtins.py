"""Typing of the built-in functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NoReturn

from checker.base.data import dataclass
from checker.base.diagnostics import Reporter
from checker.base.source import Span
from checker.lang import ast
from checker.model import ir
from checker.model.context import Bad, Context, Use
from checker.model.convert import coerce, store
from checker.model.machine import Function
from checker.model.types import (
    INT,
    BagT,
    EnumT,
    IdT,
    IntT,
    NeverT,
    OptT,
    ProcT,
    SeqT,
    SetT,
    Type,
    is_symmetric,
    join,
    show,
)
from checker.model.world import World

_ARITY = {
    "size": (1, 1),
    "min": (1, 99),
    "max": (1, 99),
    "take": (2, 2),
    "drop": (2, 2),
    "last": (1, 1),
    "count": (2, 2),
    "at": (2, 2),
    "index": (1, 1),
    "opt": (1, 1),
    "honest": (1, 1),
    "silent": (1, 1),
}


@dataclass(slots=True)
class BuiltinMixin(ABC):
    """`size`, `min`, `max`, `take`, `drop`, `last`, `count`, `at`, `index`, `opt`, `honest`, `silent`."""

    world: World
    ctx: Context

    @property
    @abstractmethod
    def reporter(self) -> Reporter: ...

    @abstractmethod
    def expr(self, node: ast.Expr) -> ir.Expr: ...

    @abstractmethod
    def domain(self, node: ast.Expr | ast.Range) -> ir.Expr: ...

    @abstractmethod
    def joined_all(self, types: list[Type], span: Span, what: str) -> Type: ...

    @abstractmethod
    def ordered(self, t: Type, what: str, span: Span) -> None: ...

    @abstractmethod
    def function(self, key: str, span: Span) -> Function: ...

    def stored(self, e: ir.Expr, t: Type, span: Span, what: str) -> ir.Expr:
        return store(e, t, span, self.reporter, what, fill=True)

    def builtin(self, span: Span, func: ast.Ident, args: tuple[ast.Expr, ...]) -> ir.Expr:
        name = func.text
        low, high = _ARITY[name]
        if not low <= len(args) <= high:
            self.reporter.error("PSM206", f"`{name}` takes {low} argument{'s' * (low > 1)}; {len(args)} given", span)
            raise Bad
        match name:
            case "size":
                obj = self.domain(args[0])
                if not isinstance(obj.type, SetT | SeqT | BagT):
                    self.wrong("size", "a set, sequence or bag", obj.type, args[0].span)
                limit = obj.type.limit if not isinstance(obj.type.elem, NeverT) else 0
                return ir.Size(obj, IntT(0, limit))
            case "min" | "max":
                return self.min_max(span, name, args)
            case "take" | "drop":
                seq = self.expr(args[0])
                if not isinstance(seq.type, SeqT):
                    self.wrong(name, "a sequence", seq.type, args[0].span)
                count = coerce(self.expr(args[1]), INT, args[1].span, self.reporter, "the number of elements")
                return ir.Slice(name, seq, count, seq.type, span)
            case "last":
                seq = self.expr(args[0])
                if not isinstance(seq.type, SeqT):
                    self.wrong(name, "a sequence", seq.type, args[0].span)
                return ir.Last(seq, seq.type.elem, span)
            case "count":
                seq, item = self.expr(args[0]), self.expr(args[1])
                if not isinstance(seq.type, SeqT | BagT):
                    self.wrong(name, "a bag or sequence", seq.type, args[0].span)
                if join(seq.type.elem, item.type) is None:
                    self.wrong(name, show(seq.type.elem), item.type, args[1].span)
                return ir.CountOf(seq, item, IntT(0, seq.type.limit))
            case "at":
                return self.at(span, args[0], args[1])
            case "index":
                item = self.expr(args[0])
                if not isinstance(item.type, IdT | ProcT | EnumT) or (
                    isinstance(item.type, ProcT) and len(item.type.roles) != 1
                ):
                    self.wrong(name, "an id, a process of one role, or an enum value", item.type, args[0].span)
                self.refuse_symmetric(item.type, "`index`", span)
                return ir.Ordinal(item, IntT(0, None))
            case "opt":
                of = self.type_named(args[0], "opt")
                if isinstance(of, OptT):
                    self.wrong(name, "a type that is not optional already", of, args[0].span)
                return ir.DomainSet(OptT(of), SetT(OptT(of)))
            case "honest":
                role = self.type_named(args[0], "honest")
                if not isinstance(role, ProcT):
                    self.wrong(name, "a role", role, args[0].span)
                self.ctx.use(Use.HONEST, "honest", span, self.reporter)
                return ir.Honest(SetT(role), role)
            case _:
                process = self.expr(args[0])
                if isinstance(process.type, OptT):
                    process = ir.Unwrap(process, process.type.inner, args[0].span)
                if not isinstance(process.type, ProcT):
                    self.wrong(name, "a process", process.type, args[0].span)
                self.ctx.use(Use.SILENT, "silent", span, self.reporter)
                return ir.Silent(process)

    def wrong(self, name: str, wanted: str, got: Type, span: Span) -> NoReturn:
        self.reporter.error("PSM301", f"`{name}` needs {wanted}, not {show(got)}", span)
        raise Bad

    def min_max(self, span: Span, name: str, args: tuple[ast.Expr, ...]) -> ir.Expr:
        op = name
        if len(args) == 1:
            of = self.domain(args[0])
            if not isinstance(of.type, SetT | SeqT | BagT):
                self.wrong(name, "several values, or one set or sequence", of.type, args[0].span)
            self.ordered(of.type.elem, f"`{name}`", span)
            return ir.MinMax(op, (of,), True, of.type.elem, span)  # type: ignore[arg-type]
        items = tuple(self.expr(a) for a in args)
        t = self.joined_all([i.type for i in items], span, f"the arguments of `{name}`")
        self.ordered(t, f"`{name}`", span)
        if isinstance(t, IntT):
            pick = min if name == "min" else max
            lows = [i.type.lo for i in items if isinstance(i.type, IntT)]
            highs = [i.type.hi for i in items if isinstance(i.type, IntT)]
            known_lows, known_highs = [x for x in lows if x is not None], [x for x in highs if x is not None]
            # one bound is enough: min has the lowest upper end, max the highest lower end
            t = IntT(
                (pick(known_lows) if known_lows and (name == "max" or len(known_lows) == len(lows)) else None),
                (pick(known_highs) if known_highs and (name == "min" or len(known_highs) == len(highs)) else None),
            )
        return ir.MinMax(op, items, False, t, span)  # type: ignore[arg-type]

    def at(self, span: Span, type_: ast.Expr, index: ast.Expr) -> ir.Expr:
        of = self.type_named(type_, "at")
        if not isinstance(of, ProcT | IdT | EnumT):
            self.wrong("at", "a role, an id type or an enum", of, type_.span)
        self.refuse_symmetric(of, "`at`", span)
        i = coerce(self.expr(index), INT, index.span, self.reporter, "the index")
        return ir.At(of, i, of, span)

    def refuse_symmetric(self, t: Type, what: str, span: Span) -> None:
        if is_symmetric(t):
            self.reporter.error(
                "PSM403",
                f"{what} uses the order of {show(t)}, which is symmetric",
                span,
                help=f"drop `symmetric` from the declaration of {show(t)}",
            )
            raise Bad

    def type_named(self, node: ast.Expr, func: str) -> Type:
        """An argument that is the name of a type."""
        if not isinstance(node, ast.Name):
            self.reporter.error("PSM301", f"`{func}` needs the name of a type here", node.span)
            raise Bad
        return self.world.named(ast.Ident(node.span, node.text))
