"""What a check says about the world: its networks, its fault budgets, which steps are strongly fair."""

from __future__ import annotations

from checker.base.diagnostics import Reporter, did_you_mean
from checker.lang import ast
from checker.lang.resolve import unknown
from checker.model.context import Bad
from checker.model.machine import Budget, Network
from checker.model.types import RoleInfo
from checker.model.world import World

MAX_CUT = 16
"""The most processes that a cut may separate; every partition is a step of its own."""


def networks_of(world: World, check: ast.CheckDecl | None) -> list[tuple[Network, tuple[str, ...]]]:
    """The networks with the messages that each carries, after the overrides of the check."""
    declared = list(world.symbols.networks)
    overrides = [i for i in (check.items if check else ()) if isinstance(i, ast.NetworkDecl)]
    messages = list(world.symbols.messages)
    for override in overrides:
        at = [i for i, d in enumerate(declared) if _name(d) == _name(override)]
        if not at:
            names = [_name(d) or "(no name)" for d in declared]
            world.reporter.error(
                "PSM508",
                f"there is no network {_name(override) or 'without a name'} to override",
                override.span,
                help=f"the spec has {', '.join(names) or 'none'}",
            )
            continue
        old = declared[at[0]]
        declared[at[0]] = ast.NetworkDecl(
            override.span,
            (),
            old.name,
            override.kind,
            override.capacity,
            override.options,
            override.messages or old.messages,
        )
    taken: dict[str, ast.Ident] = {}
    result: list[tuple[Network, tuple[str, ...]]] = []
    for decl in declared:
        for name in decl.messages:
            if name.text not in world.symbols.messages:
                unknown(world.reporter, name, "message", messages)
            elif name.text in taken:
                world.reporter.error("PSM202", f"message {name} has two networks", name.span)
            taken[name.text] = name
    rest = tuple(m for m in messages if m not in taken)
    general = [d for d in declared if not d.messages]
    for extra in general[1:]:
        world.reporter.error(
            "PSM202",
            "two networks for the same messages",
            extra.span,
            help="give each its messages: `network a soup for M, N`",
        )
    if rest and not general:
        sig = world.symbols.messages[rest[0]]
        world.reporter.error(
            "PSM207", f"message {rest[0]} has no network", sig.name.span, help="declare one: `network soup`"
        )
    for decl in declared:
        try:
            network = _network(world, decl, len(result))
        except Bad:
            continue
        result.append((network, tuple(m.text for m in decl.messages) or rest))
    return result


def _name(decl: ast.NetworkDecl) -> str | None:
    return None if decl.name is None else decl.name.text


def _network(world: World, decl: ast.NetworkDecl, index: int) -> Network:
    capacity = None if decl.capacity is None else world.number(decl.capacity, "a capacity", 1, 1024)
    options = set(decl.options)
    if decl.kind == "soup":
        if capacity is not None:
            world.reporter.error("PSM508", "a soup has no capacity: it is a set", decl.span, help="drop the `[…]`")
        if options & {"drop", "block"}:
            world.reporter.error("PSM508", "a soup is never full, so `drop` and `block` say nothing", decl.span)
    elif capacity is None:
        world.reporter.error(
            "PSM508",
            f"a {decl.kind} needs a capacity",
            decl.span,
            help=f"write `{decl.kind}[1]`: every network is finite",
        )
    if {"drop", "block"} <= options:
        world.reporter.error("PSM508", "a full network drops or blocks, not both", decl.span)
    overflow = "drop" if "drop" in options else "block" if "block" in options else "error"
    name = _name(decl) or "network"
    return Network(name, decl.kind, capacity, overflow, "session" in options, decl.span)  # type: ignore[arg-type]


def faults_of(world: World, check: ast.CheckDecl | None) -> list[Budget]:
    """The fault budgets of a check, in order. A budget of 0 is kept: it is used by nothing, but it was written."""
    budgets: list[Budget] = []
    for item in check.items if check else ():
        if isinstance(item, ast.Faults):
            for fault in item.faults:
                try:
                    budget = _budget(world, fault)
                except Bad:
                    continue
                if any(b.key == budget.key for b in budgets):
                    world.reporter.error("PSM505", f"`{budget.key}` has two budgets", fault.span)
                elif budget.kind == "cut" and any(b.kind == "cut" for b in budgets):
                    world.reporter.error(
                        "PSM505",
                        "a check has one budget for cuts",
                        fault.span,
                        help="write a check for each kind of cut",
                    )
                else:
                    budgets.append(budget)
    _refuse_dup_on_soups(world, check, budgets)
    return budgets


def _budget(world: World, fault: ast.Fault) -> Budget:
    roles: list[RoleInfo] = [world.role(r) for r in fault.roles]
    names = [r.name for r in roles]
    count = world.number(fault.budget, "a fault budget", 0, 255)
    step = None
    match fault.kind:
        case "own":
            assert fault.name is not None
            own = world.symbols.roles[names[0]].own_faults
            step = fault.name.text
            if step not in own:
                unknown(world.reporter, fault.name, f"fault of role {names[0]}:", list(own))
                raise Bad
            key = f"{names[0]}.{step}"
        case "lose" | "dup":
            key = fault.kind
        case "cut":
            key = f"cut({names[0]}, {names[1]})" if names else "cut"
            if len(set(names)) != len(names):
                world.reporter.error("PSM504", "a cut needs two different roles", fault.span)
                raise Bad
        case _:
            key = f"{fault.kind} {names[0]}"
    if fault.kind == "byzantine" and count > roles[0].size:
        world.reporter.error(
            "PSM505", f"{count} of {roles[0].size} {names[0]} cannot be faulty", fault.span, help="lower the budget"
        )
        raise Bad
    processes = sum(r.size for r in roles or world.roles.values())
    if fault.kind == "cut" and processes > MAX_CUT:
        world.reporter.error(
            "PSM504",
            f"a cut of {processes} processes can be made in {2 ** (processes - 1) - 1:,} ways",
            fault.span,
            help=f"limit it to {MAX_CUT} processes: `cut(A, B)`, or smaller roles",
        )
        raise Bad
    if fault.kind == "drift" and not any(
        isinstance(s, ast.Handler) and s.kind == "tick" for s in world.symbols.roles[names[0]].steps
    ):
        world.reporter.error("PSM504", f"{names[0]} has no `on tick` that could drift", fault.span)
        raise Bad
    return Budget(key, fault.kind, tuple(roles), step, count, fault.span)


def _refuse_dup_on_soups(world: World, check: ast.CheckDecl | None, budgets: list[Budget]) -> None:
    for budget in budgets:
        if budget.kind == "dup":
            overrides = {_name(i): i for i in (check.items if check else ()) if isinstance(i, ast.NetworkDecl)}
            kinds = [overrides.get(_name(d), d).kind for d in world.symbols.networks]
            if all(kind == "soup" for kind in kinds):
                world.reporter.error(
                    "PSM504",
                    "`dup` on a soup changes nothing: a soup delivers every message again and again",
                    budget.span,
                    help="drop it, or use a `bag` or `fifo`",
                )


def strong_of(world: World, check: ast.CheckDecl | None) -> tuple[str, ...]:
    """The steps that a check makes strongly fair, as `Role.Step`."""
    result: list[str] = []
    labels: dict[str, list[str]] = {}
    for role, members in world.symbols.roles.items():
        for step in members.steps:
            name = (
                step.message.text if not isinstance(step, ast.Handler) else (step.name.text if step.name else step.kind)
            )
            labels.setdefault(name, []).append(f"{role}.{name}")
    for item in check.items if check else ():
        if isinstance(item, ast.Strong):
            for named in item.steps:
                found = [
                    label
                    for label in labels.get(named.step.text, [])
                    if named.role is None or label == f"{named.role}.{named.step}"
                ]
                if not found:
                    world.reporter.error(
                        "PSM201",
                        f"unknown step `{named.step}`",
                        named.span,
                        help=did_you_mean(named.step.text, labels),
                    )
                result += found
    return tuple(dict.fromkeys(result))


def refuse_repetitions(reporter: Reporter, check: ast.CheckDecl | None) -> None:
    """Reports what a check says again, where it can say it once."""
    said: set[str] = set()
    for item in check.items if check else ():
        about = _about(item)
        if about in said:
            reporter.error("PSM506", f"the check says twice {about}", item.span, help="keep one")
        elif about is not None:
            said.add(about)


def _about(item: ast.CheckItem) -> str | None:
    """What an item says that a check can say once; None for those that add to each other, or are looked at elsewhere."""
    match item:
        case ast.Bind(name=name):
            return f"what `{name}` is"
        case ast.NetworkDecl(name=name):
            return "which network there is" if name is None else f"which network `{name}` is"
        case ast.ExpectCounts():
            return "how many states to expect"
        case ast.CheckFinal():
            return "what is `final`"
    return None
