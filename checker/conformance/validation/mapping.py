"""How the words of a recorded run relate to those of a spec.

A trace rarely speaks as the spec does. A `TraceMapping` says what its entries mean:

- `steps`: the name of an entry and the step that it is: 1:1. Several steps in order: 1:n, one entry for all of them, with
  what was observed after the last. A step with `*` behind it was taken any number of times.
- `stutter`: names of entries that are no step: n:1, the implementation took several for one of the spec. What they observed is
  compared.
- `hidden`: steps of the spec that leave no entry and may have happened in between.
- `ignored`: names of entries that say nothing.
- `nodes`, `variables`: names of nodes and of observed fields that are others than in the spec; a field that is mapped to null is
  not compared.

What is not mapped has the name that it has in the spec: a step as coverage names it (`RM.Prepare`), without its role (`Prepare`,
by the node), or a whole label (`RM0.Prepare() <- TM [branch 1]`). Nothing is guessed and nothing is passed over in silence: an
entry or a field that means nothing is an error.

As a file it is one JSON object with these keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from checker.base.data import dataclass
from checker.conformance.jsonlines import LineError, excerpt, parse_object
from checker.properties.kinds import Json

MAX_FILE = 1_000_000
"""Characters in a file of a mapping."""


class TraceMappingError(Exception):
    """A mapping, or a trace under it, does not fit the spec; the text says what and what to do."""


@dataclass(frozen=True, slots=True)
class TraceMapping:
    """See the module."""

    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stutter: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    nodes: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str | None] = field(default_factory=dict)


def read_mapping(text: str) -> TraceMapping:
    """A mapping from its file.

    Raises:
        TraceMappingError: the text is none.
    """
    try:
        value = parse_object(text, max_length=MAX_FILE)
    except LineError as problem:
        raise TraceMappingError(f"the mapping cannot be read: {problem}") from None
    known = ("steps", "stutter", "hidden", "ignored", "nodes", "variables")
    for key in value:
        if key not in known:
            raise TraceMappingError(f"the mapping has the key {excerpt(key)}; keys are {', '.join(known)}")
    return TraceMapping(
        steps={k: (v,) if isinstance(v, str) else _texts(f"steps.{k}", v) for k, v in _object("steps", value).items()},
        stutter=_texts("stutter", value.get("stutter", [])),
        hidden=_texts("hidden", value.get("hidden", [])),
        ignored=_texts("ignored", value.get("ignored", [])),
        nodes={k: _text(f"nodes.{k}", v) for k, v in _object("nodes", value).items()},
        variables={
            k: None if v is None else _text(f"variables.{k}", v) for k, v in _object("variables", value).items()
        },
    )


def _object(key: str, value: Mapping[str, Json]) -> dict[str, Json]:
    part = value.get(key, {})
    if not isinstance(part, dict):
        raise TraceMappingError(f"`{key}` of the mapping should be an object and is {excerpt(str(part))}")
    return part


def _text(key: str, value: Json) -> str:
    if not isinstance(value, str):
        raise TraceMappingError(f"`{key}` of the mapping should be a text and is {excerpt(str(value))}")
    return value


def _texts(key: str, value: Json) -> tuple[str, ...]:
    if not isinstance(value, list) or (not value and key.startswith("steps.")):
        raise TraceMappingError(f"`{key}` of the mapping should be a list of texts and is {excerpt(str(value))}")
    return tuple(_text(key, item) for item in value)
