"""Why a remote could not be used, from what git and its helpers print.

Git has one exit status (128) for all of it, so the text decides. Unknown text means the weaker
claim: unreachable when asking, unknown when something may have been sent.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from gitbaton.core.errors import BatonError, HostRefused, RemoteUnreachable
from gitbaton.git.answers import printable, remote_lines


class RepositoryMissing(RemoteUnreachable):
    """The host answers, and there is no repository at this address (or not for us)."""

    code = "no_repository"


class RepositoryDamaged(RemoteUnreachable):
    """The repository at this address can be reached and not be read, or the clone's cannot."""

    code = "repository_damaged"


_AUTH = re.compile(
    r"Authentication failed|Permission denied \(|Permission denied, please try again"
    r"|could not read (?:Username|Password)|terminal prompts disabled|Host key verification failed"
    r"|returned error: 40[13]\b|HTTP 40[13]\b|not authorized|Invalid username or"
    r"|access denied|denied to |No supported authentication|Too many authentication failures"
    r"|Write access to repository not granted|403 Forbidden",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"does not appear to be a git repository|repository '[^']*' not found"
    r"|repository not found|not a git repository|returned error: 404\b|no such repository"
    r"|project you were looking for could not be found|repository not exported",
    re.IGNORECASE,
)
# What git says of objects, refs and settings that it cannot read, there or here: it is the same.
_DAMAGED = re.compile(
    r"fatal: bad (?:object|tree object|config|revision)|bad config line \d+ in file"
    r"|object \S+ (?:\(stored in .*\) )?is corrupt|object file \S+ is empty|not our ref 0{40}"
    r"|did not send all necessary objects|missing necessary objects|possible repository corruption"
    r"|reference broken|packfile \S+ (?:cannot be accessed|index unavailable)|unable to read tree"
)
# Printed by git only before it sent its first command: connect.c (die_initial_contact) and
# remote-curl.c (discover_refs). "The remote end hung up unexpectedly" is not among them.
_BEFORE_SENDING = re.compile(
    r"Could not read from remote repository|hung up upon initial contact"
    r"|unable to access '|unable to connect to |unable to look up |Authentication failed for '"
    r"|could not read (?:Username|Password) for '|repository '[^']*' not found"
    r"|HTTP 40[13]\b|unable to find remote helper|transport '[^']*' not allowed",
)
# What git adds whatever went wrong, and what our own sentence says already.
_SAID = re.compile(
    r"(?:fatal: )?(?:Could not read from remote repository\.|Please make sure you have the correct"
    r" access rights|and the repository exists\.)"
)
_SAID_OF_MISSING = re.compile(
    r"fatal: '.*' does not appear to be a git repository|fatal: repository '.*' not found"
    r"|(?:remote: )?(?:ERROR: )?Repository not found\.?"
)
_HINTS = {
    "missing": "git remote -v",
    "damaged": "git fsck here, and in that repository by whoever keeps it",
    "refused": "git ls-remote, to see whether git itself gets in",
    "unreachable": "try again when the network is back",
}


def shown(url: str) -> str:
    """Return ``url`` without credentials, as it may be printed and logged.

    ``ssh`` keeps its user name (``git@host`` is part of the address); web addresses keep none,
    since a token may stand there.
    """
    if "://" not in url:
        return url
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url
    keep = user.partition(":")[0] if parts.scheme in ("ssh", "git+ssh", "ssh+git") else ""
    return urlunsplit(parts._replace(netloc=f"{keep}@{host}" if keep else host))


def failure(stderr: str, url: str) -> BatonError:
    """Return the error that ``stderr`` of a failed listing, fetch or push stands for.

    HostRefused for credentials and permissions, RepositoryMissing where nothing is at ``url``,
    RepositoryDamaged where git cannot read what is there, RemoteUnreachable for everything else.
    """
    everything = _words(stderr, url)
    words = _words(_without(_SAID, stderr), url) or everything or "git said nothing"
    if _AUTH.search(everything):
        return HostRefused(f"{shown(url)}: {words}", next=_HINTS["refused"])
    if _MISSING.search(everything):
        more = _words(_without(_SAID_OF_MISSING, _without(_SAID, stderr)), url)
        return RepositoryMissing(
            f"there is no repository at {shown(url)}, or it is hidden from you"
            + (f": {more}" if more else ""),
            next=_HINTS["missing"],
        )
    if _DAMAGED.search(_own_words(stderr)):
        return RepositoryDamaged(
            f"{shown(url)}, or this clone, is damaged: {words}", next=_HINTS["damaged"]
        )
    return RemoteUnreachable(f"{shown(url)} cannot be reached: {words}", next=_HINTS["unreachable"])


def nothing_was_sent(stderr: str) -> bool:
    """Tell whether a failed push surely ended before its first command left this machine."""
    return _BEFORE_SENDING.search(_own_words(stderr)) is not None


def is_passing(error: Exception) -> bool:
    """Tell whether asking again soon may help: the network's fault, not the answer's."""
    return isinstance(error, RemoteUnreachable) and not isinstance(error, RepositoryMissing)


def _words(stderr: str, url: str) -> str:
    """Return what git and then what the other side said, as one line without secrets."""
    text = printable(_own_words(stderr).replace(url, shown(url)))
    return f"{text} {remote_lines(stderr)}".strip()


def _without(lines: re.Pattern[str], stderr: str) -> str:
    return "\n".join(ln for ln in stderr.splitlines() if not lines.fullmatch(ln.strip()))


def _own_words(stderr: str) -> str:
    """Drop what the other side printed: a hook's output must not decide what we believe."""
    return "\n".join(ln for ln in stderr.splitlines() if not ln.startswith("remote:"))
