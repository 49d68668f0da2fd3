"""Where measurements come from: the machine by its kind, the day, and the versions of everything that was measured.

A result may be shown long after it was made and far from where: on a page of the site, say. So it says for itself what it
was made with, and nothing that would tell which machine it was: no host names, users or paths.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from checker import __version__

_ASKED = (("Spin", ("spin", "-V"), r"Version ([\d.]+)"), ("gcc", ("gcc", "-dumpfullversion"), r"([\d.]+)"))
"""Programs, how they are asked for their version, and what of the answer it is."""
_JAVA = ("Java", ("java", "-version"), r'version "([^"]+)"')


def machine() -> dict[str, Any]:
    """The kind of this machine, and nothing that would tell which one it is."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "memory_gib": memory(),
        "python": platform.python_version(),
    }


def processor() -> str | None:
    """The model name, where the system has it in a file."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else None


def memory() -> float | None:
    """GiB of memory, where the system says it."""
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (ValueError, OSError):
        return None


def today() -> str:
    """The day in UTC, such as `2026-01-31`."""
    return datetime.now(UTC).date().isoformat()


def versions() -> dict[str, str]:
    """The versions of what takes part, by name; what is not installed is missing."""
    found = {"Lockstep": __version__}
    with suppress(PackageNotFoundError):
        found["llvmlite"] = version("llvmlite")
    jar = os.environ.get("TLA2TOOLS_JAR")
    asked = [
        *_ASKED,
        *([] if not jar else [("TLC", ("java", "-cp", jar, "tlc2.TLC", "-h"), r"TLC2 Version (\S+)"), _JAVA]),
    ]
    for name, command, pattern in asked:
        answer = re.search(pattern, _said(command))
        if answer is not None:
            found[name] = answer[1]
    return found


def _said(command: Sequence[str]) -> str:
    """What a program prints, wherever it prints it; empty where there is none."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr
