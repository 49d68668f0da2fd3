"""From a repository to generated files: what `lockstep docs` and the hook of MkDocs do.

Specs stand in `specs/`, the documentation in `docs/`, and what is generated goes to `docs/protocols/`, and for each further
language to `docs/LANGUAGE/protocols/`. Such a language has its words in `docs/LANGUAGE/words.json` and its translations of
doc comments beside it, in `docs/LANGUAGE/specs/FAMILY/NAME.json`. The checker runs once for all languages. Files are written
only where they change, so that a server that watches the folder does not build again and again. The names of what was
written are kept beside it, and only such files are ever removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from checker.base.data import dataclass
from checker.base.diagnostics import error
from checker.base.source import display_name
from checker.site.benchmarks import benchmarks_html, read_results
from checker.site.console import build_consoles, read_commands
from checker.site.editor.build import editor_state
from checker.site.facts import Kills, SpecFacts
from checker.site.gather import SpecFile, find_specs, gather, gather_consoles
from checker.site.killing import read_matrices
from checker.site.pages import build_pages
from checker.site.store import Store
from checker.site.tutorial import build_tutorial
from checker.site.words import Words, read_catalogue

MANIFEST = ".generated"
WORDS = "words.json"


@dataclass(frozen=True, slots=True)
class Project:
    """Where things are."""

    root: Path

    @property
    def specs(self) -> Path:
        return self.root / "specs"

    @property
    def docs(self) -> Path:
        return self.root / "docs"

    @property
    def tutorial(self) -> Path:
        return self.docs / "tutorial"

    @property
    def editor(self) -> Path:
        return self.docs / "assets" / "editor"

    @property
    def packages(self) -> Path:
        return self.root / "build" / "editor"

    @property
    def store(self) -> Path:
        return self.root / "build" / "results"

    @property
    def mutation(self) -> Path:
        """Where `lockstep mutate` may have left kill matrices."""
        return self.root / "build" / "mutation"

    @property
    def languages(self) -> tuple[str, ...]:
        """The further languages of the documentation: folders with words."""
        return tuple(sorted(path.parent.name for path in self.docs.glob(f"*/{WORDS}")))

    @property
    def measured(self) -> Path:
        """Where `make bench` may have left results on this machine."""
        return self.root / "build" / "bench" / "results.json"

    @property
    def benchmarks(self) -> Path:
        """Results of a quiet machine, which are a part of the site."""
        return self.docs / "benchmarks" / "results.json"

    def pages(self, language: str = "en") -> Path:
        """The folder of the generated pages of a language."""
        return (self.docs if language == "en" else self.docs / language) / "protocols"


@dataclass(frozen=True, slots=True)
class Published:
    """The specs that have pages now, in every language, and how many files were written anew."""

    specs: tuple[SpecFacts, ...]
    files: int
    changed: int
    languages: Mapping[str, tuple[SpecFacts, ...]]


def publish(project: Project, *, workers: int | None = None) -> Published:
    """Generates the pages of a project.

    Raises:
        SpecError: there are no specs, or some cannot be read or parsed.
        ValueError: a file of translations, commands or measurements is none.
    """
    files = find_specs(project.specs) if project.specs.is_dir() else ()
    if not files:
        raise error(
            "PSM002",
            f"there are no specs in {display_name(project.specs)}",
            help="run this where `specs/` and `docs/` are, or name that directory",
        )
    stages: tuple[SpecFile, ...] = find_specs(project.tutorial) if project.tutorial.is_dir() else ()
    store = Store(project.store)
    facts = gather((*files, *stages), store, workers=workers)
    printed = gather_consoles(read_commands(project.tutorial), store, workers=workers)
    store.clean()
    matrices = read_matrices(project.mutation)
    specs = tuple(
        replace(spec, kills=Kills(matrices[spec.path], built=False)) if spec.path in matrices else spec
        for spec in facts
    )
    english = {**build_consoles(printed), "benchmarks.html": _benchmarks(project)}
    languages = {"en": specs, **{code: translated(project, specs, code) for code in project.languages}}
    languages, tutorials = (
        {c: s[part] for c, s in languages.items()} for part in (slice(len(files)), slice(len(files), None))
    )
    count = changed = 0
    for code, known in languages.items():
        pages = {**build_pages(known, editor_state(project.editor)), **build_tutorial(tutorials[code])}
        pages |= english if code == "en" else {}
        count += len(pages)
        changed += write_files(project.pages(code), pages)
    return Published(languages["en"], count, changed, languages)


def _benchmarks(project: Project) -> str:
    """What was measured here; otherwise what the repository has."""
    here = read_results(project.measured)
    return benchmarks_html(here or read_results(project.benchmarks), address=None if here else project.benchmarks.name)


def translated(project: Project, specs: Sequence[SpecFacts], language: str) -> tuple[SpecFacts, ...]:
    """The same facts for the pages of another language."""
    folder = project.docs / language
    words = Words(language, read_catalogue(folder / WORDS))
    return tuple(
        replace(spec, words=words.about(read_catalogue(folder / "specs" / spec.family / f"{spec.name}.json")))
        for spec in specs
    )


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
