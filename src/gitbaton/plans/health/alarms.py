"""What was told already: an alert is raised once and cleared once, also across restarts.

The news is told before it is noted, so a kill between the two tells it again, under the same id:
whoever passes it on can see that it is the same (I4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import Refused
from gitbaton.plans.health.rules import Judgement
from gitbaton.store.model import ABSENT, Actor, Committed, Transaction, Version, make_key
from gitbaton.store.protocol import Store

_ACTOR: Final = Actor("health")
_TRIES: Final = 12


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was raised, and since when. ``number``: unique in this clone."""

    kind: str
    about: str
    text: str
    at: str
    number: int


class News(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that begins, or is over. The same news has the same ``id``."""

    id: str
    key: str
    kind: str
    about: str
    text: str
    at: str
    over: bool


class _Book(msgspec.Struct, frozen=True, kw_only=True):
    format: int = 1
    count: int = 0
    raised: dict[str, Raised] = msgspec.field(default_factory=dict)


class Alarms:
    """The alerts that this clone has raised under one ``scope``, kept in ``local``."""

    def __init__(self, local: Store, clock: Clock, scope: str) -> None:
        self._local, self._clock, self._scope = local, clock, scope
        self._key = make_key("alarms", scope)

    def raised(self) -> Mapping[str, Raised]:
        """Return what is raised and not over, by key."""
        return self._read()[0].raised

    def update(self, judgement: Judgement, tell: Callable[[News], None]) -> list[News]:
        """Tell what is new and what is over, once each; return it.

        Of kinds that were not judged nothing is over. Raises BatonError when it cannot be kept;
        then it was told, and will be told once more.
        """
        told: dict[str, News] = {}
        for _ in range(_TRIES):
            book, version = self._read()
            news, after = self._compare(book, judgement)
            for each in news:
                if each.id not in told:
                    tell(each)
                    told[each.id] = each
            if not news or self._keep(after, version):
                return list(told.values())
        raise Refused(
            "the list of alerts kept changing", code="busy", next="the same command again"
        )

    def _compare(self, book: _Book, judgement: Judgement) -> tuple[list[News], _Book]:
        at = rfc3339(self._clock.now())
        alerts = {alert.key: alert for alert in judgement.alerts}
        raised, count = dict(book.raised), book.count
        news: list[News] = []
        for key, old in book.raised.items():
            if old.kind in judgement.judged and key not in alerts:
                news.append(self._news(key, old, at, over=True))
                del raised[key]
        for key, alert in alerts.items():
            if key not in raised:
                count += 1
                raised[key] = Raised(
                    kind=alert.kind, about=alert.about, text=alert.text, at=at, number=count
                )
                news.append(self._news(key, raised[key], at, over=False))
        return news, _Book(count=count, raised=raised)

    def _news(self, key: str, alert: Raised, at: str, *, over: bool) -> News:
        name = "\0".join((self._scope, key, str(alert.number), str(over)))
        return News(
            id=hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32],
            key=key,
            kind=alert.kind,
            about=alert.about,
            text=f"over: {alert.text}" if over else alert.text,
            at=at,
            over=over,
        )

    def _read(self) -> tuple[_Book, Version | None]:
        record = self._local.read(self._key).records.get(self._key)
        if record is None:
            return _Book(), None
        try:
            return msgspec.convert(record.value, _Book), record.version
        except msgspec.ValidationError:
            return _Book(), record.version  # of another baton: what it told is told again

    def _keep(self, book: _Book, version: Version | None) -> bool:
        value: dict[str, Any] = msgspec.to_builtins(book)
        [outcome] = self._local.commit(
            [
                Transaction(
                    expect={self._key: ABSENT if version is None else version},
                    write={self._key: value},
                    subject="note: what was told",
                    actor=_ACTOR,
                    heartbeat=True,
                )
            ]
        )
        return isinstance(outcome, Committed)
