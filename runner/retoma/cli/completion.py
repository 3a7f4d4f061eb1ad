"""`retoma completion`: shell completion, made by click."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

_MAKERS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_MAKERS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  eval "$(retoma completion bash)"         in ~/.bashrc
    zsh:   eval "$(retoma completion zsh)"          in ~/.zshrc
    fish:  retoma completion fish | source          in ~/.config/fish/config.fish
    """
    click.echo(_MAKERS[shell](context.find_root().command, {}, "retoma", "_RETOMA_COMPLETE").source())
