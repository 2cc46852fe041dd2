"""Picks the transport for an address: the fast one where it is sure, else plain git."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gitbaton.git.fast.address import Address, LocalAddress, SshAddress, WebAddress, parse_address
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.fast.direct import DirectRemote
from gitbaton.git.fast.doorway import Doorway
from gitbaton.git.fast.link import Link
from gitbaton.git.fast.packing import Packer
from gitbaton.git.fast.remote import FastRemote
from gitbaton.git.fast.trouble import Unfit
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.plain import PlainRemote
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.runner import Git


def open_remote(
    repository: CoordinationRepository,
    url: str,
    *,
    listing_timeout: float = 60.0,
    push_timeout: float = 300.0,
) -> Remote:
    """Return the transport from ``repository`` to ``url``. Asks nothing and connects to nothing.

    Close it when done: the connection that it makes on first use stays open. Raises InvalidInput
    as ``PlainRemote``.
    """
    return choose_remote(
        repository.git,
        repository.objects,
        url,
        listing_timeout=listing_timeout,
        push_timeout=push_timeout,
    )


def choose_remote(
    git: Git,
    objects: ObjectStore,
    url: str,
    *,
    listing_timeout: float = 60.0,
    push_timeout: float = 300.0,
) -> Remote:
    """Return the transport to ``url`` from the repository of ``git`` and ``objects``."""

    def plain(additions: Mapping[str, str]) -> Remote:
        env = {**git.env, **additions}
        return PlainRemote(
            Git(git.directory, env, git.options, git.binary),
            url,
            listing_timeout=listing_timeout,
            push_timeout=push_timeout,
        )

    address = parse_address(url)
    if address is None:
        return plain({})
    packer = Packer(git, objects)
    fast = FastRemote(
        lambda: make_link(git, objects, url, address),
        plain,
        packer,
        objects.format,
        listing_timeout=listing_timeout,
        push_timeout=push_timeout,
    )
    if not isinstance(address, LocalAddress) or objects.is_of_shallow_clone:
        return fast
    doorway = Doorway(git, address.path, objects.format)
    return DirectRemote(fast, doorway, packer, push_timeout=push_timeout)


def make_link(git: Git, objects: ObjectStore, url: str, address: Address) -> Link | None:
    """Return a link to ``address``; None where git's configuration asks for plain git.

    Reads the configuration; connects to nothing. Raises Unfit where something else asks for it.
    """
    if objects.is_of_shallow_clone:  # its push tells the server where history ends
        raise Unfit("this clone is shallow (git fetch --unshallow makes it whole)", lasting=True)
    config = Configuration.read(git)
    if _is_unusual(git, config, url):
        return None
    match address:  # each imports what it needs: http and TLS alone take 25 ms
        case LocalAddress(path):
            from gitbaton.git.fast.local import LocalStarter
            from gitbaton.git.fast.processes import ProcessLink

            return ProcessLink(LocalStarter(git, path), objects.format)
        case SshAddress():
            from gitbaton.git.fast.processes import ProcessLink
            from gitbaton.git.fast.ssh import SshStarter, ssh_words

            words = ssh_words(git.env, config) if os.name == "posix" else None
            if words is None:
                return None
            return ProcessLink(SshStarter(git, words, address), objects.format)
        case WebAddress():
            from gitbaton.git.fast.http import make_web_link

            return make_web_link(git, objects.format, url, address, config)


def _is_unusual(git: Git, config: Configuration, url: str) -> bool:
    """Tell whether git would do more with this address than this transport knows."""
    if "GIT_ALLOW_PROTOCOL" in git.env:
        return True
    scheme = url.partition("://")[0] if "://" in url else ("file" if url[0] == "/" else "ssh")
    for name in ("protocol.allow", f"protocol.{scheme}.allow"):
        if config.last(name) not in (None, "always"):
            return True
    # Or the address would be changed once more.
    return any(url.startswith(begin) for _, begin in config.ending(".insteadof", ".pushinsteadof"))
