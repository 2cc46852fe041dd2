"""The hooks themselves: short shell scripts, so that what concerns no task starts no Python."""

from __future__ import annotations

import shlex
from typing import Final

MARK: Final = "# gitbaton: this hook guards tasks. Put in by `baton init --hooks`."
SAVED: Final = ".before-baton"
GUARDED: Final = ("pre-commit", "pre-push")

_HEAD: Final = """#!/bin/sh
{mark}
# Taken out again, with the hook that was here before put back, by `baton init --no-hooks`.
"""

# The hook that was here before runs first, with all that git gives to a hook.
_BESIDE: Final = """
before="$(dirname "$0")/{name}{saved}"
[ -x "$before" ] || before=
"""

_ELSEWHERE: Final = """
before=
for directory in {directories}; do
    if [ -x "$directory/{name}" ]; then before="$directory/{name}"; break; fi
done
"""

_CHAIN: Final = """
if [ -n "$before" ]; then "$before" "$@" || exit $?; fi
"""

_CHAIN_WITH_INPUT: Final = """
input=$(cat)
if [ -n "$before" ]; then
    { [ -z "$input" ] || printf '%s\\n' "$input"; } | "$before" "$@" || exit $?
fi
"""

# `baton commit` looks by itself, before it runs hooks in its own checkout.
_COMMIT: Final = """
[ -z "$BATON_HOOK_MARK" ] || exit 0
branch=$(git symbolic-ref --quiet HEAD)
moves=$(git rev-parse --git-common-dir)/baton/moves
case "$branch" in
    refs/heads/{prefix}*) ;;
    *) [ -n "$BATON_TASK" ] || [ -n "$(ls -A "$moves" 2>/dev/null)" ] || exit 0 ;;
esac
"""

# `baton` looks by itself before it pushes: a hook under it does not know whose shell it is.
_PUSH: Final = """
[ -z "$BATON_GUARDED" ] || exit 0
case "$input" in
    *" refs/heads/"{prefix}*) ;;
    *) [ -n "$BATON_TASK" ] || exit 0 ;;
esac
"""

_GUARD: Final = """
if [ -x {python} ]; then set -- {python} -m gitbaton.cli guard {name} --prefix {prefix} -- "$@"
elif command -v baton >/dev/null; then set -- baton guard {name} --prefix {prefix} -- "$@"
else
    echo "baton: not found, so it cannot tell whose task this is; see: git {act} --no-verify" >&2
    exit {status}
fi
"""


def guard_script(name: str, *, prefix: str, python: str, directories: tuple[str, ...]) -> str:
    """Return the hook ``name`` (one of GUARDED).

    ``prefix``: of the branches of tasks. ``python``: the interpreter that has gitbaton.
    ``directories``: where the other hooks are; none: the one before is kept beside.
    """
    quoted = shlex.quote(prefix)
    push = name == "pre-push"
    values = {
        "name": name,
        "prefix": quoted,
        "python": shlex.quote(python),
        "act": "push" if push else "commit",
        "status": "1" if push else "0",
    }
    run = """{ [ -z "$input" ] || printf '%s\\n' "$input"; } | "$@"\n""" if push else 'exec "$@"\n'
    return "".join(
        (
            _HEAD.format(mark=MARK),
            _before(name, directories),
            _CHAIN_WITH_INPUT if push else _CHAIN,
            (_PUSH if push else _COMMIT).format(**values),
            _GUARD.format(**values),
            run,
        )
    )


def passing_script(name: str, *, directories: tuple[str, ...]) -> str:
    """Return a hook that only runs the one of this name in the first of ``directories``."""
    return "".join(
        (
            _HEAD.format(mark=MARK),
            _before(name, directories),
            '\n[ -z "$before" ] || exec "$before" "$@"\n',
        )
    )


def _before(name: str, directories: tuple[str, ...]) -> str:
    if not directories:
        return _BESIDE.format(name=name, saved=SAVED)
    words = " ".join(shlex.quote(directory) for directory in directories)
    return _ELSEWHERE.format(directories=words, name=name)
