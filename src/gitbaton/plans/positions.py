"""Finds the line of every key and list item in a TOML document (pure).

``tomllib`` tells values and no places, and the libraries that keep a document's form to edit it
tell none either. This reads only what is needed to know where one value ends and the next begins.
It must be given a document that ``tomllib`` has accepted. (TOML 1.0: https://toml.io/en/v1.0.0)
"""

from __future__ import annotations

import bisect
import re
import tomllib
from typing import Final

from gitbaton.plans.problem import Path, Places

_BLANK: Final = re.compile(r"[ \t]*")
_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE: Final = re.compile(r"[^,\]}#\n]*")


def find_places(text: str) -> Places:
    """Return the lines of the keys and list items of ``text``, which is valid TOML.

    A table that is opened twice (``[a]`` after ``[a.b]``) has the line where it was seen first.
    """
    scanner = _Scanner(text)
    scanner.document()
    return Places(scanner.lines)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._starts = [match.end() for match in re.finditer(r"\n", text)]
        self._tables: dict[Path, int] = {}  # arrays of tables: how many so far

    def document(self) -> None:
        table: Path = ()
        self._skip(_GAP)
        while self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)

    def _header(self) -> Path:
        """Read ``[a.b]`` or ``[[a.b]]`` and return the path of the table that it opens."""
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        *outer, last = self._keys()
        self.at += 2 if many else 1
        path: Path = ()
        for key in outer:
            path = self._opened((*path, key), start)
        path = (*path, last)
        if many:
            self._mark(path, start)
            self._tables[path] = self._tables.get(path, 0) + 1
        return self._opened(path, start)

    def _opened(self, path: Path, start: int) -> Path:
        """Return ``path``, in the latest table if it is an array of tables."""
        self._mark(path, start)
        if path in self._tables:
            path = (*path, self._tables[path] - 1)
            self._mark(path, start)
        return path

    def _pair(self, path: Path) -> None:
        start = self.at
        for key in self._keys():
            path = (*path, key)
            self._mark(path, start)
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: Path) -> None:
        first = self.text[self.at : self.at + 1]
        if first in ('"', "'"):
            self._skip(_STRING)
        elif first == "[":
            self._list(path)
        elif first == "{":
            self._inline(path)
        else:
            self._skip(_BARE_VALUE)

    def _list(self, path: Path) -> None:
        number = 0
        while self._next_member("]"):
            self._mark((*path, number), self.at)
            self._value((*path, number))
            number += 1

    def _inline(self, path: Path) -> None:
        while self._next_member("}"):
            self._pair(path)

    def _next_member(self, closing: str) -> bool:
        """Go to the next member; False: past the closing bracket, there is none."""
        if self.text[self.at] in "[{,":
            self.at += 1
        self._skip(_GAP)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_GAP)
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            start = self.at
            if self.text[start] in "\"'":
                self._skip(_STRING)
                [name] = tomllib.loads(f"{self.text[start : self.at]} = 0")
            else:
                self._skip(_BARE_KEY)
                name = self.text[start : self.at]
            keys.append(name)
            self._skip(_BLANK)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _skip(self, form: re.Pattern[str]) -> None:
        match = form.match(self.text, self.at)
        if match is None or (match.end() == self.at and form in (_STRING, _BARE_KEY)):
            raise ValueError(f"no TOML at character {self.at}")
        self.at = match.end()

    def _mark(self, path: Path, at: int) -> None:
        self.lines.setdefault(path, bisect.bisect_right(self._starts, at) + 1)
