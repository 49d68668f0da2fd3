"""What all texts about one check have in common: a line that says which check it is, and titled tables below."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from checker.render.plain import ASCII, Signs, ascii_only, fitted


class CheckText:
    """Writes about one check for a terminal."""

    def __init__(self, signs: Signs) -> None:
        self.signs = signs

    def text(self, text: str, style: str = "") -> Text:
        """Text that the terminal can show."""
        return Text(ascii_only(text) if self.signs is ASCII else text, style)

    def head(self, spec: str, path: str, check: str) -> Text:
        """The first line."""
        return Text.assemble(
            (spec, "bold underline"), "  ", (fitted(path, self.signs), "dim"), "  check ", (check, "bold")
        )

    def section(self, title: str, table: RenderableType) -> list[RenderableType]:
        """A table under its title."""
        return ["", Text(title, "bold"), Padding(table, (0, 0, 0, 2))]
