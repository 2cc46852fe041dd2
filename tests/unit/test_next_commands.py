"""Every failure names what to do next: in its kind, where it is raised, or as the verb's help."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import gitbaton
from gitbaton.core.errors import BatonError, InvalidInput

SOURCE = Path(gitbaton.__file__).parent
# A worker's verdicts on an attempt: they go into the task's record, not to whoever typed a command.
VERDICTS = {"AttemptFailed", "ChecksFailed", "GivenBack", "LandingLost"}


def silent_kinds() -> set[str]:
    """Return the kinds of error whose ``next`` may be missing unless it is given."""
    kinds: list[type[BatonError]] = [BatonError, *descendants(BatonError)]
    return {
        kind.__name__
        for kind in kinds
        if kind.advice is None
        and not issubclass(kind, InvalidInput)  # the verb's help
        and "next" in inspect.signature(kind).parameters
        and inspect.signature(kind).parameters["next"].default is None
        and not fills_in(kind)
    }


def descendants(kind: type[BatonError]) -> Iterator[type[BatonError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


def fills_in(kind: type[BatonError]) -> bool:
    """Tell whether ``kind`` or what it is made from says ``next or`` something, or always one."""
    return any(
        "next=next or" in inspect.getsource(parent)
        for parent in kind.__mro__
        if issubclass(parent, BatonError) and parent is not BatonError
    )


def raised_without(path: Path, kinds: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in kinds and not {"next", None} & {word.arg for word in node.keywords}:
            yield f"{path.relative_to(SOURCE)}:{node.lineno}: {ast.unparse(node)}"


def test_every_error_names_the_next_command() -> None:
    for module in pkgutil.walk_packages(gitbaton.__path__, "gitbaton."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = silent_kinds()
    assert {"BatonError", "Refused", "NothingToClaim", "GateClosed"} <= kinds
    assert not {"ClaimLost", "HostRefused", "RemoteUnreachable", "DamagedRecord"} & kinds
    kinds -= VERDICTS
    assert [line for file in SOURCE.rglob("*.py") for line in raised_without(file, kinds)] == []
