"""The verbs in the order of ``baton --help``, with their short help.

The words stand here so that ``baton --help`` imports no verb. A test compares them with the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Set up": {
        "init": "Set this clone up (optional: every verb does it when needed).",
        "completion": "Print the completion script for a shell.",
        "demo": "Take the guided tour, on an embedded remote.",
    },
    "Tasks": {
        "add": "Add a task, or many from a file.",
        "list": "List tasks.",
        "show": "Show one task.",
        "ready": "List what can be claimed now, in that order.",
        "why": "Say why a task is not ready, or who has it.",
        "status": "Show who does what, and since when.",
        "log": "Show every transition, newest first.",
        "logs": "Show what the agent of a task printed.",
        "graph": "Draw which task needs which.",
    },
    "By the holder of a task": {
        "claim": "Claim a task, or the next ready ones.",
        "exec": "Claim a task, run a command for it, finish it.",
        "renew": "Renew a claim, or all of mine.",
        "done": "Finish a task and publish its result.",
        "block": "Hand a task to a human, with a question.",
        "release": "Give a task back, unfinished.",
        "fail": "Say that this attempt failed.",
    },
    "Agents": {
        "work": "Run agents on ready tasks and land what they do.",
    },
    "A checkout that many share": {
        "commit": "Commit exactly the named files, whatever others are at.",
        "session": "Share one clone among many sessions.",
    },
    "Plans and machines": {
        "plan": "Check, show and run plans: phases that depend on each other.",
        "worker": "Add, list and examine the machines that work.",
        "frame": "Let agents share one living world, advanced frame by frame.",
        "hooks": "Show what could not be told to hooks, and try again.",
        "inbox": "Send messages to machines, and answer them.",
    },
    "By people": {
        "edit": "Change a task.",
        "retry": "Make a finished, failed or cancelled task pending again.",
        "unblock": "Answer a blocked task and make it pending.",
        "cancel": "Call a task off.",
        "accept": "Accept a task in review.",
        "reject": "Send a task in review back, with the reason.",
        "approve": "Open the gate of a task, or revoke that.",
    },
    "Upkeep": {
        "reap": "Take back claims that nobody renews.",
        "fold": "Bring the board branch up to date now.",
        "sync": "Send what waited while the remote was away.",
        "rescue": "Find, get back or file away work that could not land.",
        "gc": "Free what holds nothing unique.",
        "doctor": "Say what works here, what does not, and what to do.",
    },
}

HIDDEN: Final[Mapping[str, str]] = {
    "guard": "Say whether a commit or push may go on, as a git hook.",
    "store-serve": "Serve a store of this machine on standard input and output.",
}
"""Verbs that are called by other machines and by git, not by people."""

VERBS: Final[Mapping[str, str]] = {
    name: words for section in SECTIONS.values() for name, words in section.items()
}
