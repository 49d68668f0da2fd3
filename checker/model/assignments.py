"""Typing of assignments: to a local, a variable, or a place inside one.

An assignment to a ghost is ghost code and may read anything. In a `for` over a symmetric set the place must not depend on
the order in which the loop runs (`order_free`).
"""

from __future__ import annotations

from checker.base.source import Span
from checker.lang import ast
from checker.lang.resolve import unknown
from checker.model import ir
from checker.model.context import Bad, Mode
from checker.model.convert import as_bag, store
from checker.model.expressions import Expressions
from checker.model.types import (
    INT,
    BagT,
    IntT,
    OptT,
    ProcT,
    RecordT,
    SeqT,
    SetT,
    Type,
    join,
    matches,
    show,
)


class Assignments(Expressions):
    """Translates assignments in one context, whose mode is `HANDLER` or `GHOST`."""

    def assign(self, node: ast.Assign) -> ir.Stmt:
        root = node.target.root
        local = self.ctx.scope.get(root.text)
        if local is not None:
            if local.number not in self.ctx.lets and not (node.target.path and isinstance(local.type, ProcT)):
                self.reporter.error(
                    "PSM306", f"`{root}` is a parameter and cannot be assigned", root.span, help="copy it with `let`"
                )
                raise Bad
            path, place, read = self.path(node.target, ir.GetLocal(local))
            self.order_free(node, path, place, local)
            value = self.assigned_value(node, place, read, exact=not path)
            return ir.SetLocal(local, *self.whole_record(path, read, value, node.span), node.span)
        var = self.variable(root)
        if self.ctx.mode is Mode.GHOST and var.keep != "ghost":
            self.reporter.error(
                "PSM402", f"`{var.name}` is no ghost, and whether it is written depends on one", node.span
            )
            raise Bad
        mode = Mode.GHOST if var.keep == "ghost" else self.ctx.mode
        with self.ctx.as_mode(mode):
            path, place, read = self.path(node.target, ir.GetVar(var, None))
            self.order_free(node, path, place)
            value = self.assigned_value(node, place, read)
            return ir.SetVar(var, *self.whole_record(path, read, value, node.span), node.span)

    def variable(self, root: ast.Ident) -> ir.Var:
        role = self.ctx.role
        world = self.world
        if role is not None and (role.name, root.text) in world.variables:
            return world.variables[role.name, root.text]
        if (None, root.text) in world.variables:
            return world.variables[None, root.text]
        if root.text in world.roles:
            self.reporter.error(
                "PSM401",
                f"a handler writes a variable of {root}",
                root.span,
                help="a process writes its own variables and shared ones: send a message instead",
            )
        elif root.text == "self":
            self.reporter.error(
                "PSM306",
                "`self` is the process itself and cannot be assigned",
                root.span,
                help="its own variables go by their bare names: write `x := …`, not `self.x := …`",
            )
        elif root.text in world.symbols.globals or root.text in world.symbols.enum_values:
            self.reporter.error(
                "PSM306", f"`{root}` is {world.symbols.kind_of(root.text)} and cannot be assigned", root.span
            )
        else:
            own = [] if role is None else [n for r, n in world.variables if r == role.name]
            shared = [n for r, n in world.variables if r is None]
            unknown(self.reporter, root, "variable", [*own, *shared, *self.ctx.scope])
        raise Bad

    def path(self, target: ast.LValue, read: ir.Expr) -> tuple[ir.Path, Type, ir.Expr]:
        """The way to an assigned place, the type of the place, and an expression that reads it."""
        steps: list[ir.FieldStep | ir.IndexStep] = []
        for part in target.path:
            unwrap = isinstance(read.type, OptT)
            outer = read.type.inner if isinstance(read.type, OptT) else read.type
            if isinstance(part, ast.Ident):
                if isinstance(outer, ProcT):
                    self.reporter.error(
                        "PSM401", "a handler writes a variable of another process", part.span,
                        help="a process writes its own variables and shared ones: send a message instead",
                    )  # fmt: skip
                    raise Bad
                if not isinstance(outer, RecordT):
                    self.reporter.error("PSM303", f"{show(outer)} has no field `{part}`", part.span)
                    raise Bad
                read = self.record_field(self.needed(read, part.span), outer, part)
                assert isinstance(read, ir.GetField)
                steps.append(ir.FieldStep(read.index, unwrap, part.span))
            else:
                read = self.index(part.span, read, part, part.span)
                assert isinstance(read, ir.GetIndex)
                steps.append(ir.IndexStep(read.key, outer, unwrap, part.span))
        return tuple(steps), read.type, read

    def whole_record(self, path: ir.Path, read: ir.Expr, value: ir.Expr, span: Span) -> tuple[ir.Path, ir.Expr]:
        """Where a record with a `where` is on the way, it is stored as a whole, so that its condition is checked."""
        rest: tuple[ir.Path, ir.Expr] = path, value
        for at in reversed(range(len(path))):
            assert isinstance(read, ir.GetField | ir.GetIndex)
            holder = read.obj
            if isinstance(read, ir.GetField):
                value = ir.WithField(holder, read.index, value, holder.type)
            else:
                value = ir.WithIndex(holder, read.key, value, holder.type, span)
            if isinstance(holder.type, RecordT) and holder.type.constrained:
                value = ir.Checked(value, holder.type, f"record {holder.type.name}", span)
                rest = path[:at], value
            read = holder.obj if isinstance(holder, ir.Unwrap) else holder
        return rest

    def assigned_value(self, node: ast.Assign, place: Type, read: ir.Expr, exact: bool = False) -> ir.Expr:
        value = self.expr(node.value)
        what = f"`{self.reporter.source.slice(node.target.span)}`"
        if node.op != ":=":
            value = self.operate(node.op[0], read, self.operand(node, place, value), node)
        if exact and isinstance(read, ir.GetLocal) and isinstance(place, IntT):
            place = INT
        return store(value, place, node.value.span, self.reporter, what, fill=node.op == ":=")

    def operand(self, node: ast.Assign, place: Type, value: ir.Expr) -> ir.Expr:
        """The right side of `+=` and `-=`: an element of a collection becomes a collection of one."""
        if not isinstance(place, SetT | SeqT | BagT):
            return value
        if isinstance(place, BagT):
            value = as_bag(value)
        whole = join(value.type, place) is not None and isinstance(value.type, SetT | SeqT | BagT)
        if isinstance(place, SeqT):
            if not whole:
                self.reporter.error(
                    "PSM301", f"`{node.op}` appends a sequence, not {show(value.type)}", node.value.span,
                    help="put the element in [ ]",
                )  # fmt: skip
                raise Bad
            return value
        single = matches(value.type, place.elem) and (isinstance(place.elem, OptT) or not isinstance(value.type, OptT))
        if whole and single:
            self.reporter.error(
                "PSM305", f"`{node.op}` could mean one element or a set of them", node.value.span,
                help="put an element in { }",
            )  # fmt: skip
            raise Bad
        if whole:
            return value
        if not single and isinstance(value.type, OptT) and matches(value.type, place.elem):
            value = ir.Unwrap(value, value.type.inner, node.value.span)
            single = True
        if not single:
            self.reporter.error(
                "PSM301",
                f"`{node.op}` needs {show(place.elem)} or a set of them, not {show(value.type)}",
                node.value.span,
            )
            raise Bad
        if isinstance(place, BagT):
            return ir.MakeSeq((value,), BagT(value.type, 1))
        return ir.MakeSet((value,), SetT(value.type, 1))

    def order_free(self, node: ast.Assign, path: ir.Path, place: Type, local: ir.Local | None = None) -> None:
        """Reports PSM404 for an assignment whose outcome may depend on the order of a symmetric loop.

        A local that was made inside a loop, after the loop's variable, is new in each round.
        """
        loops = [n for n in self.ctx.symmetric_loops if local is None or local.number < n]
        keys = {s.key.local.number for s in path if isinstance(s, ir.IndexStep) and isinstance(s.key, ir.GetLocal)}
        commutes = node.op != ":=" and isinstance(place, IntT | SetT | BagT)
        if commutes or all(loop in keys for loop in loops):
            return
        self.reporter.error(
            "PSM404",
            "the order of a loop over a symmetric set decides what is stored here",
            node.span,
            help="index the place by the loop's variable, use `+=` or `-=` on a set or number, or drop `symmetric`",
        )
        raise Bad
