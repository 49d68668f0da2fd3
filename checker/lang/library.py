"""Where the specs stand that a spec names: the abstract ones of `refines`.

`refines AtomicCommit` means the spec whose header is `spec AtomicCommit`. Its file is called after it, `atomic_commit.psm`, and
is looked for in the directory of the spec that names it, in a directory `abstract` there, and in one beside that directory:
`specs/abstract/` serves every family. Nothing else is looked at, so what a spec refines does not depend on where a command
is started.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from checker.base.data import dataclass
from checker.base.diagnostics import error
from checker.base.source import Source, display_name
from checker.lang.parser import read_source

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def file_name(name: str) -> str:
    """The name of the file of a spec: `atomic_commit.psm` for `AtomicCommit`."""
    return "_".join(word.lower() for word in _WORD.findall(name)) + ".psm"


@dataclass(frozen=True, slots=True)
class Library:
    """The specs that can be named. `texts` are given by the name of the spec; `folders` are looked through in order."""

    folders: tuple[Path, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def around(cls, folder: Path) -> Library:
        """What a spec in a folder can name."""
        return cls((folder, folder / "abstract", folder.absolute().parent / "abstract"))

    def find(self, name: str) -> Source:
        """The text of a spec.

        Raises:
            SpecError: PSM411 where there is none, with the places that were looked at; what reading a file raises.
        """
        if name in self.texts:
            return Source(name, self.texts[name])
        paths = [folder / file_name(name) for folder in self.folders]
        for path in paths:
            if path.is_file():
                return read_source(path)
        notes = [f"looked for {display_name(path)}" for path in paths]
        raise error(
            "PSM411",
            f"there is no spec {name}",
            notes=notes,
            help=f"write it to {file_name(name)} in one of these places, with `spec {name}` in it",
        )
