"""A small spec with most kinds of steps, and an implementation of it with its adapter."""

from __future__ import annotations

from collections.abc import Mapping

import checker
from checker.conformance.adapter import UNSEEN, Adapter, Observation, Refused, Unseen
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.engine.graph import StateGraph
from checker.properties.kinds import Json

TEXT = """
spec Shelf
id Book[2]
message Put(book: Book), Thanks
network bag[1]

role Reader {
  volatile hands: Set[Book] = {}
  action Take(b: Book) when hands == {} { hands += b }
  action Return {
    choose b in hands
    hands -= b
    send Put(b) to Shelf
  }
  on Thanks from s { either { } or { hands += Book } }
}

role Shelf {
  durable books: Set[Book] = {}
  on Put(_) from r when false { }
  on Put(new) from r when new not in books { books += new  send Thanks to r }
  ignore Put(known) when known in books
  fault Fire when books != {} { books := {} }
}

reach Both: Shelf.books == Book
final: true

check calm { bound Reader.hands != Book }
check rough { faults crash Shelf <= 1, lose <= 1, Shelf.Fire <= 1  bound Reader.hands != Book }
"""


def graph_of(check: str, text: str = TEXT) -> StateGraph:
    return checker.loads(text).graph(check)


class Shelves(Adapter):
    """Plays reader, shelf and network itself; `names` says under which names messages are kept."""

    environment = ("lose",)
    hidden = ("Shelf.ignore Put",)
    unsupported = ("Shelf.Fire",)

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.hands: set[str] = set()
        self.books: set[str] = set()
        self.up = True

    @step("Reader.Take")
    def take(self, event: Event) -> None:
        self.hands.add(str(event.args["b"]))

    @step("Reader.Return")
    def give_back(self, event: Event) -> None:
        self.hands.remove(str(event.chosen["b"]))

    @step("Reader.Thanks")
    def thanks(self, event: Event) -> None:
        if event.branches == (1,):
            self.hands |= {"Book0", "Book1"}

    @step("Shelf.Put")
    def put(self, event: Event) -> None:
        if not self.up:
            raise Refused("the shelf is down")
        self.books.add(str(event.args["book"]))

    @step("crash Shelf")
    def crash(self, event: Event) -> None:
        if event.torn is not None and event.torn.effects >= 1:
            self.perform(event.torn.event)
        self.up = False

    @step("restart Shelf")
    def restart(self, event: Event) -> None:
        self.up = True

    def observe(self) -> Observation:
        seen: dict[str, Json | Unseen] = {"Reader.hands": sorted(self.hands), "Shelf.books": UNSEEN}
        if self.up:
            seen["Shelf.books"] = sorted(self.books)
        return seen
