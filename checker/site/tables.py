"""Tables of pages, in HTML: they scroll in a container of their own where a page is narrow.

The first cell of a row is its heading, which stays in view while the rest scrolls (`docs/assets/lockstep.css`). Rows that have
something in common can stand below it: a table that says the same in every second cell is read by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checker.site.text import scrolling

Row = Sequence[str]


def table(head: Row, rows: Iterable[Row], *, name: str, numbers: Sequence[int] = ()) -> str:
    """A table whose cells are HTML. `numbers` are the columns that hold numbers."""
    return _scrolling(head, f"<tbody>\n{_rows(rows, numbers)}\n</tbody>", numbers, name)


def grouped_table(
    head: Row, groups: Iterable[tuple[str, Iterable[Row]]], *, name: str, numbers: Sequence[int] = ()
) -> str:
    """The same with groups of rows, each below what its rows have in common, which is HTML, too."""
    bodies = (
        f'<tbody>\n<tr class="ls-group"><th colspan="{len(head)}" scope="rowgroup"><span>{title}</span></th></tr>\n'
        f"{_rows(rows, numbers)}\n</tbody>"
        for title, rows in groups
    )
    return _scrolling(head, "\n".join(bodies), numbers, name)


def _scrolling(head: Row, bodies: str, numbers: Sequence[int], name: str) -> str:
    top = "".join(_cell("th", "col", i in numbers, text) for i, text in enumerate(head))
    return scrolling(f'<table class="ls-table"><thead><tr>{top}</tr></thead>{bodies}</table>', name, kind="")


def _rows(rows: Iterable[Row], numbers: Sequence[int]) -> str:
    return "\n".join(
        f"<tr>{''.join(_cell('td' if i else 'th', '' if i else 'row', i in numbers, t) for i, t in enumerate(row))}</tr>"
        for row in rows
    )


def _cell(tag: str, scope: str, is_number: bool, text: str) -> str:
    kind = ' class="ls-number-cell"' if is_number else ""
    which = f' scope="{scope}"' if scope else ""
    return f"<{tag}{kind}{which}>{text}</{tag}>"
