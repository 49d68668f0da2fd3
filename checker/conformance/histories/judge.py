"""Which check a model and a level of consistency stand for: the one table behind the command line and the Python interface.

| Model | Levels, the first is the default |
|---|---|
| `register`, `kv` | `linearizable`, `sequential`, `causal`, `sessions`, and each of the session guarantees |
| `list`, `set`, `queue`, `lock`, `counter` | `linearizable`, `sequential` |
| `list-append`, `rw-register` | isolation levels; `serializable` is the default |
| `grow-set`, `total-queue`, `unique-ids`, `mutex`, `fenced-lock`, `counter-bounds`, `converging` | none: they say what is wrong |

A verdict is good only if the history could have shown the opposite (`Judgement.within`).
"""

from __future__ import annotations

from typing import Final

from checker.base.diagnostics import did_you_mean, error
from checker.conformance.histories import isolation, ordered, sessions, unordered
from checker.conformance.histories.history import History
from checker.conformance.histories.models import MODELS
from checker.conformance.histories.ordered import Budget
from checker.conformance.histories.verdict import Judgement

_ORDERED: Final = {"linearizable": ordered.linearizable, "sequential": ordered.sequential}
NAMES: Final = (*MODELS, *isolation.ANALYSES, *unordered.CHECKS)
"""All models."""


def levels(model: str) -> tuple[str, ...]:
    """The levels of consistency that a model can be held to, the default first; empty for one that has none."""
    if model in isolation.ANALYSES:
        return ("serializable", *(level for level in isolation.LEVELS if level != "serializable"))
    if model in ("register", "kv"):
        return (*_ORDERED, *reversed(sessions.CHECKS))
    return tuple(_ORDERED) if model in MODELS else ()


def judge(
    history: History,
    model: str,
    level: str | None = None,
    *,
    initial: object = None,
    budget: Budget | None = None,
) -> Judgement:
    """Judges a history.

    Args:
        history: what clients did.
        model: one of NAMES.
        level: one of `levels(model)`; None is the first.
        initial: what objects hold in the beginning, where that is not nothing.
        budget: when a search for an order gives up; other checks need none.

    Raises:
        SpecError: PSM901 for an unknown model or level, PSM852 for operations that the model does not have.
    """
    if model not in NAMES:
        help = did_you_mean(model, NAMES) or f"choose one of {', '.join(NAMES)}"
        raise error("PSM901", f"there is no model `{model}`", help=help)
    possible = levels(model)
    if level is not None and level not in possible:
        known = f"choose one of {', '.join(possible)}" if possible else "it has no levels"
        raise error("PSM901", f"`{model}` has no level `{level}`", help=did_you_mean(level, possible) or known)
    level = level or (possible[0] if possible else "")
    if model in unordered.CHECKS:
        result = unordered.CHECKS[model](history)
    elif model in isolation.ANALYSES:
        result = isolation.isolated(history, model, level)
    elif level in _ORDERED:
        result = _ORDERED[level](history, MODELS[model], initial=initial, budget=budget)
    else:
        result = sessions.CHECKS[level](history, MODELS[model])
    return result.within(history)
