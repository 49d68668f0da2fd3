"""The table of mistakes in syntax.

A row is an example of a mistake, turned into patterns over the words around the error (see `syntax_scene`) and over the
terminals that the parser would have taken there. Rows are tried from top to bottom, the special ones first; the
first one that fits gives code, message and help. In these texts `<at>` is the word that did not fit, `<previous>` the
one before it, and any other `<name>` what the group of that name matched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checker.lang.syntax_scene import Scene

_NAME = r"[A-Za-z_]\w*"
_COMPARISON = r"(?:==|!=|<=|>=|<|>|in|not in)"
_KEEP = r"(?:durable|volatile|ghost|shared)"
_CLOSERS = r"(?:[)\]},]|$)"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One row. `at` fits the words from the error on, `before` those up to it, `takes` what would have been right.

    `takes` needs one of its terminals to be acceptable, `lacks` none of them, and `only` allows no others. The word to
    point at is the one that did not fit, or the one before it (`blame_previous`).
    """

    code: str
    message: str
    help: str
    at: str = ""
    before: str = ""
    takes: str = ""
    only: str = ""
    lacks: str = ""
    inside: bool | None = None
    blame_previous: bool = False

    def match(self, scene: Scene) -> dict[str, str] | None:
        """The groups of a fitting row, or None."""
        if self.takes and not scene.takes(*self.takes.split()):
            return None
        if self.lacks and scene.takes(*self.lacks.split()):
            return None
        if self.only and not (scene.accepts and scene.accepts <= set(self.only.split())):
            return None
        if self.inside is not None and self.inside != scene.inside:
            return None
        after = re.match(self.at + r"(?= |$)", scene.after) if self.at else None
        if self.at and after is None:
            return None
        before = re.search(r"(?:^|(?<= ))" + self.before + "$", scene.before) if self.before else None
        if self.before and before is None:
            return None
        groups: dict[str, str] = {}
        for found in (before, after):
            if found is not None:
                groups |= {name: text for name, text in found.groupdict().items() if text is not None}
        return groups


_OPERAND = "INFLIGHT OLD"
_OPERATOR = "ADD AND OR CMP __ANON_3"
_STATEMENT = "SEND"
_MEMBER = "IGNORE"
_DECLARATION = "CONST"
_TYPE = "BOOL"
_ITEM = "EXPECT"

ASSIGNMENT = (
    Mistake(
        "PSM111",
        "`<number>` is a number, and not a type",
        "write a range, such as `0..<number>`",
        before=r".*[:=\[,] (?P<number>[0-9]+)",
        takes="__ANON_2",
        lacks="CMP AND",
    ),
    Mistake(
        "PSM111",
        "a range of numbers has two ends",
        "write `lo..hi`, such as `0..3`",
        takes="__ANON_2",
        lacks="CMP AND COLON WHERE COMMA",
    ),
    Mistake(
        "PSM101",
        "`=` does not assign",
        "write `<target> := …`",
        at="=",
        before=rf"(?P<target>{_NAME}(?: \. {_NAME})*)",
        takes="ASSIGN",
    ),
    Mistake("PSM101", "`=` does not assign", "write `:=`", at="=", takes="ASSIGN"),
    Mistake(
        "PSM106",
        "`==` compares, and a statement has to change something",
        "write `:=` to assign, or `if … == … { … }`",
        at="==",
        takes="ASSIGN",
    ),
    Mistake(
        "PSM101",
        "`:=` assigns in statements, and `<word> <name>` is a declaration",
        "write `<word> <name> = …`",
        at=":=",
        before=rf"(?P<word>const|type|let|fun) (?P<name>{_NAME})",
    ),
    Mistake("PSM101", "`:=` assigns in statements; a value is given here", "write `=`", at=":=", takes="EQUAL"),
    Mistake(
        "PSM101",
        "`:=` assigns, and a property has a `:` before its condition",
        "write `<word> <name>: …`",
        at=":=",
        before=rf"(?P<word>invariant|step|reach|live) (?P<name>{_NAME})",
    ),
    Mistake(
        "PSM101",
        "`:=` assigns, and a condition stands here",
        "write `==` to compare",
        at=":=",
        takes="AND OR CMP LBRACE THEN",
    ),
    Mistake("PSM106", "`==` compares; a value is given here", "write `=`", at="==", takes="EQUAL"),
    Mistake("PSM106", "`==` compares; a value is given here", "write `=`", at="==", inside=True, before=rf".*{_NAME}"),
    Mistake(
        "PSM100",
        "only `live` properties have parameters",
        "write `<word> <name>: forall x in S: …`",
        at=r"\(",
        before=rf"(?P<word>invariant|step|reach) (?P<name>{_NAME})",
    ),
    Mistake("PSM111", "`final` has a `:` and no name", "write `final: …`", before="final", only="COLON"),
    Mistake(
        "PSM111",
        "a property has a `:` before its condition",
        "write `<word> <name>: …`",
        before=rf"(?P<word>invariant|step|reach|live) (?P<name>{_NAME})",
        only="COLON LPAR",
    ),
    Mistake(
        "PSM106",
        "`=` does not compare",
        "write `==`",
        at="=(?! >)",
        takes=f"{_OPERATOR} RPAR THEN",
    ),
    Mistake(
        "PSM100",
        "one assignment changes one variable",
        "write one `:=` for each",
        at=rf", {_NAME}.* :=",
        takes="ASSIGN",
    ),
)

HEADS = (
    Mistake("PSM100", "`<previous>` has no parameters", "write `on <previous> … {`", at=r"\(", before="on (?:restart|tick)"),
    Mistake("PSM111", "the condition behind `when` is missing", "write `when …`, or leave `when` out", before=r".*when \{ \}",
            takes="LBRACE"),
    Mistake("PSM111", "the condition behind `when` is missing", "write `when …`, or leave `when` out", before=r".*when \{ .*", at=":="),
    Mistake("PSM111", "the body of a handler stands in braces", "write `{ … }`", at="(?:->|=>)", takes="WHEN"),
    Mistake("PSM107", "a guard is one condition", "join its parts with `and`", at=",", before=".*when .*", takes="LIMIT LBRACE"),
    Mistake("PSM111", "`ignore` has no body", "leave out the braces: an ignored message changes nothing", at=r"\{", before="ignore .*"),
    Mistake("PSM107", "the condition of a record stands behind `where`", "write `record R(…) where …`",
            at="(?:if|when|with|such|\\|)", before="record .*", takes="WHERE"),
    Mistake(
        "PSM107",
        "a guard stands behind `when`, not behind `<at>`",
        "write `when … {` before the body",
        at=r"(?:if|where|requires?|guard|provided|with|and|unless|\[|&&|\|)",
        takes="WHEN",
    ),
    Mistake("PSM107", "a guard stands behind `when`", "write `when …` without brackets", at=r"\(", takes="WHEN"),
    Mistake(
        "PSM107",
        "a guard stands before the body, not in it",
        "write `when … {` behind the handler's head, or `if … { … }` here",
        before="when",
        takes="ASSIGN",
        blame_previous=True,
    ),
    Mistake(
        "PSM107",
        "a guard stands behind the head of its handler",
        "write `on M when … {`",
        at="when",
        takes=_MEMBER,
    ),
    Mistake("PSM107", "a second `when`", "join the two conditions with `and`", at="when", before=".*when .*", takes="LBRACE"),
    Mistake("PSM107", "`when` stands before `limit`", "write `when … limit … {`", at="when", before=".*limit .*"),
    Mistake(
        "PSM107",
        "only handlers have guards, and `<word> <name>` is none",
        "write `if … { … }` in the body",
        at="when",
        before=rf"(?P<word>proc|fun) (?P<name>{_NAME})(?: \(.*\))?",
    ),
    Mistake(
        "PSM100",
        "the fields of a message have their types where it is declared",
        "write names alone: `on <message>(<field>)`",
        at=":",
        before=rf"(?:on|ignore) (?P<message>{_NAME}) \( (?:{_NAME} , )*(?P<field>{_NAME})",
    ),
    Mistake(
        "PSM100",
        "empty parentheses",
        "write `<name>` without them",
        at=r"\)",
        before=rf"(?P<name>{_NAME}) \(",
    ),
    Mistake(
        "PSM111",
        "parameter `<name>` has no type",
        "write `<name>: T`",
        at=r"[,)]",
        before=rf"(?:(?:action|timeout|fault|fun|proc|record|message) {_NAME}|, {_NAME}) \( .*?(?P<name>{_NAME})",
        takes="COLON",
    ),
    Mistake(
        "PSM100",
        "the sender of a message stands behind `from`",
        "write `on M(x) from p`",
        at=r"(?:by|of|<-|@|to|in)",
        takes="FROM",
    ),
    Mistake("PSM111", "a function has its result's type behind `:`", "write `): T = …`", at="(?:->|=>|returns)",
            before=r"fun .*", takes="COLON"),
    Mistake(
        "PSM100",
        "the body of a function is one expression behind `=`",
        "write `= …`, or `proc` in a role for statements",
        at=r"\{",
        before="fun .*",
        takes="EQUAL",
    ),
    Mistake(
        "PSM100",
        "the number of processes stands in brackets",
        "write `role <name>[…] {`",
        at=r"\(",
        before=rf"role (?P<name>{_NAME})",
    ),
    Mistake(
        "PSM111",
        "`role <name>` needs its members in braces",
        "write `role <name> { … }`",
        at="(?:=|:|is|begin|extends)",
        before=rf"role (?P<name>{_NAME})",
    ),
    Mistake(
        "PSM111",
        "the fields of a message stand in parentheses",
        "write `<name>(<field>: …)`",
        at=rf"(?P<field>{_NAME}) :",
        before=rf"(?:message|,) (?P<name>{_NAME})",
        takes="LPAR",
    ),
    Mistake(
        "PSM111",
        "the fields of `<name>` stand in parentheses",
        "write `<name>(f: T, …)`",
        at=r"[\[{:=]",
        before=rf"(?:(?:record|message) |.*, )(?P<name>{_NAME})",
        takes="LPAR",
    ),
    Mistake(
        "PSM111",
        "the values of an enum stand in braces",
        "write `enum <name> { a, b }`",
        at=r"(?:=|:|\(|\[)",
        before=rf"enum (?P<name>{_NAME})",
    ),
    Mistake("PSM111", "a comma is missing between two values", "write `<previous>, <at>`", at=_NAME,
            before=r"enum .*", only="COMMA RBRACE"),
    Mistake(
        "PSM111",
        "`id <name>` needs its size in brackets",
        "write `id <name>[2]`",
        before=rf"id (?P<name>{_NAME})",
        only="LSQB",
    ),
    Mistake(
        "PSM111",
        "the items of a check stand in braces",
        "write `check <name> { … }`",
        before=rf"check (?P<name>{_NAME})",
        only="LBRACE",
    ),
)

TYPES = (
    Mistake("PSM111", "the type `<name>` is given behind `=`", "write `type <name> = …`", before=rf"type (?P<name>{_NAME})", only="EQUAL"),
    Mistake(
        "PSM111",
        "the type of `<name>` is missing",
        "write `<name>: T`, with a type such as `bool`, `0..3` or `Set[R]`",
        at=rf"(?:=|{_CLOSERS})",
        before=rf"(?P<name>{_NAME}) :",
        takes=_TYPE,
    ),
    Mistake(
        "PSM111",
        "`<previous>` takes its types in brackets",
        "write `<previous>[…]`",
        before="(?:Set|Map|Seq|Bag)",
        only="LSQB",
    ),
    Mistake(
        "PSM111",
        "`<kind>` needs a bound: every type is finite",
        "write `<kind>[T, 3]`",
        at=r"\]",
        before=r"(?P<kind>Seq|Bag) \[ .*",
        takes="COMMA",
    ),
    Mistake("PSM111", "a map has a type of keys and one of values", "write `Map[K, V]`", before=r"Map \[ .*",
            at=r"(?:->|=>|:|\]|to)", takes="COMMA"),
    Mistake(
        "PSM111",
        "variable `<name>` has no initial value",
        "write `= …` behind its type; `= any S` begins with each element of S",
        before=rf"{_KEEP} (?P<name>{_NAME}) : [^=]+",
        takes="EQUAL",
    ),
    Mistake(
        "PSM100",
        "a variable is durable, volatile or ghost, and not two of them",
        "leave out `<word>` or `<previous>`",
        before="(?P<word>durable|volatile|ghost) (?:durable|volatile|ghost)",
        only="COLON",
    ),
    Mistake(
        "PSM111",
        "variable `<name>` has no type",
        "write `<name>: T = …`",
        before=rf"{_KEEP} (?P<name>{_NAME})",
        only="COLON",
    ),
    Mistake(
        "PSM111",
        "constant `<name>` has no value",
        "write `= …` behind it; a check may override the value",
        before=rf"const (?P<name>{_NAME})(?: : [^=]+)?",
        takes="EQUAL",
    ),
    Mistake("PSM100", "`let` takes no type", "write `let <name> = …`", at=":", before=rf"let (?P<name>{_NAME})"),
)

STATEMENTS = (
    Mistake(
        "PSM100",
        "`then` belongs to an `if` that is an expression",
        "write `if … { … } else { … }` for statements",
        at="then",
        takes="LBRACE",
    ),
    Mistake(
        "PSM111",
        "statements stand in braces, not behind `:`",
        "write `{ … }`",
        at=":",
        takes="LBRACE",
        lacks=_OPERAND,
    ),
    Mistake("PSM111", "`either` without `or`", "write `either { … } or { … }`", only="OR"),
    Mistake("PSM111", "`<word>` has its statements in braces", "write `<word> { … }`",
            before="(?P<word>either|toss|atomic|or|else)", takes="LBRACE", only="LBRACE IF"),
    Mistake("PSM111", "`send` without a message", "write `send M to …`", before="send to", takes="TO"),
    Mistake("PSM111", "`send <message>` has no receiver", "write `send <message> to …`",
            before=rf"send (?P<message>{_NAME})(?: \(.*\))?", takes="TO"),
    Mistake("PSM100", "`send` takes a message without parentheses", "write `send M(…) to r`", at=r"\(", before="send"),
    Mistake("PSM100", "`for each` has one word here", "write `for <name> in S { … }`", before="for each", at=rf"(?P<name>{_NAME})"),
    Mistake("PSM100", "`<word> <name>` takes its values behind `in`", "write `<word> <name> in S`",
            before=rf"(?P<word>for|choose) (?P<name>{_NAME})", only="IN"),
    Mistake("PSM100", "`<word>` takes no parentheses", "write `<word> x in S`", at=r"\(", before="(?P<word>for|choose|forall|exists|sum)"),
    Mistake("PSM100", "`else` without an `if` before it", "write `if … { … } else { … }`, without anything between `}` and `else`",
            before="else", takes="ASSIGN", blame_previous=True),
    Mistake("PSM100", "`or` without an `either` before it", "write `either { … } or { … }`", before="or", at=r"\{", takes="ASSIGN",
            blame_previous=True),
    Mistake("PSM111", "a statement with `<word>` has its statements in braces", "write `{ … }`",
            before=r".*(?P<word>if|for|either|atomic|else) .*", at=_NAME, takes="LBRACE"),
    Mistake("PSM100", "a call changes nothing", "assign to a variable: `x := …`", at=r"(?::=|\+=|-=)", before=r".*\)", takes=_STATEMENT),
    Mistake("PSM109", "a statement outside a handler", "put it into `on M { … }`, `action A { … }` or a `proc`",
            at=rf"(?:{_NAME} (?:\S+ )?(?::=|\+=|-=)|(?:if|for|send|let|choose|either|toss|assert|atomic))", takes=_MEMBER),
    Mistake("PSM109", "a statement outside a role", "put it into a handler of a role",
            at=rf"(?:{_NAME} (?:\S+ )?(?::=|\+=|-=)|(?:if|for|send|choose|either|toss|atomic))", takes=_DECLARATION),
    Mistake("PSM111", "variable `<name>` is neither `durable` nor `volatile` nor `ghost`",
            "write `durable <name>: …` if a crash keeps it, `volatile <name>: …` if a crash resets it",
            at=rf"(?P<name>{_NAME}) [:=]", takes=_MEMBER),
    Mistake("PSM111", "a comma separates nothing here", "statements and declarations end where the next one begins", at=",",
            takes=f"{_STATEMENT} {_MEMBER} {_DECLARATION} {_ITEM}"),
)

EXPRESSIONS = (
    Mistake("PSM100", "an `if` stands before its values", "write `if c then a else b`", at="if .* else"),
    Mistake("PSM100", "an `if` stands before its values", "write `if c then a else b`", at="else", before=".* if .*", takes="LBRACE"),
    Mistake("PSM100", "a set or a map begins with its variable", "write `{x in S where …}` for a set, `{k in K: e}` for a map",
            at="for", takes="RBRACE RSQB RPAR"),
    Mistake("PSM100", "`let` is a statement", "write the value where it is used, or give it a name with `fun`", before=".*[:=(,] let"),
    Mistake("PSM100", "there are no functions without a name", "write `fun f(x: T): U = …`", before=".*(?:lambda|fn|func)"),
    Mistake("PSM111", "the value before `<word>` is missing", "write an expression",
            before=".*(?:[:=(,]|and|or|not|when|=>) (?P<word>and|or|in)", blame_previous=True),
    Mistake("PSM100", "`with` has its changes in parentheses", "write `v with (f = e)` or `m with ([k] = e)`", before=".*with", only="LPAR"),
    Mistake("PSM100", "a change in `with` has a `=`", "write `v with (f = e)` or `m with ([k] = e)`", before=r".*with \( .*", only="EQUAL"),
    Mistake("PSM100", "`<previous>` takes parentheses", "write `<previous>(…)`", before="(?:.* )?(?:old|sent|inflight)", only="LPAR"),
    Mistake("PSM111", "`sent` says who sent it", "write `sent(M(…) from p)`", before=r".*sent \( .*", takes="FROM"),
    Mistake("PSM100", "`inflight` names the sender and the receiver", "write `inflight(M from p to q)`", before=r".*inflight \( .*", takes="FROM TO"),
    Mistake("PSM111", "`if … then …` without `else`", "an expression has a value in both cases: add `else …`", only="ELSE"),
    Mistake("PSM111", "`if` without `then`", "write `if … then … else …` for a value", before=".*if .*", takes="THEN"),
    Mistake("PSM100", "a set of some values names its domain first", "write `{<name> in S where …}`", at=r"[|:]",
            before=rf"\{{ (?P<name>{_NAME})", takes="IN"),
    Mistake("PSM100", "a map has a `:` behind its keys", "write `{<name> in <domain>: …}`", at=r"(?:->|\|->|=>|:=|=)",
            before=rf"\{{ (?P<name>{_NAME}) in (?P<domain>\S+)"),
    Mistake("PSM111", "a condition of a set stands behind `where`", "write `{x in S where …}`",
            before=rf".*\{{ {_NAME} in .*", takes="WHERE"),
    Mistake("PSM111", "`<word> <name>` does not say over which values", "write `<word> <name> in S: …`",
            before=rf"(?P<word>forall|exists|sum) (?:.*, )?(?P<name>{_NAME})", only="IN"),
    Mistake("PSM111", "a quantifier has a `:` before its body", "write `<word> x in S: …`",
            before=r".*(?P<word>forall|exists|sum) \S+ in .*", takes="COLON"),
    Mistake("PSM100", "`<word>` is read as a name here", "put it in parentheses: `(<word> …)`",
            before=rf".*(?:[-+*/%&<>]|==|!=|<=|>=|in|and|or|not|from|to) (?P<word>forall|exists|sum|if|not)(?: {_NAME})?"),
    Mistake("PSM100", "comparisons do not chain", "write `a <at> b and b <at> c`", at=_COMPARISON, before=rf".*{_COMPARISON} .*",
            takes="AND OR RPAR"),
    Mistake("PSM100", "a range is no set of its own in an expression", "write `x >= lo and x <= hi`, or declare `type T = lo..hi` and write `x in T`",
            at=r"\.\.", before=".* in .*"),
    Mistake("PSM100", "a sequence has no slices", "write `take(q, n)` and `drop(q, n)`", at=r"(?:\.\.|:)", takes="RSQB"),
    Mistake("PSM100", "a range stands behind `in` or `any`, or is a type", "write `x >= lo and x <= hi` for a condition", at=r"\.\."),
    Mistake("PSM100", "`<previous>` is a temporal operator, and stands only in a `live` property", "write `live L: <previous> …`",
            before="(?:eventually|always)", takes=f"{_OPERATOR} {_DECLARATION}", blame_previous=True),
    Mistake("PSM100", "“leads to” stands only in a `live` property", "write `live L: P ~> Q`", at="~>"),
    Mistake("PSM111", "`always` alone is an invariant", "write `invariant`, or `always eventually …`", only="EVENTUALLY"),
    Mistake("PSM111", "a `live` property says when", "write `eventually …`, `always eventually …`, `eventually always …` or `P ~> Q`",
            takes="__ANON_0"),
    Mistake("PSM104", "`<previous>` is a keyword and cannot be a name", "write `<previous>_` instead",
            at=r"(?::=|\+=|-=|==|!=|<=|>=|[-+*/%&<>=.)},\]])", before="(?:forall|exists|sum|old|sent|inflight|let|send|for|choose|if|either|toss|assert|atomic)",
            blame_previous=True),
    Mistake("PSM111", "nothing stands behind the comma", "remove the `,`", at=r"[)\]}]", before=".*,", takes=f"{_OPERAND} NAME"),
    Mistake("PSM111", "the value behind `<previous>` is missing", "write an expression", at=rf"(?:{_CLOSERS}|then|else|to|when|from|where|and|or|=>|[*/%&])",
            takes=_OPERAND),
)

CHECKS = (
    Mistake("PSM111", "`expect` says what is expected first", "write `expect holds <name>` or `expect fails <name>`",
            at=rf"(?P<name>{_NAME}) (?!{_NAME}$)", before="expect"),
    Mistake("PSM111", "a verdict stands behind `expect`", "write `expect <at> …`", at="(?:holds|fails|states)", takes=_ITEM),
    Mistake("PSM111", "`<previous>` strikes a role", "write `<previous> R <= 1`", at="(?:<=|<|=|==|:)",
            before="(?:crash|stop|byzantine|drift)", only="NAME"),
    Mistake("PSM100", "`<previous>` strikes messages, and no role", "write `<previous> <= 1`", at=_NAME, before="(?:.* )?(?:lose|dup)", only="__ANON_1"),
    Mistake("PSM100", "a cut names the roles on its two sides in parentheses", "write `cut(A, B) <= 1`", before=r".*cut(?: \( \S+)?",
            takes="__ANON_1 COMMA"),
    Mistake("PSM111", "a comma is missing between two faults", "write `, <at> …`", at="(?:lose|dup|cut|crash|stop|byzantine|drift)",
            before="faults .*"),
    Mistake("PSM111", "a fault needs a budget", "write `<= 1` behind it", before="faults .*", takes="__ANON_1"),
    Mistake("PSM111", "a constant gets its value with `=`", "write `<previous> = …`", at="[:(]", before=r"check .*", only="EQUAL"),
    Mistake("PSM111", "the capacity of a network stands in brackets", "write `<previous>[2]`", at=r"[(0-9:]", before="network.* (?:soup|bag|fifo)",
            takes="LSQB"),
    Mistake("PSM100", "symmetry is used where it may be", "write `symmetry off`, or leave it out", only="OFF"),
    Mistake("PSM111", "the kind of the network is missing", "write `soup`, `bag[k]` or `fifo[k]`", before="network.*", takes="KIND"),
)

NAMES = (
    Mistake("PSM111", "a name begins with a letter", "write a letter before `<at>`", at="[0-9]", only="NAME KIND"),
    Mistake("PSM111", "a name is missing behind `<previous>`", "write a name", before=r".*\S+", only="NAME KIND"),
)

SPECIAL = ASSIGNMENT + HEADS + TYPES + EXPRESSIONS + STATEMENTS + CHECKS
