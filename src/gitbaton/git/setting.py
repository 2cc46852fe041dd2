"""One setting as it stands in a configuration file (git-config(1), Syntax)."""

from __future__ import annotations


def format_setting(name: str, value: str | None) -> str:
    """Return the lines that set ``name`` (``section.key`` or ``section.sub.key``) to ``value``.

    None is a key without a value, which git takes for true.
    """
    section, _, key = name.rpartition(".")
    head, dot, sub = section.partition(".")
    escaped = sub.replace("\\", "\\\\").replace('"', '\\"')
    title = f'[{head} "{escaped}"]' if dot else f"[{head}]"
    if value is None:
        return f"{title}\n\t{key}\n"
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{title}\n\t{key} = "{text}"\n'
