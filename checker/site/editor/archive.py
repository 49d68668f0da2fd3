"""The checker and Lark as one archive, for a Python that runs in a browser.

Of the checker, layers that a browser has no use for stay out: the command line, conformance, and the native engine but for
the module that chooses it. Tables of the parser come along: to make them would take longer than anything else at the start.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from checker.lang.lalr import SHIPPED_TABLES, lark_parser

CHECKER = Path(__file__).resolve().parents[2]
LAYERS = ("base", "lang", "model", "engine", "properties", "render", "site")
MODULES = ("__init__.py", "api.py", "native/__init__.py", "native/choose.py")
_SUFFIXES = (".py", ".lark")
_NOT_OF_LARK = ("tools", "__pyinstaller")


def python_files() -> dict[str, bytes]:
    """The files of the archive by their names in it."""
    files = {f"checker/{name}": (CHECKER / name).read_bytes() for name in MODULES}
    for layer in LAYERS:
        files |= _below(CHECKER / layer, f"checker/{layer}")
    found = find_spec("lark")
    assert found is not None and found.origin is not None  # a dependency
    lark = _below(Path(found.origin).parent, "lark")
    return files | {name: data for name, data in lark.items() if name.split("/")[1] not in _NOT_OF_LARK}


def _below(folder: Path, name: str) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
    return {f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}


def parser_tables() -> tuple[str, bytes]:
    """The tables of the parser as one more file of the archive. They are data of Lark, for its version alone."""
    target = BytesIO()
    lark_parser().save(target)
    return f"checker/lang/{SHIPPED_TABLES}", target.getvalue()


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive of files. Equal files give equal bytes."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, data in sorted(files.items()):
            file.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)
    return target.getvalue()
