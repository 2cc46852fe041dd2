"""One stream alone: merging its ops is doing them one after the other.

The second reading is naive on purpose: it applies each op to the value in turn.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gitbaton.frames.canonical import encode_document, encode_key
from gitbaton.frames.codec import read_ops, write_op
from gitbaton.frames.op import Append, Delete, Incr, Max, Merge, Min, Op, Remove, Set
from gitbaton.frames.pointer import parse_pointer
from tests.property.frame_fleets import FRAME, make_delta, make_op, make_world, play


class Stuck(Exception):
    """An op cannot be done here."""


def step(value: Any, steps: tuple[str, ...], op: Op) -> Any:
    """Return ``value`` with ``op`` done at ``steps`` below it; None stands for nothing."""
    if not steps:
        return at_place(value, op)
    if isinstance(op, Delete | Remove) and (type(value) is not dict or steps[0] not in value):
        return value  # nothing is there
    if value is not None and type(value) is not dict:
        raise Stuck
    name, *rest = steps
    members: dict[str, Any] = value or {}
    if isinstance(op, Delete) and not rest:
        return {key: one for key, one in members.items() if key != name}
    return {**members, name: step(members.get(name), tuple(rest), op)}


def at_place(value: Any, op: Op) -> Any:
    if isinstance(op, Set):
        return op.value
    if isinstance(op, Delete):
        return None
    if isinstance(op, Merge):
        return patch(value, op.value)
    if isinstance(op, Incr):
        return number(0 if value is None else value) + op.value
    if isinstance(op, Max | Min):
        if value is None:
            return op.value
        if (type(value) is str) != (type(op.value) is str):
            raise Stuck
        better = number(value, texts=True) < op.value
        return op.value if better == isinstance(op, Max) and value != op.value else value
    if value is not None and type(value) is not list:
        raise Stuck
    if isinstance(op, Remove):
        kept = [one for one in value or () if encode_key(one) != encode_key(op.value)]
        return None if value is None else kept
    if isinstance(op, Append) or all(encode_key(o) != encode_key(op.value) for o in value or ()):
        return [*(value or ()), op.value]
    return value


def number(value: Any, *, texts: bool = False) -> Any:
    if type(value) not in (int, float) and not (texts and type(value) is str):
        raise Stuck
    return value


def patch(value: Any, wanted: dict[str, Any]) -> Any:
    if value is not None and type(value) is not dict:
        raise Stuck
    changed = dict(value or {})
    for name, one in wanted.items():
        if one is None:
            changed.pop(name, None)
        elif type(one) is dict:
            changed[name] = patch(changed.get(name), one)
        else:
            changed[name] = one
    return changed


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_a_program_without_conflicts_is_done_in_its_order(seed: int) -> None:
    chance = Random(seed)
    world = {"a.json": make_world(chance).get("a.json", {})}
    # What a superseded op made on its way stays away, and floats are not added one by one: the
    # naive reading knows neither, so such ops are left out.
    program = [
        op
        for op in (make_op(chance) for _ in range(40))
        if op.doc == "a.json" and op.path and "/l/" not in op.path
        if not (isinstance(op, Append) and op.key)
        if not (isinstance(op, Incr) and isinstance(op.value, float))
        if not (isinstance(op, Delete) and op.path.count("/") > 1)
        if not (isinstance(op, Merge) and b"null" in encode_key(op.value))
    ][:6]
    good = read_ops(b"".join(map(write_op, program))).good
    result = play([make_delta(FRAME, "w1", "s0", good)], world)
    assume(all(conflict.kind == "stale" for conflict in result.conflicts))
    expected = world["a.json"]
    for op in program:
        try:
            expected = step(expected, parse_pointer(op.path), op)
        except Stuck:
            continue  # no conflict: the stream has written the place again
    merged = result.changed.get("a.json", None)
    assert (merged or encode_document(world["a.json"])) == encode_document(expected)
