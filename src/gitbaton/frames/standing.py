"""How a world stands at one look, for people."""

from __future__ import annotations

from dataclasses import dataclass

from gitbaton.frames.refs import Pair
from gitbaton.frames.scene import Scene
from gitbaton.frames.stage import Stage
from gitbaton.frames.tokens import Token

_LOOKS = 4


@dataclass(frozen=True, slots=True)
class Member:
    """One worker: of this frame's roster, or present. ``token.at`` is its last sign, for people.

    ``token`` None: it is in the roster and shows no presence (it left, or never came back).
    """

    name: str
    token: Token | None
    agents: int  # in this frame
    delivered: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The current frame, who is there, and what waits to be merged.

    ``late``: deltas of earlier frames. ``primary`` None: nobody has the lease. One look cannot
    tell whether a token is still renewed: that takes a lease's time.
    """

    scene: Scene
    primary: Token | None
    members: tuple[Member, ...]
    late: tuple[Pair, ...]


def survey(stage: Stage) -> Standing:
    """Look, and read what everybody says of themselves.

    Raises Refused where there is no world, RemoteUnreachable, HostRefused.
    """
    for _ in range(_LOOKS):
        view = stage.look()
        sight, scene = view.sight, view.scene
        refs = stage.token_refs(sight, sight.present)
        if sight.lease is not None:
            refs[stage.refs.lease] = sight.lease
        if not stage.bring(refs):
            break  # else somebody renewed a token between the listing and the fetch
    tokens = stage.tokens(sight, sight.present)
    return Standing(
        scene,
        stage.leader(sight),
        tuple(
            Member(
                name,
                tokens.get(name),
                sum(len(agents) for agents in scene.slices.get(name, ())),
                Pair(scene.number, name) in sight.deltas,
            )
            for name in sorted(scene.frame.roster.keys() | sight.present.keys())
        ),
        tuple(pair for pair in sight.ordered if pair.frame < scene.number),
    )
