"""Whether the world grew from what this clone has seen of it, also where history ends early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gitbaton.core.ids import Oid
from gitbaton.frames.scene import read_scene
from gitbaton.git.repository import CoordinationRepository

SLACK: Final = 16  # commits made by hand between the frames


class Descent:
    """Answers for one world. ``deepen(n)``: brings its last ``n`` commits; None: all."""

    def __init__(
        self, repository: CoordinationRepository, deepen: Callable[[int | None], None]
    ) -> None:
        self._repository = repository
        self._deepen = deepen
        self._in_vain: tuple[Oid, Oid] | None = None  # all was brought for these already

    def leads(self, tip: Oid, seen: Oid) -> bool:
        """Tell whether ``tip``, which is here, goes on from ``seen``.

        Raises RemoteUnreachable, HostRefused, and DamagedRecord or InvalidInput for what is no
        world.
        """
        repository, objects = self._repository, self._repository.objects
        if objects.missing([seen]):
            return True  # nothing is known of it here any more
        if repository.is_ancestor(seen, tip):
            return True
        if not objects.is_shallow:
            return False
        # In a shallow history the way back may be cut off; then the numbers decide.
        if read_scene(objects, tip).number > read_scene(objects, seen).number:
            return True
        # People commit without a new number. Nobody is accused for what was not fetched.
        return self._find_way_back(tip, seen)

    def _find_way_back(self, tip: Oid, seen: Oid) -> bool:
        """Bring more of the history until it leads from ``tip`` to ``seen``, or all is here."""
        if self._in_vain == (tip, seen):
            return False
        for depth in (SLACK, None):
            self._deepen(depth)
            if self._repository.is_ancestor(seen, tip):
                return True
        self._in_vain = (tip, seen)
        return False
