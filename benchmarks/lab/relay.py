"""A cable of any length: two TAP devices joined by a queue in which every frame waits.

``python -m benchmarks.lab.relay TAP TAP`` makes the devices, says ``ready`` and forwards. Lines on
standard input set the time that a frame needs from end to end, in seconds; at the end of the input
it ends, and the devices are gone with it. As frames are delayed and not connections, handshakes,
acknowledgements and lookups are slow too, as on a real link. netem would do the same, but is not
in every kernel. Source: Linux Documentation/networking/tuntap.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque
from contextlib import suppress

_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000  # bare frames, no header before them
_BIGGEST_FRAME = 65536
_CONTROL = 0


class Cable:
    """Forwards frames between two devices, each way with the same delay. Drops nothing."""

    def __init__(self, left: int, right: int) -> None:
        self._other = {left: right, right: left}
        self._under_way: deque[tuple[float, int, bytes]] = deque()
        self._delay = 0.0

    def run(self) -> None:
        """Forward until standard input ends."""
        ends = list(self._other)
        while True:
            readable, _, _ = select.select([_CONTROL, *ends], [], [], self._until_next())
            if _CONTROL in readable and not self._obey():
                return
            for end in ends:
                if end in readable:
                    self._take(end)
            self._deliver()

    def _until_next(self) -> float | None:
        if not self._under_way:
            return None
        return max(0.0, self._under_way[0][0] - time.monotonic())

    def _obey(self) -> bool:
        words = os.read(_CONTROL, 4096).split()
        if words:
            self._delay = float(words[-1])
        return bool(words)

    def _take(self, end: int) -> None:
        """Put every frame that waits at ``end`` on its way."""
        due = time.monotonic() + self._delay
        with suppress(BlockingIOError):
            while frame := os.read(end, _BIGGEST_FRAME):
                self._under_way.append((due, self._other[end], frame))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._under_way and self._under_way[0][0] <= now:
            _, end, frame = self._under_way.popleft()
            with suppress(OSError):  # an end that is down, or whose queue is full, loses it
                os.write(end, frame)


def open_tap(name: str) -> int:
    """Make the TAP device ``name``, which lives as long as the descriptor returned."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return device


def main(names: list[str]) -> None:
    """Join the two devices."""
    with suppress(OSError):
        # A cable does not wait for a processor; what is measured must not slow it down.
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    left, right = (open_tap(name) for name in names)
    print("ready", flush=True)
    Cable(left, right).run()


if __name__ == "__main__":
    main(sys.argv[1:3])
