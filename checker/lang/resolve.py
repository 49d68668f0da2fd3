"""The names that a spec declares.

`declare` makes one table of everything with a name, and reports what can be said without types: names declared twice,
names that are the language's own. There are five kinds of names that cannot be confused by their place, so each has a
space of its own: values and types together (constants, types, ids, enums and their values, records, roles, shared
variables, functions), messages, networks, properties, checks. Members of a role have a space for each role, and may not
shadow the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checker.base.data import dataclass
from checker.base.diagnostics import Reporter, did_you_mean
from checker.lang import ast

BUILTIN_NAMES = frozenset({"self", "none", "true", "false", "all", "_"})
BUILTIN_FUNCTIONS = frozenset(
    {"size", "min", "max", "take", "drop", "last", "count", "at", "index", "opt", "honest", "silent"}
)
BUILTIN_PROPERTIES = ("NoError", "NoDeadlock")

Global = (
    ast.ConstDecl
    | ast.TypeDecl
    | ast.IdDecl
    | ast.EnumDecl
    | ast.RecordDecl
    | ast.RoleDecl
    | ast.SharedDecl
    | ast.FunDecl
)
Prop = ast.PropDecl | ast.LiveDecl | ast.RefinesDecl | ast.LinearDecl


@dataclass(frozen=True, slots=True)
class RoleNames:
    """The members of one role, in the order of the text."""

    decl: ast.RoleDecl
    variables: Mapping[str, ast.VarDecl]
    functions: Mapping[str, ast.FunDecl]
    procedures: Mapping[str, ast.ProcDecl]
    own_faults: Mapping[str, ast.Handler]
    steps: tuple[ast.OnMessage | ast.Handler | ast.Ignore, ...]

    def names(self) -> Iterator[str]:
        yield from self.variables
        yield from self.functions
        yield from self.procedures


@dataclass(frozen=True, slots=True)
class Symbols:
    """Every declaration by its name. `enum_values` maps a value to its enum's name."""

    spec: ast.Spec
    globals: Mapping[str, Global]
    enum_values: Mapping[str, str]
    messages: Mapping[str, ast.MessageSig]
    networks: tuple[ast.NetworkDecl, ...]
    properties: Mapping[str, Prop]
    checks: Mapping[str, ast.CheckDecl]
    roles: Mapping[str, RoleNames]
    final: ast.FinalDecl | None

    def kind_of(self, name: str) -> str:
        """What a declared name is, in words."""
        if name in self.enum_values:
            return f"a value of enum {self.enum_values[name]}"
        words = {
            ast.ConstDecl: "a constant",
            ast.TypeDecl: "a type",
            ast.IdDecl: "an id type",
            ast.EnumDecl: "an enum",
            ast.RecordDecl: "a record",
            ast.RoleDecl: "a role",
            ast.SharedDecl: "a shared variable",
            ast.FunDecl: "a function",
        }
        if name in self.globals:
            return words[type(self.globals[name])]
        if name in self.messages:
            return "a message"
        if name in self.properties:
            return "a property"
        return "not declared"


class _Space:
    """One space of names; reports the second declaration of a name, with a note on the first."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.seen: dict[str, ast.Ident] = {}

    def add(self, name: ast.Ident, *, callable_: bool = False) -> bool:
        if name.text in BUILTIN_NAMES or (callable_ and name.text in BUILTIN_FUNCTIONS):
            self.reporter.error(
                "PSM202", f"`{name.text}` is built in and cannot be declared", name.span, help="choose another name"
            )
            return False
        first = self.seen.get(name.text)
        if first is not None:
            line = self.reporter.source.place(first.span.start).line
            self.reporter.error(
                "PSM202",
                f"`{name.text}` is declared twice",
                name.span,
                notes=[f"first declared in line {line}"],
                help="rename one of them",
            )
            return False
        self.seen[name.text] = name
        return True


def declare(spec: ast.Spec, reporter: Reporter) -> Symbols:
    """The table of names. Reports PSM202 and PSM203; never raises."""
    space = _Space(reporter)
    messages_space, props_space, checks_space = _Space(reporter), _Space(reporter), _Space(reporter)
    globals_: dict[str, Global] = {}
    enum_values: dict[str, str] = {}
    messages: dict[str, ast.MessageSig] = {}
    networks: list[ast.NetworkDecl] = []
    properties: dict[str, Prop] = {}
    checks: dict[str, ast.CheckDecl] = {}
    final: ast.FinalDecl | None = None
    for decl in spec.decls:
        match decl:
            case ast.SharedDecl(var=var):
                if space.add(var.name):
                    globals_[var.name.text] = decl
            case ast.EnumDecl():
                if space.add(decl.name):
                    globals_[decl.name.text] = decl
                for value in decl.values:
                    if space.add(value):
                        enum_values[value.text] = decl.name.text
            case ast.ConstDecl() | ast.TypeDecl() | ast.IdDecl() | ast.RecordDecl() | ast.RoleDecl() | ast.FunDecl():
                if space.add(decl.name, callable_=isinstance(decl, ast.FunDecl | ast.RecordDecl)):
                    globals_[decl.name.text] = decl
            case ast.MessageDecl(sigs=sigs):
                for sig in sigs:
                    if messages_space.add(sig.name):
                        messages[sig.name.text] = sig
            case ast.NetworkDecl():
                networks.append(decl)
            case ast.PropDecl() | ast.LiveDecl() | ast.RefinesDecl() | ast.LinearDecl():
                if decl.name.text in BUILTIN_PROPERTIES:
                    reporter.error(
                        "PSM202", f"`{decl.name.text}` is built in", decl.name.span, help="choose another name"
                    )
                elif props_space.add(decl.name):
                    properties[decl.name.text] = decl
            case ast.CheckDecl():
                if checks_space.add(decl.name):
                    checks[decl.name.text] = decl
            case ast.FinalDecl():
                if final is not None:
                    reporter.error("PSM202", "`final` is declared twice", decl.span, help="join the two with `or`")
                final = final or decl
    roles = {
        decl.name.text: _members(decl, space, reporter) for decl in globals_.values() if isinstance(decl, ast.RoleDecl)
    }
    return Symbols(spec, globals_, enum_values, messages, tuple(networks), properties, checks, roles, final)


def _members(role: ast.RoleDecl, outer: _Space, reporter: Reporter) -> RoleNames:
    space = _Space(reporter)
    steps_space = _Space(reporter)
    variables: dict[str, ast.VarDecl] = {}
    functions: dict[str, ast.FunDecl] = {}
    procedures: dict[str, ast.ProcDecl] = {}
    own_faults: dict[str, ast.Handler] = {}
    steps: list[ast.OnMessage | ast.Handler | ast.Ignore] = []
    restart = tick = False
    for member in role.members:
        match member:
            case ast.VarDecl():
                if _inner(member.name, space, outer, reporter):
                    variables[member.name.text] = member
            case ast.FunDecl():
                if _inner(member.name, space, outer, reporter, callable_=True):
                    functions[member.name.text] = member
            case ast.ProcDecl():
                if _inner(member.name, space, outer, reporter, callable_=True):
                    procedures[member.name.text] = member
            case ast.Handler(kind="restart") | ast.Handler(kind="tick"):
                if restart if member.kind == "restart" else tick:
                    reporter.error("PSM202", f"`on {member.kind}` is declared twice", member.span)
                restart, tick = restart or member.kind == "restart", tick or member.kind == "tick"
                steps.append(member)
            case ast.Handler(name=name):
                assert name is not None
                if steps_space.add(name):
                    steps.append(member)
                    if member.kind == "fault":
                        own_faults[name.text] = member
            case ast.OnMessage() | ast.Ignore():
                steps.append(member)
    return RoleNames(role, variables, functions, procedures, own_faults, tuple(steps))


def _inner(name: ast.Ident, space: _Space, outer: _Space, reporter: Reporter, *, callable_: bool = False) -> bool:
    if name.text in outer.seen:
        line = reporter.source.place(outer.seen[name.text].span.start).line
        reporter.error(
            "PSM203",
            f"`{name.text}` shadows a declaration of the spec",
            name.span,
            notes=[f"declared in line {line}"],
            help="rename one of them; no name may hide another",
        )
        return False
    return space.add(name, callable_=callable_)


def unknown(reporter: Reporter, name: ast.Ident | ast.Name, what: str, candidates: Iterator[str] | list[str]) -> None:
    """Reports PSM201, with the nearest known name."""
    reporter.error(
        "PSM201",
        f"unknown {what} `{name.text}`",
        name.span,
        help=did_you_mean(name.text, candidates) or f"declare it, or check the spelling of `{name.text}`",
    )
