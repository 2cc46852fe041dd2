"""Fixtures of the transport's tests: a desk, and a fresh repository at each kind of site."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.git.desk import Desk
from tests.servers.site import BareRepository, Site


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A client with a coordination repository of its own."""
    return Desk(tmp_path / "desk.git")


@pytest.fixture
def server(remote_site: Site) -> BareRepository:
    """A fresh bare repository over file, ssh and http in turn."""
    return remote_site.fresh()
