"""Folding rescues into a branch: nothing is lost by races, lost answers or foreign refs (I3)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import Oid
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote
from gitbaton.store.gitengine.archive import GitArchive
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.model import Actor, Rescue

from .place import Forwarding, Place, make_place

BOB = Actor("bob")
BRANCH = "refs/heads/baton-rescue"


def make_rescues(place: Place, count: int, *, clone: int = 0) -> list[Rescue]:
    """Put rescues on the remote, all from one clone."""
    made = []
    for number in range(count):
        commit = place.commit_file(clone, f"file{number}", f"{number}\n", branch=f"b{number}")
        rescue = Rescue(f"t{number}", 1, commit)
        place.git("fetch", "-q", str(place.clone(clone)), commit)
        place.git("update-ref", f"refs/baton/rescue/{rescue.task}/1-{commit}", commit)
        made.append(rescue)
    return made


def archive(
    place: Place, number: int, *, wrap: Callable[[Remote], Remote] | None = None
) -> GitArchive:
    repository = place.repository(number)
    remote = place.transport(repository)
    return GitArchive(repository, wrap(remote) if wrap else remote, Layout(), SystemClock())


def reached(place: Place) -> set[str]:
    return set(place.git("rev-list", BRANCH).split("\n"))


class Deaf(Forwarding):
    """A remote that does what it is told, and whose first answer to a push is lost."""

    lost = 1

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        done = super().push(updates, atomic=atomic)
        self.lost -= 1
        if self.lost < 0:
            return done
        return {update.ref: RefResult(PushState.UNKNOWN, "the link was cut") for update in updates}


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_folded_rescues_are_reachable_and_their_refs_gone(tmp_path: Path, form: str) -> None:
    place = make_place(tmp_path, object_format=form)
    rescues = make_rescues(place, 3)
    other = archive(place, 1)
    assert sorted(other.rescues(), key=lambda r: r.task) == rescues
    assert other.archived(rescues) == set()
    assert set(other.fold(rescues[:2], actor=BOB)) == set(rescues[:2])
    assert other.archived(rescues) == set(rescues[:2])
    assert archive(place, 2).fold(rescues, actor=BOB) == rescues[2:]
    assert place.refs("refs/baton/rescue/") == {}
    assert {rescue.oid for rescue in rescues} <= reached(place)
    place.git("fsck", "--strict", "--no-dangling")
    place.close()


def test_many_fold_at_once(place: Place) -> None:
    """Everybody folds all of it at the same time; each rescue is in the branch exactly once."""
    rescues = make_rescues(place, 6)
    archives = [archive(place, number) for number in range(4)]
    threads = [
        threading.Thread(target=each.fold, args=(rescues,), kwargs={"actor": BOB})
        for each in archives
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert place.refs("refs/baton/rescue/") == {}
    parents = place.git("log", "--format=%P", "--grep=^rescue: archive", BRANCH).split()
    assert all(parents.count(rescue.oid) == 1 for rescue in rescues)


def test_an_answer_that_was_lost(place: Place) -> None:
    """I4: the second look finds the refs gone; nothing is folded twice."""
    rescues = make_rescues(place, 2)
    assert set(archive(place, 1, wrap=Deaf).fold(rescues, actor=BOB)) == set(rescues)
    assert place.git("rev-list", "--count", "--grep=^rescue: archive", BRANCH) == "1"


def test_a_ref_that_is_not_what_its_name_says_is_left_alone(place: Place) -> None:
    [rescue] = make_rescues(place, 1)
    blob = place.git("hash-object", "-w", "--stdin", stdin="not a commit")
    liar = Rescue("t8", 1, Oid("c" * 40))
    place.git("update-ref", f"refs/baton/rescue/t8/1-{liar.oid}", rescue.oid)
    place.git("update-ref", f"refs/baton/rescue/t9/1-{blob}", blob)
    here = archive(place, 1)
    wanted = [rescue, liar, Rescue("t9", 1, Oid(blob)), Rescue("t7", 1, rescue.oid)]
    assert here.fold(wanted, actor=BOB) == [rescue]
    assert set(place.refs("refs/baton/rescue/").values()) == {rescue.oid, blob}
    place.git("fsck", "--strict", "--no-dangling")


def test_the_archives_own_branch_goes_on(place: Place) -> None:
    """What others filed away stays: the branch only ever moves forward."""
    first, second = make_rescues(place, 2)
    archive(place, 1).fold([first], actor=BOB)
    before = place.refs(BRANCH)[BRANCH]
    archive(place, 2).fold([second], actor=BOB)
    assert before in reached(place)
    assert {first.oid, second.oid} <= reached(place)
