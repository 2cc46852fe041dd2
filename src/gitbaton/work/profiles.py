"""Agents that are known by name: how each is run without a person, and how to see it is there.

Pure. The flags were read from each tool's own documentation or source, named beside them. An
agent run by a worker has nobody to ask, so every profile lets it act without asking. That is as
safe as the machine it runs on: use a container, or an account that may do no more than it should.

A prompt follows ``--`` (or ``=``) where the tool supports that, so that it cannot be taken for an
option; besides, ``command.fill`` refuses values that start with ``-``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from gitbaton.core.errors import InvalidInput
from gitbaton.work.command import check_words, parse_command

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginCheck:
    """How to see that an agent is logged in: any one of these is enough.

    ``argv`` exits with 0; one of the variables ``env`` is set; one of ``files`` (``~`` is the
    home directory) exists. All empty: there is nothing to log in to. ``hint`` is what to do.
    """

    argv: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of agent.

    ``words`` is the command template (see ``command.fill``), ``env`` what its environment gets
    besides. ``litter``: patterns (gitignore) of files that the tool leaves in the worktree and
    that are no part of the work.
    """

    name: str
    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    login: LoginCheck = field(default_factory=LoginCheck)
    litter: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The program that must be on PATH."""
        return self.words[0]


_CLAUDE = Profile(
    # https://code.claude.com/docs/en/cli-reference and /permission-modes. In print mode a tool
    # call that would need asking is denied, so any other mode ends in half-done work. Refuses to
    # start as root outside a sandbox. -p takes no value: the prompt is a positional argument.
    name="claude",
    words=("claude", "-p", "--permission-mode", "bypassPermissions", "--", "{prompt}"),
    login=LoginCheck(
        argv=("claude", "auth", "status"),
        env=("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"),
        hint="claude auth login",
    ),
)
_CODEX = Profile(
    # https://developers.openai.com/codex/noninteractive: exec never asks, and --full-auto is
    # deprecated in favour of --sandbox workspace-write. That sandbox has no network and cannot
    # write the clone's .git: the worker commits what is left, and `baton block` does not reach
    # the remote from inside. `codex login status` exits 1 when logged out (cli/src/login.rs).
    name="codex",
    words=("codex", "exec", "--sandbox", "workspace-write", "--", "{prompt}"),
    login=LoginCheck(argv=("codex", "login", "status"), env=("CODEX_API_KEY",), hint="codex login"),
)
_GEMINI = Profile(
    # https://geminicli.com/docs/cli/headless and /docs/get-started/authentication. --yolo is the
    # older word for this approval mode. In a folder that is not trusted the mode falls back to
    # asking, and every worktree is a new folder: hence the variable. yargs takes a value that
    # starts with a dash only after "=".
    name="gemini",
    words=("gemini", "--approval-mode=yolo", "--prompt={prompt}"),
    env=MappingProxyType({"GEMINI_CLI_TRUST_WORKSPACE": "true"}),
    login=LoginCheck(
        env=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"),
        files=("~/.gemini/oauth_creds.json",),
        hint="start gemini once and log in, or set GEMINI_API_KEY",
    ),
)
_AIDER = Profile(
    # https://aider.chat/docs/scripting.html and /docs/config/options.html. It commits by itself.
    # --no-gitignore: with --yes-always it would add .aider* to the project's .gitignore.
    name="aider",
    words=(
        "aider",
        "--yes-always",
        "--no-gitignore",
        "--no-check-update",
        "--no-pretty",
        "--message-file",
        "{prompt_file}",
    ),
    login=LoginCheck(
        env=(
            "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "GEMINI_API_KEY",
            "OPENROUTER_API_KEY",
            "DEEPSEEK_API_KEY",
        ),
        files=("~/.aider.conf.yml", "~/.aider/oauth-keys.env"),
        hint="set an API key (https://aider.chat/docs/config/api-keys.html)",
    ),
    litter=(".aider*",),
)
_GPTME = Profile(
    # https://gptme.org/docs/cli.html and gptme/cli/main.py: --non-interactive implies
    # --no-confirm, and after "--" no word is taken for a subcommand. gptme-doctor exits 1 when
    # no provider is usable (gptme/cli/doctor.py).
    name="gptme",
    words=("gptme", "--non-interactive", "--", "{prompt}"),
    login=LoginCheck(
        argv=("gptme-doctor",),
        env=("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY"),
        hint="gptme-doctor",
    ),
)
_OPENCODE = Profile(
    # https://opencode.ai/docs/cli and /docs/permissions: `run` rejects what it would have to ask,
    # unless --auto. (`opencode auth list` exits 0 either way.) A version that hands its work to a
    # shared background server does it outside our guard; there add --standalone.
    name="opencode",
    words=("opencode", "run", "--auto", "--", "{prompt}"),
    login=LoginCheck(
        env=("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "OPENCODE_API_KEY"),
        files=("~/.local/share/opencode/auth.json",),
        hint="opencode auth login",
    ),
)

BUILT_IN: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (_CLAUDE, _CODEX, _GEMINI, _AIDER, _GPTME, _OPENCODE)}
)


def custom_profile(
    name: str,
    *,
    command: str | tuple[str, ...],
    env: Mapping[str, str] | None = None,
    check: str | tuple[str, ...] | None = None,
    litter: tuple[str, ...] = (),
) -> Profile:
    """Return a profile from configuration; a command is one text to split, or its words.

    ``check`` is a command that exits with 0 if the agent can be used. Raises InvalidInput naming
    ``agents.<name>.<key>``.
    """
    path = f"agents.{name}"
    for variable, value in (env or {}).items():
        if not variable or "=" in variable or "\0" in variable + value:
            raise InvalidInput(f"{path}.env", f"{variable!r} cannot be an environment variable")
    return Profile(
        name=name,
        words=_words(command, f"{path}.command"),
        env=MappingProxyType(dict(env or {})),
        login=LoginCheck(argv=_words(check, f"{path}.check") if check else ()),
        litter=litter,
    )


def find_profile(text: str, custom: Mapping[str, Profile], *, field: str = "agent") -> Profile:
    """Return the profile that ``text`` names, or one for the command that it is.

    Configured profiles come before the built-in ones. Raises InvalidInput naming ``field``.
    """
    known = custom.get(text) or BUILT_IN.get(text)
    return known or Profile(name=text, words=parse_command(text, field=field))


def _words(command: str | tuple[str, ...], field: str) -> tuple[str, ...]:
    if isinstance(command, str):
        return parse_command(command, field=field)
    return check_words(command, field=field)
