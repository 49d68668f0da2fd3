"""A chart for figures that lie far apart: dots on a logarithmic scale, one row for each thing that was measured.

Lengths of bars say nothing on such a scale, so there are dots, and a line from the least to the greatest where a figure was
measured several times. Each series has a shape of its own beside its colour, for those who cannot tell colours apart and for
print. Colours are of a middle tone, and everything else is the colour of the text, so that a chart can be read on light and on
dark ground. A table with the same figures stands beside every chart: the drawing is hidden from readers of screens.

Source for dots: W. Cleveland, "The Elements of Graphing Data", 1985.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from checker.base.data import dataclass
from checker.site.text import escape, scrolling

_COLOURS = ("#6b7fd7", "#2a9d8f", "#c46f17", "#c2527e", "#8a7f2b", "#7a8290", "#5f9c3d")
_LABELS, _PLOT, _RIGHT = 150, 470, 40
_TOP, _ROW, _FOOT = 12, 26, 34
_LEGEND = 20
_SMALLEST = 0.8
"""On a narrow page a chart shrinks until its text is this small, and then scrolls."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One figure of a series, above 0, and the range in which it was measured."""

    series: str
    value: float
    least: float
    greatest: float


def dot_plot(
    rows: Sequence[tuple[str, Sequence[Dot]]],
    series: Sequence[str],
    *,
    title: str,
    unit: str,
    show: Callable[[float], str],
) -> str:
    """The chart; empty where there is nothing to show.

    Args:
        rows: what was measured, with its dots.
        series: all that there are, in charts that belong together, so that each has the same sign in all of them.
        title: what the chart is about, for those who cannot see it.
        unit: what stands below the axis.
        show: writes a figure.
    """
    dots = [dot for _, row in rows for dot in row]
    if not dots:
        return ""
    low, high = floor(log10(min(dot.least for dot in dots))), ceil(log10(max(dot.greatest for dot in dots)))
    high = max(high, low + 1)

    def x(value: float) -> float:
        return round(_LABELS + (log10(value) - low) / (high - low) * _PLOT, 1)

    bottom = _TOP + _ROW * len(rows)
    parts = [_axis(low, high, bottom, x, unit, show)]
    for number, (name, row) in enumerate(rows):
        y = _TOP + _ROW * number + _ROW / 2
        parts.append(
            f'<text x="{_LABELS - 10}" y="{y + 4:g}" text-anchor="end">{escape(name)}</text>'
            f'<path d="M{_LABELS} {y:g}H{_LABELS + _PLOT}" stroke="currentColor" stroke-opacity=".12"/>'
        )
        parts += [_dot(dot, series.index(dot.series), y, x, f"{name}, {dot.series}: {show(dot.value)}") for dot in row]
    shown = [name for name in series if any(dot.series == name for dot in dots)]
    legend_rows = -(-len(shown) // 3)
    for number, name in enumerate(shown):
        column, line = number % 3, number // 3
        at, y = 60 + column * 210, bottom + _FOOT + 8 + line * _LEGEND
        parts.append(f'{_shape(series.index(name), at, y)}<text x="{at + 12}" y="{y + 4:g}">{escape(name)}</text>')
    width, height = _LABELS + _PLOT + _RIGHT, bottom + _FOOT + legend_rows * _LEGEND + 4
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ls-chart" aria-hidden="true" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" style="min-width:{round(width * _SMALLEST)}px" fill="currentColor" font-size="12">'
        f"{''.join(parts)}</svg>"
    )
    return scrolling(drawing, title)


def _axis(
    low: int, high: int, bottom: float, x: Callable[[float], float], unit: str, show: Callable[[float], str]
) -> str:
    """A line for each power of ten, with its figure below."""
    lines = []
    for power in range(low, high + 1):
        at = x(10.0**power)
        lines.append(
            f'<path d="M{at:g} {_TOP}V{bottom + 4}" stroke="currentColor" stroke-opacity=".3"/>'
            f'<text x="{at:g}" y="{bottom + 17}" text-anchor="middle" font-size="11">{escape(show(10.0**power))}</text>'
        )
    middle = _LABELS + _PLOT / 2
    lines.append(
        f'<text x="{middle:g}" y="{bottom + 31}" text-anchor="middle" font-size="11" fill-opacity=".75">'
        f"{escape(unit)}</text>"
    )
    return "".join(lines)


def _dot(dot: Dot, series: int, y: float, x: Callable[[float], float], tip: str) -> str:
    colour = _COLOURS[series % len(_COLOURS)]
    line = ""
    if dot.least < dot.greatest:
        line = f'<path d="M{x(dot.least):g} {y:g}H{x(dot.greatest):g}" stroke="{colour}" stroke-width="2"/>'
    return f"<g><title>{escape(tip)}</title>{line}{_shape(series, x(dot.value), y)}</g>"


def _shape(series: int, x: float, y: float) -> str:
    """The sign of a series around a point."""
    fill = f'fill="{_COLOURS[series % len(_COLOURS)]}"'
    match series % len(_COLOURS):
        case 0:
            return f'<circle cx="{x:g}" cy="{y:g}" r="5" {fill}/>'
        case 1:
            return f'<rect x="{x - 4.5:g}" y="{y - 4.5:g}" width="9" height="9" {fill}/>'
        case 2:
            return f'<path d="M{x:g} {y - 6:g}l5.5 10h-11z" {fill}/>'
        case 3:
            return f'<path d="M{x:g} {y - 6:g}l6 6l-6 6l-6 -6z" {fill}/>'
        case 4:
            return f'<path d="M{x:g} {y + 6:g}l5.5 -10h-11z" {fill}/>'
        case 5:
            return f'<path d="M{x - 2:g} {y - 6:g}h4v4h4v4h-4v4h-4v-4h-4v-4h4z" {fill}/>'
    return f'<path d="M{x - 5.5:g} {y - 3:g}l2.5 -2.5l3 3l3 -3l2.5 2.5l-3 3l3 3l-2.5 2.5l-3 -3l-3 3l-2.5 -2.5l3 -3z" {fill}/>'
