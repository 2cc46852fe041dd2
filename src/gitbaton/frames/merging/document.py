"""Merging into one document: sets from the top down, then changes from the bottom up.

Sets and deletes of one place compete; a rule decides. Changes then come on top of whatever stands.
Going down, the more specific set stands inside the less specific one; going up, an index still
names the element that it named when the frame began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, partial
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from gitbaton.frames.canonical import copy_value, encode_key
from gitbaton.frames.merging.change import apply_changes
from gitbaton.frames.merging.ledger import Ledger
from gitbaton.frames.merging.tree import MISSING, Clash, Tree
from gitbaton.frames.merging.verdict import Dispute, combines, is_plain, is_stale, judge
from gitbaton.frames.merging.write import Write, hang_tails, nearest, with_tails
from gitbaton.frames.pointer import Steps
from gitbaton.frames.rules import Rule, RuleTable

_turn = attrgetter("turn")


def _in_order(writes: list[Write]) -> list[Write]:
    return sorted(writes, key=_turn) if len(writes) > 1 else writes


class DocumentMerge:
    """One document while the writes of all streams come to it."""

    def __init__(self, doc: str, root: Any, rules: RuleTable, ledger: Ledger) -> None:
        self.doc = doc
        self.tree = Tree(root)
        self._ledger = ledger
        self._levels: dict[int, dict[Steps, list[Write]]] = {}
        self._changes: dict[Steps, list[Write]] = {}
        self._settled: dict[Steps, Sequence[Write]] = {}
        self._begin: dict[Steps, Any] = {}
        self._elements: dict[Steps, frozenset[bytes]] = {}
        self._below: dict[Steps, list[Write]] | None = None
        self._rule = cache(partial(rules.find, doc))

    def add(self, writes: Sequence[Write]) -> None:
        """Take in writes; those of one stream reduced, with their tails."""
        if self._below is not None:
            self._note_below(writes)
        for write in writes:
            if write.assigns:
                level = self._levels.setdefault(len(write.steps), {})
                level.setdefault(write.steps, []).append(write)
            else:
                self._changes.setdefault(write.steps, []).append(write)

    def run(self) -> Any:
        """Apply everything; return the document's value (MISSING: it is gone)."""
        self._remember()
        while self._levels:
            level = self._levels.pop(min(self._levels))
            for steps in sorted(level):
                self._settle(steps, _in_order(level[steps]))
        for steps in sorted(self._changes, key=lambda steps: (-len(steps), steps)):
            self._change(steps, _in_order(self._changes[steps]))
        return self.tree.root

    def _remember(self) -> None:
        """Keep what is at the places where it matters what was there when the frame began."""
        for level in self._levels.values():
            for steps, writes in level.items():
                alone = len(writes) == 1 and is_plain(writes[0])
                if not alone or self._rule(steps).use != "last":
                    self._begin[steps] = copy_value(self.tree.find(steps))
        removals = set()
        for steps, writes in self._changes.items():
            if steps not in self._begin and any(write.base is not UNSET for write in writes):
                self._begin[steps] = copy_value(self.tree.find(steps))
            if any(write.act == "remove" for write in writes):
                removals.add(steps)
        if removals:
            self._remember_elements(removals)

    def _remember_elements(self, removals: AbstractSet[Steps]) -> None:
        """Keep the elements of arrays that some streams remove from and others change inside."""
        sets = (steps for level in self._levels.values() for steps in level)
        for steps in (*sets, *self._changes):
            above = nearest(steps[:-1], removals)
            if steps and above is not None and above not in self._elements:
                array = self.tree.find(above)
                if type(array) is list:
                    self._elements[above] = frozenset(map(encode_key, array))

    # --- sets and deletes

    def _settle(self, steps: Steps, writes: Sequence[Write]) -> None:
        writes = self._entitled(steps, writes)
        if not writes:
            return
        rule = self._rule(steps)
        value, winners = writes[0].value, writes
        if len(writes) > 1 or rule.use != "last" or not is_plain(writes[0]):
            if combines(rule):
                for write in writes:
                    self._fold(write)
            current = self.tree.find(steps)
            begin = self._begin.get(steps, current)
            verdict = judge(rule, writes, begin, current)
            value, winners = verdict.value, verdict.winners
            for dispute in verdict.disputes:
                self._dispute(dispute, steps, rule, begin)
        if value is MISSING:
            self._delete(steps, rule, winners)
        elif value is not UNSET:
            self._put(steps, rule, winners, value)

    def _put(self, steps: Steps, rule: Rule, winners: Sequence[Write], value: Any) -> None:
        others = () if combines(rule) else self._setters_above(steps, winners)
        there = copy_value(self.tree.find(steps)) if others else MISSING
        try:
            self.tree.put(steps, copy_value(value))
        except Clash as clash:
            self._dispute(Dispute(clash.kind, others, winners), steps, rule, MISSING)
            return
        if others and (there is MISSING or encode_key(there) != encode_key(value)):
            self._record(Dispute("overlap", winners, others), steps, rule, there)
        self._stand(steps, winners)

    def _delete(self, steps: Steps, rule: Rule, winners: Sequence[Write]) -> None:
        there = self.tree.find(steps)
        if there is MISSING:
            self._stand(steps, winners)
            return
        keepers = [*self._setters_above(steps, winners), *self._writers_below(steps, winners)]
        if keepers:
            dispute = Dispute("kept", sorted(keepers, key=_turn), winners)
            self._dispute(dispute, steps, rule, there, tails=False)
            for write in winners:
                self.add(hang_tails(write.tail))
            return
        try:
            self.tree.drop(steps)
        except Clash as clash:
            self._dispute(Dispute(clash.kind, (), winners), steps, rule, there)
            return
        self._stand(steps, winners)

    def _stand(self, steps: Steps, winners: Sequence[Write]) -> None:
        """Note who set the place, and let what they did below it take part."""
        self._settled[steps] = winners
        for write in winners:
            self.add(hang_tails(write.tail))

    def _setters_above(self, steps: Steps, writes: Sequence[Write]) -> Sequence[Write]:
        """Return the sets of the nearest place above, where other streams alone made them."""
        above = nearest(steps, self._settled) if self._settled else None
        if above is None:
            return ()
        authors = {write.author for write in writes}
        setters = self._settled[above]
        return () if any(setter.author in authors for setter in setters) else setters

    def _writers_below(self, steps: Steps, writes: Sequence[Write]) -> Sequence[Write]:
        """Return what other streams still want to be there, at the place or below it."""
        if self._below is None:
            self._below = {}
            for level in self._levels.values():
                for below in level.values():
                    self._note_below(below)
            for below in self._changes.values():
                self._note_below(below)
        authors = {write.author for write in writes}
        return [
            write
            for write in self._below.get(steps, ())
            if write.author not in authors and write.act not in ("delete", "remove", "object")
        ]

    def _note_below(self, writes: Iterable[Write]) -> None:
        assert self._below is not None
        for write in writes:
            for depth in range(len(write.steps) + 1):
                self._below.setdefault(write.steps[:depth], []).append(write)

    def _fold(self, write: Write) -> None:
        """Make of a set and its tail the one value that the stream left there."""
        if not write.tail:
            return
        own = DocumentMerge(self.doc, MISSING, RuleTable(), self._ledger)
        if write.act == "set":
            own.tree.put(write.steps, copy_value(write.value))
        own._settled[write.steps] = (write,)
        own.add(hang_tails(write.tail))
        own.run()
        write.value = own.tree.find(write.steps)
        write.act = "delete" if write.value is MISSING else "set"
        write.tail = []

    # --- changes

    def _change(self, steps: Steps, writes: Sequence[Write]) -> None:
        writes = self._entitled(steps, writes)
        rule = self._rule(steps)
        before = self.tree.find(steps)
        found = self._begin.get(steps, UNSET if isinstance(before, dict | list) else before)
        if rule.use == "reject":
            stale = [write for write in writes if is_stale(write, found)]
            if stale:
                self._dispute(Dispute("stale", (), stale), steps, rule, found)
                writes = [write for write in writes if not is_stale(write, found)]
        if not writes:
            return
        elements = self._elements.get(steps, frozenset())
        value, disputes = apply_changes(rule, before, writes, elements)
        try:
            if value is not None:
                self.tree.put(steps, value)
        except Clash as clash:
            disputes = [Dispute(clash.kind, (), writes)]
        for dispute in disputes:
            self._dispute(dispute, steps, rule, found)

    # --- both

    def _entitled(self, steps: Steps, writes: Sequence[Write]) -> Sequence[Write]:
        """Refuse writes through an array's index that may by now name another element.

        It still names the same one if the array is as this frame's streams saw it, or if the
        writer has set the array itself.
        """
        depths = self.tree.arrays(steps)
        if not depths:
            return writes
        good: list[Write] = []
        bad: list[Write] = []
        for write in writes:
            (good if self._may_index(write, depths) else bad).append(write)
        if bad:
            rule = self._rule(steps)
            self._dispute(Dispute("index", (), bad), steps, rule, MISSING)
        return good

    def _may_index(self, write: Write, depths: Sequence[int]) -> bool:
        for depth in depths:
            above = nearest(write.steps[:depth], self._settled)
            if above is None:
                if write.author.late:
                    return False
            elif all(setter.author is not write.author for setter in self._settled[above]):
                return False
        return True

    def _dispute(
        self, dispute: Dispute, steps: Steps, rule: Rule, found: Any, *, tails: bool = True
    ) -> None:
        """Record a conflict and count its losers, unless told otherwise with their tails."""
        losers = with_tails(dispute.losers) if tails else dispute.losers
        self._record(Dispute(dispute.kind, dispute.winners, losers), steps, rule, found)
        self._ledger.overrule(losers)

    def _record(self, dispute: Dispute, steps: Steps, rule: Rule, found: Any) -> None:
        self._ledger.record(dispute, self.doc, steps, rule.use, found)
