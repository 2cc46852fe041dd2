"""The model of ``baton.toml``: every key, its default and its meaning.

The reference page is generated from these structs. Durations are written ``90s``, ``15m``, ``2h``
and kept as seconds. ``Config`` steers this machine and may come from any working tree.
``ProtectedConfig`` protects people: it is read from the remote's target branch and from nowhere
else. They are two types so that one cannot be passed for the other.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

LandWay: TypeAlias = Literal["branch", "merge"]
HookForm: TypeAlias = Literal["json", "slack"]
HookEvent: TypeAlias = Literal[
    "claim",  # a task was claimed
    "done",  # its result has landed
    "review",  # its result is published and waits for a person
    "block",  # its agent has a question
    "fail",  # the attempt failed
    "release",  # it was given back
    "reset",  # an abandoned claim was taken back
    "lost",  # a worker's claim was taken away
    "rescue",  # work that did not land was saved
    "gate",  # it waits for an approval
    "alert",  # something is not as it should be
    "clear",  # an alert is over
    "all",
]
Transport: TypeAlias = Literal["fast", "plain"]


class Seconds(float):
    """A duration in seconds; in the file ``90s``, ``15m``, ``2h`` or ``1d``."""


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all tables in the file: immutable, nothing unexpected."""


class StoreSection(Section, frozen=True, kw_only=True):
    """`[store]`: where the shared records are kept. Read by `init`, but for `transport`."""

    namespace: Annotated[str, Meta(description="Prefix of the coordination refs.")] = "refs/baton/"
    board: Annotated[str, Meta(description="The branch that people and programs read.")] = "baton"
    live_window: Annotated[
        int,
        Meta(ge=1, le=5000, description="How many open tasks have a ref of their own."),
    ] = 256
    transport: Annotated[
        Transport,
        Meta(
            description="`fast`: pushes and listings are spoken to the server directly; `plain`: "
            "all by the commands of git. Read by every command."
        ),
    ] = "fast"


class QueueSection(Section, frozen=True, kw_only=True):
    """`[queue]`: how claims and attempts behave."""

    lease: Annotated[
        Seconds, Meta(description="How long a claim lasts unrenewed. Renewed every third of it.")
    ] = Seconds(900)
    max_attempts: Annotated[
        int, Meta(ge=1, le=1000, description="Attempts after which a task is failed.")
    ] = 3
    backoff: Annotated[
        Seconds, Meta(description="Delay after the first failed attempt; doubles with each.")
    ] = Seconds(30)
    backoff_limit: Annotated[Seconds, Meta(description="The longest delay.")] = Seconds(1800)
    timeout: Annotated[
        Seconds | None,
        Meta(description="How long one attempt may take, for tasks added without one."),
    ] = None


class WorkSection(Section, frozen=True, kw_only=True):
    """`[work]`: the worker, `baton work`."""

    jobs: Annotated[int, Meta(ge=1, le=256, description="Tasks worked on at the same time.")] = 1
    land: Annotated[
        LandWay, Meta(description="How results land: as a branch, or merged onto the target.")
    ] = "branch"
    agent: Annotated[str | None, Meta(description="Profile or command of the agent.")] = None
    setup: Annotated[
        tuple[str, ...], Meta(description="Commands run in a fresh worktree before the agent.")
    ] = ()
    checks: Annotated[
        tuple[str, ...], Meta(description="Commands that must succeed before anything lands.")
    ] = ()
    review: Annotated[
        bool, Meta(description="Publish for review instead of finishing the task.")
    ] = False
    output_cap: Annotated[
        int, Meta(ge=10_000, description="Bytes of an agent's output that are kept.")
    ] = 10_000_000
    worktrees: Annotated[
        str | None,
        Meta(
            description="Directory of the worktrees; the default is `<clone>.baton` beside it. "
            "Used on a machine that has said so: `git config baton.work.worktrees DIRECTORY`."
        ),
    ] = None
    throw_away: Annotated[
        tuple[str, ...],
        Meta(description="Ignored files that may go with a worktree (patterns as in .gitignore)."),
    ] = (
        "node_modules/",
        "__pycache__/",
        ".venv/",
        "venv/",
        "target/",
        "dist/",
        "build/",
        "*.pyc",
        "*.o",
        "*.egg-info/",
        ".mypy_cache/",
        ".pytest_cache/",
        ".ruff_cache/",
        ".tox/",
        ".gradle/",
        ".next/",
        ".DS_Store",
    )
    port_base: Annotated[
        int,
        Meta(ge=1024, le=60_000, description="First port given to agents; each slot has 100."),
    ] = 20_000
    rescue_age: Annotated[
        Seconds, Meta(description="Age after which a rescue is folded into `baton-rescue`.")
    ] = Seconds(30 * 86400)
    landing_window: Annotated[
        Seconds,
        Meta(description="How long a result waits for others of this worker to share its push."),
    ] = Seconds(10)
    pushes_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="What the host may be asked to take from all machines together.",
        ),
    ] = 6


class AgentSection(Section, frozen=True, kw_only=True):
    """`[agents.NAME]`: an agent profile, used with `work --agent NAME`."""

    command: Annotated[
        str, Meta(min_length=1, description="Its words; `{prompt}`, `{prompt_file}`, … are filled.")
    ]
    env: Annotated[dict[str, str], Meta(description="Variables added to its environment.")] = field(
        default_factory=dict
    )
    check: Annotated[
        str | None, Meta(description="Command by which `doctor` sees that it is logged in.")
    ] = None


class HookSection(Section, frozen=True, kw_only=True):
    """`[hooks.NAME]`: a command or a webhook that is told of events. Never taken from a task."""

    events: Annotated[
        tuple[HookEvent, ...],
        Meta(min_length=1, description="What it is told of; `all`: everything."),
    ]
    command: Annotated[
        str | None,
        Meta(description="Its words; no shell. The event is on its standard input, as JSON."),
    ] = None
    webhook: Annotated[
        str | None, Meta(description="Address that the event is posted to. Often a secret.")
    ] = None
    webhook_env: Annotated[
        str | None,
        Meta(description="Environment variable that holds the address, to keep it out of git."),
    ] = None
    form: Annotated[
        HookForm,
        Meta(description="What is posted: the event, or what Slack and its likes understand."),
    ] = "json"
    timeout: Annotated[
        Seconds, Meta(description="How long one delivery may take before it is tried again.")
    ] = Seconds(10)


class HealthSection(Section, frozen=True, kw_only=True):
    """`[health]`: when people are told that something is not as it should be."""

    message_age: Annotated[
        Seconds, Meta(description="A message that is not answered for so long is an alert.")
    ] = Seconds(600)
    stall: Annotated[
        Seconds,
        Meta(description="An agent that prints nothing and changes no file for so long is one."),
    ] = Seconds(900)


class InboxSection(Section, frozen=True, kw_only=True):
    """`[inbox]`: what a worker that serves keeps in the inbox of its machine."""

    history: Annotated[
        Seconds,
        Meta(
            description="How long it is remembered what became of messages that were answered and "
            "forgotten."
        ),
    ] = Seconds(30 * 86400)


class CommitSection(Section, frozen=True, kw_only=True):
    """`[commit]`: `baton commit`, from a working tree that many share."""

    wait: Annotated[
        Seconds, Meta(description="How long a commit waits for another one in this working tree.")
    ] = Seconds(120)
    max_deletions: Annotated[
        int, Meta(ge=0, description="Files that one commit may remove without being told so.")
    ] = 50
    max_file_size: Annotated[
        int,
        Meta(ge=1, description="Bytes that one file may have without being told so; not with LFS."),
    ] = 50_000_000
    links: Annotated[
        tuple[str, ...],
        Meta(
            description="Paths that git ignores and hooks need, such as `node_modules`; linked "
            "into the checkout that hooks run in."
        ),
    ] = ()
    hook_timeout: Annotated[
        Seconds, Meta(description="How long one hook may take before it is ended.")
    ] = Seconds(900)
    accept_fixes: Annotated[
        bool,
        Meta(
            description="A pre-commit hook that fails and has changed named files is run once more "
            "on its changes, and they are committed if it passes."
        ),
    ] = True
    scanner: Annotated[
        str | None,
        Meta(
            description="A detector of secrets, such as `gitleaks stdin`: gets the change as a "
            "diff on its standard input, and fails the commit by failing. Runs on a machine "
            "that has said so: `git config baton.commit.scanner COMMAND`."
        ),
    ] = None
    trailer: Annotated[
        bool,
        Meta(description="Whether `Baton-Task: ID` ends the message where BATON_TASK is set."),
    ] = True


class SessionsSection(Section, frozen=True, kw_only=True):
    """`[sessions]`: many sessions in one checkout."""

    threshold: Annotated[
        int,
        Meta(
            ge=0,
            description="With so many sessions in a working tree the next gets a worktree of its "
            "own. 0: always.",
        ),
    ] = 3
    shared_cache: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+-][A-Za-z0-9._+-]*$")], ...],
        Meta(
            description="Of the user's cache, what all sessions share: it is made for that, or "
            "holds a credential. The rest of the cache is each session's own."
        ),
    ] = ("git", "pre-commit", "prek", "uv", "pip")
    integrate: Annotated[
        Literal["rebase", "merge"],
        Meta(
            description="How `commit --push` and `sync` bring unpushed commits onto what others "
            "have pushed."
        ),
    ] = "rebase"


class ProjectSection(Section, frozen=True, kw_only=True):
    """`[project]`: what this project is called and where results go."""

    name: Annotated[
        str | None,
        Meta(description="Name that approvals are bound to; the default is the remote's path."),
    ] = None
    target: Annotated[
        str | None,
        Meta(description="Branch that results land on; the default is the remote's own default."),
    ] = None
    branch_prefix: Annotated[
        str, Meta(description="Prefix of the branches that results are published on.")
    ] = "task/"
    allowed_signers: Annotated[
        str,
        Meta(description="File in the repository; where it exists, approvals must be signed."),
    ] = ".baton/allowed_signers"


class GateSection(Section, frozen=True, kw_only=True):
    """`[gates.NAME]`: who may open a gate. `*` as the name: every gate that is not listed."""

    approvers: Annotated[
        tuple[str, ...] | None,
        Meta(description="Git names or e-mail addresses that may approve; unset: on trust."),
    ] = None


class LandSection(Section, frozen=True, kw_only=True):
    """`[land]`: what may land, and how."""

    allowed: Annotated[
        tuple[LandWay, ...], Meta(description="The ways of landing that are permitted.")
    ] = ("branch", "merge")
    checks: Annotated[
        tuple[str, ...], Meta(description="Commands that must succeed before every landing.")
    ] = ()


class Config(Section, frozen=True, kw_only=True):
    """What steers this machine. It may come from any working tree."""

    store: StoreSection = StoreSection()
    queue: QueueSection = QueueSection()
    work: WorkSection = WorkSection()
    agents: dict[str, AgentSection] = field(default_factory=dict)
    hooks: dict[str, HookSection] = field(default_factory=dict)
    health: HealthSection = HealthSection()
    inbox: InboxSection = InboxSection()
    commit: CommitSection = CommitSection()
    sessions: SessionsSection = SessionsSection()
    toolchain: Annotated[
        dict[str, str],
        Meta(
            description='What the tools of this project must be, as in `node = ">=20,<21"` '
            "(PEP 440). A worker without them takes no task."
        ),
    ] = field(default_factory=dict)


class ProtectedConfig(Section, frozen=True, kw_only=True):
    """What protects people. Read from the remote's target branch, never from a worktree."""

    project: ProjectSection = ProjectSection()
    gates: dict[str, GateSection] = field(default_factory=dict)
    land: LandSection = LandSection()
