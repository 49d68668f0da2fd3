"""`dataclass`: that of the standard library, with methods that are made when they are needed.

The standard decorator writes up to six functions for a class as text and compiles each, which takes up to a millisecond. A
command defines 250 such classes before it does anything, and that was two fifths of its time. Most of these functions need no
text of their own: equality, the hash and the refusal of assignments are the same for all classes, but for the names of the
fields. Only `__init__` is compiled, as objects are made often, and not before the first one is.

So a class goes through the standard decorator, which sees to fields, inheritance, slots, `match` and `replace`, but writes no
methods, and gets them from here. They do what the standard ones do; `tests/base/test_data.py` compares them. A class that
inherits from one of these is made here, too: to the standard decorator, none of them is frozen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for those who check types, it is the standard one
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so it is exported
else:

    def dataclass(
        cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, kw_only: bool = False
    ) -> Any:
        """The standard decorator, with these of its options."""

        def made(cls: type) -> type:
            return _made(cls, frozen=frozen, slots=slots, kw_only=kw_only)

        return made if cls is None else made(cls)


_NAMES: dict[type, tuple[str, ...]] = {}


def names_of(cls: type) -> tuple[str, ...]:
    """The names of the fields of a data class, which `dataclasses.fields` looks for each time."""
    names = _NAMES.get(cls)
    if names is None:
        names = _NAMES[cls] = tuple(field.name for field in dataclasses.fields(cls))
    return names


def _made(cls: type, *, frozen: bool, slots: bool, kw_only: bool) -> type:
    given = {name for name, value in vars(cls).items() if name != "__hash__" or value is not None}
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # else the standard decorator derives one from the signature, which takes long
    cls = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    fields = dataclasses.fields(cls)
    compared = _values([f.name for f in fields if f.compare])
    methods: dict[str, Any] = {
        "__init__": _first_init(cls, frozen=frozen),
        "__repr__": _repr([f.name for f in fields if f.repr]),
        "__eq__": _equality(compared),
        "__hash__": None,
    }
    if frozen:
        methods |= {"__hash__": lambda self: hash(compared(self)), "__setattr__": _no_change, "__delattr__": _no_change}
    if frozen and slots:
        methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
    for name, method in methods.items():
        if name not in given:
            setattr(cls, name, method)
    return cls


# ---- methods that need no text of their own


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of some fields."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _equality(compared: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, Any], Any]:
    def equal(self: Any, other: Any) -> Any:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    return equal


def _repr(names: list[str]) -> Callable[[Any], str]:
    @recursive_repr("...")
    def text(self: Any) -> str:
        return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return text


def _no_change(self: Any, name: str, *_: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in names_of(type(self))]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(names_of(type(self)), state, strict=True):
        object.__setattr__(self, name, value)


# ---- __init__


def _first_init(cls: type, *, frozen: bool) -> Callable[..., None]:
    """An `__init__` that puts the real one in its place, and calls it."""

    def first(self: Any, *args: Any, **kwargs: Any) -> None:
        init = _init(cls, frozen=frozen)
        cls.__init__ = init  # type: ignore[misc]
        init(self, *args, **kwargs)

    return first


_OMITTED = object()
"""The default of a parameter whose value is made for each object."""


def _init(cls: type, *, frozen: bool) -> Callable[..., None]:
    """The real `__init__`."""
    names: dict[str, Any] = {"_omitted": _OMITTED}
    positional, by_name, body = ["self"], ["*"], []
    for field in dataclasses.fields(cls):
        name, value = field.name, field.name
        if field.default_factory is not dataclasses.MISSING:
            names[f"_make_{name}"] = field.default_factory
            value = f"_make_{name}() if {name} is _omitted else {name}" if field.init else f"_make_{name}()"
            default = "=_omitted"
        elif field.default is not dataclasses.MISSING:
            names[f"_default_{name}"] = field.default
            default = f"=_default_{name}"
            value = name if field.init else f"_default_{name}"
        elif field.init:
            default = ""
        else:
            continue
        if field.init:
            (by_name if field.kw_only else positional).append(name + default)
        if frozen:
            slot = getattr(getattr(cls, name, None), "__set__", None)  # of a slot; faster than by its name
            names[f"_set_{name}"] = slot or object.__setattr__
            body.append(f"_set_{name}(self, {value})" if slot else f"_set_{name}(self, {name!r}, {value})")
        else:
            body.append(f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(positional + (by_name if len(by_name) > 1 else []))
    text = f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"])
    exec(text, names)  # noqa: S102 - made from the names of fields in our own source
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made
