"""``baton completion``: prints what makes a shell complete verbs and options."""

from __future__ import annotations

import click

from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import root, verb


@verb("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(request: Request, shell: str) -> None:
    """Print the completion script for SHELL.

    bash: eval "$(baton completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc; fish:
    baton completion fish > ~/.config/fish/completions/baton.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    script = kind(root(), {}, "baton", "_BATON_COMPLETE").source()

    def human(out: Output) -> None:
        out.raw(script + "\n")

    request.output.answer({"shell": shell, "script": script}, human)
