"""The model of a plan file: every key, its default and its meaning.

The JSON Schema is generated from these structs (``plans/schema.py``), and the reader reports what
does not fit them (``plans/reading.py``). Durations are written ``90s``, ``15m``, ``2h``.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from msgspec import Meta, field

from gitbaton.core.config import Seconds, Section
from gitbaton.tasks.model import MAX_PRIORITY

NAME_LIMIT: Final = 40  # characters of a plan's name: the task ids begin with it
PHASE_LIMIT: Final = 10_000

_ID: Final = "^[a-z0-9][a-z0-9._-]{0,63}$"
_WORD: Final = "^[a-z0-9][a-z0-9._+-]{0,63}$"
_LINE: Final = "^[^\\x00-\\x1f\\x7f]{1,200}$"

Id: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": _ID})]
Word: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": _WORD})]


class Header(Section, frozen=True, kw_only=True):
    """`[plan]`: what the plan is called, and what holds for all of its phases."""

    name: Annotated[
        str,
        Meta(
            description="Name of the plan; phase `x` of plan `p` becomes task `p.x`.",
            extra_json_schema={"pattern": f"^[a-z0-9][a-z0-9_-]{{0,{NAME_LIMIT - 1}}}$"},
        ),
    ]
    description: Annotated[str, Meta(description="What it is for; only people read it.")] = ""
    target: Annotated[
        str | None, Meta(description="Branch that results land on; default: the project's.")
    ] = None
    checks: Annotated[
        tuple[str, ...],
        Meta(description="Commands that must succeed before any phase lands, before its own."),
    ] = ()
    timeout: Annotated[
        Seconds | None, Meta(description="How long one attempt may take, where a phase says none.")
    ] = None
    max_attempts: Annotated[
        int | None,
        Meta(
            description="Attempts after which a phase is failed, where it says no number.",
            extra_json_schema={"minimum": 1, "maximum": 1000},
        ),
    ] = None


class Phase(Section, frozen=True, kw_only=True):
    """`[[phase]]`: one piece of work that one agent does in one go."""

    id: Annotated[str, Meta(description="Name of the phase.", extra_json_schema={"pattern": _ID})]
    title: Annotated[
        str,
        Meta(
            description="What is done, in one line of at most 200 characters.",
            extra_json_schema={"pattern": _LINE},
        ),
    ]
    deliverable: Annotated[
        str | tuple[str, ...],
        Meta(
            description="What exists afterwards: a text, or the paths (globs) that must be there."
        ),
    ]
    prompt: Annotated[str, Meta(description="What the agent is told.")] = ""
    needs: Annotated[tuple[Id, ...], Meta(description="Phases that must be finished first.")] = ()
    checks: Annotated[
        tuple[str, ...], Meta(description="Commands that must succeed before it lands.")
    ] = ()
    requires: Annotated[
        tuple[Word, ...],
        Meta(description="Capabilities that its worker must have, such as `linux` or `gpu`."),
    ] = ()
    worker: Annotated[Word | None, Meta(description="The one worker that may do it.")] = None
    paths: Annotated[
        tuple[str, ...],
        Meta(description="Globs of the files it may touch; two that meet never run together."),
    ] = ()
    branch: Annotated[
        str | None, Meta(description="Branch of its result; default: `task/PLAN.PHASE`.")
    ] = None
    priority: Annotated[
        int,
        Meta(
            description="0 is taken first.",
            extra_json_schema={"minimum": 0, "maximum": MAX_PRIORITY},
        ),
    ] = 2
    gate: Annotated[
        str | None, Meta(description="Gate that a person must open before it starts.")
    ] = None
    timeout: Annotated[Seconds | None, Meta(description="How long one attempt may take.")] = None
    max_attempts: Annotated[
        int | None,
        Meta(
            description="Attempts after which it is failed.",
            extra_json_schema={"minimum": 1, "maximum": 1000},
        ),
    ] = None
    estimate: Annotated[
        Seconds | None,
        Meta(description="How long it will take, for the critical path; default: the timeout."),
    ] = None


class Plan(Section, frozen=True, kw_only=True):
    """The file: a plan that holds what it promises, its phases in the order of the file."""

    plan: Header
    toolchain: Annotated[
        dict[str, str],
        Meta(description='Tools that a worker must have, such as `python = ">=3.11"`.'),
    ] = field(default_factory=dict)
    phase: Annotated[
        tuple[Phase, ...],
        Meta(description="The phases.", extra_json_schema={"minItems": 1}),
    ]

    @property
    def name(self) -> str:
        """The plan's name."""
        return self.plan.name

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases, in the order of the file."""
        return self.phase
