"""Every page of the built site in a real browser: both schemes, wide and narrow."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.conftest import Visit
from tests.site.test_build import Page

MOST_BYTES = 500_000
"""What the first load of a page may take, compressed."""

SIZES = (1280, 390)
SCHEMES = ("light", "dark")

OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const cut = (node) => node !== document.body && (getComputedStyle(node).overflowX !== "visible" || cut(node.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((node) => node.getBoundingClientRect().right > wide + 1 && !cut(node.parentElement))
    .slice(0, 3).map((node) => node.outerHTML.slice(0, 120));
}"""
"""What makes the page wider than the window; what is wider in a container that scrolls does not."""

EACH_FRAME = """(overflow) => {
  window.found = [];
  const look = () => {
    window.found.push(...overflow());
    requestAnimationFrame(look);
  };
  look();
}"""

CONTRAST = ["color-contrast"]
STRUCTURE = (
    "aria-allowed-attr aria-required-children aria-valid-attr-value button-name document-title duplicate-id-aria empty-heading "
    "heading-order html-has-lang image-alt input-image-alt label link-name nested-interactive page-has-heading-one role-img-alt "
    "scrollable-region-focusable select-name svg-img-alt"
).split()

AXE = """async ({rules, without}) => {
  const options = {runOnly: {type: "rule", values: rules}, resultTypes: ["violations"]};
  const found = await axe.run({include: [[".md-content"]], exclude: without.map((part) => [part])}, options);
  const why = (node) => node.any.concat(node.all, node.none).map((check) => check.message)[0];
  const ours = (node) => !`${node.target}`.endsWith(".md-typeset__scrollwrap"); // the theme's, and browsers let keys scroll it
  return found.violations.flatMap((v) => v.nodes.filter(ours).slice(0, 3).map((node) => `${v.id}: ${node.target} ${why(node)}`));
}"""


def pages(site: Path) -> list[str]:
    """The addresses of all pages, below the root."""
    found = sorted(path.parent.relative_to(site).as_posix() for path in site.rglob("index.html"))
    return ["" if name == "." else f"{name}/" for name in found]


@pytest.fixture(scope="module")
def visit(browser: Any) -> Iterator[Visit]:
    with Visit(browser, search=False) as found:
        yield found


def test_every_page_can_be_read(visit: Visit, site: Path, address: str) -> None:
    """One load of each page, looked at in both schemes and widths, from one look to the next by one change."""
    problems = []
    looks = [(SIZES[0], "light"), (SIZES[0], "dark"), (SIZES[1], "dark"), (SIZES[1], "light")]
    for name in pages(site):
        visit.problems.clear()
        visit.page.goto(address + name)
        for width, scheme in looks:
            visit.page.set_viewport_size({"width": width, "height": 900})
            dress(visit.page, scheme)
            problems += [f"/{name} at {width}, {scheme}: too wide: {p}" for p in visit.page.evaluate(OVERFLOW)]
        looks.reverse()
        problems += [f"/{name}: {problem}" for problem in visit.problems]
    assert problems == []


def test_no_frame_is_too_wide_while_the_window_changes(visit: Visit, address: str) -> None:
    visit.page.set_viewport_size({"width": SIZES[1], "height": 900})
    visit.page.goto(address)
    visit.page.evaluate(f"({EACH_FRAME})({OVERFLOW})")
    for width in (SIZES[0], SIZES[1], SIZES[0]):
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.wait_for_timeout(300)
    assert visit.page.evaluate("window.found") == []


def view_box(svg: Any) -> tuple[float, ...]:
    """What a drawing shows of itself: x, y, width and height."""
    return tuple(map(float, str(svg.get_attribute("viewBox")).split()))


def test_drawings_stay_in_view_and_are_printed_whole(visit: Visit, address: str) -> None:
    visit.page.set_viewport_size({"width": SIZES[0], "height": 900})
    visit.page.goto(f"{address}protocols/locks/redis_lock/")
    figure = visit.page.locator(".ls-pan").first
    svg = figure.locator("svg")
    _, _, wide, high = map(float, str(svg.get_attribute("data-whole")).split())
    figure.focus()
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        for _ in range(200):
            visit.page.keyboard.press(key)
        x, y, width, height = view_box(svg)
        assert x >= -1 and y >= -1 and x + width <= wide + 1 and y + height <= high + 1
    shown = view_box(svg)
    visit.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert view_box(svg) == (0, 0, wide, high)
    visit.page.emulate_media(media="print")
    frame = svg.bounding_box()
    assert abs(frame["width"] / frame["height"] - wide / high) < 0.1
    visit.page.emulate_media(media="screen")
    visit.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert view_box(svg) == shown


def test_two_fingers_move_a_drawing_and_one_scrolls_the_page(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": SIZES[1], "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}protocols/locks/redis_lock/")
    figure = page.locator(".ls-pan").first
    svg = figure.locator("svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    device = context.new_cdp_session(page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": across, "y": down, "id": number} for number, (across, down) in enumerate(fingers)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before, scrolled = view_box(svg), page.evaluate("scrollY")
    touch("touchStart", (x - 40, y))
    touch("touchStart", (x - 40, y), (x + 40, y))
    for far in range(10, 110, 10):
        touch("touchMove", (x - 40, y - far), (x + 40, y - far))
    touch("touchEnd")
    after = view_box(svg)
    assert after[1] > before[1] + 40 and page.evaluate("scrollY") == scrolled
    figure.get_by_role("button", name="Move up").tap()
    assert view_box(svg)[1] < after[1]
    touch("touchStart", (x, y))
    for far in range(10, 110, 10):
        touch("touchMove", (x, y - far))
    touch("touchEnd")
    page.wait_for_function("(before) => scrollY > before + 40", arg=scrolled)
    context.close()


def test_schemes_differ(visit: Visit, address: str) -> None:
    grounds = []
    for scheme in SCHEMES:
        visit.page.goto(address)
        dress(visit.page, scheme)
        grounds.append(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


def test_no_link_is_broken(site: Path) -> None:
    read = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    broken = []
    for path, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = read[target].ids if target in read else set()
            if not target.is_file() or (parts.fragment and known and unquote(parts.fragment) not in known):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def one_of_each_kind(site: Path) -> set[str]:
    """Pages that differ in how they are made: one of each section, and those that stand alone."""
    kinds: dict[str, str] = {}
    for name in pages(site):
        folder, _, rest = name.rstrip("/").partition("/")
        kinds.setdefault(f"{folder}/{'/' in rest}" if rest else name, name)
    return set(kinds.values())


def dress(page: Any, scheme: str) -> None:
    """Changes the scheme, and waits until the theme has followed."""
    page.emulate_media(color_scheme=scheme)
    name = {"light": "default", "dark": "slate"}[scheme]
    page.wait_for_function("(name) => document.body.dataset.mdColorScheme === name", arg=name)


def test_pages_are_accessible(visit: Visit, site: Path, address: str, axe: str) -> None:
    """Contrast, headings, names and texts of pictures. The explorer is open where there is one.

    Every protocol is looked at, and one page of each other kind; the dark scheme, and the colours of specs, on one page of each.
    """
    problems = []
    alone = one_of_each_kind(site)
    visit.page.set_viewport_size({"width": SIZES[0], "height": 900})
    for name in pages(site):
        if name not in alone and not name.startswith("protocols/"):
            continue
        visit.page.goto(address + name)
        dress(visit.page, "light")
        explorer = visit.page.locator("state-explorer")
        if explorer.count():
            explorer.scroll_into_view_if_needed()
            explorer.locator(".steps").wait_for()
        visit.page.evaluate(axe)
        without = [] if name in alone or not explorer.count() else [".ls-code"]
        found = visit.page.evaluate(AXE, {"rules": CONTRAST + STRUCTURE, "without": without})
        if name in alone:
            dress(visit.page, "dark")
            found += visit.page.evaluate(AXE, {"rules": CONTRAST, "without": []})
        problems += [f"/{name}: {problem}" for problem in found]
    assert problems == []


def test_the_first_load_of_a_protocol_is_small(browser: Any, site: Path, address: str) -> None:
    largest = max(
        (n for n in pages(site) if n.count("/") == 3 and n.startswith("protocols/")),
        key=lambda n: (site / n / "index.html").stat().st_size,
    )
    with Visit(browser) as visit:
        visit.page.goto(address + largest, wait_until="networkidle")
        files = {unquote(urlsplit(url).path) for url in visit.requests if url.startswith(address)}
        sizes = {name: len(gzip.compress(read(site, name))) for name in files}
        assert sum(sizes.values()) <= MOST_BYTES, sorted(sizes.items(), key=lambda s: -s[1])
        assert not visit.problems


def read(site: Path, name: str) -> bytes:
    path = site / name.lstrip("/")
    return (path / "index.html" if path.is_dir() else path).read_bytes()


def test_the_search_finds_the_lock_by_its_token(browser: Any, address: str) -> None:
    with Visit(browser) as visit:
        visit.page.goto(address, wait_until="networkidle")
        visit.page.get_by_role("textbox", name="Search").first.click()
        visit.page.keyboard.type("fencing", delay=20)
        results = visit.page.locator(".md-search-result__link")
        results.first.wait_for()
        results.first.click()
        visit.page.wait_for_url("**/protocols/locks/redis_lock/**")
        assert "Redis lock" in visit.page.locator("h1").inner_text()
        assert not visit.problems
