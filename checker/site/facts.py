"""What the pages say about a spec, as data: results of checks, what each check assumed, and drawings.

Pages are made from these classes alone, by a pure function (`pages.build_pages`). `gather` makes them by running the
checker, and `store` keeps them between builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from checker.base.source import Source
from checker.lang import ast
from checker.lang.parser import parse
from checker.properties.kinds import CheckResult
from checker.render.values import Change
from checker.site.text import slug, title_of, words_of


@dataclass(frozen=True, slots=True)
class Setting:
    """The instance that a check explored.

    Attributes:
        constants: names with their values as text.
        given: the constants that the check itself sets.
        faults: budgets, `crash TM ≤ 2`.
        networks: `soup`, `bag[1]`; with names where there are several.
        bound: the text of the check's `bound`.
        processes: the names of all processes, in order, with their roles.
        own_faults: steps that are faults of the spec, as `RM0.AbortByHand`.
    """

    constants: Mapping[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    bound: str | None = None
    processes: Mapping[str, str] = field(default_factory=dict)
    own_faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """What stands beside the steps of a trace: lines about the initial state, and what each step changed.

    `abstract` is the story of the same steps in the abstract spec that a refinement is about.
    """

    initial: tuple[str, ...]
    changes: tuple[tuple[Change, ...], ...]
    abstract: Story | None = None


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """One check. `levels` counts the states of each depth; `stories` belong to the traces of its properties.

    `explorer` is the data for walking through its states, as JSON; empty where the check could not run.
    """

    result: CheckResult
    setting: Setting = field(default_factory=Setting)
    levels: tuple[int, ...] = ()
    stories: Mapping[str, Story] = field(default_factory=dict)
    explorer: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph in SVG, and of what: a check, with constants set from outside. `view` says what was merged, if anything."""

    svg: str
    check: str
    constants: Mapping[str, str]
    states: int
    edges: int
    nodes: int
    view: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The drawings of a spec; None where one is impossible or would be too large to read."""

    roles: str | None = None
    graph: Drawing | None = None
    quotient: Drawing | None = None


@dataclass(frozen=True)
class SpecFacts:
    """One spec: its path from the root of the repository, its text, and what is known about it."""

    path: str
    text: str
    checks: tuple[CheckFacts, ...]
    figures: Figures = field(default_factory=Figures)

    @cached_property
    def source(self) -> Source:
        return Source(self.path, self.text)

    @cached_property
    def tree(self) -> ast.Spec:
        return parse(self.source)

    @property
    def title(self) -> str:
        return title_of(self.tree.doc)[0] or words_of(self.tree.name.text)

    @property
    def question(self) -> tuple[tuple[str, ...], ...]:
        """The paragraphs of the doc comment, without the title that it begins with."""
        return title_of(self.tree.doc)[1]

    @property
    def family(self) -> str:
        """`transactions` for `specs/transactions/two_phase_commit.psm`."""
        parent = PurePosixPath(self.path).parent.name
        return slug(parent) if parent not in ("", ".", "specs") else "other"

    @property
    def name(self) -> str:
        """The name of the spec's page, without its family."""
        return slug(PurePosixPath(self.path).stem)

    def line_of(self, node: ast.Node) -> int:
        """The line on which a declaration begins."""
        return self.source.place(node.span.start).line

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """The lines of what pages link to: `Role.Step`, properties, `check NAME`. What is declared twice is left out."""
        found: dict[str, list[int]] = {}
        for decl in self.tree.decls:
            match decl:
                case ast.PropDecl() | ast.LiveDecl() | ast.RefinesDecl() | ast.LinearDecl():
                    found.setdefault(decl.name.text, []).append(self.line_of(decl.name))
                case ast.CheckDecl():
                    found.setdefault(f"check {decl.name.text}", []).append(self.line_of(decl.name))
                case ast.RoleDecl():
                    for member in decl.members:
                        label = _step_label(member)
                        if label is not None:
                            found.setdefault(f"{decl.name.text}.{label[0]}", []).append(self.line_of(label[1]))
        return {name: lines[0] for name, lines in found.items() if len(lines) == 1}

    @cached_property
    def docs(self) -> Mapping[str, tuple[str, ...]]:
        """The doc comments of properties and, as `check NAME`, of checks."""
        docs: dict[str, tuple[str, ...]] = {}
        for decl in self.tree.decls:
            match decl:
                case ast.PropDecl() | ast.LiveDecl() | ast.RefinesDecl() | ast.LinearDecl():
                    docs[decl.name.text] = decl.doc
                case ast.CheckDecl():
                    docs[f"check {decl.name.text}"] = decl.doc
        return docs


def _step_label(member: ast.Member) -> tuple[str, ast.Node] | None:
    """What a step of a role is called in results, and the node that carries the name."""
    match member:
        case ast.OnMessage():
            return member.message.text, member.message
        case ast.Ignore():
            return f"ignore {member.message.text}", member.message
        case ast.Handler():
            return (member.kind, member.body) if member.name is None else (member.name.text, member.name)
    return None
