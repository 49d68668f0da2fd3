"""The `dataclass` of the checker does what the standard one does, and compiles less."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import field, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.base.data import dataclass

ROOT = Path(__file__).resolve().parents[2]


def classes(make: Any) -> SimpleNamespace:
    """One class for each way in which the decorator is used."""

    @make(frozen=True, slots=True)
    class Point:
        """With a docstring."""

        x: int
        y: int = 2
        count: ClassVar[int] = 0

    @make(frozen=True, slots=True)
    class Named(Point):
        name: str = "a"
        notes: list[int] = field(default_factory=list, compare=False, repr=False)
        size: int = field(init=False, default=7)

    @make(frozen=True, slots=True)
    class Empty:
        pass

    @make(frozen=True, slots=True)
    class One:
        value: object

        def __str__(self) -> str:
            return "one"

    @make(frozen=True, slots=True, kw_only=True)
    class Keyed:
        b: int
        a: int = 1

    @make(slots=True)
    class Open:
        items: list[int] = field(default_factory=list)
        total: int = 0

    @make(frozen=True)
    class Lazy:
        parts: tuple[int, ...]

        @cached_property
        def total(self) -> int:
            return sum(self.parts)

    @make(frozen=True, slots=True)
    class Checked:
        value: int
        twice: int = field(init=False)

        def __post_init__(self) -> None:
            if self.value < 0:
                raise ValueError(self.value)
            object.__setattr__(self, "twice", 2 * self.value)

    @make(frozen=True, slots=True)
    class Own:  # noqa: PLW1641 - the decorator adds a hash
        value: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, int)

        def __repr__(self) -> str:
            return "own"

    @make
    class Bare:
        x: int = 1

    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "make"})


OURS, STANDARD = classes(dataclass), classes(dataclasses.dataclass)


def outcome(do: Callable[..., Any], *more: Any) -> Any:
    """What comes of something with our classes; fails where the standard ones give something else."""

    def result(kinds: SimpleNamespace) -> Any:
        try:
            return do(kinds, *more)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it has to be the same
            return type(problem)

    mine, expected = result(OURS), result(STANDARD)
    assert mine == expected
    return mine


ARGUMENTS = [
    ("Point", (1,), {}),
    ("Point", (1, 3), {}),
    ("Point", (), {"y": 1, "x": 2}),
    ("Named", (1, 2, "b"), {}),
    ("Named", (1,), {"notes": [3]}),
    ("Empty", (), {}),
    ("One", ((1, "a"),), {}),
    ("Keyed", (), {"b": 3}),
    ("Open", (), {}),
    ("Open", ([1], 5), {}),
    ("Lazy", ((1, 2),), {}),
    ("Checked", (4,), {}),
    ("Own", (5,), {}),
    ("Bare", (), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), ARGUMENTS)
def test_objects_are_alike(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    def made(kinds: SimpleNamespace) -> Any:
        return getattr(kinds, name)(*args, **kwargs)

    assert outcome(lambda kinds: repr(made(kinds))) != outcome(lambda kinds: str(type(made(kinds))))
    outcome(lambda kinds: hash(made(kinds)))
    assert outcome(lambda kinds: made(kinds) == made(kinds)) in (True, False)
    outcome(lambda kinds: made(kinds) == 3)
    outcome(lambda kinds: made(kinds) != made(kinds))
    outcome(lambda kinds: [(f.name, getattr(made(kinds), f.name)) for f in fields(made(kinds))])
    outcome(lambda kinds: type(made(kinds)).__match_args__)
    assert outcome(lambda kinds: is_dataclass(made(kinds)))
    for copied in (copy.copy, copy.deepcopy):
        assert outcome(lambda kinds, copied: repr(copied(made(kinds))) == repr(made(kinds)), copied)
    for change in ({"x": 9}, {"name": "c", "y": 0}, {"size": 1}, {"value": -1}, {"total": 1}):
        outcome(lambda kinds, change: repr(replace(made(kinds), **change)), change)
    for attribute in [f.name for f in fields(getattr(OURS, name))]:
        outcome(lambda kinds, attribute: setattr(made(kinds), attribute, 1), attribute)
        outcome(lambda kinds, attribute: delattr(made(kinds), attribute), attribute)
    outcome(lambda kinds: made(kinds).__dict__)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("Point", (), {}),
        ("Point", (1, 2, 3), {}),
        ("Point", (1,), {"x": 1}),
        ("Point", (1,), {"z": 1}),
        ("Keyed", (1,), {}),
        ("Keyed", (), {}),
        ("Empty", (1,), {}),
        ("Checked", (-1,), {}),
    ],
)
def test_wrong_arguments_are_refused(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    assert outcome(lambda kinds: getattr(kinds, name)(*args, **kwargs)) in (TypeError, ValueError)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required positional argument: 'x'"):
        OURS.Point()


def test_no_two_objects_share_what_is_made_for_each() -> None:
    one, other = OURS.Open(), OURS.Open()
    one.items.append(1)
    assert other.items == []
    one.total = 3
    assert (one.total, one) == (3, OURS.Open([1], 3))


def test_a_frozen_object_is_frozen_and_says_so() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="'x'"):
        OURS.Point(1).x = 1
    with pytest.raises(dataclasses.FrozenInstanceError, match="'x'"):
        del OURS.Point(1).x


def test_slots_leave_no_room_for_more_and_lazy_values_stay() -> None:
    assert not hasattr(OURS.Named(1), "__dict__")
    lazy = OURS.Lazy((1, 2))
    assert lazy.total == 3
    assert "total" in vars(lazy)


def test_a_class_matches_by_position() -> None:
    match OURS.Named(1, 2, "c"):
        case OURS.Named(x, y, name):
            assert (x, y, name) == (1, 2, "c")


def test_an_object_that_holds_itself_can_be_shown() -> None:
    loop = OURS.Open()
    loop.items.append(loop)
    assert repr(loop).count("...") == 1


@dataclass(frozen=True, slots=True)
class Sent:
    """Pickled, which needs a class that can be found."""

    a: int
    b: tuple[Any, ...] = ()


@given(st.integers(), st.lists(st.integers() | st.text()))
def test_objects_survive_being_sent(a: int, items: list[Any]) -> None:
    sent = Sent(a, (Sent(1), *items))
    assert pickle.loads(pickle.dumps(sent)) == sent
    assert hash(pickle.loads(pickle.dumps(sent))) == hash(sent)


def test_nothing_is_compiled_before_it_is_needed() -> None:
    """A hundred classes and one object: one text is compiled."""
    code = (
        "import builtins\n"
        "from checker.base.data import dataclass\n"
        "texts = []\n"
        "real = builtins.exec\n"
        "builtins.exec = lambda text, *names: (texts.append(text), real(text, *names))[1]\n"
        "made = [dataclass(frozen=True, slots=True)(type('C', (), {'__annotations__': {'x': 'int'}})) for _ in range(100)]\n"
        "objects = [made[0](i) for i in range(10)]\n"
        "builtins.exec = real\n"
        "assert len(texts) == 1, texts\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_the_checker_uses_it_everywhere() -> None:
    """One class made the other way costs a command as much time as ten made this way."""
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "checker").rglob("*.py")
        if path.name != "data.py"
        and re.search(r"^from dataclasses import .*\bdataclass\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert not found
