"""The record of a plan, ``plans/<name>``: what all must know of it, also without its file (pure).

What others wrote is data (I8): it is checked whole before it is believed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.core.ids import agent_name, branch_name
from gitbaton.plans.drafting import task_of
from gitbaton.plans.model import NAME_LIMIT, PHASE_LIMIT, Plan
from gitbaton.plans.named import decode_named, encode_named
from gitbaton.store.model import Key, Snapshot, Value, make_key

COLLECTION: Final = "plans"
FORMAT: Final = 1

_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{NAME_LIMIT - 1}}}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Announcement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan as it was announced. ``revision`` counts its changes; ``by`` and ``at``: for people.

    ``digest``: SHA-256 of the file's bytes. ``target`` None: the project's. ``phases``: their ids
    in the order of the file.
    """

    name: str
    revision: int
    digest: str
    target: str | None
    toolchain: dict[str, str]
    phases: tuple[str, ...]
    by: str
    at: str

    @property
    def key(self) -> Key:
        """The key of this plan's record."""
        return plan_key(self.name)


def announce(
    plan: Plan, data: bytes, before: Announcement | None, *, by: str, at: str
) -> Announcement:
    """Return the announcement of ``plan``, whose file is ``data``, after the one ``before``.

    That is ``before`` itself where it says the same.
    """
    digest = digest_of(data)
    if before is not None and before.digest == digest:
        return before
    return Announcement(
        name=plan.name,
        revision=1 if before is None else before.revision + 1,
        digest=digest,
        target=plan.plan.target,
        toolchain=dict(plan.toolchain),
        phases=tuple(phase.id for phase in plan.phases),
        by=by,
        at=at,
    )


def digest_of(data: bytes) -> str:
    """Return what tells two files of one plan apart."""
    return hashlib.sha256(data).hexdigest()


def plan_key(name: str) -> Key:
    """Return the record key of the plan with this name; raise InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput("plan", f"{name!r:.80} is no name of a plan")
    return make_key(COLLECTION, name)


def encode_plan(announcement: Announcement) -> Value:
    """Return the value kept in the store. ``decode_plan`` is its inverse."""
    return encode_named(announcement, format=FORMAT)


def decode_plan(key: str, value: Value) -> Announcement:
    """Return the announcement that ``encode_plan`` made ``value`` of. Raises DamagedRecord."""
    return decode_named(
        key, value, Announcement, _check, format=FORMAT, name=lambda record: record.name
    )


def find_plans(snapshot: Snapshot) -> Mapping[str, Announcement]:
    """Return all plans in ``snapshot`` by name; those that cannot be read are left out."""
    found: dict[str, Announcement] = {}
    for key, record in snapshot.live.items():
        if key.startswith(f"{COLLECTION}/"):
            try:
                plan = decode_plan(key, record.value)
            except DamagedRecord:
                continue  # who lacks its toolchain's word takes none of its phases: the safe side
            found[plan.name] = plan
    return found


def _check(plan: Announcement) -> None:
    plan_key(plan.name)
    if not _DIGEST.fullmatch(plan.digest):
        raise InvalidInput("digest", "that is no digest")
    if not 1 <= plan.revision < 2**53:
        raise InvalidInput("revision", f"{plan.revision} is none")
    if not 1 <= len(plan.phases) <= PHASE_LIMIT or len(set(plan.phases)) < len(plan.phases):
        raise InvalidInput("phases", "there are none, too many, or one of them twice")
    for phase in plan.phases:
        task_of(plan.name, phase)
    if plan.target is not None:
        branch_name(plan.target, field="target")
    if plan.toolchain:  # what reads versions takes long to import, and most plans name no tool
        from gitbaton.plans.toolchain.requirements import parse_requirements

        parse_requirements(plan.toolchain)
    agent_name(plan.by, field="by")
    parse_rfc3339(plan.at)
