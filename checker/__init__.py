"""Lockstep: protocol specs as state machines, a checker for them, and implementations held to them.

The names of the Python interface are imported on first use, so that `import checker.lang.parser` costs no more than the
parser. See `checker.api` for what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from checker.api import LoadedSpec, load, loads
    from checker.base.diagnostics import Diagnostic, SpecError
    from checker.engine.interface import Limits, Progress
    from checker.properties.kinds import CheckResult, CheckVerdict, PropertyResult, SpecResult, Verdict

__version__ = "0.1.0"

_HOMES = {
    "LoadedSpec": "checker.api",
    "load": "checker.api",
    "loads": "checker.api",
    "Diagnostic": "checker.base.diagnostics",
    "SpecError": "checker.base.diagnostics",
    "Limits": "checker.engine.interface",
    "Progress": "checker.engine.interface",
    "CheckResult": "checker.properties.kinds",
    "CheckVerdict": "checker.properties.kinds",
    "PropertyResult": "checker.properties.kinds",
    "SpecResult": "checker.properties.kinds",
    "Verdict": "checker.properties.kinds",
}

__all__ = [
    "CheckResult",
    "CheckVerdict",
    "Diagnostic",
    "Limits",
    "LoadedSpec",
    "Progress",
    "PropertyResult",
    "SpecError",
    "SpecResult",
    "Verdict",
    "load",
    "loads",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module `checker` has no `{name}`")
    from importlib import import_module

    return getattr(import_module(home), name)
