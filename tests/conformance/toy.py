"""A small spec with most kinds of steps, and an implementation of it with its adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import checker
from checker.conformance.adapter import UNSEEN, Adapter, Instance, Observation, Refused, Scene
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.engine.graph import StateGraph
from checker.properties.kinds import Json

TEXT = """
spec Library
id Book[2]
message Put(book: Book), Thanks
network soup

role Reader {
  volatile hands: Set[Book] = {}
  action Take(wanted: Book) when hands == {} { hands += wanted }
  action Return { choose one in hands  hands -= one  send Put(one) to Shelf }
  on Thanks from s when hands == {} { either { hands := Book } or { choose gift in Book  hands += gift } }
}

role Shelf {
  durable books: Set[Book] = {}
  on Put(new) from r when new not in books { books += new  send Thanks to r }
  ignore Put(known) when known in books
  fault Fire when books != {} { books := {} }
}

reach Full: Shelf.books == Book
final: true

check calm { expect holds Full }
check rough { faults crash Shelf <= 1, lose <= 1, Shelf.Fire <= 1  expect holds Full }
"""


def graph_of(check: str, text: str = TEXT) -> StateGraph:
    return checker.loads(text).graph(check)


class Library(Adapter):
    """A reader and a shelf. Messages go unseen: the driver says which arrive."""

    environment: ClassVar[tuple[str, ...]] = ("lose",)
    hidden: ClassVar[tuple[str, ...]] = ("Shelf.ignore Put",)
    unsupported: ClassVar[tuple[str, ...]] = ("Shelf.Fire",)

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.hands: set[str] = set()
        self.books: set[str] = set()
        self.up = True

    @step("Reader.Take")
    def take(self, event: Event) -> None:
        if self.hands:
            raise Refused("the reader's hands are full")
        self.hands.add(str(event.args["wanted"]))

    @step("Reader.Return")
    def give_back(self, event: Event) -> None:
        if not self.hands:
            raise Refused("there is nothing to return")
        self.hands.remove(str(event.chosen["one"]))

    @step("Reader.Thanks")
    def thanks(self, event: Event) -> None:
        if not self.hands:
            self.hands |= {"Book0", "Book1"} if event.branches == (0,) else {str(event.chosen["gift"])}

    @step("Shelf.Put")
    def put(self, event: Event) -> None:
        self.books.add(str(event.args["book"]))

    @step("crash Shelf")
    def crash(self, event: Event) -> None:
        if event.torn is not None:
            self.perform(event.torn.event)
        self.up = False

    @step("restart Shelf")
    def restart(self, event: Event) -> None:
        self.up = True

    def observe(self) -> Observation:
        seen: dict[str, object] = {"Reader.hands": sorted(self.hands), "Shelf.books": UNSEEN}
        if self.up:
            seen["Shelf.books"] = sorted(self.books)
        return seen


TWO_BOOKS = ("Reader.Take(Book0)", "Reader.Return() [one = Book0]", "Shelf.Put(Book0) <- Reader")


class Staged(Library):
    """The same, with a scene in each check."""

    scenes: ClassVar[tuple[Scene, ...]] = (
        Scene("a book comes back", Instance("calm"), TWO_BOOKS),
        Scene("the shelf's crash", Instance("rough"), (*TWO_BOOKS[:2], "Shelf.crash", "Shelf.restart", TWO_BOOKS[2])),
    )


class Amnesiac(Staged):
    """Forgets the books on the shelf when it restarts, which no run without a crash shows."""

    @step("restart Shelf")
    def restart(self, event: Event) -> None:
        super().restart(event)
        self.books.add("Book1")
