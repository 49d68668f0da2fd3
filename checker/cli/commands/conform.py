"""`lockstep conform`: hold an implementation to what it should do."""

from __future__ import annotations

import click

from checker.cli.arguments import count, seconds
from checker.cli.exits import Exit


@click.command("conform")
@click.option("--history", type=click.Path(), required=True, metavar="FILE",
              help="What clients did: a history of Jepsen in EDN or JSON, or a record of a run.")  # fmt: skip
@click.option(
    "--model", required=True, metavar="NAME", help="What the operations mean, such as register or list-append."
)
@click.option(
    "--level", metavar="NAME", help="The consistency that is demanded; the strongest that is usual by default."
)
@click.option(
    "--initial", metavar="VALUE", help="What objects hold in the beginning, as EDN or JSON; nothing by default."
)
@click.option("--situations", type=count, default="1000000", show_default=True, metavar="N",
              help="Give a search for an order up after so many situations.")  # fmt: skip
@click.option("--timeout", type=seconds, metavar="S", help="Give it up after so many seconds.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
@click.option("--json", "format_", flag_value="json", help="The same as `--format json`.")
def command(
    history: str,
    model: str,
    level: str | None,
    initial: str | None,
    situations: int,
    timeout: float | None,
    format_: str,
) -> Exit:
    """Judge what clients saw of a system, without looking inside.

    Models of one object: register, kv, list, set, queue, lock, counter. Their levels: linearizable, sequential; for register
    and kv also causal, sessions, and each session guarantee by name. Models of transactions: list-append, rw-register, with
    isolation levels. Models that say what is wrong by themselves: grow-set, total-queue, unique-ids, mutex, fenced-lock,
    counter-bounds, converging.

    Exit codes: 0 the history is as demanded, 1 it is not, 2 it cannot be read or the command line is wrong, 3 it is not
    decided, or could not have shown anything.
    """
    from pathlib import Path

    from checker.cli.judging import judge_file
    from checker.conformance.histories.ordered import Budget

    budget = Budget(situations, timeout)
    return judge_file(Path(history), model, level, initial=initial, budget=budget, json=format_ == "json")
