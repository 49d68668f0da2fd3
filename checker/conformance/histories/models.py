"""The objects that histories are about: registers, lists, sets, queues, locks and counters.

| Model | Operations: value asked with, value answered |
|---|---|
| `register` | `read` nil, v · `write` v · `cas` [old new] |
| `kv` | the same, with [k v] for v, or a key of its own in the event · `delete` k |
| `list` | `append` v · `read` nil, [v …]; with keys as `kv` |
| `set` | `add` v · `remove` v · `contains` v, true or false · `read` nil, [v …] |
| `queue` | `enqueue` v · `dequeue` nil, v (nil: it was empty) |
| `lock` | `acquire` · `release`; the owner is the value, or else the process |
| `counter` | `add` n, or n and what it came to: [n total] · `read` nil, total |

A `cas` that took place may also answer true, or false: then the value was another one than `old`.

Lists and queues look ahead: what is read or taken out later tells in which order values went in, and an effect refuses
states that contradict it. Without that, a search learns of a wrong guess only long after it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from checker.conformance.histories.edn import Keyword, show
from checker.conformance.histories.history import NEVER, Operation
from checker.conformance.histories.model import REFUSED, Effect, Model, freeze


class Register(Model):
    """One value that is read, written, and written if it is what was expected."""

    name = "register"
    help = "`read`, `write`, `cas`"

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        match op.f:
            case "read" | "get":
                seen = freeze(result)
                return Effect(lambda s: s if s == seen else REFUSED, True, ("read", seen))
            case "write" | "put" | "set":
                new = freeze(value)
                return Effect(lambda _: new, False, ("write", new))
            case "cas":
                return self._cas(op, value, result, known)
        raise self._unknown(op)

    def _cas(self, op: Operation, value: Any, result: Any, known: bool) -> Effect:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self._error(op, f"`{show(value)}` is not what `cas` takes", "its value is [old new]")
        old, new = map(freeze, value)
        if known and result is False:
            return Effect(lambda s: s if s != old else REFUSED, True, ("not", old))
        return Effect(lambda s: new if s == old else REFUSED, False, ("cas", old, new))


class KeyValue(Register):
    """A register for each key."""

    name = "kv"
    keyed = True
    help = "`read`, `write`, `cas`, `delete`"

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        if op.f == "delete":
            return Effect(lambda _: None, False, ("write", None))
        return super()._effect(op, value, result, known)


class List(Model):
    """A list for each key that grows at its end.

    A state is a node of a tree in which each edge appends a value, so that lists of any length compare in one step. The
    longest list that was read tells what the first values are, in every state.
    """

    name = "list"
    ahead = True
    keyed = True
    help = "`append`, `read`"

    def __init__(self, initial: object = None, *, real_time: bool = True) -> None:
        self._next: dict[tuple[int, Hashable], int] = {}
        self._nodes: list[tuple[int, Hashable]] = [(0, None)]
        self._depth = [0]
        super().__init__(real_time=real_time)
        self._longest: list[int] = []
        """The nodes on the way to the longest list that was read."""
        self.initial = 0
        for value in initial if isinstance(initial, list | tuple) else ():
            self.initial = self._append(self.initial, freeze(value))

    def _append(self, node: int, value: Hashable) -> int:
        found = self._next.get((node, value))
        if found is None:
            found = self._next[node, value] = len(self._nodes)
            self._nodes.append((node, value))
            self._depth.append(self._depth[node] + 1)
        return found

    def _grown(self, node: int, value: Hashable) -> Any:
        after = self._append(node, value)
        depth = self._depth[after]
        return after if depth > len(self._longest) or self._longest[depth - 1] == after else REFUSED

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        match op.f:
            case "append":
                new = freeze(value)
                return Effect(lambda s: self._grown(s, new), False, ("append", new))
            case "read":
                if known and result is not None and not isinstance(result, list | tuple):
                    raise self._error(op, f"`{show(result)}` is no list", "a `read` answers with a list")
                seen = 0
                way = [seen := self._append(seen, freeze(item)) for item in (result or () if known else ())]
                if len(way) > len(self._longest):
                    self._longest = way
                return Effect(lambda s: s if s == seen else REFUSED, True, ("read", seen))
        raise self._unknown(op)

    def show(self, state: Any) -> str:
        items = []
        while state:
            state, value = self._nodes[state]
            items.append(value)
        return show(items[::-1])


class Set(Model):
    """A set of values. A state is a mask with a bit for each value that comes up."""

    name = "set"
    help = "`add`, `remove`, `contains`, `read`"

    def __init__(self, initial: object = None, *, real_time: bool = True) -> None:
        self._bits: dict[Hashable, int] = {}
        super().__init__(real_time=real_time)
        self.initial = self._mask(initial or ())

    def _mask(self, values: Any) -> int:
        mask = 0
        for value in values:
            mask |= self._bit(value)
        return mask

    def _bit(self, value: Any) -> int:
        return 1 << self._bits.setdefault(freeze(value), len(self._bits))

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        match op.f:
            case "add":
                bit = self._bit(value)
                return Effect(lambda s: s | bit, False, ("add", bit))
            case "remove":
                bit = self._bit(value)
                return Effect(lambda s: s & ~bit, False, ("remove", bit))
            case "contains":
                bit = self._bit(value)
                seen = bit if result is True else 0
                return Effect(lambda s: s if s & bit == seen else REFUSED, True, ("contains", bit, seen))
            case "read":
                if known and not isinstance(result, list | tuple | frozenset):
                    raise self._error(op, f"`{show(result)}` is no set", "a `read` answers with a list or a set")
                mask = self._mask(result) if known else 0
                return Effect(lambda s: s if s == mask else REFUSED, True, ("read", mask))
        raise self._unknown(op)

    def show(self, state: Any) -> str:
        return show(frozenset(value for value, bit in self._bits.items() if state >> bit & 1))


UNTAKEN: Final = Keyword("untaken")


class Queue(Model):
    """Values that leave in the order in which they came.

    Where a value is certain to have been taken out before another one was, it went in before that. Values that nobody is
    known to have taken out are alike.
    """

    name = "queue"
    ahead = True
    help = "`enqueue`, `dequeue`"

    def __init__(self, initial: object = None, *, real_time: bool = True) -> None:
        super().__init__(initial if isinstance(initial, list | tuple) else (), real_time=real_time)
        self._taken: dict[Hashable, tuple[int, int]] = {}
        self._common: set[Hashable] = set()
        """Values that come up twice, of which nothing is concluded."""
        self._put: set[Hashable] = set()
        self._lost: list[int] = []
        """When each dequeue began of which nobody knows what it took out."""

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        match op.f:
            case "enqueue":
                new = freeze(value)
                if new in self._put:
                    self._common.add(new)
                self._put.add(new)
                return Effect(lambda s: self._grown(s, new), False, ("enqueue", new))
            case "dequeue" if not known:
                self._lost.append(op.begin)
                return Effect(lambda s: s[1:], False, "dequeue")
            case "dequeue" if result is None:
                return Effect(lambda s: REFUSED if s else s, True, "empty")
            case "dequeue":
                head = freeze(result)
                if head in self._taken:
                    self._common.add(head)
                self._taken[head] = (op.begin, op.end)
                return Effect(lambda s: s[1:] if s and s[0] == head else REFUSED, False, ("dequeue", head))
        raise self._unknown(op)

    def rank(self, effect: Effect) -> int:
        match effect.twin:
            case ("enqueue", value):
                return self._taken.get(value, (NEVER, NEVER))[0]
        return 0

    def _grown(self, values: tuple[Hashable, ...], new: Hashable) -> Any:
        if new not in self._taken:
            new = UNTAKEN
        elif self._real_time and new not in self._common:
            out, stuck = self._taken[new][1], 0
            for value in values:
                taken = self._taken.get(value)
                if taken is None:
                    stuck += 1
                elif taken[0] > out and value not in self._common:
                    return REFUSED
            if stuck > sum(begin < out for begin in self._lost):
                return REFUSED
        return (*values, new)


class Lock(Model):
    """A lock that one owner holds at a time, and that its owner alone releases. A state is the owner in a tuple, or ()."""

    name = "lock"
    help = "`acquire`, `release`"

    def __init__(self, initial: object = None, *, real_time: bool = True) -> None:
        super().__init__(real_time=real_time)
        self.initial = () if initial is None else (freeze(initial),)

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        owner = (freeze(op.process if value is None else value),)
        match op.f:
            case "acquire":
                return Effect(lambda s: REFUSED if s else owner, False, ("acquire", owner))
            case "release":
                return Effect(lambda s: () if s == owner else REFUSED, False, ("release", owner))
        raise self._unknown(op)

    def show(self, state: Any) -> str:
        return f"held by {show(state[0])}" if state else "free"


class Counter(Model):
    """A number that is added to."""

    name = "counter"
    help = "`add`, `read`"

    def __init__(self, initial: object = None, *, real_time: bool = True) -> None:
        super().__init__(initial if isinstance(initial, int) else 0, real_time=real_time)

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        match op.f:
            case "add" | "increment" | "decrement":
                amount = self._number(op, 1 if value is None else value[0] if isinstance(value, list) else value)
                amount = -amount if op.f == "decrement" else amount
                if known and isinstance(result, list | tuple) and len(result) == 2:
                    total = self._number(op, result[1])
                    return Effect(lambda s: total if s + amount == total else REFUSED, False, ("add", amount, total))
                return Effect(lambda s: s + amount, amount == 0, ("add", amount))
            case "read":
                seen = self._number(op, result) if known else 0
                return Effect(lambda s: s if s == seen else REFUSED, True, ("read", seen))
        raise self._unknown(op)

    def _number(self, op: Operation, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._error(op, f"`{show(value)}` is no whole number", "a counter counts in whole numbers")
        return value


MODELS: Final[dict[str, type[Model]]] = {m.name: m for m in (Register, KeyValue, List, Set, Queue, Lock, Counter)}
