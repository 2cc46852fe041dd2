"""How a client process is started, and how it is answered."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from benchmarks.lab.daemons import ROOT

T = TypeVar("T")


class ClientFailed(Exception):
    """A client process ended without a result; the text is what it said."""


def start(
    module: str, job: msgspec.Struct, *, env: Mapping[str, str], side: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start ``benchmarks.clients.<module>`` and give it its job."""
    process = subprocess.Popen(
        [*side, sys.executable, "-m", f"benchmarks.clients.{module}"],
        cwd=ROOT,
        env={**env, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    process.stdin.flush()
    return process


def finish(process: subprocess.Popen[bytes], result: type[T], *, patience: float) -> T:
    """Return the result of a client. Raises ClientFailed; the process has ended either way."""
    try:
        out, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired as error:
        raise ClientFailed(f"no result after {patience:.0f} s") from error
    finally:
        end(process)
    if process.returncode != 0:
        lines = err.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise ClientFailed(lines[-1])
    return msgspec.json.decode(out, type=result)


def call(
    module: str,
    job: msgspec.Struct,
    result: type[T],
    *,
    env: Mapping[str, str],
    side: Sequence[str] = (),
    patience: float,
) -> T:
    """Run a client to its end and return its result. Raises ClientFailed."""
    return finish(start(module, job, env=env, side=side), result, patience=patience)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process if it still runs."""
    if process.poll() is None:
        process.kill()
        process.wait()


def read_job(kind: type[T]) -> T:
    """In the client: return the job."""
    return msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)


def answer(result: msgspec.Struct) -> None:
    """In the client: hand the result over."""
    sys.stdout.buffer.write(msgspec.json.encode(result))
    sys.stdout.buffer.flush()
