"""Fixtures of the suite: an engine, a site for it, and handles on the site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.store.protocol import Store

from .crew import Crew
from .engines import ENGINES, MUTANTS, Engine, find_engine


@pytest.fixture(params=list(ENGINES))
def engine_name(request: pytest.FixtureRequest) -> str:
    """The name of each engine in turn."""
    return str(request.param)


@pytest.fixture(params=list(MUTANTS))
def mutant_name(request: pytest.FixtureRequest) -> str:
    """The name of each mutant in turn."""
    return str(request.param)


@pytest.fixture
def engine(engine_name: str) -> Engine:
    """Each engine in turn."""
    return find_engine(engine_name)


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> Path:
    """A fresh site of the engine."""
    directory = tmp_path / "site"
    directory.mkdir()
    engine.prepare(directory)
    return directory


@pytest.fixture
def store(engine: Engine, site: Path) -> Iterator[Store]:
    """A handle on the site."""
    handle = engine.open(site, 0)
    yield handle
    handle.close()


@pytest.fixture
def other(engine: Engine, site: Path) -> Iterator[Store]:
    """A second handle on the same site, from another clone."""
    handle = engine.open(site, 1)
    yield handle
    handle.close()


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Sixteen processes (and as many threads) that are ready to race; gone after the module."""
    players = Crew()
    yield players
    players.dismiss()
