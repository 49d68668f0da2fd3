"""The explorer in a real browser: a counterexample walked to its end, forked, and found again by its address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.browser.conftest import Visit, built_with, served

LOCK = "protocols/locks/redis_lock/"


class Explorer:
    """The explorer of a page, as a reader uses it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.element = page.locator("state-explorer")
        self.element.scroll_into_view_if_needed()
        self.element.locator(".steps").wait_for()

    def button(self, name: str) -> Any:
        return self.element.get_by_role("button", name=name)

    @property
    def where(self) -> str:
        """`Step 3 of 7: …`."""
        return str(self.element.locator(".bar strong").inner_text())

    @property
    def state(self) -> str:
        """The whole state."""
        return str(self.element.locator("table").text_content())

    @property
    def path(self) -> str:
        return unquote(self.page.url.partition("explore=")[2])

    @property
    def said(self) -> str:
        """What a screen reader says."""
        return str(self.element.get_by_role("status").text_content())


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    with Visit(browser) as found:
        yield found
        assert found.problems == []


@pytest.fixture
def lock(visit: Visit, address: str) -> Explorer:
    visit.page.goto(address + LOCK, wait_until="domcontentloaded")
    return Explorer(visit.page)


def test_nothing_is_loaded_before_it_is_seen(visit: Visit, address: str) -> None:
    visit.page.goto(address + LOCK, wait_until="networkidle")
    assert not [url for url in visit.requests if "/redis_lock/0-" in url]
    explorer = Explorer(visit.page)
    assert [url for url in visit.requests if "/redis_lock/0-" in url]
    assert explorer.where.startswith("Step 7 of 7")


def test_a_counterexample_is_walked_forked_and_found_again(lock: Explorer) -> None:
    steps = lock.element.locator(".steps > li")
    count = steps.count() - 1
    assert count > 3
    # walk to the end
    lock.button("To the initial state").click()
    assert lock.where.startswith("Initial state")
    for number in range(1, count + 1):
        lock.button("One step forward").click()
        assert lock.where.startswith(f"Step {number} of {count}: ")
        assert lock.where.split(": ", 1)[1] in lock.said
    assert lock.button("One step forward").is_disabled()
    end = lock.state
    # fork in the middle
    lock.button("One step back").click()
    lock.button("One step back").click()
    choices = lock.element.locator(".choice")
    other = next(n for n in range(choices.count()) if "next in this run" not in choices.nth(n).inner_text())
    name = choices.nth(other).locator("code").inner_text()
    choices.nth(other).click()
    assert lock.where == f"Step {count - 1} of {count - 1}: {name}"
    assert lock.element.get_by_role("group", name="Runs that were left").get_by_role("button").count() == 1
    forked, path = lock.state, lock.path
    assert forked != end
    # reload: the same state
    lock.page.reload()
    again = Explorer(lock.page)
    assert (again.where, again.state, again.path) == (f"Step {count - 1} of {count - 1}: {name}", forked, path)
    # and the property leads to its own run again
    again.button("OneBeliever fails").click()
    assert again.state == end


def test_a_run_that_was_left_is_still_there(lock: Explorer) -> None:
    end = lock.state
    lock.button("To the initial state").click()
    lock.element.locator(".choice", has_not_text="next in this run").first.click()
    assert "it is kept above" in lock.said
    lock.button("run with 7 steps").click()
    lock.button("To the end of the run").click()
    assert lock.state == end


def test_the_keyboard_is_enough(lock: Explorer) -> None:
    press = lock.page.keyboard.press
    lock.button("OneBeliever fails").focus()
    press("Home")
    assert lock.where.startswith("Initial state")
    press("ArrowRight")
    press("ArrowRight")
    assert lock.where.startswith("Step 2 of 7")
    press("ArrowLeft")
    assert lock.where.startswith("Step 1 of 7")
    first = lock.element.locator(".choice code").first.inner_text()
    press("1")
    assert lock.where.endswith(first)
    press("Backspace")
    assert lock.where.startswith("Step 1 of 1")
    press("d")
    assert lock.element.get_by_role("img").is_visible()
    press("d")
    # a step that is taken by hand leaves the focus among the steps that can follow
    lock.element.locator(".choice").first.focus()
    press("Enter")
    assert lock.page.evaluate("document.activeElement.shadowRoot.activeElement.className") == "choice"
    slider = lock.element.get_by_role("slider")
    slider.focus()
    press("Home")
    assert slider.get_attribute("aria-valuetext") == lock.where


def test_what_cannot_happen_has_a_reason_and_a_line(lock: Explorer) -> None:
    lock.element.get_by_text("What cannot happen").click()
    refused = lock.element.locator(".refusals")
    assert "needs" in refused.inner_text()
    line = refused.get_by_role("link").first
    target = line.get_attribute("href")
    line.click()
    assert lock.page.locator(f"[id='{target[1:]}']").is_visible()


def test_every_check_can_be_opened(lock: Explorer) -> None:
    choose = lock.element.get_by_label("Check")
    names = choose.locator("option").all_inner_texts()
    assert len(names) > 2
    for name in names:
        choose.select_option(name)
        lock.element.locator(".steps").wait_for()
        lock.page.wait_for_function(
            "([name]) => document.querySelector('state-explorer').explorer.graph.data.check === name", arg=[name]
        )


def test_runs_are_copied(lock: Explorer) -> None:
    lock.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lock.button("Copy as pytest").click()
    text = lock.page.evaluate("navigator.clipboard.readText()")
    assert "def test_fenced_run() -> None:" in text
    assert lock.element.get_by_text("was copied").first.is_visible()


def test_the_address_that_is_copied_is_that_of_what_is_shown(lock: Explorer) -> None:
    lock.page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    def copied() -> str:
        lock.button("Copy link").click()
        text = str(lock.page.evaluate("navigator.clipboard.readText()"))
        return unquote(text.partition("?explore=")[2].partition("#")[0])

    assert copied().startswith("fenced:0.") and lock.path == ""
    lock.button("One step back").click()
    assert copied().endswith("@6") and lock.path.startswith(copied())
    lock.element.get_by_label("Check").select_option("retry")
    lock.element.get_by_text("Loading the states").first.wait_for(state="hidden")
    assert copied().startswith("retry:0.") and lock.path.startswith("retry:0.")


def focused(explorer: Explorer) -> str:
    """What has the focus within the explorer: its classes, label or text."""
    find = """() => {
      const found = document.querySelector("state-explorer").shadowRoot.activeElement;
      return found && (found.className || found.getAttribute("aria-label") || found.textContent);
    }"""
    return str(explorer.page.evaluate(find))


def test_the_focus_stays_within_the_explorer(lock: Explorer) -> None:
    press = lock.page.keyboard.press
    lock.button("To the initial state").focus()
    press("Enter")
    lock.page.wait_for_timeout(100)  # browsers take the focus from what is disabled a moment later
    press("End")
    assert lock.where.startswith("Step 7 of 7")
    lock.button("One step forward").focus()
    press("Home")
    press("End")
    lock.page.wait_for_timeout(100)
    press("ArrowLeft")
    assert lock.where.startswith("Step 6 of 7")
    # a run that was left
    press("Home")
    lock.element.locator(".choice", has_not_text="next in this run").first.click()
    lock.button("run with 7 steps").focus()
    press("Enter")
    assert focused(lock).startswith("run with 1 step")
    press("End")
    assert lock.where.startswith("Step 7 of 7")
    # the panels that are folded
    lock.element.get_by_text("The whole state").focus()
    press("ArrowLeft")
    assert focused(lock) == "The whole state"
    lock.element.get_by_text("What cannot happen").focus()
    press("ArrowLeft")
    assert focused(lock).startswith("What cannot happen")
    # the diagram, which keeps what was scrolled into view
    press("d")
    drawing = lock.element.locator(".drawing")
    lock.element.locator("svg rect.row").nth(2).click()
    top = drawing.evaluate("(node) => node.scrollTop = Math.min(40, node.scrollHeight - node.clientHeight)")
    press("ArrowRight")
    assert lock.where.startswith("Step 4 of 7") and focused(lock) == "drawing"
    assert drawing.evaluate("(node) => node.scrollTop") == top
    press("1")
    assert focused(lock) == "drawing"


def test_the_check_that_was_chosen_last_is_shown(lock: Explorer) -> None:
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    lock.page.route("**/redis_lock/*.js", hold)
    choose = lock.element.get_by_label("Check")
    first, second = [name for name in choose.locator("option").all_inner_texts() if name != "fenced"][:2]
    for number, name in enumerate((first, second), start=1):
        choose.select_option(name)
        while len(held) < number:
            lock.page.wait_for_timeout(20)
        assert lock.element.get_by_text(f"Loading the states of {name}").first.is_visible()
        assert lock.button("One step back").evaluate("(node) => node.closest('[inert]') !== null")
    for route in reversed(held):
        route.continue_()
        lock.page.wait_for_timeout(300)
    lock.element.locator(".steps").wait_for()
    assert lock.page.evaluate("document.querySelector('state-explorer').explorer.graph.data.check") == second
    assert choose.input_value() == second
    assert not lock.element.get_by_text("Loading the states").first.is_visible()


@pytest.mark.parametrize("path", ["?explore=nosuch:0.1@1", "?explore=%", "#explore=%", "?explore="])
def test_an_address_without_a_run_says_so(visit: Visit, address: str, path: str) -> None:
    visit.page.goto(address + LOCK + path)
    explorer = Explorer(visit.page)
    assert explorer.where.startswith("Step 7 of 7")
    assert explorer.element.get_by_text("names no run of this page").first.is_visible()


def test_what_nobody_expects_is_neither_good_nor_bad(lock: Explorer) -> None:
    lock.element.get_by_label("Check").select_option("pause")
    badge = lock.button("OneBeliever fails")
    badge.filter(has_text="no expectation").wait_for()
    assert badge.inner_text().startswith("·") and "bad" not in str(badge.get_attribute("class")).split()


def test_a_diagram_has_every_step(lock: Explorer) -> None:
    lock.button("Sequence diagram").click()
    assert lock.element.locator("svg rect.row").count() == 7
    lock.element.locator("svg rect.row").nth(2).click()
    assert lock.where.startswith("Step 3 of 7")


def test_an_address_that_leads_nowhere_says_so(visit: Visit, address: str) -> None:
    visit.page.goto(f"{address}{LOCK}?explore=fenced:0.0.99.0@3")
    explorer = Explorer(visit.page)
    assert explorer.where.startswith("Step 1 of 1")
    assert explorer.element.get_by_text("names steps that are not there").first.is_visible()


def test_data_that_is_missing_is_reported(browser: Any, address: str) -> None:
    with Visit(browser) as visit:
        visit.page.route("**/redis_lock/*.js", lambda route: route.abort())
        visit.page.goto(address + LOCK)
        visit.page.locator("state-explorer").scroll_into_view_if_needed()
        alert = visit.page.locator("state-explorer").get_by_role("alert")
        alert.wait_for()
        assert "cannot be loaded" in alert.inner_text()


# ---- other ways to get to a page


@pytest.fixture(scope="module")
def build_small(small_project: Path) -> Callable[[str, str, str], Path]:
    return lambda name, old, new: built_with(small_project, name, old, new)


def test_it_works_after_instant_navigation(visit: Visit, build_small: Callable[[str, str, str], Path]) -> None:
    site = build_small("instant", "    - navigation.indexes\n", "    - navigation.indexes\n    - navigation.instant\n")
    # instant navigation follows the links that the sitemap lists, and that has the address of the site
    with served(site) as address:
        sitemap = site / "sitemap.xml"
        pages = ("", "protocols/", "protocols/toys/relay/")
        urls = "".join(f"<url><loc>{address}{page}</loc></url>" for page in pages)
        sitemap.write_text(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>', "utf-8")
        visit.page.goto(address, wait_until="networkidle")
        visit.page.evaluate("window.still = true")
        visit.page.get_by_role("link", name="Relay").first.click()
        explorer = Explorer(visit.page)
        assert visit.page.evaluate("window.still === true"), "the page was loaded anew, so this test says nothing"
        assert explorer.where.startswith("Step ")
        explorer.button("To the initial state").click()
        assert explorer.path.startswith("small:0.") and explorer.path.endswith("@0")


def test_it_works_from_the_file_system(visit: Visit, build_small: Callable[[str, str, str], Path]) -> None:
    site = build_small("offline", "enabled: !ENV [OFFLINE, false]", "enabled: true")
    visit.page.goto((site / "index.html").as_uri())
    visit.page.get_by_role("link", name="Relay").first.click()
    assert visit.page.url == (site / "protocols" / "toys" / "relay.html").as_uri()
    explorer = Explorer(visit.page)
    explorer.button("One step back").click()
    where, state = explorer.where, explorer.state
    visit.page.reload()
    again = Explorer(visit.page)
    assert (again.where, again.state) == (where, state)
    assert [url for url in visit.requests if not url.startswith("file:")] == []


def test_without_scripts_the_rest_remains(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + LOCK)
    assert page.get_by_text("It needs scripts").is_visible()
    assert page.locator("svg.ls-sequence").first.is_visible()
    assert page.get_by_role("region", name="Properties").is_visible()
    context.close()
