"""What the pages say about a spec, as data: results of checks, what each check assumed, and drawings.

Pages are made from these classes alone, by a pure function (`pages.build_pages`). `gather` makes them by running the
checker, and `store` keeps them between builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from checker.base.data import dataclass
from checker.base.source import Source
from checker.lang import ast
from checker.lang.parser import parse
from checker.properties.kinds import CheckResult, CheckVerdict
from checker.render.values import Change
from checker.site.text import slug, title_of, words_of
from checker.site.words import ENGLISH, Words


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
        timeouts: steps that nothing but time brings about, as `Redis.Expire`.
    """

    constants: Mapping[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    bound: str | None = None
    processes: Mapping[str, str] = field(default_factory=dict)
    own_faults: tuple[str, ...] = ()
    timeouts: tuple[str, ...] = ()


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
    """One check. `stories` belong to the traces of its properties.

    `explorer` is the data for walking through its states, as JSON; empty where the check could not run.
    """

    result: CheckResult
    setting: Setting = field(default_factory=Setting)
    stories: Mapping[str, Story] = field(default_factory=dict)
    explorer: str = ""


@dataclass(frozen=True, slots=True)
class Levels:
    """How many states of a check each depth has."""

    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph in SVG, and of what: a check, with constants set from outside.

    Attributes:
        states, edges: of the check.
        nodes: how many are drawn.
        view: what was merged, if anything.
        steps: where only a neighbourhood of the first state is drawn: how many steps it reaches.
    """

    svg: str
    check: str
    constants: Mapping[str, str]
    states: int
    edges: int
    nodes: int
    view: str | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The drawings of a spec; None where one is impossible or would be too large to read.

    Attributes:
        roles: the diagram of roles and messages.
        graph: the whole graph of some instance.
        quotient: a check merged by what its processes are about.
        near: the surroundings of the first state, where there is neither.
    """

    roles: str | None = None
    graph: Drawing | None = None
    quotient: Drawing | None = None
    near: Drawing | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One check, gone along by an implementation.

    Attributes:
        check: its name.
        outcome: `conforms`, `mismatch` or `incomplete`; `sampled` where only some runs of it were made, and nothing differed;
            `left` where not even that could be done.
        taken, total: transitions of the graph that were compared, and all of them; 0 where nobody counted.
        left_out: transitions behind steps that the implementation does not have.
        paths, steps: how the transitions were covered.
        seen, variables: how many variables of the spec were observed, of how many.
        tried: how many steps that the spec forbids were tried, all in vain unless there is a mismatch.
        report: what differed, as text; empty where nothing did.
        why: why it is incomplete, if it is.
        scene: what happens, where only the steps along one way were taken; empty where it is the whole check.
    """

    check: str
    outcome: str
    taken: int = 0
    total: int = 0
    left_out: int = 0
    paths: int = 0
    steps: int = 0
    seen: int = 0
    variables: int = 0
    tried: int = 0
    report: str = ""
    why: str = ""
    scene: str = ""


@dataclass(frozen=True, slots=True)
class Conformance:
    """An implementation and how it did.

    Attributes:
        module: that of its adapter.
        checks: by instance.
        unsupported: the steps that it does not have.
        services: what it ran on.
        absent: what was missing for it to run at all.
    """

    module: str
    checks: tuple[Replayed, ...]
    unsupported: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Kills:
    """A kill matrix as the document of `lockstep mutate`, None where there is none; `built`: the build of the site made it."""

    document: Mapping[str, Any] | None
    built: bool = True


NO_KILLS = Kills(None)

_LIMITS = ("Bounds of the model", "Limits of the model", "Left out")
_SOURCES = ("Source: ", "Sources: ")
"""How paragraphs of a doc comment begin that have a section of their own on the page."""


@dataclass(frozen=True)
class SpecFacts:
    """One spec: its path from the root of the repository, its text, and what is known about it."""

    path: str
    text: str
    checks: tuple[CheckFacts, ...]
    figures: Figures = field(default_factory=Figures)
    conformance: tuple[Conformance, ...] = ()
    kills: Kills = NO_KILLS
    """What becomes of mistakes that are put into it, or into its implementation."""
    words: Words = ENGLISH
    """The language of the pages, with translations of this spec's doc comments."""
    levels: tuple[int, ...] = ()
    """How many states of the largest check each depth has; empty where that was not counted."""

    @property
    def largest(self) -> CheckFacts | None:
        """The check with the most states, if one ran to its end."""
        whole = [f for f in self.checks if f.result.states and f.result.verdict is not CheckVerdict.ERROR]
        return max(whole, key=lambda f: f.result.states, default=None)

    @cached_property
    def source(self) -> Source:
        return Source(self.path, self.text)

    @cached_property
    def tree(self) -> ast.Spec:
        return parse(self.source)

    @property
    def title(self) -> str:
        return self.words(title_of(self.tree.doc)[0] or words_of(self.tree.name.text))

    @cached_property
    def question(self) -> tuple[tuple[str, ...], ...]:
        """The paragraphs of the doc comment that say what it is about, without the title that it begins with."""
        return tuple(p for p in title_of(self.tree.doc)[1] if not p[0].startswith((*_LIMITS, *_SOURCES)))

    @property
    def limits(self) -> tuple[tuple[str, ...], ...]:
        """The paragraphs about what the model leaves out."""
        return tuple(p for p in title_of(self.tree.doc)[1] if p[0].startswith(_LIMITS))

    @property
    def sources(self) -> tuple[tuple[str, ...], ...]:
        """The paragraphs about where the protocol was published, without the word that they begin with."""
        found = [p for p in title_of(self.tree.doc)[1] if p[0].startswith(_SOURCES)]
        return tuple((text[:1].upper() + text[1:], *p[1:]) for p in found for text in [p[0].partition(": ")[2]])

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
