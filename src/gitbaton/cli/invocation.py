"""One command line, from its words to its exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitbaton.cli.errors import run_guarded
from gitbaton.cli.output import standard_output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import root


def open_request(env: Mapping[str, str]) -> Request:
    """Return a request of a process with the environment ``env``, on its standard files."""
    return Request(env, standard_output(env))


def run(argv: Sequence[str], request: Request) -> int:
    """Run ``baton *argv`` for ``request`` and return its exit status."""
    # A usage error may come before the parser gets to --json, and must be JSON all the same.
    if "--json" in _own_words(argv):
        request.output.json = True

    def invoke() -> object:
        try:
            return root().main(
                args=list(argv) or ["--help"], prog_name="baton", standalone_mode=False, obj=request
            )
        finally:
            request.close()

    return run_guarded(invoke, request, argv)


def _own_words(argv: Sequence[str]) -> Sequence[str]:
    """Return the words up to ``--``: what follows belongs to a command that ``exec`` runs."""
    return argv[: argv.index("--")] if "--" in argv else argv
