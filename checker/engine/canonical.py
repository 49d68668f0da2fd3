"""One state for all that a permutation of symmetric instances turns into each other.

**Problem.** `canonical` gives equal states for two states exactly if some permutation turns one into the other, and says how
many states there are in this class, its orbit. All N! permutations would do, and are too many for N = 8.

**Algorithm.** Instances are sorted by what the state says about each of them (`atoms`), with all others alike. Instances that
differ there differ under every permutation, so their order is settled. Those that are left alike are mostly
interchangeable: to exchange them changes nothing, so any order will do. Where they are not, colours are refined until
nothing new shows (what an atom says about an instance, if one sees the colours of the others), and then one of them after
the other is given a colour of its own. The smallest of the states that come of this is the canonical one. This is the search
of McKay (Practical Graph Isomorphism, 1981) with interchangeable instances in place of his automorphisms. Sorting by
local states is that of Bosnacki, Dams and Holenderski (Symmetric Spin, 2002), which alone does not give one state for each
orbit.

**Size of the orbit.** The permutations that give the canonical state are as many as those that leave it as it is; the search
counts them, a leaf for all orders of interchangeable instances. The orbit has |G| divided by that number of states.

Invariants: colours, cells and their order depend on the state up to renaming alone, so two states of one orbit have the same
search tree up to renaming.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import factorial, prod

from checker.engine.atoms import MARK, Atom, Atoms, Contribution, Kept
from checker.engine.renaming import Renaming
from checker.engine.runtime import State
from checker.model.layout import Layout
from checker.model.permute import Elements, Permutation
from checker.model.values import order_key

MOST_RENAMINGS = 1 << 10
"""The most permutations that are kept prepared."""

MOST_SEEN = 1 << 17
"""The most states that are remembered to lie in an orbit that was found."""

Cells = list[list[int]]
"""A partition of the elements, in order: each cell within one group, groups one after the other."""


class Canonical:
    """Canonical states of one machine, for its symmetric groups."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.elements = Elements(layout.machine.symmetric)
        self.atoms = Atoms(layout, self.elements)
        self.order = prod(factorial(g.size) for g in self.elements.groups)
        """How many permutations there are."""
        self._kept = [(slot, Kept(self.atoms, split)) for slot, split in self.atoms.places]
        self._messages = [(slot, Kept(self.atoms, split)) for slot, split in self.atoms.networks]
        self._renamings: dict[tuple[int, ...], Renaming] = {}

    def __call__(self, state: State) -> tuple[State, int]:
        """The canonical state of the orbit of a state, and the number of states in the orbit."""
        found = self._contributions(state)
        cells = self._cells(found)
        if self._are_interchangeable(state, cells, found):
            return self._leaf(state, cells), self.order // prod(factorial(len(c)) for c in cells)
        key, weight = self._search(state, list(self.atoms.all(state)), cells)
        return key, self.order // weight

    def rename(self, state: State, to: Permutation) -> State:
        """The state with its instances permuted."""
        return self._renaming(tuple(to)).state(state)

    def _renaming(self, to: tuple[int, ...]) -> Renaming:
        found = self._renamings.get(to)
        if found is None:
            if len(self._renamings) >= MOST_RENAMINGS:
                self._renamings.clear()
            found = self._renamings[to] = Renaming(self.layout, self.elements, to)
        return found

    # ---- the first look

    def _contributions(self, state: State) -> list[Contribution]:
        found: list[Contribution] = []
        for slot, kept in self._kept:
            found += kept[state[slot]]
        for slot, kept in self._messages:
            for part in state[slot]:
                found += kept[part]
        return found

    def _cells(self, found: Sequence[Contribution]) -> Cells:
        """Elements of which the state says the same, as long as all others look alike."""
        signs: list[list[int]] = [[] for _ in range(len(self.elements))]
        for element, alike, _, _ in found:
            signs[element].append(alike)
        for sign in signs:
            sign.sort()
        cells: Cells = []
        for group in self.elements.groups:
            first = self.elements.first[group.name]
            members = sorted(range(first, first + group.size), key=signs.__getitem__)
            cells += [list(cell) for _, cell in groupby(members, signs.__getitem__)]
        return cells

    def _are_interchangeable(self, state: State, cells: Cells, found: Sequence[Contribution]) -> bool:
        """Whether within each cell any two elements can be exchanged and the state stays as it is."""
        if len(cells) == len(self.elements):
            return True
        signs: list[list[int]] = [[] for _ in range(len(self.elements))]
        mixed = [False] * len(self.elements)
        for element, _, apart, several in found:
            signs[element].append(apart)
            mixed[element] |= several
        for cell in cells:
            for a, b in pairwise(cell):
                if mixed[a] or mixed[b]:
                    if not self._exchange(state, a, b):
                        return False
                elif sorted(signs[a]) != sorted(signs[b]):
                    return False
        return True

    def _exchange(self, state: State, a: int, b: int) -> bool:
        """Whether exchanging two elements leaves the state as it is."""
        return self.rename(state, self.elements.swap(a, b)) == state

    def _leaf(self, state: State, cells: Cells) -> State:
        """The state with the elements of each group in the order of the cells."""
        to = [0] * len(self.elements)
        for position, element in enumerate(e for cell in cells for e in cell):
            to[element] = position
        return self._renaming(tuple(to)).state(state)

    # ---- the search

    def _search(self, state: State, atoms: Sequence[Atom], cells: Cells) -> tuple[State, int]:
        """The smallest leaf below a partition, and how many permutations lead to it."""
        cells = self._refined(atoms, cells)
        for at, cell in enumerate(cells):
            blocks = self._blocks(state, cell)
            if len(blocks) == 1:
                continue
            best: State | None = None
            weight = 0
            for block in blocks:
                chosen = block[0]
                rest = [e for e in cell if e != chosen]
                leaf, count = self._search(state, atoms, [*cells[:at], [chosen], rest, *cells[at + 1 :]])
                count *= len(block)
                if best is None or leaf == best:
                    best, weight = leaf, weight + count
                elif order_key(leaf) < order_key(best):
                    best, weight = leaf, count
            assert best is not None
            return best, weight
        return self._leaf(state, cells), prod(factorial(len(cell)) for cell in cells)

    def _blocks(self, state: State, cell: Sequence[int]) -> Cells:
        """The elements of a cell, those together that can be exchanged."""
        blocks: Cells = []
        for element in cell:
            block = next((b for b in blocks if self._exchange(state, b[0], element)), None)
            if block is None:
                blocks.append([element])
            else:
                block.append(element)
        return blocks

    def _refined(self, atoms: Sequence[Atom], cells: Cells) -> Cells:
        """The coarsest finer partition in which elements of one cell look alike to whoever sees the cells of all others."""
        while True:
            colours = [0] * len(self.elements)
            for colour, cell in enumerate(cells):
                for element in cell:
                    colours[element] = colour
            signs: list[tuple[object, ...]] = [()] * len(self.elements)
            for cell in cells:
                for element in cell if len(cell) > 1 else ():
                    own = colours[element]
                    colours[element] = MARK
                    signs[element] = tuple(sorted([self.atoms.shape(atom, colours) for atom in atoms]))
                    colours[element] = own
            finer = [
                list(part)
                for cell in cells
                for _, part in groupby(sorted(cell, key=signs.__getitem__), signs.__getitem__)
            ]
            if len(finer) == len(cells):
                return cells
            cells = finer


class Orbits:
    """The orbits that a search has found, by their canonical states. `sizes` has those that were kept, in their order."""

    def __init__(self, layout: Layout) -> None:
        self.sizes: list[int] = []
        self._canonical = Canonical(layout)
        self._keys: set[State] = set()
        self._seen: set[State] = set()
        self._last: tuple[State, int] = ((), 0)

    def is_new(self, state: State) -> bool:
        """Whether no state of this orbit was kept yet."""
        if state in self._seen:  # most states are asked about more than once
            return False
        self._last = self._canonical(state)
        if self._last[0] not in self._keys:
            return True
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(state)
        return False

    def keep(self) -> None:
        """Keeps the orbit that was asked about last."""
        key, size = self._last
        self._keys.add(key)
        self.sizes.append(size)
