"""`lockstep conform`: hold an implementation to what it should do."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from checker.cli.arguments import PATH, SET_HELP, bindings, constant, count, seconds, seed, some_of
from checker.cli.exits import Exit

F = TypeVar("F", bound=Callable[..., Any])

WORKLOADS = (
    "echo", "unique-ids", "broadcast", "g-set", "g-counter", "pn-counter", "lin-kv", "txn-list-append",
    "txn-rw-register", "kafka",
)  # fmt: skip
FAULTS = ("partition", "kill", "pause", "loss", "duplicate")
LEVELS = (
    "read-uncommitted", "read-committed", "consistent-view", "snapshot-isolation", "repeatable-read", "serializable",
    "strong-session-serializable", "strict-serializable",
)  # fmt: skip
SPREADS = ("constant", "uniform", "exponential")

MODES = ("replay", "probe", "scenes", "walks", "explore")
NO_MODE = "is no mode; there are"

OWN = {
    "adapter": ("modes", "runs", "steps", "choices", "scene", "min_coverage", "seed_"),
    "traces": ("budget", "rare"),
    "simulate": ("runs", "seed_", "rare", "budget", "record"),
    "history": ("model", "initial", "situations"),
    "command_": (
        "workload", "nodes", "clients", "time_", "rate", "faults_", "latency", "latency_spread", "patience", "seed_", "record",
        "logs",
    ),
}  # fmt: skip
"""What is held to something, with the options that belong to it."""
OF_SPECS = ("check", "constants", "html")


def program(text: str) -> tuple[str, ...]:
    """`node echo.js`: a program and its arguments, quoted as in a shell."""
    try:
        parts = tuple(shlex.split(text))
    except ValueError as problem:
        raise click.BadParameter(f"`{text}` cannot be split into words: {problem}") from None
    if not parts:
        raise click.BadParameter("it is empty: give the program of a node, such as 'node echo.js'")
    return parts


def choices(text: str) -> tuple[int, ...]:
    """`0,3,1`: the choices of one run."""
    parts = [part.strip() for part in text.strip().strip("[]()").split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise click.BadParameter(f"`{text}` is no list of whole numbers such as 0,3,1")
    return tuple(map(int, parts))


def specs(function: F) -> F:
    """The options of everything that is held to a spec."""
    options = (
        click.option("--check", metavar="NAME", help="Which check of SPEC; the first one by default."),
        click.option("constants", "--set", multiple=True, type=constant, metavar="CONST=VALUE", help=SET_HELP),
        click.option("--adapter", metavar="MODULE:CLASS", help="The adapter of an implementation in Python."),
        click.option("--simulate", metavar="MODULE:CLASS",
                     help="The scenario of a system in the simulator, in Python."),
        click.option("modes", "--mode", type=some_of(MODES, NO_MODE), default="replay,probe,scenes,explore",
                     show_default=True, metavar="MODE,…", help=f"What is done with an adapter, any of {', '.join(MODES)}."),
        click.option("--runs", type=count, default="100", show_default=True, metavar="N",
                     help="How many runs an exploration makes, or are simulated."),
        click.option("--steps", type=count, default="40", show_default=True, metavar="N", help="The most steps of each."),
        click.option("--choices", type=choices, metavar="N,…", help="Make this one run, as a failure printed it."),
        click.option("--scene", metavar="NAME", help="Go through this scene of the adapter, and do nothing else."),
        click.option("--min-coverage", type=click.FloatRange(0, 100), default=0.0, metavar="PERCENT",
                     help="Not less than so many of the transitions of the check have to be taken."),
        click.option("traces", "--trace", multiple=True, type=PATH, metavar="FILE",
                     help="A record of a run, as lines of JSON. May be repeated."),
        click.option("--mapping", type=PATH, metavar="FILE",
                     help="What the words of a record mean in SPEC, as JSON."),
        click.option("--rare", metavar="STEP,…", help="Steps of SPEC that no record and no run needs to show."),
        click.option("--budget", type=count, default="200000", show_default=True, metavar="N",
                     help="Give up after so many points of record and spec."),
        click.option("--html", type=PATH, metavar="FILE", help="Write a page with the result."),
    )  # fmt: skip
    return _with(function, options)


def histories(function: F) -> F:
    """The options of `--history`."""
    options = (
        click.option("--history", type=PATH, metavar="FILE",
                     help="What clients did: a history of Jepsen in EDN or JSON, or a record of a run."),
        click.option("--model", metavar="NAME", help="What its operations mean, such as register or list-append."),
        click.option("--initial", metavar="VALUE",
                     help="What objects hold in the beginning, as EDN or JSON; nothing by default."),
        click.option("--situations", type=count, default="1000000", show_default=True, metavar="N",
                     help="Give a search for an order up after so many situations."),
    )  # fmt: skip
    return _with(function, options)


def nodes(function: F) -> F:
    """The options of `--node`."""
    options = (
        click.option("--node", "command_", type=program, metavar="CMD",
                     help="The program of a node, which speaks lines of JSON, such as 'node echo.js'."),
        click.option("--workload", type=click.Choice(WORKLOADS), metavar="NAME",
                     help=f"What clients ask nodes for: {', '.join(WORKLOADS)}."),
        click.option("--nodes", type=count, default="3", show_default=True, metavar="N", help="How many nodes."),
        click.option("--clients", type=count, default="2", show_default=True, metavar="N",
                     help="How many clients for each node."),
        click.option("--time", "time_", type=seconds, default="10", show_default=True, metavar="S",
                     help="Seconds in which clients ask."),
        click.option("--rate", type=seconds, default="100", show_default=True, metavar="N",
                     help="Operations a second, of all clients together."),
        click.option("--fault", "faults_", type=some_of(FAULTS, "is no fault; there are"), default="", metavar="KIND,…",
                     help=f"What goes wrong, any of {', '.join(FAULTS)}."),
        click.option("--latency", type=click.FloatRange(0, 60_000), default=10.0, show_default=True, metavar="MS",
                     help="Mean milliseconds of a message between nodes."),
        click.option("--latency-spread", type=click.Choice(SPREADS), default="exponential", show_default=True,
                     help="How latencies lie around the mean."),
        click.option("--patience", type=seconds, default="10", show_default=True, metavar="S",
                     help="Seconds in which nodes may come to agree in the end."),
        click.option("seed_", "--seed", type=seed, default="0", show_default=True, metavar="N",
                     help="Decides operations, faults and latencies."),
        click.option("--record", type=PATH, metavar="FILE",
                     help="Write everything that happened, as JSON lines."),
        click.option("--logs", type=PATH, metavar="DIR", help="Write what nodes print to standard error."),
    )  # fmt: skip
    return _with(function, options)


def _with(function: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


@click.command("conform")
@click.argument("spec", required=False, type=PATH)
@specs
@histories
@nodes
@click.option(
    "--level", metavar="NAME", help="The consistency that is demanded; the strongest that is usual by default."
)
@click.option("--timeout", type=seconds, metavar="S",
              help="Give a search up after so many seconds; with `--node`, an operation, after 2 by default.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
@click.option("--json", "format_", flag_value="json", help="The same as `--format json`.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> Exit:
    """Hold an implementation to its spec, or judge what clients saw of a system, without looking inside.

    With SPEC and `--adapter MODULE:CLASS`, an implementation in Python: along every transition of a check, with what the spec
    forbids, through the scenes that its adapter has, and in explorations that are shrunk where they fail.

    With SPEC and `--simulate MODULE:CLASS`, a system in the simulator: run after run, each with its seed, is recorded, and the
    spec says whether it allows that.

    With SPEC and `--trace FILE`, a run that was recorded: does the spec allow it?

    With `--history FILE --model NAME`, a history that was recorded elsewhere. Models of one object: register, kv, list, set,
    queue, lock, counter. Their levels: linearizable, sequential; for register and kv also causal, sessions, and each session
    guarantee by name. Models of transactions: list-append, rw-register, with isolation levels. Models that say what is
    wrong by themselves: grow-set, total-queue, unique-ids, mutex, fenced-lock, counter-bounds, converging.

    With `--node CMD --workload NAME`, nodes in any language that speak Maelstrom's protocol: they are started as processes,
    their clients and their network are played, faults are inflicted, and the answers are judged. With SPEC, the steps that they
    tell of are judged, too.

    Exit codes: 0 everything is as demanded, 1 it is not, 2 nothing could be read or started or the command line is wrong, 3 it
    is not decided, or could not have shown anything.
    """
    given = [name for name in OWN if options[name]]
    if len(given) != 1:
        raise click.UsageError(
            "give one of `--adapter MODULE:CLASS`, `--simulate MODULE:CLASS`, `--trace FILE`, `--node CMD` and "
            "`--history FILE`"
        )
    (what,) = given
    flags = {"traces": "--trace", "command_": "--node"}
    if what in ("adapter", "simulate", "traces") and options["spec"] is None:
        flag = flags.get(what, f"--{what}")
        raise click.UsageError(f"`{flag}` needs a spec: lockstep conform SPEC {flag} …")
    if what == "history" and options["spec"] is not None:
        raise click.UsageError("`--history` is judged by a model, not by a spec: leave SPEC out")
    for name in dict.fromkeys(name for names in OWN.values() for name in names if name not in OWN[what]):
        owners = [f"`{flags.get(owner, f'--{owner}')}`" for owner, names in OWN.items() if name in names]
        _refuse(ctx, (name,), " or ".join(owners))
    if options["spec"] is None:
        _refuse(ctx, (*OF_SPECS, "mapping"), "`SPEC`")
    match what:
        case "adapter":
            _refuse(ctx, ("mapping", "level", "timeout"), "`--trace`" if options["mapping"] else "`--node`")
            return _adapt(options)
        case "simulate":
            _refuse(ctx, ("mapping", "level", "timeout"), "`--trace`" if options["mapping"] else "`--node`")
            return _simulate(options)
        case "traces":
            _refuse(ctx, ("level", "timeout"), "`--history`")
            return _validate(options)
        case "history":
            return _judge(options)
    return _run(options)


def _adapt(options: dict[str, Any]) -> Exit:
    from pathlib import Path

    from checker.cli.adapting import load_adapter, run_adapter
    from checker.conformance.drive import Plan
    from checker.conformance.modes import Mode

    adapter = load_adapter(options["adapter"])
    given = options["choices"]
    plan = Plan(
        modes=(Mode.EXPLORE,) if given is not None else tuple(Mode(mode) for mode in options["modes"]),
        seed=options["seed_"],
        runs=options["runs"],
        steps=options["steps"],
        choices=given,
        scene=options["scene"],
        elsewhere=options["check"] is None,
        coverage=options["min_coverage"] / 100,
    )
    return run_adapter(
        options["spec"],
        options["check"],
        bindings(options["constants"]),
        adapter,
        plan,
        name=options["adapter"],
        html=None if options["html"] is None else Path(options["html"]),
        json=options["format_"] == "json",
    )


def _validate(options: dict[str, Any]) -> Exit:
    from pathlib import Path

    from checker.cli.adapting import run_traces

    return run_traces(
        options["spec"],
        options["check"],
        bindings(options["constants"]),
        [Path(trace) for trace in options["traces"]],
        None if options["mapping"] is None else Path(options["mapping"]),
        rare=_rare(options),
        budget=options["budget"],
        html=None if options["html"] is None else Path(options["html"]),
        json=options["format_"] == "json",
    )


def _simulate(options: dict[str, Any]) -> Exit:
    from pathlib import Path

    from checker.cli.adapting import load_scenario, run_scenario

    return run_scenario(
        options["spec"],
        options["check"],
        bindings(options["constants"]),
        load_scenario(options["simulate"]),
        name=options["simulate"],
        seed=options["seed_"],
        runs=options["runs"],
        rare=_rare(options),
        budget=options["budget"],
        record=None if options["record"] is None else Path(options["record"]),
        html=None if options["html"] is None else Path(options["html"]),
        json=options["format_"] == "json",
    )


def _rare(options: dict[str, Any]) -> tuple[str, ...]:
    return tuple(part.strip() for part in (options["rare"] or "").split(",") if part.strip())


def _judge(options: dict[str, Any]) -> Exit:
    from pathlib import Path

    from checker.cli.judging import judge_file
    from checker.conformance.histories.ordered import Budget

    if options["model"] is None:
        raise click.UsageError("`--history` needs `--model NAME`, which says what the operations mean")
    return judge_file(
        Path(options["history"]),
        options["model"],
        options["level"],
        initial=options["initial"],
        budget=Budget(options["situations"], options["timeout"]),
        json=options["format_"] == "json",
    )


def _run(options: dict[str, Any]) -> Exit:
    from pathlib import Path

    from checker.cli.conforming import run_nodes
    from checker.conformance.links import Quality, Spread
    from checker.conformance.nodes.conform import MAX_CLIENTS, MAX_NODES, Plan

    if options["workload"] is None:
        raise click.UsageError(f"`--node` needs `--workload NAME`, one of {', '.join(WORKLOADS)}")
    level = options["level"] or LEVELS[-1]
    if level not in LEVELS:
        raise click.UsageError(f"`{level}` is no level for transactions of nodes; there are {', '.join(LEVELS)}")
    if options["nodes"] > MAX_NODES:
        raise click.UsageError(
            f"`--nodes {options['nodes']}` is too many: each is a process, and there may be up to {MAX_NODES}"
        )
    if options["nodes"] * options["clients"] > MAX_CLIENTS:
        raise click.UsageError(
            f"`--clients {options['clients']}` is too many for {options['nodes']} nodes: there may be up to {MAX_CLIENTS:,} "
            "together"
        )
    plan = Plan(
        command=options["command_"],
        workload=options["workload"],
        nodes=options["nodes"],
        clients=options["clients"],
        time=options["time_"],
        rate=options["rate"],
        timeout=options["timeout"] or 2.0,
        patience=options["patience"],
        seed=options["seed_"],
        faults=options["faults_"],
        level=level,
        quality=Quality(options["latency"] / 1000, Spread(options["latency_spread"])),
        logs=None if options["logs"] is None else Path(options["logs"]),
    )
    record = None if options["record"] is None else Path(options["record"])
    against = None
    if options["spec"] is not None:
        from checker.cli.adapting import load_mapping
        from checker.cli.specs import machine_of

        _, machine = machine_of(options["spec"], options["check"], bindings(options["constants"]))
        against = machine, load_mapping(None if options["mapping"] is None else Path(options["mapping"]))
    return run_nodes(plan, record=record, against=against, json=options["format_"] == "json")


def _refuse(ctx: click.Context, names: tuple[str, ...], owner: str) -> None:
    """Refuses options that mean nothing beside the others."""
    for parameter in ctx.command.params:
        if parameter.name in names and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            flag = next(name for name in parameter.opts if name.startswith("--"))
            raise click.UsageError(f"`{flag}` belongs to {owner}")
