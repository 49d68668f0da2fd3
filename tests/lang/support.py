"""What the tests of the language share: the corpus, texts with odd layout, and generated syntax trees."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import strategies as st

from checker.base.source import Source, Span
from checker.lang import ast
from checker.lang.parser import parse
from checker.lang.tokens import scan

CORPUS = tuple(sorted(Path(__file__).with_name("corpus").glob("*.psm")))

REFUSED = frozenset({"ewd998_shared.psm"})
"""Files of the corpus that are not specs: one has a variable called `sum`, a keyword since."""

SPECS = tuple(path for path in CORPUS if path.name not in REFUSED)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def parsed(text: str) -> ast.Spec:
    return parse(Source("test.psm", text))


def comments(text: str) -> list[str]:
    return [word.text.rstrip() for word in scan(text) if word.kind == "comment"]


def shaken(text: str, rng: random.Random, often: float) -> str:
    """The same tokens with other blanks, line breaks and comments between them, at a share `often` of the places."""
    parts: list[str] = []
    end = 0
    number = 0
    after_doc = False
    for word in scan(text):
        if word.kind == "comment":
            continue
        gap = "\n" if after_doc or word.kind == "doc" else " " if word.start > end else ""
        if rng.random() < often and not text[:end].endswith("not"):
            number += 1
            gap = rng.choice(
                [
                    "\n",
                    "\n\n",
                    "   ",
                    f" # c{number}\n",
                    f"\n  # c{number}\n",
                    f" #c{number}\n\n# d{number}\n",
                    f"\n\n\n# c{number}\n\n",
                ]
            )
            if after_doc:
                gap = "\n" + gap
            elif word.kind == "doc" and "\n" not in gap:
                gap = "\n"
        parts += [gap, word.text]
        end = word.end
        after_doc = word.kind == "doc"
    parts.append(rng.choice(["", "\n", "  # end", "\n\n# end\n\n# end"]))
    return "".join(parts)


# ---- generated trees

_AT = Span(0, 0)
NAMES = st.sampled_from(["a", "b", "x1", "Rep", "_", "none", "self", "crash", "holds"])
IDENTS = NAMES.map(lambda text: ast.Ident(_AT, text))


def _expressions(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    """Every kind of expression, with `inner` ones as its parts."""
    items = st.lists(inner, max_size=3).map(tuple)
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    domain = inner | st.builds(ast.Range, st.just(_AT), inner, inner)
    binder = st.builds(ast.Binder, st.just(_AT), IDENTS, domain)
    named = st.builds(ast.Update, st.just(_AT), IDENTS, st.none(), inner)
    keyed = st.builds(ast.Update, st.just(_AT), st.none(), inner, inner)
    message = st.builds(ast.MsgExpr, st.just(_AT), IDENTS, items)
    operators = st.sampled_from(
        ["+", "-", "*", "/", "%", "&", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "=>"],
    )
    return st.one_of(
        st.builds(ast.Call, st.just(_AT), IDENTS, some),
        st.builds(ast.Unary, st.just(_AT), st.sampled_from(["not", "-"]), inner),
        st.builds(ast.Binary, st.just(_AT), operators, inner, inner),
        st.builds(ast.Binary, st.just(_AT), operators, inner, inner),
        st.builds(
            ast.Logic,
            st.just(_AT),
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        ),
        st.builds(ast.IfExpr, st.just(_AT), inner, inner, inner),
        st.builds(
            ast.Quant,
            st.just(_AT),
            st.sampled_from(["forall", "exists", "sum"]),
            st.lists(binder, min_size=1, max_size=2).map(tuple),
            inner,
        ),
        st.builds(ast.Field, st.just(_AT), inner, IDENTS, st.booleans()),
        st.builds(ast.Index, st.just(_AT), inner, inner),
        st.builds(ast.Method, st.just(_AT), inner, IDENTS, items),
        st.builds(ast.With, st.just(_AT), inner, st.lists(named | keyed, min_size=1, max_size=2).map(tuple)),
        st.builds(ast.SetLit, st.just(_AT), items),
        st.builds(ast.SeqLit, st.just(_AT), items),
        st.builds(ast.SetComp, st.just(_AT), binder, inner),
        st.builds(ast.MapComp, st.just(_AT), binder, inner),
        st.builds(ast.Sent, st.just(_AT), message, inner),
        st.builds(ast.Inflight, st.just(_AT), IDENTS, st.none() | inner, st.none() | inner),
        st.builds(ast.Old, st.just(_AT), inner),
    )


_LEAVES: st.SearchStrategy[ast.Expr] = st.one_of(
    st.builds(ast.Int, st.just(_AT), st.integers(0, 12)),
    st.builds(ast.Name, st.just(_AT), NAMES),
)
EXPRESSIONS: st.SearchStrategy[ast.Expr] = st.recursive(_LEAVES, _expressions, max_leaves=12)

_BASE_TYPES: st.SearchStrategy[ast.Type] = st.one_of(
    st.builds(ast.BoolType, st.just(_AT)),
    st.builds(ast.NamedType, st.just(_AT), NAMES),
    st.builds(ast.RangeType, st.just(_AT), EXPRESSIONS, EXPRESSIONS),
)


def _types(inner: st.SearchStrategy[ast.Type]) -> st.SearchStrategy[ast.Type]:
    plain = inner.filter(lambda type_: not isinstance(type_, ast.OptType))
    return st.one_of(
        st.builds(ast.SetType, st.just(_AT), inner, st.none() | EXPRESSIONS),
        st.builds(ast.MapType, st.just(_AT), inner, inner),
        st.builds(ast.SeqType, st.just(_AT), inner, EXPRESSIONS),
        st.builds(ast.BagType, st.just(_AT), inner, EXPRESSIONS),
        st.builds(ast.OptType, st.just(_AT), plain),
    )


TYPES: st.SearchStrategy[ast.Type] = st.recursive(_BASE_TYPES, _types, max_leaves=4)
