"""How fast deltas merge in process: from the bytes of their files to the bytes of documents."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.document import MergeRate, summarise
from benchmarks.parts.session import Session
from gitbaton.frames.codec import write_op
from gitbaton.frames.delta import Header, StreamRun, read_delta, write_delta
from gitbaton.frames.merge import MergeResult, merge
from gitbaton.frames.op import Add, Append, Incr, Max, Merge, Op, Remove, Set
from gitbaton.frames.rules import Rule, RuleTable

STREAMS: Final = 10  # of a worker
OPS: Final = 100  # of a stream
PLACES: Final = 100  # documents
RULES: Final = (Rule("**", "/votes/*", "sum"), Rule("places/*.json", "/facts/**", "last"))


def run(session: Session) -> None:
    """Merge one frame's deltas again and again, of streams that keep apart and that quarrel."""
    scale = session.scale
    for quarrels in (False, True):
        name = "quarrels" if quarrels else "apart"
        with session.attempt(f"merging: {scale.merge_workers} workers, {name}"):
            published = _publish(scale.merge_workers, quarrels=quarrels)
            seconds = []
            for _ in range(scale.merge_rounds):
                began = time.perf_counter()
                result = _merge(published)
                seconds.append(time.perf_counter() - began)
            rate = MergeRate(
                workload=name,
                ops=result.counts.ops,
                conflicts=len(result.conflicts),
                documents=len(result.changed),
                times=summarise(seconds),
                per_second=round(result.counts.ops / sorted(seconds)[len(seconds) // 2]),
            )
            session.document.merging.append(rate)
            session.say(f"  {rate.per_second:,} ops a second, {rate.conflicts:,} conflicts")


def _merge(published: Mapping[str, Mapping[str, bytes]]) -> MergeResult:
    deltas = [read_delta(1, worker, files) for worker, files in published.items()]
    return merge(1, deltas, RuleTable(RULES), lambda doc: None)


def _publish(workers: int, *, quarrels: bool) -> dict[str, dict[str, bytes]]:
    """Return the files of each worker's delta."""
    chance = random.Random(1)
    published = {}
    for worker in (f"w{number}" for number in range(workers)):
        names = [f"s{number}" for number in range(STREAMS)]
        header = Header(frame=1, worker=worker, streams={name: StreamRun() for name in names})
        lines = {
            name: b"".join(map(write_op, _ops(chance, f"{worker}-{name}", quarrels=quarrels)))
            for name in names
        }
        published[worker] = write_delta(header, lines)
    return published


def _ops(chance: random.Random, who: str, *, quarrels: bool) -> Iterator[Op]:
    """Return what residents of a town do; with ``quarrels`` they touch the same places."""
    for number in range(OPS):
        doc = f"places/p{chance.randrange(PLACES)}.json"
        kind = chance.randrange(10)
        if kind == 0 and quarrels:
            yield Set(doc, "/weather", chance.choice(["sun", "rain"]))
        elif kind <= 1:
            yield Set(doc, f"/residents/{who}", {"mood": "glad", "at": [1, number]})
        elif kind < 4:
            post = {"by": who, "text": "what a day this is, said the baker"}
            yield Append(doc, "/posts", post, key=f"{who}.{number}")
        elif kind == 4:
            yield Add(doc, "/visitors", chance.randrange(200) if quarrels else who)
        elif kind == 5 and quarrels:
            yield Remove(doc, "/visitors", chance.randrange(200))
        elif kind < 8:
            yield Incr(doc, f"/votes/{chance.randrange(50)}")
        elif kind == 8:
            yield Max(doc, "/high", chance.random())
        else:
            fact = f"f{chance.randrange(30)}" if quarrels else who
            yield Merge(doc, "/facts", {fact: {"seen": chance.randrange(5)}})
