"""What the checker says about a run, in the language of a page.

Results carry a few sentences in English, which the command line prints as they are: on what fairness a verdict rests, why a
property was not judged, why the symmetry of a spec was not used. They hold names, so a catalogue cannot have them. Here
each is taken apart into the sentence that it was made from and the names in it, and put together again in another language.
What fits no known sentence stays as it is.
"""

from __future__ import annotations

import re

from checker.site.text import escape
from checker.site.words import Words

_FAIRNESS = re.compile(r"(weak|strong|no) fairness of (.+?)(?=, (?:weak|strong|no) fairness of |$)")

_SENTENCES = (
    "explored without symmetry, since {name} is judged over all states",
    "explored without symmetry, since {names} are judged over all states",
    "the symmetry of {name} is not used: {reason}",
    "{name} fails by a run that stops where {step} is possible: what is not `fair` may be left out for ever",
    "{name} fails by a run that stops where {steps} are possible: what is not `fair` may be left out for ever",
    "the limit counts {kept} states, which by symmetry stand for {states}",
    "for {instance}, whatever the coins show, the run can go on like this",
    "for {instance}",
)
_FORMS = [(re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(text))), text) for text in _SENTENCES]


def told(text: str, words: Words) -> str:
    """A note or a reason of a result."""
    for form, sentence in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return words(sentence, **{name: words(value) for name, value in found.groupdict().items()})
    return words(text)


def placed(text: str, words: Words) -> str:
    """A part of a spec that begins with its line, `line 86: R.M when x == 1`, as HTML."""
    line, colon, what = text.partition(": ")
    number = line.removeprefix("line ")
    if not colon or number == line or not number.isdecimal():
        return f"<code>{escape(text)}</code>"
    return f"{words('line {line}', line=number)}{words(': ')}<code>{escape(what)}</code>"


def fairness(text: str, words: Words) -> str:
    """`weak fairness of messages and P.Enter, strong fairness of P.Take`."""
    parts = [
        words("{kind} fairness of {names}", kind=words(kind), names=_listed(names, words))
        for kind, names in _FAIRNESS.findall(text)
    ]
    return words(", ").join(parts) or words(text)


def _listed(names: str, words: Words) -> str:
    return words.listed([words(name) for name in re.split(r", | and ", names)])
