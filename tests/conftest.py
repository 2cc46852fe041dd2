"""Fixtures of all tests: a hermetic git, guards, and real remotes over file, ssh and http."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from tests.guards import fingerprint, left_behind, real_home
from tests.hermetic import MARK, hermetic_environment
from tests.needs import needs
from tests.servers.files import file_site
from tests.servers.httpd import http_site
from tests.servers.site import BareRepository, Site
from tests.servers.sshd import ssh_site

_SOAKING = os.environ.get("BATON_SOAK") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests marked ``soak`` unless BATON_SOAK=1: those are for ``make soak`` only."""
    if _SOAKING:
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


@pytest.fixture(scope="session", autouse=True)
def hermetic_git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the whole run a home and a git configuration of its own."""
    env = hermetic_environment(os.environ, tmp_path_factory.mktemp("home"))
    env[MARK] = secrets.token_hex(8)
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def untouched_home() -> Iterator[None]:
    """Fail a test that touches what git, ssh or gitbaton keep in the real home."""
    home = real_home()
    before = fingerprint(home)
    yield
    after = fingerprint(home)
    touched = sorted(n for n in before | after if before.get(n) != after.get(n))
    assert not touched, f"the test touched {', '.join(str(home / n) for n in touched)}"


@pytest.fixture(scope="module", autouse=True)
def no_process_left(hermetic_git: None) -> Iterator[None]:
    """Fail a module of tests that leaves processes behind."""
    yield
    left = left_behind(os.environ[MARK])
    assert not left, "processes left behind:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def file_remotes(tmp_path_factory: pytest.TempPathFactory, hermetic_git: None) -> Site:
    """Bare repositories reached by their path."""
    return file_site(tmp_path_factory.mktemp("file-remotes"))


@pytest.fixture(scope="session")
def ssh_remotes(tmp_path_factory: pytest.TempPathFactory, hermetic_git: None) -> Iterator[Site]:
    """Bare repositories reached through a real sshd."""
    needs("sshd")
    with ssh_site(tmp_path_factory.mktemp("ssh-remotes")) as site:
        yield site


@pytest.fixture(scope="session")
def http_remotes(tmp_path_factory: pytest.TempPathFactory, hermetic_git: None) -> Iterator[Site]:
    """Bare repositories reached through smart HTTP, with a password."""
    needs("http-backend")
    with http_site(tmp_path_factory.mktemp("http-remotes"), users={"agent": "s3cret"}) as site:
        yield site


@pytest.fixture
def file_remote(file_remotes: Site) -> BareRepository:
    """A fresh bare repository, reached by its path."""
    return file_remotes.fresh()


@pytest.fixture
def ssh_remote(ssh_remotes: Site) -> BareRepository:
    """A fresh bare repository, reached through sshd."""
    return ssh_remotes.fresh()


@pytest.fixture
def http_remote(http_remotes: Site) -> BareRepository:
    """A fresh bare repository, reached through smart HTTP."""
    return http_remotes.fresh()


@pytest.fixture(params=["file", "ssh", "http"])
def remote_site(request: pytest.FixtureRequest) -> Site:
    """Each kind of remote in turn."""
    site: Site = request.getfixturevalue(f"{request.param}_remotes")
    return site
