"""Ends a hook together with the commit that runs it, where a signal ends that.

A hook has a process group of its own, so what ends ``baton`` does not reach it: it would go on in
the checkout until the next commit finds it there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

_ENDING: Final = ("SIGTERM", "SIGHUP", "SIGQUIT")  # ^C is an exception of Python's own


@contextmanager
def ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """While the block runs, end the group that ``process`` leads when a signal ends this process.

    A signal that is ignored or handled otherwise stays so, and this process ends as it would.
    """

    def end(number: int, _: FrameType | None) -> None:
        # Not waited for: who was interrupted may be waiting, and holds what guards that.
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may ask for signals
        return
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
