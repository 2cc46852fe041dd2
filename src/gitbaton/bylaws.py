"""What a project lets land, as the remote's target branch says at that moment (I9)."""

from __future__ import annotations

import msgspec

from gitbaton.app import App
from gitbaton.tasks.deliverables import promised_files
from gitbaton.work.job import LandJob
from gitbaton.workspace.publication import require_landing


def permit(app: App, job: LandJob) -> LandJob:
    """Return ``job`` under the rules as they are now; raise GateClosed (I9)."""
    task = app.queue.get(job.proof.task)
    job = msgspec.structs.replace(job, files=promised_files(task.deliverable))
    if job.commit is None or job.way == "record" or job.review:
        return job
    protection = app.protection(fresh=True)
    require_landing(protection, protection.target if job.way == "merge" else job.branch)
    if job.way == "merge":
        return job
    # Offline, the target was only known as it had been.
    return msgspec.structs.replace(job, target=protection.target)


def shared_branches(app: App, job: LandJob) -> frozenset[str]:
    """Return the branches that only move forward; raise GateClosed if ``job`` may not land."""
    protection = app.protection(fresh=True)
    if not job.review:
        require_landing(protection, protection.target if job.way == "merge" else job.branch)
    return frozenset({protection.target, job.target})
