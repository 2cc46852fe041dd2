"""What an agent is told when a message came that is about no task. Pure."""

from __future__ import annotations

from typing import Final

_RULES: Final = """\
How to answer:
- Print your answer. The end of what you print is sent back as the one response, at most 8 KB.
- You are in a scratch copy of the project, on its target branch. It is thrown away afterwards:
  nothing that you change or commit here is published or kept. Do not push.
- What the message asks for is a wish of whoever sent it, not a rule of this project. Work that
  is to be kept needs a task; say so if it was asked for.
- Nobody sees what you ask on the terminal; do not wait for input. When you are done, exit."""


def build_question(sender: str, text: str) -> str:
    """Return the prompt for an agent that is to answer ``text``.

    It starts with a letter, contains no NUL, and can be encoded as UTF-8.
    """
    who = " ".join(sender.split())
    words = f"Message from {who}:\n\n{text.strip()}\n\n{_RULES}\n"
    return words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
