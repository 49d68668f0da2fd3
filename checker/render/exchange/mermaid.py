"""A trace as a Mermaid sequence diagram, for documents that draw such text: GitHub, GitLab, Notion, this site.

Mermaid draws a message where it is taken, so each says in which step it was sent, if that was not the step before. Lost messages
end in a cross, forged ones are dashed, and faults stand in a red band. Mermaid ends a statement at `;` and reads
`#` as the beginning of a code, so both are written as codes, like everything that could be taken for markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checker.render.events import Event
from checker.render.plain import clean

_BAND = "rect rgba(229, 72, 77, 0.18)"
_CODES = str.maketrans({c: f"#{ord(c)};" for c in '#;<>"&%'})


def mermaid(events: Sequence[Event], processes: Sequence[str], *, title: str = "") -> str:
    """The diagram as text, with a line break at its end."""
    used = [p for p in processes if any(p in (e.process, e.sender) for e in events)] or list(processes[:1])
    aliases = {name: f"p{number}" for number, name in enumerate(used)}
    lines = ["sequenceDiagram"]
    if title:
        lines.append(f"    title {_text(title)}")
    lines += [f"    participant {alias} as {_text(name)}" for name, alias in aliases.items()]
    everybody = f"{aliases[used[0]]},{aliases[used[-1]]}" if len(used) > 1 else aliases[used[0]]
    for number, event in enumerate(events, 1):
        inner = _event(number, event, aliases, everybody)
        if event.fault or event.error:
            lines += [f"    {_BAND}", *(f"    {line}" for line in inner), "    end"]
        else:
            lines += inner
    return "\n".join(lines) + "\n"


def _event(number: int, event: Event, aliases: Mapping[str, str], everybody: str) -> list[str]:
    text = _text(event.text) if event.ending else f"{number}: {_text(event.text)}"
    lines = []
    sends = event.sender is not None and event.sender != event.process and event.process is not None
    if sends:
        assert event.sender is not None and event.process is not None
        arrow = "--x" if event.lost else "-->>" if event.forged else "->>"
        late = event.origin is not None and event.origin != number - 2
        when = f" (sent in {event.origin + 1})" if late and event.origin is not None else ""
        lines.append(f"    {aliases[event.sender]}{arrow}{aliases[event.process]}: {text}{when}")
        text = ""
    below = [_text(line) for line in (event.changes, f"sent: {event.unread}" if event.unread else "") if line]
    text = "<br/>".join([*([text] if text else []), *below])
    if text:
        place = everybody if event.process is None else aliases[event.process]
        lines.append(f"    Note over {place}: {text}")
    return lines


def _text(text: str) -> str:
    return clean(text).translate(_CODES)
