"""Which of several sets of one place stands: one function for each merge rule (pure).

Keeping wins over taking away, whatever the rule: a deletion never wins over somebody's value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import UNSET

from gitbaton.frames.canonical import encode_key
from gitbaton.frames.conflict import Kind
from gitbaton.frames.merging.array import Array
from gitbaton.frames.merging.number import add_exactly, comparable, is_number
from gitbaton.frames.merging.tree import MISSING
from gitbaton.frames.merging.write import Write
from gitbaton.frames.rules import Rule, Use


@dataclass(slots=True)
class Dispute:
    """Writes that could not all stand: ``losers`` were overruled, ``winners`` stand."""

    kind: Kind
    winners: Sequence[Write]
    losers: Sequence[Write]


@dataclass(slots=True)
class Verdict:
    """What comes to the place (MISSING: nothing; UNSET: it stays as it is), and who stands."""

    value: Any
    winners: Sequence[Write]
    disputes: list[Dispute] = field(default_factory=list)


def judge(rule: Rule, writes: Sequence[Write], begin: Any, current: Any) -> Verdict:
    """Say what the sets and deletes of one place, in their order, come to under ``rule``.

    ``begin`` is what was there when the frame began, ``current`` what is there now: they differ
    where something above the place was set in this frame. Neither is changed.
    """
    if rule.use == "last":
        return _last(writes, begin)
    if rule.use == "reject":
        return _reject(writes, begin)
    sets = [write for write in writes if write.act == "set"]
    deletes = [write for write in writes if write.act == "delete"]
    if not sets:
        return Verdict(MISSING, deletes)
    start = None if current is MISSING else current
    verdict = _COMBINE[rule.use](rule, sets, begin, start)
    if deletes:
        verdict.disputes.append(Dispute("kept", verdict.winners, deletes))
    return verdict


def is_stale(write: Write, begin: Any) -> bool:
    """Tell whether what was there is not what ``write`` was based on (null: nothing).

    A late set that does not say what it was based on was based on an older frame: whatever it
    would replace may be news to it.
    """
    if is_plain(write) or not (write.assigns or write.base is not UNSET):
        return False
    there = encode_key(_nothing(begin, None))
    if write.base is not UNSET:
        return encode_key(_nothing(write.base, None)) != there
    return there not in (b"null", encode_key(_nothing(write.value, None)))


def is_plain(write: Write) -> bool:
    """Tell whether it does not matter to ``write`` what was there."""
    return write.inner or (write.base is UNSET and not write.author.late)


def combines(rule: Rule) -> bool:
    """Tell whether ``rule`` makes one value of several, rather than choosing one."""
    return rule.use in _COMBINE


def _last(writes: Sequence[Write], begin: Any) -> Verdict:
    groups = _by_value(writes)
    verdict = Verdict(writes[-1].value, writes)
    if len(groups) > 1:
        last = next(write for write in reversed(writes) if write.act == "set")
        verdict = Verdict(last.value, groups[_bytes(last.value)])
        losers = _without(writes, verdict.winners)
        kind: Kind = "kept" if all(w.act == "delete" for w in losers) else "values"
        verdict.disputes.append(Dispute(kind, verdict.winners, losers))
    stale = [write for write in verdict.winners if is_stale(write, begin)]
    if stale:
        verdict.disputes.append(Dispute("stale", stale, ()))
    return verdict


def _reject(writes: Sequence[Write], begin: Any) -> Verdict:
    stale = [write for write in writes if is_stale(write, begin)]
    fresh = _without(writes, stale)
    disputes = [Dispute("stale", (), stale)] if stale else []
    if len(_by_value(fresh)) == 1:
        return Verdict(fresh[0].value, fresh, disputes)
    if fresh:
        disputes.append(Dispute("values", (), fresh))
    return Verdict(UNSET, (), disputes)


def _extreme(rule: Rule, sets: Sequence[Write], begin: Any, start: Any) -> Verdict:
    best, winners, misfits = start, [], []
    for write in sets:
        if not comparable(write.value if best is None else best, write.value):
            misfits.append(write)
        else:
            winners.append(write)
            if best is None or _beats(rule, write.value, best):
                best = write.value
    return _combined(best, winners, misfits)


def _beats(rule: Rule, one: Any, other: Any) -> bool:
    return bool(one > other if rule.use == "max" else one < other)


def _sum(rule: Rule, sets: Sequence[Write], begin: Any, start: Any) -> Verdict:
    terms: list[Any] = [0 if start is None else start]
    winners, misfits = [], []
    for write in sets:
        base = _nothing(begin if write.base is UNSET else write.base, 0)
        if is_number(terms[0]) and is_number(base) and is_number(write.value):
            winners.append(write)
            terms += [write.value, -base]
        else:
            misfits.append(write)
    total = add_exactly(terms) if winners else None
    if winners and total is None:
        return Verdict(UNSET, (), [Dispute("number", (), sets)])
    verdict = _combined(total, winners, misfits)
    unsure = [w for w in winners if w.base is UNSET and not is_plain(w)]
    if unsure:  # the difference to what it saw is a guess
        verdict.disputes.append(Dispute("stale", unsure, ()))
    return verdict


def _union(rule: Rule, sets: Sequence[Write], begin: Any, start: Any) -> Verdict:
    fitting, misfits = _arrays(sets, start)
    array = Array(list(start) if type(start) is list else [])
    added: list[Any] = []
    for write in fitting:
        seen = _bag(write.base)
        added += [item for item in write.value if not seen[encode_key(item)]]
    kept = set(map(encode_key, added))
    for write in fitting:
        left = _bag(write.value)
        for item in write.base if type(write.base) is list else ():
            if not left[encode_key(item)] and encode_key(item) not in kept:
                array.remove(item)
    for item in added:
        array.add(item)
    return _combined(array.close(), fitting, misfits)


def _append(rule: Rule, sets: Sequence[Write], begin: Any, start: Any) -> Verdict:
    fitting, misfits = _arrays(sets, start)
    array = Array(list(start) if type(start) is list else [])
    different: list[Write] = []
    shorter: list[Write] = []
    for write in fitting:
        seen = _bag(begin if write.base is UNSET else write.base)
        for item in write.value:
            mark = encode_key(item)
            if seen[mark]:
                seen[mark] -= 1
            elif type(item) is not dict or rule.key not in item:
                array.append(item)
            elif array.append_keyed(item, rule.key) == "different" and write not in different:
                different.append(write)
        if +seen:
            shorter.append(write)
    verdict = _combined(array.close(), fitting, misfits)
    if different:
        verdict.disputes.append(Dispute("duplicate", different, ()))
    if shorter:
        verdict.disputes.append(Dispute("kept", shorter, ()))
    return verdict


_COMBINE: Final[Mapping[Use, Callable[[Rule, Sequence[Write], Any, Any], Verdict]]] = {
    "max": _extreme,
    "min": _extreme,
    "sum": _sum,
    "union": _union,
    "append": _append,
}


def _combined(value: Any, winners: Sequence[Write], misfits: Sequence[Write]) -> Verdict:
    disputes = [Dispute("type", winners, misfits)] if misfits else []
    return Verdict(value if winners else UNSET, winners, disputes)


def _arrays(sets: Sequence[Write], start: Any) -> tuple[list[Write], list[Write]]:
    """Return (the writes that are arrays where an array can be, the others)."""
    fits = start is None or type(start) is list
    fitting = [
        write
        for write in sets
        if fits
        and type(write.value) is list
        and (write.base is UNSET or type(_nothing(write.base, [])) is list)
    ]
    return fitting, _without(sets, fitting)


def _without(writes: Sequence[Write], others: Sequence[Write]) -> list[Write]:
    left_out = set(others)
    return [write for write in writes if write not in left_out]


def _bag(array: Any) -> Counter[bytes]:
    """Return how often each element stands in ``array``; nothing where it is no array."""
    return Counter(encode_key(item) for item in array) if type(array) is list else Counter()


def _nothing(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None or value is MISSING else value


def _by_value(writes: Sequence[Write]) -> dict[bytes, list[Write]]:
    groups: dict[bytes, list[Write]] = {}
    for write in writes:
        groups.setdefault(_bytes(write.value), []).append(write)
    return groups


def _bytes(value: Any) -> bytes:
    return b"" if value is MISSING else encode_key(value)
