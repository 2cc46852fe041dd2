"""The way in: ``baton`` and ``git baton``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from gitbaton.cli.errors import run_guarded
from gitbaton.cli.output import standard_output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import root


def main() -> NoReturn:
    """Run the command line of this process and exit with the documented status."""
    env = dict(os.environ)
    sys.exit(run(sys.argv[1:], Request(env, standard_output(env))))


def run(argv: Sequence[str], request: Request) -> int:
    """Run ``baton *argv`` for ``request`` and return its exit status."""
    # A usage error may come before the parser gets to --json, and must be JSON all the same.
    if "--json" in _own_words(argv):
        request.output.json = True
    commands = root()

    def invoke() -> object:
        try:
            return commands.main(
                args=list(argv) or ["--help"], prog_name="baton", standalone_mode=False, obj=request
            )
        finally:
            request.close()

    return run_guarded(invoke, request, argv)


def _own_words(argv: Sequence[str]) -> Sequence[str]:
    """Return the words up to ``--``: what follows belongs to a command that ``exec`` runs."""
    return argv[: argv.index("--")] if "--" in argv else argv
