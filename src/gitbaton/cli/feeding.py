"""The option that names a second source of messages, shared by who reads an inbox."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

inbox_file_option: Final = click.option(
    "--inbox-file",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="F",
    help="Take messages from this JSON-lines file too. Repeatable.",
)
