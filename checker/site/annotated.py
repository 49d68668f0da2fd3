"""A spec with notes beside its lines: what its author wrote in doc comments, and what the checker knows.

The text is cut where a doc comment begins, and at empty lines between declarations. Each piece is a row: code on the left,
and on the right the doc comment that stood above it, followed by facts about its lines. Facts come from the syntax tree and
from results: what a word of the language means where it first occurs, how often a handler was taken, what became of a
property. Lines keep their numbers and addresses, so that the rest of the page can point to them; the lines of doc comments
are the only ones that are moved.
"""

from __future__ import annotations

from checker.base.data import dataclass
from checker.lang import ast
from checker.properties.kinds import Verdict
from checker.site.code import code_lines, numbered
from checker.site.facts import SpecFacts
from checker.site.prose import prose_html
from checker.site.results import check_badge
from checker.site.text import escape
from checker.site.traces import anchors

DOC = "///"


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines from `first` to `last`, counted from 1, and the doc comment above them."""

    doc: tuple[str, ...]
    first: int
    last: int


def annotated_html(spec: SpecFacts) -> str:
    """The spec without the comment at its head, with its notes."""
    lines = code_lines(spec.text)
    facts = Facts(spec).by_line
    rows = []
    for piece in pieces(spec.text):
        code = "\n".join(numbered(lines[n - 1], n, words=spec.words) for n in range(piece.first, piece.last + 1))
        told = "".join(
            f'<p class="ls-fact"><a href="#L{n}">{n}</a> {fact}</p>'
            for n in range(piece.first, piece.last + 1)
            for fact in facts.get(n, ())
        )
        note = prose_html(spec.words, piece.doc) + told
        rows.append(
            f'<div class="ls-row"><div class="ls-note">{note}</div>'
            f'<div class="language-psm highlight ls-code"><pre tabindex="0"><code>{code}\n</code></pre></div></div>'
        )
    return f'<div class="ls-annotated">{"".join(rows)}</div>'


def pieces(text: str) -> list[Piece]:
    """A text in pieces, without the doc comment of the spec itself."""
    found: list[Piece] = []
    doc: list[str] = []
    first = last = 0

    def close() -> None:
        nonlocal first, doc
        if first:
            found.append(Piece(tuple(doc), first, last))
            doc = []
        first = 0

    for number, line in enumerate(text.rstrip().split("\n"), 1):
        stripped = line.strip()
        if stripped.startswith(DOC):
            close()
            doc.append(stripped.removeprefix(DOC).removeprefix(" "))
        elif not stripped:
            if first and last + 1 == number and not text.split("\n")[number].startswith((" ", "}")):
                close()
        else:
            if stripped.startswith("spec ") and not found:
                doc = []  # the lead of the page
            first = first or number
            last = number
    close()
    return found


class Facts:
    """What is known about lines, `by_line`. A word of the language is explained where it first occurs."""

    def __init__(self, spec: SpecFacts) -> None:
        self.spec = spec
        self.by_line: dict[int, list[str]] = {}
        self._explained: set[str] = set()
        for decl in spec.tree.decls:
            self._declaration(decl)

    def _tell(self, node: ast.Node, *texts: str) -> None:
        self.by_line.setdefault(self.spec.line_of(node), []).extend(text for text in texts if text)

    def _meaning(self, word: str | None) -> str:
        if word is None or word in self._explained or word not in _MEANINGS:
            return ""
        self._explained.add(word)
        return f"<code>{word}</code>: {self.spec.words(_MEANINGS[word])}"

    def _declaration(self, decl: ast.Decl) -> None:
        spec = self.spec
        match decl:
            case ast.NetworkDecl():
                self._tell(decl, self._meaning(decl.kind))
            case ast.RoleDecl():
                self._tell(decl.name, _processes(spec, decl), self._meaning("symmetric" if decl.symmetric else None))
                for member in decl.members:
                    self._member(decl.name.text, member)
            case ast.SharedDecl():
                self._tell(decl, self._meaning("shared"))
            case ast.PropDecl():
                self._tell(decl.name, self._meaning(decl.kind), _verdicts(spec, decl.name.text))
            case ast.LiveDecl():
                self._tell(decl.name, self._meaning("live"), _verdicts(spec, decl.name.text))
            case ast.RefinesDecl():
                self._tell(decl.name, self._meaning("refines"), _verdicts(spec, decl.name.text))
            case ast.LinearDecl():
                self._tell(decl.name, self._meaning("linearizable"), _verdicts(spec, decl.name.text))
            case ast.FinalDecl():
                self._tell(decl, self._meaning("final"))
            case ast.CheckDecl():
                for found in (f.result for f in spec.checks if f.result.name == decl.name.text):
                    states = spec.words.count(found.states, "state")
                    self._tell(decl.name, f"{check_badge(found, spec.words)} {states}")
            case _:
                pass

    def _member(self, role: str, member: ast.Member) -> None:
        match member:
            case ast.VarDecl():
                self._tell(member.name, self._meaning(member.keep))
            case ast.OnMessage():
                taken = _taken(self.spec, f"{role}.{member.message.text}")
                self._tell(member.message, self._meaning("on"), taken)
            case ast.Ignore():
                self._tell(member.message, self._meaning("ignore"))
            case ast.Handler():
                name = member.kind if member.name is None else member.name.text
                taken = _taken(self.spec, f"{role}.{name}")
                self._tell(member.name or member.body, self._meaning(member.kind), taken)
            case _:
                pass


def _processes(spec: SpecFacts, role: ast.RoleDecl) -> str:
    """How many processes of a role there are, if it is not one."""
    if role.size is None:
        return ""
    counts = dict.fromkeys(
        sum(r == role.name.text for r in f.setting.processes.values()) for f in spec.checks if f.setting.processes
    )
    numbers = sorted(counts)
    if not numbers:
        return ""
    if numbers == [1]:
        return spec.words("one process in the checks below")
    number = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"
    return spec.words("{number} processes in the checks below", number=number)


def _taken(spec: SpecFacts, step: str) -> str:
    """In which check a step was taken most."""
    counts = {f.result.name: f.result.coverage.steps[step] for f in spec.checks if step in f.result.coverage.steps}
    if not counts:
        return ""
    most = max(counts, key=lambda name: counts[name])
    if not counts[most]:
        return f'<span class="ls-zero">{spec.words("never taken in any check")}</span>'
    times = spec.words.count(counts[most], "time")
    return spec.words("taken {times} in {check}", times=times, check=f"<code>{escape(most)}</code>")


def _verdicts(spec: SpecFacts, name: str) -> str:
    """In how many checks a property holds, and where it fails."""
    found = {f.result.name: p for f in spec.checks for p in f.result.properties if p.name == name}
    places = anchors(spec)
    good = [check for check, p in found.items() if p.verdict is Verdict.HOLDS]
    bad = [check for check, p in found.items() if p.verdict in (Verdict.VIOLATED, Verdict.UNREACHED)]
    parts = []
    if good:
        parts.append(spec.words("holds in {checks}", checks=spec.words.count(len(good), "check")))
    if bad:
        links = []
        for check in bad:
            anchor = places.get((check, name))
            code = f"<code>{escape(check)}</code>"
            links.append(code if anchor is None else f'<a href="#{anchor}">{code}</a>')
        parts.append(spec.words("fails in {checks}", checks=spec.words.listed(links)))
    return spec.words("; ").join(parts)


_MEANINGS = {
    "soup": "what was sent stays: it arrives late, in any order, again, or never.",
    "bag": "each copy arrives at most once, in any order.",
    "fifo": "between two processes, what was sent first arrives first.",
    "shared": "every process reads and writes it.",
    "durable": "on disk: survives a crash.",
    "volatile": "in memory: a crash sets it back.",
    "ghost": "for properties alone: no process can read it.",
    "symmetric": "the processes are interchangeable.",
    "on": "runs when such a message arrives; where a condition is not met, the message waits.",
    "ignore": "such a message is thrown away.",
    "action": "the process may do this of its own accord, whenever the condition is met.",
    "timeout": "may strike whenever its condition is met: clocks are not trusted.",
    "restart": "runs when a process that crashed comes back.",
    "fault": "happens only in checks that grant it a budget.",
    "tick": "runs when time passes.",
    "invariant": "must be true in every state.",
    "step": "must be true of every step: <code>old(…)</code> is the value before it.",
    "reach": "must be true in at least one state.",
    "live": "must come true sooner or later.",
    "refines": "every step is one that a simpler spec allows, or changes nothing there.",
    "linearizable": "one order of the operations explains all answers, with each between its invocation and its response.",
    "final": "where it is fine that nothing happens any more.",
}
