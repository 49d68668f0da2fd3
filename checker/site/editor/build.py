"""The files of the editor, made at build time: a bundle for the page, a worker, CPython as WebAssembly, and the checker.

    editor.js                  the editor with CodeMirror, bundled by esbuild
    worker.js                  runs the checker
    pyodide.* python_stdlib.zip  CPython, from the package `pyodide`
    checker.zip                the checker and Lark, as they are installed here
    iframe-worker.js           lets the search of a site without a server work, where browsers allow no workers
    NOTICE.txt                 what is in it by others, with licences
    editor.json                what was made, and of what; or why nothing was

JavaScript comes from the npm registry by npm, in the exact versions of `package.json`; nothing runs at installation, and no lock
file is written, because those hold addresses. Lark is not fetched: it is installed already, in the version that
`constraints.txt` asks for, and it is pure Python. Packages stay in a cache, so a second build fetches nothing; files are made
again only where something that they are made of has changed.

Without npm, or without a network, there is no editor. That is no error: the site is built without it, and its pages say why.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from checker.base.data import dataclass
from checker.site.editor.archive import archive, parser_tables, python_files
from checker.site.lexer import editor_rules

SOURCES = Path(__file__).resolve().parent
BUNDLED = ("editor.js", "client.js", "highlighting.js")
_PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
SHIM = "iframe-worker.js"
TAKEN = {**{name: f"pyodide/{name}" for name in _PYODIDE}, SHIM: "iframe-worker/shim/index.js"}
"""Files of packages that are served as they are, and where they come from."""

MANIFEST = "editor.json"

PATIENCE = 300
"""Seconds that npm may take."""


@dataclass(frozen=True, slots=True)
class EditorState:
    """Whether the files of the editor are there, and `why` not. `files` are their sizes in bytes."""

    why: str | None = None
    files: Mapping[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return self.why is None


NOT_BUILT = EditorState("`lockstep docs` has not been run")


class _MissingError(Exception):
    """The editor cannot be made; the text says why, as a clause."""


def editor_state(folder: Path) -> EditorState:
    """What a folder has of the editor."""
    manifest = _manifest(folder)
    return NOT_BUILT if manifest is None else _state(manifest)


def build_editor(folder: Path, cache: Path) -> EditorState:
    """Makes a folder hold the files of the editor.

    Args:
        folder: what the site serves; files that an earlier call made and that are no longer wanted are removed.
        cache: where packages are kept between builds.
    """
    python = python_files()
    key = _key(python)
    manifest = _manifest(folder)
    if manifest is not None and manifest.get("key") == key and _state(manifest).ready and _whole(folder, manifest):
        return _state(manifest)
    _remove(folder, manifest)
    try:
        packages = _install(cache)
        files = {**_bundle(packages), **_taken(packages)}
        files |= {
            "worker.js": (SOURCES / "worker.js").read_bytes(),
            "checker.zip": archive(dict([*python.items(), parser_tables()])),
        }
        files["NOTICE.txt"] = notice(packages).encode()
    except _MissingError as problem:
        return _write(folder, {}, {"key": key, "why": str(problem)})
    return _write(folder, files, {"key": key, "why": None})


def _write(folder: Path, files: Mapping[str, bytes], manifest: dict[str, object]) -> EditorState:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    manifest["files"] = {name: len(data) for name, data in sorted(files.items())}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return _state(manifest)


# ---- what was made before


def _manifest(folder: Path) -> dict[str, object] | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("files"), dict) else None


def _state(manifest: dict[str, object]) -> EditorState:
    why, files = manifest.get("why"), manifest["files"]
    assert isinstance(files, dict)
    return EditorState(None if why is None else str(why), {str(name): int(size) for name, size in files.items()})


def _whole(folder: Path, manifest: dict[str, object]) -> bool:
    sizes = _state(manifest).files
    return all((folder / name).is_file() and (folder / name).stat().st_size == size for name, size in sizes.items())


def _remove(folder: Path, manifest: dict[str, object] | None) -> None:
    for name in () if manifest is None else _state(manifest).files:
        (folder / Path(name).name).unlink(missing_ok=True)


def _key(python: Mapping[str, bytes]) -> str:
    """A hash of all that the files are made of."""
    digest = hashlib.sha256(json.dumps(editor_rules()).encode())
    own = {name: (SOURCES / name).read_bytes() for name in (*BUNDLED, "worker.js", "package.json", Path(__file__).name)}
    for name, data in sorted({**python, **own}.items()):
        digest.update(f"{name}:{len(data)}:".encode() + data)
    return digest.hexdigest()


# ---- packages


def _install(cache: Path) -> Path:
    """A folder with the packages of `package.json` in `node_modules`, from the cache or by npm.

    It is made elsewhere and moved as a whole, so that what is there is complete, whoever else builds at the same time.
    """
    wanted = (SOURCES / "package.json").read_bytes()
    folder = cache.resolve() / hashlib.sha256(wanted).hexdigest()[:16]
    if folder.is_dir():
        return folder
    npm = _program("npm")
    cache.mkdir(parents=True, exist_ok=True)
    options = (
        "--no-package-lock",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--fetch-retries=1",
    )
    with TemporaryDirectory(dir=folder.parent, prefix="new-", ignore_cleanup_errors=True) as new:
        (Path(new) / "package.json").write_bytes(wanted)
        _run((npm, "install", *options), Path(new), "npm could not install the packages of the editor")
        try:
            Path(new).rename(folder)
        except OSError:
            assert folder.is_dir()  # another build was faster
    return folder


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise _MissingError(f"{name} is not installed")
    return found


def _run(command: Sequence[str], folder: Path, failure: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 - fixed words
    except subprocess.TimeoutExpired:
        raise _MissingError(f"{failure} within {PATIENCE} seconds") from None
    except OSError as problem:
        raise _MissingError(f"{failure}: {problem.strerror}") from None
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        telling = [line for line in lines if "reason:" in line or "rror:" in line] or lines
        raise _MissingError(f"{failure}: {telling[0] if telling else f'it ended with {done.returncode}'}")


def _bundle(packages: Path) -> dict[str, bytes]:
    """The part that runs in the page, as one file."""
    node, esbuild = _program("node"), packages / "node_modules" / "esbuild" / "bin" / "esbuild"
    options = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8", "--log-level=error")
    with TemporaryDirectory(dir=packages, prefix="source-") as made:  # where `node_modules` is found
        source = Path(made)
        for name in BUNDLED:
            shutil.copy(SOURCES / name, source / name)
        (source / "highlighting.json").write_text(json.dumps(editor_rules()), encoding="utf-8")
        bundle = source / "bundle.js"
        command = (node, str(esbuild), str(source / "editor.js"), *options, f"--outfile={bundle}")
        _run(command, source, "esbuild could not bundle the editor")
        return {"editor.js": bundle.read_bytes()}


def _taken(packages: Path) -> dict[str, bytes]:
    """Files of packages as they are."""
    return {name: (packages / "node_modules" / source).read_bytes() for name, source in TAKEN.items()}


def notice(packages: Path) -> str:
    """What the files contain that others have written, where it comes from, and under which licence."""
    lines = ["The editor of this site contains, unchanged but for bundling:", ""]
    lines += sorted(_credits(packages / "node_modules"))
    lines += [f"lark {version('lark')}, MIT, https://github.com/lark-parser/lark", ""]
    return "\n".join(lines)


def _credits(modules: Path) -> Iterator[str]:
    for path in (*modules.glob("*/package.json"), *modules.glob("@*/*/package.json")):
        package = json.loads(path.read_text(encoding="utf-8"))
        name = package["name"]
        if name.partition("/")[0] in ("esbuild", "@esbuild", "@types", "ws"):
            continue  # tools of the build, which the site does not serve
        home = package.get("repository", {})
        address = (home if isinstance(home, str) else home.get("url", "")).removeprefix("git+").removesuffix(".git")
        yield f"{name} {package['version']}, {package.get('license', 'see its page')}, {address}"
