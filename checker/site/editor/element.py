"""What a page says of its editor: the element that opens it, or why there is none, and the spec as a file in any case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from checker.lang import ast
from checker.site.editor.build import EditorState
from checker.site.facts import SpecFacts
from checker.site.text import escape, inline_html


def spec_file(page: str) -> str:
    """The name of the file with the text of a spec, beside its page."""
    return page.removesuffix(".md") + ".psm"


def edit_html(spec: SpecFacts, specs: Iterable[SpecFacts], names: Mapping[str, str], state: EditorState) -> str:
    """The element below a spec. `names` are the files of the pages of all `specs`, by their paths."""
    here = names[spec.path]
    own = _address(here, here)
    words = spec.words
    file = f'<a href="{escape(own)}" download>{words("The spec as a file")}</a>'
    if not state.ready:
        why = words("The editor is not part of this build of the site: {why}.", why=inline_html(state.why or ""))
        return f'<p class="ls-small ls-edit-spec">{why} {file}</p>'
    related = " ".join(_address(here, names[other.path]) for other in refined(spec, specs))
    return (  # Markdown leaves a `div` alone; an element that it does not know would become part of a paragraph
        f'<div class="ls-edit-spec"><edit-spec data-source="{escape(own)}" data-related="{escape(related)}">'
        f'<p class="ls-small">{file} · '
        f"{words('Changes that you make in the editor are checked in your browser and go nowhere else.')} "
        f"<noscript>{words('The editor needs JavaScript.')}</noscript></p></edit-spec></div>"
    )


def refined(spec: SpecFacts, specs: Iterable[SpecFacts]) -> Iterator[SpecFacts]:
    """The specs that a spec may refine or already does: all abstract ones, and what it names in its own folder."""
    named = {d.name.text for d in spec.tree.decls if isinstance(d, ast.RefinesDecl | ast.LinearDecl)}
    folder = PurePosixPath(spec.path).parent
    for other in specs:
        beside = PurePosixPath(other.path).parent
        abstract = beside in (folder / "abstract", folder.parent / "abstract")
        if other is not spec and (abstract or (beside == folder and other.tree.name.text in named)):
            yield other


def _address(here: str, page: str) -> str:
    """The address of the file of a spec from a page: each page is a folder, and both are two folders below the pages."""
    return "../" * (here.count("/") + 1) + spec_file(page)
