"""A stage for the players: one object store, and a switchboard of refs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.git.repository import CoordinationRepository
from tests.integration.frames.players import Player, begin
from tests.integration.frames.switchboard import Hazard, Line, Switchboard
from tests.integration.store.place import Place, make_place


@dataclass
class House:
    """What the players of one test share."""

    root: Path
    repository: CoordinationRepository
    board: Switchboard = field(default_factory=Switchboard)
    players: list[Player] = field(default_factory=list)

    def open(self, *, atomic: bool = True, **changes: object) -> None:
        """Begin anew with a fresh server and a fresh world."""
        self.board = Switchboard(atomic=atomic)
        self.players = []
        for ref in self.repository.git.run("for-each-ref", "--format=%(refname)").text.split():
            self.repository.git.run("update-ref", "-d", ref)
        begin(self.repository, Line(self.board), **changes)

    def enter(
        self, name: str, hazard: Hazard = lambda call: None, *, primary: bool = True
    ) -> Player:
        """Return a new player, with a directory that nobody had before."""
        place = self.root / f"{len(list(self.root.iterdir()))}-{name}"
        place.mkdir(parents=True)
        line = Line(self.board, hazard)
        clock = ManualClock(origin=name)
        player = Player(name, place, self.repository, line, clock, primary=primary)
        self.players.append(player)
        return player

    def advance(self, seconds: float) -> None:
        """Let time pass for everybody."""
        for player in self.players:
            assert isinstance(player.clock, ManualClock)
            player.clock.advance(seconds)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One clone for a module of tests: opening one costs more than playing in it."""
    made = make_place(tmp_path_factory.mktemp("place"))
    yield made
    made.close()


@pytest.fixture
def house(place: Place, tmp_path: Path) -> House:
    """A house with a world at frame 0, and nobody in it yet."""
    root = tmp_path / "players"
    root.mkdir()
    if not place.opened:
        place.repository()
    repository = place.opened[0]
    assert isinstance(repository, CoordinationRepository)
    house = House(root, repository)
    house.open()
    return house
