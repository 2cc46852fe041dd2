"""Fixtures of the transports' tests: a desk, and a fresh repository at each kind of site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.git.desk import Desk, Transport
from tests.servers.site import BareRepository, Site


@pytest.fixture(params=["plain", "fast"])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each kind of transport in turn."""
    kind: Transport = request.param
    return kind


@pytest.fixture
def desk(tmp_path: Path, transport: Transport) -> Iterator[Desk]:
    """A client with a coordination repository of its own, for each kind of transport."""
    made = Desk(tmp_path / "desk.git", transport)
    yield made
    made.close()


@pytest.fixture
def server(remote_site: Site) -> BareRepository:
    """A fresh bare repository over file, ssh and http in turn."""
    return remote_site.fresh()
