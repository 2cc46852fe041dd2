"""What git prints about refs, read exactly: listings, and the fate of each ref of a push.

Sources: git-ls-remote(1), git-push(1) "OUTPUT" (porcelain), and the messages of git's own
transport.c, send-pack.c and builtin/receive-pack.c. JGit's and Azure's words are known as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.remote import PushState, RefResult, RefUpdate

UP_TO_DATE = "up to date"
"""Reason of a DONE that moved nothing: the ref already had our value, sent by whomever."""

_REF_BAD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINE = re.compile(r"([ +\-*!=X])\t[^\t]*:(refs/[^\t]+)\t(.*)")
_SUMMARY = re.compile(r"\[([^\]]*)\](?: \((.*)\))?")

# The ref was not what we expected, or somebody else held its lock at that moment.
_STALE = re.compile(
    r"stale info|fetch first|needs force|remote ref updated since checkout"
    r"|failed to (?:update|lock|delete)|cannot lock ref|lock (?:failure|error)"
    r"|incorrect old value|already exists|but expected|unable to resolve reference"
    r"|reference does not exist|already been updated",
    re.IGNORECASE,
)
# The update was fine; another one of the same atomic push was not.
_BYSTANDER = re.compile(
    r"atomic push fail|atomic transaction failed|transaction aborted", re.IGNORECASE
)
_LOST = re.compile(r"failed to report status|expecting report", re.IGNORECASE)


def is_ref_name(name: str) -> bool:
    """Tell whether ``name`` is a full ref name under git-check-ref-format(1)."""
    return (
        name.startswith("refs/")
        and not _REF_BAD.search(name)
        and not name.endswith(".")
        and all(p and not p.startswith(".") and not p.endswith(".lock") for p in name.split("/"))
    )


def require_ref_name(name: str) -> str:
    """Return ``name`` if it is a full ref name; raise InvalidInput otherwise (I8)."""
    if not is_ref_name(name):
        raise InvalidInput("ref", f"{name!r} is no full ref name")
    return name


def require_oid(text: str) -> str:
    """Return ``text`` if it is a full object id; raise InvalidInput otherwise (I8)."""
    if not is_oid(text):
        raise InvalidInput("oid", f"{text!r} is no object id")
    return text


def parse_listing(text: str, prefixes: Sequence[str]) -> dict[str, Oid]:
    """Return the refs in the output of ``git ls-remote`` that start with one of ``prefixes``.

    Names that no git could store are left out: they come from a broken or hostile server.
    """
    refs: dict[str, Oid] = {}
    for line in text.split("\n"):
        oid, _, name = line.partition("\t")
        if is_oid(oid) and is_ref_name(name) and name.startswith(tuple(prefixes)):
            refs[name] = Oid(oid)
    return refs


def parse_push(text: str, updates: Sequence[RefUpdate], *, said: str) -> dict[str, RefResult]:
    """Return the fate of each update from the output of ``git push --porcelain``.

    ``said``: what the server's hooks printed (see ``remote_lines``), added to refusals. An
    update without a line of its own is UNKNOWN. A ref that had our value before we came is DONE
    with the reason ``UP_TO_DATE``: whether *we* put it there is not known here.

    Over http a race lost *on the server* is UNKNOWN as well: libcurl repeats a request by itself
    when a kept connection breaks before the answer, and the second one then loses to the first.
    """
    found: dict[str, RefResult] = {}
    refused_there: set[str] = set()
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match:
            found[match[2]] = _result(match[1], match[3])
            if match[3].startswith("[remote rejected]"):
                refused_there.add(match[2])
    fates = judge(found, updates, said=said)
    lost_there = any(fates[r].state is PushState.STALE for r in refused_there & fates.keys())
    if lost_there and text.startswith("To http"):
        fates = {ref: _doubted(fate) for ref, fate in fates.items()}
    return fates


def judge(
    found: Mapping[str, RefResult], updates: Sequence[RefUpdate], *, said: str
) -> dict[str, RefResult]:
    """Return the fate of each update from what was told of each ref, ``said`` as in parse_push."""
    fates = _blamed({u.ref: found.get(u.ref, _NO_LINE) for u in updates})
    return {ref: _explained(fate, said) for ref, fate in fates.items()}


def rejected_there(reason: str) -> RefResult:
    """Return what the server's ``reason`` for not moving a ref means."""
    return RefResult(_state("remote rejected", reason), printable(reason))


def remote_lines(stderr: str, *, limit: int = 400) -> str:
    """Return what the server said on its own behalf (``remote: …``), as one printable line."""
    lines = (ln[len("remote:") :] for ln in stderr.splitlines() if ln.startswith("remote:"))
    return _one_line(lines)[:limit]


def printable(text: str, *, limit: int = 400) -> str:
    """Return ``text`` as one line without control characters: it goes to a terminal (I8)."""
    return _one_line(text.splitlines())[-limit:]


_NO_LINE = RefResult(PushState.UNKNOWN, "git said nothing about this ref")


def _result(flag: str, rest: str) -> RefResult:
    if flag == "=":
        return RefResult(PushState.DONE, UP_TO_DATE)
    if flag in " +-*":
        return RefResult(PushState.DONE)
    match = _SUMMARY.fullmatch(rest)
    kind, reason = (match[1], match[2] or match[1]) if match else ("", rest)
    return RefResult(_state(kind, reason), printable(reason))


def _state(kind: str, reason: str) -> PushState:
    if kind == "remote failure" or _LOST.search(reason):
        return PushState.UNKNOWN
    if _BYSTANDER.search(reason):
        return PushState.UNSENT
    if _STALE.search(reason):
        return PushState.STALE
    if kind == "remote rejected":
        return PushState.REFUSED
    # Our own git decided before sending: with a lease that is always about the old value.
    return PushState.STALE if kind == "rejected" else PushState.UNKNOWN


def _blamed(fates: Mapping[str, RefResult]) -> Mapping[str, RefResult]:
    """Make all bystanders STALE when nobody is to blame.

    A server whose ref transaction fails says "atomic transaction failed" of every ref, the one
    that lost its race included.
    """
    if any(fate.state is not PushState.UNSENT for fate in fates.values()):
        return fates
    return {ref: RefResult(PushState.STALE, fate.reason) for ref, fate in fates.items()}


def _doubted(fate: RefResult) -> RefResult:
    lost = fate.state in (PushState.STALE, PushState.UNSENT)
    return RefResult(PushState.UNKNOWN, fate.reason, answered=True) if lost else fate


def _explained(fate: RefResult, said: str) -> RefResult:
    if fate.state is PushState.REFUSED and said:
        return RefResult(fate.state, f"{fate.reason}: {said}")
    return fate


def _one_line(lines: Iterable[str]) -> str:
    return " ".join(part for line in lines if (part := _CONTROL.sub("", line).strip()))
