"""Merge rules by path: which rule decides at a place of the world (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from gitbaton.core.errors import InvalidInput
from gitbaton.frames.pointer import Steps, parse_pointer, render_pointer
from gitbaton.tasks.globs import check_glob, match

RULE_LIMIT: Final = 200
TREE_LIMIT: Final = 3  # `**` in one path: each more makes matching slower

Use: TypeAlias = Literal["last", "max", "min", "sum", "union", "append", "reject"]


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of the table: at the places that `doc` and `path` match, `use` decides."""

    doc: Annotated[
        str, Meta(description="Glob of documents: `*` within a name, `**` any directories.")
    ]
    path: Annotated[
        str,
        Meta(
            description="JSON Pointer in which a step `*` is any one step, and `**` any number of "
            "steps, also none."
        ),
    ]
    use: Annotated[Use, Meta(description="The rule.")]
    key: Annotated[str, Meta(description="Member that tells the elements of an array apart.")] = (
        "id"
    )


DEFAULT: Final = Rule(doc="**", path="/**", use="last")


class RuleTable:
    """The rules in their order: the first one that fits a place decides; else ``last``."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        """Read ``rules``; raise InvalidInput naming the first one that is not well formed."""
        if len(rules) > RULE_LIMIT:
            raise InvalidInput("rules", f"{len(rules)} are too many; at most {RULE_LIMIT}")
        self.rules = tuple(rules)
        self._patterns = [_compile(rule, f"rules[{at}]") for at, rule in enumerate(rules)]
        self._fitting: dict[str, list[tuple[re.Pattern[str], Rule]]] = {}

    def find(self, doc: str, steps: Steps) -> Rule:
        """Return the rule of this place."""
        fitting = self._fitting.get(doc)
        if fitting is None:
            both = zip(self._patterns, self.rules, strict=True)
            fitting = [(pattern, rule) for pattern, rule in both if match(rule.doc, doc)]
            self._fitting[doc] = fitting
        if fitting:
            place = render_pointer(steps)
            for pattern, rule in fitting:
                if pattern.fullmatch(place):
                    return rule
        return DEFAULT


def _compile(rule: Rule, field: str) -> re.Pattern[str]:
    check_glob(rule.doc, field=f"{field}.doc")
    steps = parse_pointer(rule.path, field=f"{field}.path")
    if steps.count("**") > TREE_LIMIT:
        raise InvalidInput(f"{field}.path", f"at most {TREE_LIMIT} steps are **")
    if not rule.key:
        raise InvalidInput(f"{field}.key", "it names a member")
    parts = []
    for step in steps:
        if step == "**":
            parts.append("(?:/[^/]*)*")
        elif step == "*":
            parts.append("/[^/]*")
        else:
            parts.append(re.escape(render_pointer((step,))))
    return re.compile("".join(parts), re.DOTALL)
