"""One world as this process sees it: looks at the remote, and brings what is not here yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gitbaton.core.clock import Clock
from gitbaton.core.errors import DamagedRecord, Refused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.frames.chronicle import Chronicle, Entry, frame_number
from gitbaton.frames.delivery import delta_number
from gitbaton.frames.descent import SLACK, Descent
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.frames.scene import Scene, read_scene
from gitbaton.frames.sight import Sight, look_at
from gitbaton.frames.tokens import Token, read_token, token_path
from gitbaton.git.objects import decode_commit, make_object
from gitbaton.git.objectstore import MissingObject
from gitbaton.git.packs import roll_up
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.shallow import forget_ends

FetchLast: TypeAlias = Callable[[str, int | None], None]

REACH: Final = 64  # frames: a delta later than that is rare enough to bring the whole past with it
_ASKS = 4  # fetches in a row that found the refs moved on


@dataclass(frozen=True, slots=True)
class View:
    """A look, and the world that it showed."""

    sight: Sight
    scene: Scene


class Stage:
    """The world on one remote. For one thread at a time."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        refs: FrameRefs,
        clock: Clock,
        *,
        fetch_last: FetchLast | None = None,
        noted: Callable[[], Iterable[Oid]] = tuple,
    ) -> None:
        """``fetch_last(ref, depth)``: bring that many commits, None: all. None: never in part.

        ``noted``: gives the deltas of this clone that were made and are not delivered yet.
        """
        self.repository = repository
        self.remote = remote
        self.refs = refs
        self.clock = clock
        self.chronicle = Chronicle(repository.objects)
        self._fetch_last = fetch_last
        self._noted = noted
        self._scene: Scene | None = None
        self._bounded = 0  # the frame at which the history here was cut off last
        self._late: int | None = None  # the earliest frame of the late deltas of the last look
        self._tokens: dict[Oid, Token | None] = {}
        self._descent = Descent(repository, self.deepen)

    def look(self) -> View:
        """Ask for the refs; return them with the world at the tip, fetched if need be.

        Raises Refused where there is no world or it went back, RemoteUnreachable, HostRefused,
        DamagedRecord and InvalidInput where the branch holds no world.
        """
        rewound: Refused | None = None
        for _ in range(_ASKS):
            sight = look_at(self.remote, self.refs, self.clock)
            if self._scene is not None and self._scene.commit == sight.tip:
                return self._seen_as(sight, self._scene)
            if sight.tip is not None and not self._bring_world(sight.tip):
                continue  # it has moved on meanwhile
            # Another process of this clone may have seen a later tip since we asked: ask again.
            rewound = self._find_rewound(sight.tip)
            if rewound is not None:
                continue
            if sight.tip is None:
                raise Refused(
                    f"there is no branch {self.refs.branch!r} on {self.remote.url}",
                    code="no_world",
                    next=self.refs.command("init"),
                )
            return self._seen_as(sight, self.learn(sight.tip))
        raise rewound or RemoteUnreachable(
            f"{self.remote.url} changed faster than it could be read", next="try again"
        )

    def learn(self, commit: Oid) -> Scene:
        """Take ``commit``, which is here, for what the branch surely had; return its world."""
        self._scene = read_scene(self.repository.objects, commit)
        self.repository.remember(self._seen, commit)
        return self._scene

    def bring(self, wanted: Mapping[str, Oid]) -> set[Oid]:
        """Fetch what is not here of ``wanted`` (ref -> listed value); return what is still missing.

        One fetch at most. Raises RemoteUnreachable, HostRefused.
        """
        objects = self.repository.objects
        found = objects.find_many([f"{oid}^{{tree}}" for oid in wanted.values()])
        lacking = {
            ref: oid for (ref, oid), here in zip(wanted.items(), found, strict=True) if not here
        }
        if not lacking:
            return set()
        have = [self._scene.commit] if self._scene is not None else []
        self.remote.fetch(lacking, have=have)
        return objects.missing(lacking.values())

    def back_to(self, scene: Scene, frame: int) -> list[Entry]:
        """Return the commits from ``scene`` back, as far as their frame is ``frame`` or later.

        Brings history that was left out. Raises RemoteUnreachable, HostRefused.
        """
        try:
            return list(self.chronicle.back_to(scene.commit, frame))
        except MissingObject:
            latest = self._scene or scene  # the depth is counted from the tip
            self.deepen(latest.number - frame + SLACK)
        try:
            return list(self.chronicle.back_to(scene.commit, frame))
        except MissingObject:
            self.deepen(None)
        return list(self.chronicle.back_to(scene.commit, frame))

    def deepen(self, depth: int | None) -> None:
        """Bring the last ``depth`` commits of the world with all that they took; None: all."""
        if self._fetch_last is not None:
            self._fetch_last(self.refs.world, depth)

    def tidy(self) -> None:
        """Keep what was fetched in few packs. It may take seconds: not while others wait."""
        roll_up(self.repository)

    def parents(self, commits: Iterable[Oid]) -> dict[Oid, tuple[Oid, ...]]:
        """Return the parents of each of ``commits`` that is here, and a commit.

        A ref below the namespace can name anything: a file, a tag that names a commit.
        """
        names, objects = list(commits), self.repository.objects
        found = objects.find_many([f"{name}^{{commit}}" for name in names])
        return {
            oid: decode_commit(item[1]).parents
            for oid, item in zip(names, found, strict=True)
            if item is not None and make_object("commit", item[1], objects.format).oid == oid
        }

    def tokens(self, sight: Sight, workers: Iterable[str]) -> dict[str, Token]:
        """Return what the ``workers`` say of themselves, of those that are here to be read."""
        wanted = {w: oid for w in workers if (oid := sight.present.get(w)) is not None}
        self._read_tokens(wanted.values())
        return {w: token for w, oid in wanted.items() if (token := self._tokens[oid]) is not None}

    def leader(self, sight: Sight) -> Token | None:
        """Return what the primary says of itself, None if there is none or it is not here."""
        if sight.lease is None:
            return None
        self._read_tokens([sight.lease])
        return self._tokens[sight.lease]

    def delta_refs(self, sight: Sight, pairs: Iterable[Pair]) -> dict[str, Oid]:
        """Return the refs of the deltas ``pairs``, and what they were listed with."""
        return {self.refs.delta(pair): sight.deltas[pair] for pair in pairs}

    def token_refs(self, sight: Sight, workers: Iterable[str]) -> dict[str, Oid]:
        """Return the presence refs of ``workers`` whose present values were not read yet."""
        return {
            self.refs.presence(worker): oid
            for worker in workers
            if (oid := sight.present.get(worker)) is not None and oid not in self._tokens
        }

    def _read_tokens(self, oids: Iterable[Oid]) -> None:
        new = [oid for oid in oids if self._tokens.get(oid) is None]
        bodies = self.repository.objects.find_many([token_path(oid) for oid in new])
        if len(self._tokens) > 10_000:
            self._tokens.clear()
        for oid, found in zip(new, bodies, strict=True):
            self._tokens[oid] = _decoded(found[1]) if found is not None else None

    def _seen_as(self, sight: Sight, scene: Scene) -> View:
        """Return the view, and note what the next fetch of the world may have to reach back for."""
        late = [p.frame for p in sight.ordered if 0 < scene.number - p.frame <= REACH]
        self._late = late[0] if late else None
        return View(sight, scene)

    def _bring_world(self, tip: Oid) -> bool:
        """Bring the commit ``tip`` of the world; return whether it is here.

        The current frame needs nothing of the past. So a clone in which the past is not whole
        begins with one commit, and has from then on what comes after it.
        """
        objects = self.repository.objects
        if self._fetch_last is None or objects.find_many([tip])[0] is not None:
            return not self.bring({self.refs.world: tip})
        known = self._scene
        if known is None:
            if objects.is_shallow or self.repository.remembered(self._seen) is None:
                self._fetch_last(self.refs.world, 1)
                if objects.missing([tip]):
                    return False  # it has moved on meanwhile
                self._bounded = read_scene(objects, tip).number
                self._forget_ends()
        elif 0 < known.config.keep <= known.number - self._bounded:
            self._fetch_last(self.refs.world, known.config.keep)
            self._bounded = known.number
            self._forget_ends()
        elif self._late is not None:
            # A frame that took a late delta leads to the world that this was made from, and in a
            # shallow history a plain fetch would bring all that came before that, too.
            self.back_to(known, self._late)
        return not self.bring({self.refs.world: tip})

    def _forget_ends(self) -> None:
        """Forget where earlier fetches began, except below what is yet to be pushed."""
        forget_ends(self.repository, self._is_past, needed=self._noted)

    def _is_past(self, subject: str) -> bool:
        """Tell whether a commit with this subject is of a frame that fetches begin after."""
        numbers = (frame_number(subject), delta_number(subject))
        frame = next((number for number in numbers if number is not None), self._bounded)
        return frame < self._bounded - REACH

    @property
    def _seen(self) -> str:
        return f"world/{self.refs.branch}"

    def _find_rewound(self, tip: Oid | None) -> Refused | None:
        """Return the refusal of a branch that lacks what this clone has seen on it.

        It only ever grows. One that was set back would repeat frames, and merge again the deltas
        that are among the parents of those that were taken away.
        """
        seen = self._scene.commit if self._scene else self.repository.remembered(self._seen)
        if seen is None or seen == tip or (tip is not None and self._follows(seen, tip)):
            return None
        return Refused(
            f"the branch {self.refs.branch!r} was set back: it is {tip or 'deleted'}, and this "
            f"clone has seen {seen}",
            code="world_rewound",
            next=f"git --git-dir={self.repository.path} push <remote> {seen}:{self.refs.world} "
            f"(restores it), or delete refs/seen/{self._seen} there to accept what is lost",
        )

    def _follows(self, seen: Oid, tip: Oid) -> bool:
        return seen in self.parents([tip]).get(tip, ()) or self._descent.leads(tip, seen)


def _decoded(body: bytes) -> Token | None:
    try:
        return read_token(body)
    except DamagedRecord:
        return None
