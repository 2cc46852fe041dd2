"""Random lives of an inbox: senders, readers, time, reboots and lost answers against a model."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import ClaimLost, OutcomeUnknown, Refused
from gitbaton.plans.inbox.drafts import handle, make_draft
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.inbox.model import Handle, Message, Response
from tests.unit.inbox.lossy import LossyStore

LEASE = 60.0
READERS = ("bob", "eve")


class InboxMachine(RuleBasedStateMachine):
    """What must hold, whatever is lost: at least one delivery, exactly one response."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.store = LossyStore(clock=self.clock)
        self.inboxes = {name: Inbox(self.store, self.clock, own=True) for name in READERS}
        self.sent: set[Handle] = set()
        self.held: list[tuple[str, Message, float]] = []
        self.answers: dict[Handle, Response] = {}
        for inbox in self.inboxes.values():
            inbox.take("bob", {""}, lease=LEASE)  # the age is counted before anything gets lost

    def lose(self, done: bool, told: bool) -> None:
        """Let the next commit meet this fate, and those after it go well."""
        fates = [(done, told)]
        self.store.fate = lambda: fates.pop() if fates else (True, True)

    @rule(id=st.integers(0, 1), done=st.booleans(), told=st.booleans())
    def send(self, id: int, *, done: bool, told: bool) -> None:
        """Send one of two messages; a copy gets the first one's response."""
        draft = make_draft(sender="ada", text=f"text {id}", id=str(id))
        self.lose(done, told or not done)
        if not done:
            self.lose(False, False)
        try:
            receipt = self.inboxes["bob"].send(draft)
        except OutcomeUnknown:
            assert not done
            assert handle(draft) not in self.sent
            return
        assert receipt.copy == (receipt.handle in self.sent)
        assert receipt.response == self.answers.get(receipt.handle)
        self.sent.add(receipt.handle)

    @rule(reader=st.sampled_from(READERS), lost=st.booleans())
    def take(self, reader: str, *, lost: bool) -> None:
        """Take a message: never one that is answered, or in somebody's hands."""
        self.lose(True, not lost)
        message = self.inboxes[reader].take(reader, {""}, lease=LEASE)
        now = self.clock.elapsed()
        current = {m.handle for _, m, until in self.held if until > now}
        if message is None:
            assert self.sent - self.answers.keys() <= current, "what is free is delivered"
            return
        assert message.handle in self.sent - self.answers.keys() - current
        self.held.append((reader, message, now + LEASE))

    @rule(pick=st.integers(0, 5), lost=st.booleans(), words=st.sampled_from(["yes", "no"]))
    def answer(self, pick: int, words: str, *, lost: bool) -> None:
        """Answer a message that one has, or had."""
        if not self.held:
            return
        reader, message, _ = self.held[pick % len(self.held)]
        self.lose(True, not lost)
        overtaken = any(
            other.handle == message.handle and other.hold.delivery > message.hold.delivery
            for _, other, _ in self.held
        )
        try:
            response = self.inboxes[reader].answer(message, words)
        except (ClaimLost, Refused):
            assert overtaken or message.handle in self.answers
            return
        assert not overtaken or message.handle in self.answers
        before = self.answers.setdefault(message.handle, response)
        assert before == response, "there is one response, for ever"

    @rule(pick=st.integers(0, 5))
    def renew(self, pick: int) -> None:
        """Renew what one has, or had."""
        if not self.held:
            return
        entry = self.held[pick % len(self.held)]
        reader, message, _ = entry
        self.lose(True, True)
        try:
            renewed = self.inboxes[reader].renew(message)
        except ClaimLost:
            return
        self.held.remove(entry)
        self.held.append((reader, renewed, self.clock.elapsed() + LEASE))

    @rule(reader=st.sampled_from(READERS))
    def overtake(self, reader: str) -> None:
        """Let every lease run out, and take what is free by then."""
        self.wait(LEASE)
        self.take(reader, lost=False)

    @rule(seconds=st.sampled_from([1.0, 59.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass; the wall clock jumps about, which matters to nobody (I5)."""
        self.clock.advance(seconds)
        self.clock.jump_wall(-1000 * seconds)

    @invariant()
    def what_is_answered_stays_answered(self) -> None:
        """I3: and what is not answered is still there."""
        listed = {e.handle: e for e in self.inboxes["bob"].list().entries}
        assert listed.keys() == self.sent
        answered = {h: e.letter.response for h, e in listed.items() if e.letter.response}
        assert answered == self.answers
        assert all((e.delivery is None) == (e.state == "answered") for e in listed.values())


InboxMachine.TestCase.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, database=None
)
TestLife = InboxMachine.TestCase
