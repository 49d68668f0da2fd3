"""The section of a page about the state space: the graphs that can be read, and how many states each depth has."""

from __future__ import annotations

import shlex

from checker.site.facts import Drawing, SpecFacts
from checker.site.svg import histogram_svg, translated_svg
from checker.site.text import escape, scrolling
from checker.site.words import Words

FEW_LEVELS = 2
"""A histogram with no more bars says nothing that its sentence does not say."""


def states_section(spec: SpecFacts) -> str:
    """The state graph: whole if it is small, merged, or the surroundings of its first state; and a histogram by depth."""
    words = spec.words
    graph, quotient, near = spec.figures.graph, spec.figures.quotient, spec.figures.near
    parts = []
    if graph is not None:
        size = {"states": words.count(graph.states, "state"), "steps": words.count(graph.edges, "transition")}
        text = words(_WHOLE, **size, instance=_instance(graph, words))
        parts.append(f"<p>{words.text(text, words(_SIGNS))}</p>{figure(graph, _command(spec, graph), words)}")
    if quotient is not None:
        view = words.listed([f"<code>{escape(v)}</code>" for v in (quotient.view or "").split(", ")])
        states, instance = words.count(quotient.states, "state"), _instance(quotient, words)
        text = words(_MERGED, states=states, instance=instance, nodes=quotient.nodes, view=view)
        parts.append(f"<p>{text}</p>{figure(quotient, None, words)}")
    if near is not None:
        steps = words.count(near.steps or 0, "step")
        text = words(_NEAR, states=words.count(near.nodes, "state"), instance=_instance(near, words), steps=steps)
        said = words.text(text, words(_CHANGED), words(_SIGNS))
        parts.append(f"<p>{said}</p>{figure(near, None, words)}")
    largest = spec.largest
    if largest is not None and len(spec.levels) > FEW_LEVELS:
        name, states = f"<code>{escape(largest.result.name)}</code>", words.count(largest.result.states, "state")
        title = words("States by depth")
        chart = histogram_svg(spec.levels, title, words)
        parts.append(f"<p>{words(_DEPTHS, check=name, states=states)}</p>{scrolling(chart, title)}")
    if not parts:
        return ""
    return "\n\n".join([f"## {words('States')} {{ #states }}", *parts])


def _instance(drawing: Drawing, words: Words) -> str:
    check = f"<code>{escape(drawing.check)}</code>"
    settings = ", ".join(f"<code>{escape(k)} = {escape(v)}</code>" for k, v in drawing.constants.items())
    return words("{check} with {settings}", check=check, settings=settings) if settings else check


def _command(spec: SpecFacts, drawing: Drawing) -> str:
    parts = ["lockstep", "graph", spec.path, "--check", drawing.check]
    for name, value in drawing.constants.items():
        parts += ["--set", f"{name}={value}"]
    return shlex.join([*parts, "-o", f"{spec.name}.svg"])


def figure(drawing: Drawing, command: str | None, words: Words) -> str:
    """A drawing. Where it is larger than its frame, it can be moved and enlarged (`docs/assets/pan-zoom.js`), or else scrolls."""
    caption = ""
    if command is not None:
        said = words("The same graph as a file: {command}", command=f"<code>{escape(command)}</code>")
        caption = f'<p class="ls-small">{said}</p>'
    drawn = translated_svg(drawing.svg, _title(drawing, words), words)
    return scrolling(drawn, words("State graph"), kind="ls-figure ls-tall ls-movable") + caption


def _title(drawing: Drawing, words: Words) -> str:
    """What a drawing shows, for those who cannot see it."""
    states = words.count(drawing.states, "state")
    if drawing.steps is not None:
        return words(
            "The states of {check} within {steps}", check=drawing.check, steps=words.count(drawing.steps, "step")
        )
    if drawing.view is not None:
        said = "State graph of {check} with {states}, merged to {nodes}"
        return words(said, check=drawing.check, states=states, nodes=drawing.nodes)
    return words("State graph with {states}", states=states)


_WHOLE = "All {states} and {steps} of {instance}."
_CHANGED = "Each says what is not as in the first one."
_SIGNS = (
    "A bold frame marks an initial state, a double red one a state that violates a property, a dashed arrow a fault; steps "
    "that change nothing are left out."
)
_MERGED = (
    "The {states} of {instance}, merged to {nodes} by the values of {view}. Processes of a symmetric role are counted."
)
_NEAR = "The state graph is too large to be drawn. These are the {states} of {instance} that at most {steps} reach."
_DEPTHS = "The largest check, {check}, has {states}. By the number of steps that it takes to get there:"
