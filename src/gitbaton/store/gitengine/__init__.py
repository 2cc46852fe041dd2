"""The git engine: records as refs, transactions as atomic pushes, the backlog as a branch."""

from gitbaton.store.gitengine.engine import GitStore
from gitbaton.store.gitengine.layout import Layout

__all__ = ["GitStore", "Layout"]
