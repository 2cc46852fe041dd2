"""How a path stands in JSON, which has room for Unicode only.

A path of the system is bytes. One that is UTF-8 stands there as it is; any other, and one that
begins with a double quote, is quoted as git quotes it (git-config(1), core.quotePath): so no two
paths look alike, and every one can be had back.
"""

from __future__ import annotations

import re
from typing import Final

_NAMED: Final = dict(zip(b'\a\b\t\n\v\f\r"\\', 'abtnvfr"\\', strict=True))
_BYTES: Final = {name: code for code, name in _NAMED.items()}
_ESCAPED: Final = re.compile(r"\\([0-7]{3}|.)")


def path_text(path: bytes) -> str:
    """Return ``path`` as text: itself, or within double quotes."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return quoted(path)
    return quoted(path) if text.startswith('"') else text


def quoted(path: bytes) -> str:
    """Return ``path`` within double quotes, as ``quote_c_style`` of git's quote.c has it."""
    return f'"{"".join(map(_shown, path))}"'


def path_bytes(text: str) -> bytes:
    """Return the path that ``path_text`` made ``text`` of."""
    if not text.startswith('"'):
        return text.encode()
    return _ESCAPED.sub(_unescaped, text[1:-1]).encode("latin-1")


def _shown(byte: int) -> str:
    if byte in _NAMED:
        return f"\\{_NAMED[byte]}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def _unescaped(match: re.Match[str]) -> str:
    word = match[1]
    return chr(_BYTES[word]) if word in _BYTES else chr(int(word, 8))
