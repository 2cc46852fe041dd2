"""The engine for one host: a SQLite database, shared by all its threads and processes."""

from gitbaton.store.sqlite.engine import SqliteStore

__all__ = ["SqliteStore"]
