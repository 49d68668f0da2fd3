"""What pages say, in the language of the reader.

Pages are written in English, in the code that makes them. `Words` looks each sentence up in a catalogue of another language,
as gettext does: the English text is the key. The texts of specs, which are their doc comments, are looked up paragraph by
paragraph in the same way, so a comment that was changed is shown in English until somebody translates it anew, and is never
shown beside a translation of something else. Numbers, names and verdicts are put into sentences after the look-up: they come
from results alone, whatever the language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from checker.base.data import dataclass
from checker.render import plain

_CHINESE_GAP = re.compile(r"(?<=[\u3000-\u9fff]) (?=[\u3000-\u9fff])")
"""A blank between two Chinese characters. There is one beside a name in Latin letters."""


@dataclass(frozen=True, slots=True)
class Words:
    """A language: its code, and translations by the English text, of what the code says and of doc comments."""

    language: str = "en"
    catalogue: Mapping[str, str] = field(default_factory=dict)
    paragraphs: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, text: str, **values: object) -> str:
        """A sentence of the code in this language, with values put in where it names them."""
        return plain.english(self.catalogue.get(text, text), **values)

    def count(self, number: int, one: str, many: str | None = None) -> str:
        """`1 step`, `1,145 steps`; other languages have one form for all numbers, `{n} 步`."""
        form = self.catalogue.get(f"# {one}")
        return plain.plural(number, one, many) if form is None else form.format(n=f"{number:,}")

    def listed(self, items: Sequence[str], last: str = " and ") -> str:
        """`a`, `a and b`, `a, b and c`."""
        comma, last = self(", "), self(last)
        text = items[0] if len(items) == 1 else comma.join(items[:-1]) + last + items[-1] if items else ""
        return _CHINESE_GAP.sub("", text)

    def text(self, *sentences: str) -> str:
        """Sentences behind each other, with the blank between them that the language has."""
        return self(" ").join(sentences)

    def prose(self, paragraph: Sequence[str]) -> tuple[str, ...] | None:
        """A paragraph of a doc comment in this language, as lines; None where it is not translated."""
        if self.language == "en":
            return tuple(paragraph)
        found = self.paragraphs.get(key_of(paragraph))
        return None if found is None else tuple(found.split("\n"))

    def about(self, paragraphs: Mapping[str, str]) -> Words:
        """The same language for a spec whose doc comments are translated."""
        return replace(self, paragraphs=paragraphs)


ENGLISH = Words()


def key_of(paragraph: Sequence[str]) -> str:
    """A paragraph as the catalogues name it: its words with single blanks."""
    return " ".join(" ".join(paragraph).split())


def read_catalogue(path: Path) -> dict[str, str]:
    """A file of translations; empty, where there is none.

    Raises:
        ValueError: it is no JSON object of texts.
    """
    if not path.is_file():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise ValueError(f"{path.name} is no object of texts")
    return {" ".join(key.split()) if key.strip() == key else key: value for key, value in data.items()}
