"""Objects that clients use, as what each operation does to their state.

A model says what an operation that took place means: an `Effect`, a function from a state to the next one, or to REFUSED
where the answer that the client got is impossible in that state. States are hashable, and small, since a search keeps many:
a list is the number of a node in a tree of all lists that can come up, a set is a mask of bits.

An operation whose end is not known has an effect without its answer, which may take place or not. One that could change
nothing says nothing either, and is left out, as is one that failed: it did not take place.

`models` has those that exist.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from checker.base.diagnostics import SpecError, did_you_mean, error
from checker.conformance.histories.edn import Exact, Keyword, show
from checker.conformance.histories.history import Operation, Outcome

State = Hashable
REFUSED: Final = type("Refused", (), {"__repr__": lambda _: "REFUSED"})()
"""What an effect gives in a state in which the operation cannot have had its answer."""


class Effect(NamedTuple):
    """What an operation does.

    Attributes:
        apply: from a state to the next, or to REFUSED.
        pure: it changes no state at all.
        twin: operations of the same twin do the same.
    """

    apply: Callable[[Any], Any]
    pure: bool
    twin: Hashable


def freeze(value: Any) -> Hashable:
    """A value that can be a state or a key, and equals others of its kind alone (see `Exact`)."""
    kind = type(value)
    if kind is int or kind is str or value is None or kind is Keyword:
        return value  # type: ignore[no-any-return]
    if isinstance(value, list | tuple):
        return tuple(map(freeze, value))
    if isinstance(value, frozenset | set):
        return frozenset(map(freeze, value))
    if isinstance(value, dict):
        return frozenset((freeze(k), freeze(v)) for k, v in value.items())
    return Exact(value) if isinstance(value, bool | float) else value


class Model(ABC):
    """Makes the effects of one history's operations. Its state starts as `initial`.

    `real_time` says that an operation comes before all that begin after its end. All effects are made before one is applied.
    """

    name: ClassVar[str]
    ahead: ClassVar[bool] = False
    """Whether effects refuse what later operations contradict."""
    keyed: ClassVar[bool] = False
    """Whether operations are about keys, each an object of its own."""
    help: ClassVar[str]

    def __init__(self, initial: object = None, *, real_time: bool = True) -> None:
        self.initial: State = freeze(initial)
        self._real_time = real_time

    def split(self, op: Operation) -> tuple[Hashable, Any, Any]:
        """The key of an operation, what it was asked with and what was answered.

        Raises:
            SpecError: PSM852 where it needs a key and has none.
        """
        if op.key is not None:
            return freeze(op.key), op.value, op.result
        if not self.keyed:
            return None, op.value, op.result
        key, value = self._pair(op, op.value)
        return freeze(key), value, self._pair(op, op.result)[1] if isinstance(op.result, list | tuple) else op.result

    def effect(self, op: Operation, value: Any, result: Any) -> Effect | None:
        """What an operation does; None where it says nothing.

        Raises:
            SpecError: PSM852 for an operation that the model does not have, or an impossible value.
        """
        if op.outcome is Outcome.FAIL:
            return None
        made = self._effect(op, value, result, op.outcome is Outcome.OK)
        return None if made is None or (made.pure and op.outcome is not Outcome.OK) else made

    @abstractmethod
    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None: ...

    def rank(self, effect: Effect) -> int:
        """Which of several effects to try first: the lowest. A guess, which changes no result."""
        return 0

    def show(self, state: Any) -> str:
        """A state for people."""
        return show(state)

    # ---- what models share

    def _pair(self, op: Operation, value: Any) -> Sequence[Any]:
        if op.f == "delete" and not isinstance(value, list | tuple):
            return value, None
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self._error(op, f"`{show(value)}` has no key", "its value is [key value], or the event has a `key`")
        return value

    def _unknown(self, op: Operation) -> SpecError:
        names = self.help.replace("`", "").split(", ")
        near = did_you_mean(op.f, names)
        return self._error(op, f"`{op.f}` is no operation of the model", near or f"it has {self.help}")

    def _error(self, op: Operation, what: str, help: str) -> SpecError:
        return error("PSM852", f"line {op.line}: {what}", notes=(f"the model is `{self.name}`",), help=help)
