"""`lockstep inspect` as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from checker.model.layout import Width
from checker.render.check_text import CheckText
from checker.render.inspection import RULE, Inspection
from checker.render.plain import plural, power

MAX_JSON = 1 << 53
"""Above it, numbers in JSON are not exact everywhere, and are left out."""


class InspectionText(CheckText):
    """Writes an inspection for a terminal."""

    def all(self, found: Inspection) -> RenderableType:
        """The whole page."""
        head = self.head(found.spec, found.path, found.check)
        parts: list[RenderableType] = [head]
        if found.constants:
            rows = [(c.name, c.value, "set from outside" if c.outside else "") for c in found.constants]
            parts += self.section("Constants", self._plain(rows))
        roles = [
            (
                r.name,
                "1 process" if r.single else plural(r.instances, "process", "processes"),
                "symmetric" * r.symmetric,
            )
            for r in found.roles
        ]
        parts += self.section("Roles", self._plain(roles))
        widths = [(v.width, v.keep) for v in found.variables] + [(f, "fault") for f in found.faults]
        if widths:
            parts += self.section("Variables", self._widths(widths, found.fixed_bits))
        if found.messages:
            parts += self.section("Messages", self._messages(found))
        bits = "bit" if found.fixed_bits == 1 else "bits"
        parts += [
            "",
            Text.assemble(("A state takes ", ""), (f"{found.fixed_bits:,} {bits}", "bold"), self._each(found), "."),
        ]
        if found.warnings:
            parts += ["", self.text(f"{plural(len(found.warnings), 'type')} too wide: {RULE}.", "yellow")]
        return Group(*parts)

    def _each(self, found: Inspection) -> str:
        return f", and {found.message_bits} more for each message in the network" if found.messages else ""

    def _plain(self, rows: Iterable[tuple[str, ...]]) -> Table:
        table = Table.grid(padding=(0, 3, 0, 0))
        for row in rows:
            table.add_row(*(self.text(cell, "dim" if i > 1 else "") for i, cell in enumerate(row)))
        return table

    def _widths(self, rows: list[tuple[Width, str]], fixed: int) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        for title, side in (("", "left"), ("kept", "left"), ("type", "left"), ("values", "right"), ("bits", "right")):
            table.add_column(title, justify=side, overflow="fold")  # type: ignore[arg-type]
        table.add_column("in all", justify="right")
        for width, keep in rows:
            bits = f"{width.bits} × {width.copies}" if width.copies > 1 else str(width.bits)
            total = width.bits * width.copies
            style = "yellow" if 2 * total > fixed and fixed > 16 else ""
            table.add_row(
                self.text(width.name),
                self.text(keep, "dim"),
                self.text(width.type),
                self.text(power(width.values)),
                self.text(bits),
                self.text(f"{total:,}", style),
            )
        return table

    def _messages(self, found: Inspection) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        for title, side in (
            ("", "left"),
            ("route", "left"),
            ("network", "left"),
            ("values", "right"),
            ("bits", "right"),
        ):
            table.add_column(title, justify=side, overflow="fold")  # type: ignore[arg-type]
        for m in found.messages:
            route = f"{', '.join(m.senders) or 'nobody'} {self.signs.arrow} {', '.join(m.receivers) or 'nobody'}"
            table.add_row(
                self.text(m.signature), self.text(route), self.text(m.network, "dim"), self.text(power(m.width.values)),
                self.text(str(m.width.bits)),
            )  # fmt: skip
        return table


def inspection_object(found: Inspection) -> dict[str, Any]:
    """An inspection as JSON. Numbers of values that JSON cannot hold exactly are null; their bits say how many."""
    return {
        "path": found.path,
        "spec": found.spec,
        "check": found.check,
        "constants": [{"name": c.name, "value": c.json, "set": c.outside} for c in found.constants],
        "roles": [{"name": r.name, "instances": r.instances, "symmetric": r.symmetric} for r in found.roles],
        "variables": [{**_width(v.width), "keep": v.keep} for v in found.variables],
        "faults": [_width(f) for f in found.faults],
        "messages": [
            {
                "name": m.width.name,
                "signature": m.signature,
                "senders": list(m.senders),
                "receivers": list(m.receivers),
                "network": m.network,
                "values": _number(m.width.values),
                "bits": m.width.bits,
            }
            for m in found.messages
        ],
        "fixed_bits": found.fixed_bits,
        "message_bits": found.message_bits,
        "rule": RULE,
    }


def _width(width: Width) -> dict[str, Any]:
    return {
        "name": width.name,
        "type": width.type,
        "values": _number(width.values),
        "bits": width.bits,
        "copies": width.copies,
    }


def _number(values: int) -> int | None:
    return values if values <= MAX_JSON else None
