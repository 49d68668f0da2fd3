"""What people write who know other languages, and what to write instead; and the words of this one, by their places.

Plain data for `syntax_hints`. A key is the text as it is written; a value is the advice, a clause that completes a
message. Entries are for what cannot be a name or an operator at the place where it was found, so that a variable called
`skip` is not blamed where it is fine. The sets of this language's own words tell where a declaration begins that
stands at a wrong place, or that shows that something before it has not been closed.
"""

from __future__ import annotations

_TEMPORAL = "say it with `always eventually`, `eventually` or `~>` in a `live` property"

OPERATORS: dict[str, str] = {
    "&&": "write `and`",
    "||": "write `or`",
    "|": "write `or`, `+` for the union of two sets, and `size(s)` for the size of one",
    "!": "write `not`",
    "~": "write `not`",
    "/\\": "write `and`",
    "\\/": "write `or`",
    "->": "write `=>` for “implies”",
    "==>": "write `=>` for “implies”",
    "<->": "write `==` for “if and only if”",
    "<=>": "write `==` for “if and only if”",
    "<>": "write `!=`, and `eventually` for the temporal operator, in a `live` property",
    "~=": "write `!=`",
    "!==": "write `!=`",
    "===": "write `==`",
    "=<": "write `<=`",
    "<-": "write `:=` to assign, or `in` for a domain",
    "|->": "write a map as `{k in K: e}`",
    "::": "write `:` before a type, and `.` before a field",
    "**": "there are no powers; multiply, or give the numbers as constants",
    "^": "there are no powers; multiply, or give the numbers as constants",
    "++": "write `x += 1` as a statement, and `q + r` to join two sequences",
    "--": "write `x -= 1` as a statement",
    "*=": "write `x := x * …`",
    "/=": "write `x := x / …` to assign, and `!=` to compare",
    "%=": "write `x := x % …`",
    "&=": "write `x := x & …`",
    "|=": "write `x += …` to add to a set",
    "+=": "it is a statement of its own; write `+` in an expression",
    "-=": "it is a statement of its own; write `-` in an expression",
    "<<": "write a sequence as `[a, b]`",
    ">>": "write a sequence as `[a, b]`",
    "?": "write `if c then a else b`; `?` stands only behind a type and in `?.`",
    "??": "write `if x == none then … else x`",
    "?.": "it reads a field of an optional record: `x?.f`",
    "...": "write a range as `lo .. hi`",
    "=>": "it means “implies” and stands between two conditions",
    "~>": "“leads to” stands only in a `live` property",
    "\\": "write `-` for the difference of two sets",
    "\\in": "write `in`",
    "\\notin": "write `not in`",
    "\\A": "write `forall x in S: …`",
    "\\E": "write `exists x in S: …`",
    "\\cup": "write `+`",
    "\\union": "write `+`",
    "\\cap": "write `&`",
    "\\intersect": "write `&`",
    "\\land": "write `and`",
    "\\lor": "write `or`",
    "\\lnot": "write `not`",
    "\\neg": "write `not`",
    "\\subseteq": "write `forall x in S: x in T`",
}

WORD_OPERATORS: dict[str, str] = {
    "is": "write `==`",
    "equals": "write `==`",
    "eq": "write `==`",
    "iff": "write `==`",
    "ne": "write `!=`",
    "xor": "write `!=`",
    "lt": "write `<`",
    "le": "write `<=`",
    "gt": "write `>`",
    "ge": "write `>=`",
    "mod": "write `%`",
    "div": "write `/`",
    "implies": "write `=>`",
    "union": "write `+`",
    "intersect": "write `&`",
    "intersection": "write `&`",
    "minus": "write `-`",
    "isin": "write `in`",
    "contains": "write `x in S`",
    "has": "write `x in S`",
    "AND": "write `and`",
    "OR": "write `or`",
    "And": "write `and`",
    "Or": "write `or`",
    "NOT": "write `not in`",
    "not": "write `a not in S`, or `a != b`",
    "leadsto": "write `~>`, in a `live` property",
    "leads": "write `~>`, in a `live` property",
    "until": _TEMPORAL,
    "unless": _TEMPORAL,
}

FOREIGN_STATEMENTS: dict[str, str] = {
    "while": "a step is one finite action: repeat with `for x in S { … }`, or let the handler be enabled again",
    "loop": "a step is one finite action: repeat with `for x in S { … }`, or let the handler be enabled again",
    "repeat": "a step is one finite action: repeat with `for x in S { … }`, or let the handler be enabled again",
    "foreach": "write `for x in S { … }`",
    "return": "a handler ends with its last statement: put the rest behind `else`, or write a `fun`",
    "break": "there are no jumps: put a condition on what the `for` does",
    "continue": "there are no jumps: put a condition on what the `for` does",
    "goto": "there are no jumps: keep the place in a variable, and test it in `when`",
    "var": "write `let x = …`; a local may be assigned later",
    "val": "write `let x = …`",
    "local": "write `let x = …`; a local may be assigned later",
    "int": "write `let x = …`; a local has the type of its value",
    "elif": "write `else if`",
    "elseif": "write `else if`",
    "elsif": "write `else if`",
    "switch": "write `if … { } else if … { }`",
    "match": "write `if … { } else if … { }`",
    "case": "write `if … { } else if … { }`",
    "pass": "write nothing: `{ }` is a block, too",
    "skip": "write nothing: `{ }` is a block, too",
    "UNCHANGED": "write nothing: what is not assigned stays as it is",
    "set": "write `x := …`",
    "call": "write the name of the `proc`, with its arguments: `p(x)`",
    "run": "write the name of the `proc`, with its arguments: `p(x)`",
    "broadcast": "write `send M to R` with the name of a role, a set of ids, or `all`",
    "reply": "name the sender with `on M from p`, and write `send M to p`",
    "receive": "a handler receives: write `on M(x) from p { … }` in the role",
    "await": "a step never waits: write what it waits for in a handler's `when`",
    "wait": "a step never waits: write what it waits for in a handler's `when`",
    "require": "write what must hold in the handler's `when`; `assert` is for what never may be false",
    "requires": "write what must hold in the handler's `when`; `assert` is for what never may be false",
    "assume": "write what must hold in the handler's `when`",
    "throw": "write `assert` for what never may be false",
    "raise": "write `assert` for what never may be false",
    "print": "there is no output: traces show every step and every change",
    "new": "write a record as `R(a, b)`",
    "def": "write `fun` for a function, or `proc` for statements, outside the handler",
    "function": "write `fun` for a function, or `proc` for statements, outside the handler",
}

_FUNCTION = "write `fun f(x: T): U = …`, or `proc` in a role for statements"
_VARIABLE = "variables belong in a role, or are `shared durable x: T = …`"

FOREIGN_PREFIXES: dict[str, str] = {
    "ENABLED": "a step is possible where its guard is true: write that condition",
    "CHOOSE": "`choose x in S` is a statement; in an expression write `min(S)`, or say which one with `exists`",
    "SUBSET": "there is no set of all subsets; `Set[T]` is their type",
    "DOMAIN": "a map has an entry for each value of its key's type: write the name of that type",
    "UNION": "write `{x in T where exists s in S: x in s}`",
    "LET": "write a `fun`",
    "IF": "write `if … then … else …`",
    "UNCHANGED": "write `x == old(x)`, in a `step` property",
}
"""Words that stand before an operand elsewhere; here they are read as names."""

_FAIR = "write `fair` before the action in its role; `strong R.A` in a check makes a step strongly fair"
_BOUND = "write `bound P`: it is counted and reported how much that cuts off"
_CONSTANT = "write `N = …` alone: a check only changes the values of constants"
_PROPERTY = "declare it outside, and write `expect holds X` here"

FOREIGN_ITEMS: dict[str, str] = {
    "WF": _FAIR,
    "SF": _FAIR,
    "fair": _FAIR,
    "weak": _FAIR,
    "fairness": _FAIR,
    "constraint": _BOUND,
    "CONSTRAINT": _BOUND,
    "assume": _BOUND,
    "INVARIANT": _PROPERTY,
    "PROPERTY": _PROPERTY,
    "property": _PROPERTY,
    "CONSTANT": _CONSTANT,
    "constant": _CONSTANT,
    "set": _CONSTANT,
    "SPECIFICATION": "nothing says which steps there are: all handlers, and the faults of the check",
    "SYMMETRY": "write `symmetric` behind a role or an id in its declaration",
}

FOREIGN_DECLARATIONS: dict[str, str] = {
    "def": _FUNCTION,
    "function": _FUNCTION,
    "func": _FUNCTION,
    "fn": _FUNCTION,
    "define": _FUNCTION,
    "operator": _FUNCTION,
    "method": _FUNCTION,
    "pure": _FUNCTION,
    "procedure": "write `proc p(x: T) { … }` inside a role",
    "proc": "a `proc` writes variables of its role, and belongs inside it",
    "class": "write `role` for a process, or `record` for a value with fields",
    "struct": "write `record R(f: T, …)`",
    "process": "write `role R[N] { … }`",
    "actor": "write `role R[N] { … }`",
    "node": "write `role R[N] { … }`",
    "machine": "write `role R[N] { … }`",
    "agent": "write `role R[N] { … }`",
    "var": _VARIABLE,
    "variable": _VARIABLE,
    "variables": _VARIABLE,
    "VARIABLE": _VARIABLE,
    "VARIABLES": _VARIABLE,
    "global": _VARIABLE,
    "state": _VARIABLE,
    "let": "write `const N = …` for a value, or `fun` for what depends on the state",
    "val": "write `const N = …`",
    "constant": "write `const N: T = …`",
    "constants": "write `const N: T = …`, one line for each",
    "CONSTANT": "write `const N: T = …`",
    "CONSTANTS": "write `const N: T = …`, one line for each",
    "import": "a spec is one file",
    "include": "a spec is one file",
    "use": "a spec is one file",
    "extends": "a spec is one file; `refines` names the spec that it implements",
    "EXTENDS": "a spec is one file; `refines` names the spec that it implements",
    "module": "a file has one `spec NAME`, in its first line",
    "spec": "a file has one `spec NAME`, in its first line",
    "property": "write `invariant`, `step`, `reach` or `live`",
    "theorem": "write `invariant`, `step`, `reach` or `live`",
    "safety": "write `invariant` for states and `step` for transitions",
    "assertion": "write `invariant` for states and `step` for transitions",
    "assert": "write `invariant` for what holds in every state; `assert` is a statement",
    "always": "write `invariant`; `always eventually` stands in a `live` property",
    "never": "write `invariant X: not …`",
    "eventually": "write `live L: eventually …`",
    "liveness": "write `live L: eventually …`, `always eventually …` or `P ~> Q`",
    "fairness": "write `fair` before an action; handlers, timeouts and restarts are fair by themselves",
    "init": "every variable has its initial value behind `=`",
    "Init": "every variable has its initial value behind `=`",
    "faults": "faults belong in a `check NAME { … }`",
    "expect": "expectations belong in a `check NAME { … }`",
    "symmetric": "write it behind the size: `role R[N] symmetric`",
    "test": "write `check NAME { … }`",
    "messages": "write `message A, B(x: T)`",
    "channel": "write `network soup`, `network bag[k]` or `network fifo[k]`",
    "event": "write `message M(x: T)`",
}

FOREIGN_MEMBERS: dict[str, str] = {
    "var": "write `durable x: T = …` or `volatile x: T = …`: a crash keeps the one and resets the other",
    "variable": "write `durable x: T = …` or `volatile x: T = …`: a crash keeps the one and resets the other",
    "local": "write `durable x: T = …` or `volatile x: T = …`: a crash keeps the one and resets the other",
    "state": "write `durable x: T = …` or `volatile x: T = …`: a crash keeps the one and resets the other",
    "let": "write `durable x: T = …` or `volatile x: T = …`; `let` is a statement",
    "val": "write `fun x: T = …` for a value that depends on others",
    "def": "write `fun f(x: T): U = …` for a value, or `proc p(x: T) { … }` for statements",
    "function": "write `fun f(x: T): U = …` for a value, or `proc p(x: T) { … }` for statements",
    "func": "write `fun f(x: T): U = …` for a value, or `proc p(x: T) { … }` for statements",
    "fn": "write `fun f(x: T): U = …` for a value, or `proc p(x: T) { … }` for statements",
    "procedure": "write `proc p(x: T) { … }`",
    "handler": "write `on M(x) from p { … }`, `action A { … }` or `timeout T { … }`",
    "receive": "write `on M(x) from p { … }`",
    "upon": "write `on M(x) from p { … }`",
    "event": "write `on M(x) from p { … }` for a message, or `action A { … }`",
    "step": "write `action A { … }` for a step of the role; `step` is a property, and stands outside",
    "init": "every variable has its initial value behind `=`; `on restart { … }` runs after a crash",
    "crash": "faults are given in a check: `faults crash R <= 1`; `on restart { … }` runs after a crash",
    "timer": "write `timeout T when … { … }`",
    "symmetric": "write it behind the size: `role R[N] symmetric { … }`",
}

CHARACTERS: dict[str, str] = {
    "‘": "there are no strings; use the values of an `enum`",
    "’": "there are no strings; use the values of an `enum`",
    "“": "there are no strings; use the values of an `enum`",
    "”": "there are no strings; use the values of an `enum`",
    "`": "write names without quotes",
    "–": "write `-`",
    "—": "write `-`",
    "−": "write `-`",
    "×": "write `*`",
    "·": "write `*`",
    "÷": "write `/`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "∈": "write `in`",
    "∉": "write `not in`",
    "∧": "write `and`",
    "∨": "write `or`",
    "¬": "write `not`",
    "∀": "write `forall`",
    "∃": "write `exists`",
    "→": "write `=>`, or `~>` in a `live` property",
    "⇒": "write `=>`",
    "↝": "write `~>`",
    "∪": "write `+`",
    "∩": "write `&`",
    "∅": "write `{}`",
    "←": "write `:=`",
    "…": "write a range as `lo .. hi`",
    "@": "annotations do not exist; write `///` lines for documentation",
    "$": "names have letters, digits and `_`",
    "\\": "write `-` for the difference of two sets",
    "'": "a variable has one value at a time: write `x := …` to change it, and `old(e)` in a `step` property",
    '"': "there are no strings; use the values of an `enum`",
    "\ufeff": "remove it: it is a byte order mark in the middle of the text",
    "\u200b": "remove it: it is a blank that editors do not show",
    "\u00a0": "replace it by a plain blank",
    "\u3000": "replace it by a plain blank",
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BEGIN_DECLARATION = _words(
    "const type id enum record message network shared role invariant step reach live final refines linearizable check fun"
)
BEGIN_MEMBER = _words("durable volatile ghost fair unfair action timeout fault on ignore proc fun")
BEGIN_STATEMENT = _words("let send if for choose either toss assert atomic invoke respond")
BEGIN_ITEM = _words("network faults expect final bound strong symmetry")
FAULTS = _words("lose dup cut crash stop byzantine drift")
VALUES = _words("const durable volatile ghost shared")

STRUCTURE = (
    BEGIN_DECLARATION
    | BEGIN_MEMBER
    | _words("when limit { := += -= then else to let send choose either toss assert invoke respond")
)
"""Words that end an open `(` or `[` if they do not fit in it."""

NAMING = _words(
    "const type id enum record message network role fun invariant step reach live refines linearizable check on action "
    "timeout fault ignore proc for let choose send invoke respond forall exists sum from"
)
"""Words behind which a name stands."""
