r"""Layout of TLA+ text.

A `Block` is a tuple of lines. TLA+ reads lists of `/\` and `\/` by their columns, so blocks are put together by indenting
whole blocks, never by editing lines: what stands behind a bullet stays right of it.

Expressions inside a line are parenthesised completely (the precedence rules of TLA+ refuse many mixtures); `bare` takes
the outermost pair away where a whole line is one expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from checker.base.data import dataclass

Block = tuple[str, ...]

WIDEST = 88
"""How long the text of a definition may be that is written where it is used."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of a LET: `head == body`. `name` is what is defined; `head` may add the domain of a function."""

    name: str
    head: str
    body: Block


def indent(block: Iterable[str], by: int) -> Block:
    """The lines further to the right."""
    return tuple(" " * by + line for line in block)


def prefixed(prefix: str, block: Block) -> Block:
    """The block behind a prefix of its first line; the others are indented as far."""
    return (prefix + block[0], *indent(block[1:], len(prefix)))


def suffixed(block: Block, suffix: str) -> Block:
    return (*block[:-1], block[-1] + suffix)


def bullets(bullet: str, items: Sequence[Block]) -> Block:
    r"""A list of `/\` or `\/`; one item stands alone."""
    if len(items) == 1:
        return items[0]
    return tuple(line for item in items for line in prefixed(bullet + " ", item))


def conjunction(items: Sequence[Block]) -> Block:
    """All of some blocks; nothing at all is true."""
    flat = [part for item in items for part in _parts(item)]
    return bullets("/\\", flat) if flat else ("TRUE",)


def disjunction(items: Sequence[Block]) -> Block:
    """Any of some blocks; nothing at all is false."""
    return bullets("\\/", items) if items else ("FALSE",)


def _parts(block: Block) -> list[Block]:
    """The items of a block that is a conjunction already, so that lists in lists are one list."""
    if not all(line.startswith(("/\\ ", "   ")) for line in block):
        return [block]
    parts: list[list[str]] = []
    for line in block:
        if line.startswith("/\\ "):
            parts.append([])
        parts[-1].append(line[3:])
    return [tuple(p) for p in parts]


def branches(cond: str, then: Block, orelse: Block) -> Block:
    """IF, THEN and ELSE below each other, on one line if they are short."""
    line = f"IF {bare(cond)} THEN {then[0]} ELSE {orelse[0]}"
    if len(then) == len(orelse) == 1 and len(line) <= WIDEST and not line.startswith("/\\"):
        return (line,)
    return (f"IF {bare(cond)}", *prefixed("THEN ", then), *prefixed("ELSE ", orelse))


def quantified(head: str, body: Block) -> Block:
    """A quantifier with its body, below it where it is long."""
    if len(body) == 1 and len(head) + len(body[0]) < WIDEST:
        return (f"{head} : {body[0]}",)
    return (f"{head} :", *indent(body, 2))


def let(definitions: Sequence[Definition], body: Block) -> Block:
    """LET … IN, less the definitions that nothing uses, and those written best where they are used.

    Definitions stand in the order of their dependence, and none of their names is bound anywhere else, so the text of one
    may take the place of its name.
    """
    kept: list[Definition] = []
    for d in reversed(definitions):
        blocks = [body, *((k.head, *k.body) for k in kept)]
        uses = sum(_count(d.name, b) for b in blocks)
        if uses == 0:
            continue
        if uses == 1 and len(d.body) == 1 and d.head == d.name and _fits(d, blocks):
            text = d.body[0]
            body = _replaced(d.name, text, body)
            kept = [
                Definition(k.name, _replaced(d.name, text, (k.head,))[0], _replaced(d.name, text, k.body)) for k in kept
            ]
            continue
        kept.append(d)
    if not kept:
        return body
    lines: list[str] = []
    for d in reversed(kept):
        shown = d.body if len(d.body) > 1 else (bare(d.body[0]),)
        if len(shown) == 1:
            lines.append(f"{d.head} == {shown[0]}")
        else:
            lines += [f"{d.head} ==", *indent(shown, 2)]
    return (*prefixed("LET ", tuple(lines)), *prefixed("IN  ", body))


def binders(lines: Iterable[str]) -> set[str]:
    """The names that quantifiers and the like bind in a text."""
    return {name for line in lines for name in re.findall(r"(\w+) \\in ", line)}


def _word(name: str) -> re.Pattern[str]:
    """Matches strings, to be passed over, and uses of the name, which are neither fields of records nor parts of words."""
    return re.compile(rf'"[^"]*"|(?<![\w.]){re.escape(name)}(?!\w| \|->)')


def _count(name: str, block: Block) -> int:
    return sum(found == name for line in block for found in _word(name).findall(line))


def _fits(d: Definition, blocks: Sequence[Block]) -> bool:
    own = binders(d.body)
    if own and not own.isdisjoint(binders(line for b in blocks for line in b)):
        return False  # it might come to stand where its own bound variables are bound already
    line = next(line for b in blocks for line in b if _count(d.name, (line,)))
    return len(line.strip()) + len(d.body[0]) <= WIDEST or line.endswith(f"' = {d.name}")


def _replaced(name: str, text: str, block: Block) -> Block:
    pattern = _word(name)

    def line_with(line: str) -> str:
        if line.endswith(f"' = {name}"):
            return line[: -len(name)] + operand(text)
        return pattern.sub(lambda m: text if m[0] == name else m[0], line)

    return tuple(line_with(line) for line in block)


def bare(text: str) -> str:
    """The text without a pair of parentheses around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    quoted = False
    for i, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif not quoted:
            depth += (c == "(") - (c == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1]


_LOOSE = re.compile(r"=>|/\\|\\/|[=#<>~]|\\(in|notin|subseteq)\b")


def operand(text: str) -> str:
    """The text as the right side of `=`, without parentheses if it needs none."""
    inner = bare(text)
    if inner == text or inner.startswith("IF "):
        return inner
    depth, flat = 0, ""
    for c in re.sub(r'"[^"]*"|<<|>>', "", inner):
        depth += (c in "([{") - (c in ")]}")
        flat += c if depth == 0 else " "
    return text if _LOOSE.search(flat) or flat.startswith("\\") else inner


def comment(lines: Iterable[str]) -> Block:
    """Comment lines. Text of a spec can neither end the comment nor hold a character that is no text."""
    return tuple(f"\\* {''.join(c if c.isprintable() else '?' for c in line)}".rstrip() for line in lines)


def plain(text: str) -> str:
    """The text as it may stand in a string: TLA+ takes a backtick in one for the beginning of a quotation, up to the next `'`."""
    return re.sub(r'["`\\]', "", text)
