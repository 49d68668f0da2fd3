"""Checks as TLA+ modules, for TLC.

`export_tla` translates the machine of a check: one closed instance, with its constants bound. The module has the same states
and, counted as TLC does, the same steps; what cannot be translated is refused with PSM920. How constructs correspond is told
in docs/reference/tla.md, why in ADR 0026.
"""

from checker.render.tla.module import TlaModule, export_tla
from checker.render.tla.properties import Ask

__all__ = ["Ask", "TlaModule", "export_tla"]
