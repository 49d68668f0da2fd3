"""From the paths on the command line to specs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from checker.api import LoadedSpec, load
from checker.base.diagnostics import Diagnostic, SpecError, did_you_mean, error
from checker.base.source import display_name
from checker.model.machine import Machine

SUFFIX = ".psm"


def find_specs(paths: Iterable[str]) -> tuple[list[Path], list[Diagnostic]]:
    """The files that paths stand for, each once, and what is wrong with paths that stand for none.

    A directory stands for the specs in it and below it, in the order of their names; hidden directories are passed over.
    """
    files: dict[str, Path] = {}
    problems: list[Diagnostic] = []
    for text in paths:
        path = Path(text)
        if not os.path.isdir(text):  # noqa: PTH112 - unlike `Path.is_dir`, it raises nothing for a name that is too long
            files.setdefault(os.path.realpath(text), path)
            continue
        found = _below(path, problems)
        for file in found:
            files.setdefault(os.path.realpath(file), file)
        if not found:
            problems.append(
                Diagnostic(
                    "PSM002",
                    f"there are no specs in {display_name(path)} or below it",
                    help=f"specs are files that end in `{SUFFIX}`; `lockstep new NAME` writes a first one",
                )
            )
    return list(files.values()), problems


def _below(folder: Path, problems: list[Diagnostic]) -> list[Path]:
    def refused(problem: OSError) -> None:
        name = display_name(Path(problem.filename)) if problem.filename else display_name(folder)
        problems.append(
            Diagnostic("PSM006", f"{name} cannot be read: {problem.strerror}", help="check its permissions")
        )

    found: list[Path] = []
    for here, folders, names in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(here, name) for name in names if name.endswith(SUFFIX) and not name.startswith(".")]
    return sorted(found)


def load_one(path: str) -> LoadedSpec:
    """The spec of a command that takes one. Raises `SpecError`, with PSM901 for a directory."""
    if os.path.isdir(path):  # noqa: PTH112
        raise error(
            "PSM901",
            f"{display_name(Path(path))} is a directory, and this command looks at one spec",
            help=f"name a file that ends in `{SUFFIX}`",
        )
    return load(path)


def machine_of(path: str, check: str | None, constants: Mapping[str, int | bool | str]) -> tuple[LoadedSpec, Machine]:
    """The spec at a path and the machine of one of its checks."""
    spec = load_one(path)
    return spec, spec.machine(check, constants=constants)


def unknown_names(specs: Iterable[LoadedSpec], checks: Iterable[str], constants: Iterable[str]) -> list[Diagnostic]:
    """What is asked for and none of several specs has: PSM502 for checks, PSM503 for constants."""
    several = list(specs)
    has_checks = {name for spec in several for name in spec.checks}
    has_constants = {name for spec in several for name in constants_of(spec)}
    whose, has, it = f"none of the {len(several)} specs", "has a", "there are"
    if len(several) == 1:
        whose, has, it = several[0].path, "has no", "it has"
    problems = []
    for code, kind, asked, known in (
        ("PSM502", "check", checks, has_checks),
        ("PSM503", "constant", constants, has_constants),
    ):
        for name in dict.fromkeys(asked):
            if name not in known:
                help = did_you_mean(name, known) or _listed(it, kind, sorted(known))
                problems.append(Diagnostic(code, f"{whose} {has} {kind} `{name}`", help=help))
    return problems


def _listed(it: str, kind: str, names: list[str]) -> str:
    if not names:
        return f"{it} no {kind}s"
    return f"{it} {', '.join(names[:12])}{' and more' if len(names) > 12 else ''}"


def constants_of(spec: LoadedSpec) -> list[str]:
    """The names of the constants of a spec."""
    from checker.lang import ast

    return [d.name.text for d in spec.tree.decls if isinstance(d, ast.ConstDecl)]


__all__ = ["SpecError", "constants_of", "find_specs", "load_one", "machine_of", "unknown_names"]
