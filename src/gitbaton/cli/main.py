"""The way in: ``baton`` and ``git baton``. The house is loaded within, so that ^C is answered."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

_INTERRUPTED = 130
_DOCUMENT = b'{"error":{"code":"interrupted","message":"interrupted","next":null}}\n'


def main() -> NoReturn:
    """Run the command line of this process and exit with the documented status."""
    argv = sys.argv[1:]
    try:
        from gitbaton.cli.invocation import open_request, run
    except KeyboardInterrupt:  # as ``run_guarded`` has it, which is not there yet
        if "--json" in argv:
            os.write(1, _DOCUMENT)
        sys.exit(_INTERRUPTED)
    try:
        status = run(argv, open_request(dict(os.environ)))
    except KeyboardInterrupt:  # one more, while the first was answered
        status = _INTERRUPTED
    sys.exit(status)
