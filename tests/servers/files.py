"""Bare repositories reached by their path: git starts receive-pack and upload-pack itself."""

from __future__ import annotations

from pathlib import Path

from tests.servers.site import Site


def file_site(root: Path) -> Site:
    """Serve the bare repositories under ``root`` as files."""
    return Site("file", root, lambda path, _port: str(path))
