"""The primary: closes frames, merges what was delivered, and publishes the next frame.

Killed between any two steps it leaves nothing half done: a frame is there with its branch, and
what was not merged still has its ref (docs/design/frames.md, sections 5 and 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.frames.beacon import Beacon, Flash
from gitbaton.frames.chronicle import Entry
from gitbaton.frames.closing import Decision, decide
from gitbaton.frames.edition import Edition, make_edition, set_in_type
from gitbaton.frames.gathering import Found, Gathering, gather
from gitbaton.frames.reading import read_deltas
from gitbaton.frames.refs import Pair
from gitbaton.frames.scene import Scene
from gitbaton.frames.sight import Watch
from gitbaton.frames.stage import REACH, Stage, View
from gitbaton.frames.strays import Strays
from gitbaton.git.objects import Person
from gitbaton.git.remote import PushState, RefResult, RefUpdate

_DELETIONS = 100  # in the push that publishes: a thousand in one transaction take seconds
_REFUSALS = 3  # pushes that the host itself refused, in a row


@dataclass(frozen=True, slots=True)
class Draft:
    """A frame that is merged and not published. ``left``: refs that nobody needs any more."""

    began: float
    edition: Edition
    commit: Oid
    consumed: Mapping[Pair, Oid]
    left: list[RefUpdate]


@dataclass(frozen=True, slots=True)
class Published:
    """A frame that this primary has published."""

    edition: Edition
    commit: Oid
    seconds: float


class Primary:
    """Decides and publishes on behalf of whoever holds the lease. For one thread at a time."""

    def __init__(
        self,
        stage: Stage,
        lease: Beacon,
        watch: Watch,
        person: tuple[str, str],
        *,
        settle: float = 1.0,
    ) -> None:
        """``settle``: seconds that a frame without workers waits for more of them to come."""
        self._stage = stage
        self._lease = lease
        self._watch = watch
        self._person = person
        self._settle = settle
        self._done: set[tuple[Pair, Oid]] = set()  # consumed; only their refs are left
        self._strays = Strays()
        self._refused = 0
        self._keeps_refs = False  # the host deletes no refs

    def decide(self, view: View) -> Decision:
        """Say whether the frame closes now. Raises DamagedRecord, RemoteUnreachable."""
        sight, scene = view.sight, view.scene
        number, config = scene.number, scene.config
        return decide(
            roster=scene.engaged,
            live=self._concerned(view),
            delivered={pair.worker for pair in sight.deltas if pair.frame == number},
            late=bool(self._late(view)),
            elapsed=self._watch.elapsed(number, sight),
            deadline=config.deadline,
            settle=self._settle,
        )

    def _concerned(self, view: View) -> frozenset[str]:
        """Return the live workers that closing depends on.

        One that is in the roster without agents has nothing to deliver, and is no newcomer: else
        a world with fewer agents than workers would publish frame after frame. It counts when
        the agents of a dead one wait for somebody to take them over.
        """
        scene = view.scene
        alive = self._watch.alive(view.sight.present, lease=scene.config.lease)
        if scene.engaged - alive:
            return alive
        return alive - (scene.frame.roster.keys() - scene.engaged)

    def compose(self, view: View, missing: Iterable[str]) -> Draft:
        """Merge what is there into the next frame. It may take longer than a lease lasts.

        ``missing``: live workers that were not waited for. Raises RemoteUnreachable, HostRefused,
        DamagedRecord.
        """
        stage, scene = self._stage, view.scene
        began = stage.clock.elapsed()
        live = self._watch.alive(view.sight.present, lease=scene.config.lease)
        gathering = self._gather(view, live)
        self._strays.note(gathering.astray)
        tokens = stage.tokens(view.sight, sorted(live))
        objects = stage.repository.objects
        edition = make_edition(
            scene,
            read_deltas(
                stage.repository,
                [(one.pair, one.commit) for one in gathering.merge],
                scene.config.limits,
            ),
            gathering.aside,
            roster={worker: t.streams for worker, t in tokens.items() if t.streams > 0},
            missing=sorted(missing),
            astray=self._strays.to_name(scene.frame, view.sight.deltas),
        )
        taken = {one.pair: one.commit for one in gathering.merge}
        author = Person(*self._person, int(stage.clock.now().timestamp()))
        commit, made = set_in_type(scene, edition, taken, gathering.aside, author)
        consumed = {**taken, **{one.pair: one.commit for one in gathering.aside}}
        left = [self._drop(one.pair, one.commit) for one in gathering.done]
        gone = self._watch.abandoned(view.sight, lease=scene.config.lease)
        left += [RefUpdate(stage.refs.presence(worker), oid, None) for worker, oid in gone.items()]
        objects.write(made)
        return Draft(began, edition, commit, consumed, left)

    def publish(self, view: View, draft: Draft) -> Published | None:
        """Publish the ``draft`` made of ``view``; None if that did not come about.

        Then nothing is known but what the next look shows. Raises RemoteUnreachable, HostRefused.
        """
        stage = self._stage
        world = RefUpdate(stage.refs.world, view.scene.commit, draft.commit)
        flash = self._lease.flash(draft.edition.frame.number, over=None)
        stage.repository.objects.write(flash.objects)
        if not self._push(world, flash, draft.consumed, draft.left):
            return None
        stage.learn(draft.commit)
        return Published(draft.edition, draft.commit, stage.clock.elapsed() - draft.began)

    def _late(self, view: View) -> list[Pair]:
        """Return the pairs of earlier frames that are there and not consumed."""
        sight, number = view.sight, view.scene.number
        self._strays.heed(view.scene.frame)
        self._done &= set(sight.deltas.items())
        early = [
            (pair, oid)
            for pair, oid in sight.deltas.items()
            if pair.frame < number and not self._is_settled(pair, oid)
        ]
        if not early:
            return []
        first = min(pair.frame for pair, _ in early)
        entries = list(self._stage.back_to(view.scene, first))
        for pair, oid in early:
            if any(oid in entry.taken for entry in entries):
                self._done.add((pair, oid))
        return [pair for pair, oid in early if (pair, oid) not in self._done]

    def _is_settled(self, pair: Pair, oid: Oid) -> bool:
        return (pair, oid) in self._done or (pair, oid) in self._strays

    def _gather(self, view: View, live: Iterable[str]) -> Gathering:
        """Bring what is to be merged and say what becomes of each. One fetch."""
        stage, sight, scene = self._stage, view.sight, view.scene
        self._strays.heed(scene.frame)
        pairs = [
            pair
            for pair in sight.ordered
            if pair.frame <= scene.number
            and (pair, sight.deltas[pair]) not in self._strays
            and not (self._keeps_refs and (pair, sight.deltas[pair]) in self._done)
        ]
        refs = {**stage.delta_refs(sight, pairs), **stage.token_refs(sight, live)}
        missing = stage.bring(refs)
        parents = stage.parents(sight.deltas[pair] for pair in pairs)
        found = [
            Found(pair, oid, parents[oid])
            for pair in pairs
            if (oid := sight.deltas[pair]) in parents
        ]
        here = [(pair, oid) for pair in pairs if (oid := sight.deltas[pair]) not in missing]
        self._strays.ignore(one for one in here if one[1] not in parents)
        first = min((one.pair.frame for one in found), default=scene.number)
        entries = stage.back_to(scene, first)
        earlier = self._origin(scene, found, entries)
        if earlier < first:
            entries = stage.back_to(scene, earlier)
        return gather(found, scene.number, entries)

    def _origin(self, scene: Scene, found: Iterable[Found], entries: Iterable[Entry]) -> int:
        """Return the earliest frame from which one of ``found`` claims to be made.

        One of another frame of this world is set aside, one of another world goes astray. Claims
        of the distant past are not looked into: everybody would have to bring it.
        """
        known = {entry.commit for entry in entries}
        parents = {parent for one in found for parent in one.parents} - known
        claims = self._stage.chronicle.numbers(parents)
        return min((n for n in claims if n >= scene.number - REACH), default=scene.number)

    def _push(
        self,
        world: RefUpdate,
        flash: Flash,
        consumed: Mapping[Pair, Oid],
        left: list[RefUpdate],
    ) -> bool:
        """Push the frame; return whether it is surely there. Then delete what is ``left``."""
        stage = self._stage
        drops = [self._drop(pair, oid) for pair, oid in consumed.items()]
        # A host may refuse a whole push for the deletions in it: what was refused goes without.
        deletions = [] if self._keeps_refs or self._refused else drops[:_DELETIONS]
        if stage.remote.supports_atomic is False:
            if not self._push_in_steps(world, flash):
                return False
            left = [*left, *drops]
        else:
            updates = [world, flash.update, *deletions]
            began = stage.clock.elapsed()
            results = stage.remote.push(updates, atomic=True)
            self._lease.sent(flash, results[flash.update.ref], began=began)
            self._note(results, {update.ref for update in deletions})
            if results[world.ref].state is not PushState.DONE:
                return False
            left = [*left, *drops[len(deletions) :]]
        self._done.update(consumed.items())
        self._clean(left)
        return True

    def _push_in_steps(self, world: RefUpdate, flash: Flash) -> bool:
        """Without atomic push: the lease first, which is the fence, then the world."""
        stage = self._stage
        began = stage.clock.elapsed()
        result = stage.remote.push([flash.update], atomic=False)[flash.update.ref]
        self._lease.sent(flash, result, began=began)
        if result.state is not PushState.DONE:
            return False
        results = stage.remote.push([world], atomic=False)
        self._note(results, set())
        return results[world.ref].state is PushState.DONE

    def _clean(self, left: list[RefUpdate]) -> None:
        """Delete refs of what is among the parents of a published frame, and litter.

        Best effort, in pushes of its own: a host that refuses it must not hold up the world.
        """
        for start in range(0, 0 if self._keeps_refs else len(left), _DELETIONS):
            with suppress(RemoteUnreachable):  # the frame is published; the next one tries again
                results = self._stage.remote.push(left[start : start + _DELETIONS], atomic=False)
                if all(result.state is PushState.REFUSED for result in results.values()):
                    self._keeps_refs = True

    def _drop(self, pair: Pair, oid: Oid) -> RefUpdate:
        return RefUpdate(self._stage.refs.delta(pair), oid, None)

    def _note(self, results: Mapping[str, RefResult], deletions: set[str]) -> None:
        """Learn from refusals of the host itself. Raises HostRefused when they do not end."""
        refused = {r: s for r, s in results.items() if s.state is PushState.REFUSED}
        if not refused:
            self._refused = 0
            return
        self._refused += 1
        if refused.keys() <= deletions:
            self._keeps_refs = True
        elif self._refused >= _REFUSALS:
            ref, result = next(iter(refused.items()))
            raise HostRefused(result.reason, ref=ref)
