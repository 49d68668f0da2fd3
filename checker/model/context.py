"""Where an expression stands, and what it may therefore read.

Locality is the heart of the language: a handler knows its own process, what is shared, and what it was sent. A property
sees everything. Ghost code sees everything and influences nothing. Each place is a `Mode`, each way of looking at the world
a `Use`, and `ALLOWED` is the whole rule. A function is translated once and may contain any use; the uses are recorded and
judged again at each call, so an author may share a function between properties and handlers where that is sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from enum import Enum, auto

from checker.base.data import dataclass
from checker.base.diagnostics import Reporter
from checker.base.source import Span
from checker.model.ir import Local
from checker.model.types import RoleInfo


class Mode(Enum):
    CONST = "a constant"
    INIT = "an initial value"
    WHERE = "a record's `where`"
    HANDLER = "a handler"
    GUARD = "a guard"
    TIMEOUT = "a timeout's guard"
    GHOST = "ghost code"
    PROPERTY = "a property"
    BOUND = "a bound"
    STEP = "a step property"
    FUNCTION = "a function"


class Use(Enum):
    SELF = auto()
    OWN = auto()
    SHARED = auto()
    REMOTE = auto()
    GHOST = auto()
    SENT = auto()
    INFLIGHT = auto()
    OLD = auto()
    SILENT = auto()
    HONEST = auto()


_LOCAL = frozenset({Use.SELF, Use.OWN, Use.SHARED, Use.SENT})
_ALL_STATE = frozenset({Use.SHARED, Use.REMOTE, Use.GHOST, Use.SENT, Use.INFLIGHT, Use.HONEST})

ALLOWED: dict[Mode, frozenset[Use]] = {
    Mode.CONST: frozenset(),
    Mode.INIT: frozenset({Use.SELF}),
    Mode.WHERE: frozenset(),
    Mode.HANDLER: _LOCAL,
    Mode.GUARD: _LOCAL,
    Mode.TIMEOUT: _LOCAL | {Use.SILENT},
    Mode.GHOST: _LOCAL | {Use.REMOTE, Use.GHOST, Use.HONEST},
    Mode.PROPERTY: _ALL_STATE,
    Mode.BOUND: _ALL_STATE - {Use.GHOST},
    Mode.STEP: _ALL_STATE | {Use.OLD},
    Mode.FUNCTION: frozenset(Use) - {Use.OLD},
}

_REFUSALS: dict[Use, tuple[str, str, str]] = {
    Use.SELF: ("PSM310", "`self` has no meaning in {mode}", "name the process: bind one with `forall r in R`"),
    Use.OWN: ("PSM310", "{what} of a role cannot be read in {mode}", "write `r.name` for some process r"),
    Use.SHARED: ("PSM310", "{what} cannot be read in {mode}", "only constants can stand here"),
    Use.REMOTE: (
        "PSM401",
        "{mode} reads {what} of another process",
        "a process knows only its own variables: send it in a message, make it `shared`, or record it in a ghost",
    ),
    Use.GHOST: (
        "PSM402",
        "{mode} reads the ghost {what}",
        "what a process does may not depend on a ghost; read it in properties and in assignments to ghosts",
    ),
    Use.SENT: ("PSM405", "`sent` cannot stand in {mode}", "use it in handlers, guards and properties"),
    Use.INFLIGHT: ("PSM405", "`inflight` cannot stand in {mode}", "only properties see the network"),
    Use.OLD: ("PSM310", "`old` cannot stand in {mode}", "`old` belongs to `step` properties"),
    Use.SILENT: ("PSM310", "`silent` cannot stand in {mode}", "only a timeout's guard may ask a failure detector"),
    Use.HONEST: ("PSM310", "`honest` cannot stand in {mode}", "a process does not know who is faulty"),
}


class Bad(Exception):
    """A problem was reported, and what holds it cannot be translated. Caught at the next statement or declaration."""


@dataclass(slots=True)
class Context:
    """One place: its mode, the role whose code it is, the locals in scope, and the uses recorded for a function."""

    mode: Mode
    role: RoleInfo | None = None
    scope: dict[str, Local] = field(default_factory=dict)
    assigned: frozenset[str] = frozenset()
    lets: set[int] = field(default_factory=set)
    uses: dict[tuple[Use, str], None] = field(default_factory=dict)
    no_send: str | None = None
    in_old: bool = False
    symmetric_loops: tuple[int, ...] = ()
    cut: bool = False
    asks_silence: bool = False

    def use(self, kind: Use, what: str, span: Span, reporter: Reporter, via: str | None = None) -> None:
        """Notes a use, or reports it where it is not allowed. `via` names the function through which it happens."""
        if self.mode is Mode.FUNCTION and kind in ALLOWED[Mode.FUNCTION]:
            self.uses[kind, what] = None
            return
        if kind in ALLOWED[self.mode]:
            self.asks_silence = self.asks_silence or kind is Use.SILENT
            if kind is Use.SENT and self.cut and self.mode in (Mode.GUARD, Mode.TIMEOUT):
                reporter.error(
                    "PSM405",
                    f"a guard uses `sent({what})` in a check with `cut`",
                    span,
                    help="across a cut nobody knows what was sent: count what was received instead",
                )
                raise Bad
            return
        code, message, advice = _REFUSALS[kind]
        through = f" through `{via}`" if via else ""
        text = message.format(mode=self.mode.value, what=what)
        reporter.error(code, text + through, span, help=advice)
        raise Bad

    @contextmanager
    def bound(self, *locals_: Local) -> Iterator[None]:
        """Adds locals for the length of a `with`."""
        before = dict(self.scope)
        self.scope.update({local.name: local for local in locals_ if local.name != "_"})
        try:
            yield
        finally:
            self.scope = before

    @contextmanager
    def as_mode(self, mode: Mode) -> Iterator[None]:
        before, self.mode = self.mode, mode
        try:
            yield
        finally:
            self.mode = before
