"""From a repository to generated files: what `lockstep docs` and the hook of MkDocs do.

Specs stand in `specs/`, the documentation in `docs/`, and what is generated goes to `docs/protocols/`. Files are written
only where they change, so that a server that watches the folder does not build again and again. The names of what was
written are kept beside it, and only such files are ever removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checker.base.diagnostics import error
from checker.base.source import display_name
from checker.site.facts import SpecFacts
from checker.site.gather import SpecFile, find_specs, gather
from checker.site.pages import build_pages
from checker.site.store import Store
from checker.site.tutorial import build_tutorial

MANIFEST = ".generated"


@dataclass(frozen=True, slots=True)
class Project:
    """Where things are."""

    root: Path

    @property
    def specs(self) -> Path:
        return self.root / "specs"

    @property
    def tutorial(self) -> Path:
        return self.root / "docs" / "tutorial"

    @property
    def pages(self) -> Path:
        return self.root / "docs" / "protocols"

    @property
    def store(self) -> Path:
        return self.root / "build" / "results"


@dataclass(frozen=True, slots=True)
class Published:
    """The specs that have pages now, and how many files were written anew."""

    specs: tuple[SpecFacts, ...]
    files: int
    changed: int


def publish(project: Project, *, workers: int | None = None) -> Published:
    """Generates the pages of a project.

    Raises:
        SpecError: there are no specs, or some cannot be read or parsed.
    """
    files = find_specs(project.specs) if project.specs.is_dir() else ()
    if not files:
        raise error(
            "PSM002",
            f"there are no specs in {display_name(project.specs)}",
            help="run this where `specs/` and `docs/` are, or name that directory",
        )
    stages: tuple[SpecFile, ...] = find_specs(project.tutorial) if project.tutorial.is_dir() else ()
    facts = gather((*files, *stages), Store(project.store), workers=workers)
    specs = facts[: len(files)]
    pages = {**build_pages(specs), **build_tutorial(facts[len(files) :])}
    return Published(specs, len(pages), write_files(project.pages, pages))


def write_files(folder: Path, files: Mapping[str, str]) -> int:
    """Makes a folder hold these files and none that an earlier call wrote; returns how many had to be written."""
    manifest = folder / MANIFEST
    old = manifest.read_text(encoding="utf-8").splitlines() if manifest.is_file() else []
    for name in old:
        path = folder / name
        if name not in files and path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            path.unlink()
    changed = 0
    for name, text in {**files, MANIFEST: "".join(f"{name}\n" for name in sorted(files))}.items():
        path, data = folder / name, text.encode("utf-8")
        if path.is_file() and path.read_bytes() == data:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        changed += name != MANIFEST
    return changed
