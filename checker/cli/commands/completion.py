"""`lockstep completion`: the script by which a shell completes the command."""

from __future__ import annotations

import click

from checker.cli.exits import Exit


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script of a shell.

    \b
    bash   lockstep completion bash > ~/.local/share/bash-completion/completions/lockstep
    zsh    lockstep completion zsh > "${fpath[1]}/_lockstep"
    fish   lockstep completion fish > ~/.config/fish/completions/lockstep.fish
    """  # noqa: D301 - a backspace tells click to keep the lines
    from click.shell_completion import get_completion_class

    from checker.cli.main import COMPLETE, NAME, cli

    found = get_completion_class(shell)
    assert found is not None
    script = found(cli, {}, NAME, COMPLETE)
    # not `script.source()`: for bash it runs bash to ask for its version
    click.echo(script.source_template % script.source_vars())
    return Exit.MET
