"""Why a delivery failed, and whether it is worth trying again."""

from __future__ import annotations

from gitbaton.core.errors import BatonError


class DeliveryFailed(BatonError):
    """A hook did not take an event. ``lasting``: it would not take it the next time either."""

    code = "hook_failed"

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting
