"""What a new world begins with: documents and agents from files, as a person wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gitbaton.core.errors import InvalidInput
from gitbaton.frames.frame import World, decode_world, encode_world
from gitbaton.frames.names import RECORD, REPORT, WORLD, document_fault
from gitbaton.theatre import Founding

_EXAMPLE: Final = {"notes.json": b"{}\n"}


def read_founding(
    docs: Path | None,
    agents: Path | None,
    *,
    deadline: float | None = None,
    lease: float | None = None,
    keep: int | None = None,
) -> Founding:
    """Return the beginning of a world: the JSON files below ``docs``, and who lives in it.

    ``agents``: a JSON array of names, or one name a line; it becomes the document that the
    configuration names. What is given here goes before what ``docs/world.json`` says. Raises
    InvalidInput naming the file that cannot be used.
    """
    documents = dict(_read_documents(docs)) if docs is not None else dict(_EXAMPLE)
    written = documents.pop(WORLD, None)
    config = decode_world(written) if written is not None else World()
    given = {"deadline": deadline, "lease": lease, "keep": keep}
    changed = {name: value for name, value in given.items() if value is not None}
    if changed:  # through its own reader, which knows what is allowed
        config = decode_world(encode_world(msgspec.structs.replace(config, **changed)))
    if agents is not None:
        if config.agents.path:
            raise InvalidInput("--agents", f"the agents are in {config.agents.doc}, not alone")
        documents[config.agents.doc] = _as_json(read_names(agents))
    elif config.agents.doc not in documents:
        documents[config.agents.doc] = _as_json([])
    return Founding(config=config, documents=documents)


def read_names(file: Path) -> list[str]:
    """Return the agents named in ``file``. Raises InvalidInput."""
    text = _read(file, "--agents").decode(errors="replace")
    if text.lstrip().startswith("["):
        try:
            names = json.loads(text)
        except ValueError as error:
            raise InvalidInput("--agents", f"{file}: {error}") from error
    else:
        names = [line.strip() for line in text.splitlines() if line.strip()]
    if not all(isinstance(name, str) and name for name in names):
        raise InvalidInput("--agents", f"{file}: an array of names, or one name a line")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput("--agents", f"{file}: {twice!r} is there twice")
    return list(names)


def _read_documents(directory: Path) -> Iterator[tuple[str, bytes]]:
    if not directory.is_dir():
        raise InvalidInput("--docs", f"{directory} is no directory")
    for file in sorted(directory.rglob("*.json")):
        name = file.relative_to(directory).as_posix()
        if name in (RECORD, REPORT):
            raise InvalidInput("--docs", f"{file}: the frames themselves write this document")
        fault = document_fault(name)
        if fault is not None:
            raise InvalidInput("--docs", f"{file}: {fault}")
        data = _read(file, "--docs")
        try:
            json.loads(data)
        except ValueError as error:
            raise InvalidInput("--docs", f"{file} is no JSON: {error}") from error
        yield name, data


def _read(file: Path, field: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(field, f"{file}: {error.strerror}") from error


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
