"""The plain transport's commands, without a git binary: arguments, retries, bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import stamina
from msgspec import field

from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.plain import PlainRemote
from gitbaton.git.remote import PushState, RefUpdate
from gitbaton.git.runner import Completed, Git, GitTimeout

A, B = Oid("a" * 40), Oid("b" * 40)
X, Y = "refs/baton/tasks/x", "refs/baton/tasks/y"
URL = "https://host/r.git"
AWAY = Completed(128, b"", "fatal: unable to access 'https://host/r.git/': Could not resolve host")


class ScriptedGit(Git, frozen=True):
    """Answers ``config`` from ``settings`` and everything else from ``answers``, in order."""

    answers: list[Completed | Exception] = field(default_factory=list)
    settings: Mapping[str, str] = field(default_factory=dict)
    asked: list[tuple[tuple[str, ...], bytes | None]] = field(default_factory=list)

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        timeout: float | None = None,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        inherit: tuple[int, ...] = (),
    ) -> Completed:
        if args[0] == "config":
            name = next(arg for arg in args[1:] if not arg.startswith("-"))
            value = self.settings.get(name)
            return Completed(1, b"", "") if value is None else Completed(0, value.encode(), "")
        self.asked.append((args, stdin))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Let retries follow at once."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def scripted(
    *answers: Completed | Exception, env: Mapping[str, str] | None = None, **settings: str
) -> ScriptedGit:
    names = {name.replace("_", "."): value for name, value in settings.items()}
    return ScriptedGit(Path("/"), env or {}, answers=list(answers), settings=names)


def test_a_push_names_every_old_value() -> None:
    git = scripted(Completed(0, f"To x\n*\t{A}:{X}\t[new]\n-\t:{Y}\t[deleted]\n".encode(), ""))
    remote = PlainRemote(git, URL)
    fates = remote.push([RefUpdate(X, None, A), RefUpdate(Y, B, None)], atomic=True)
    assert {fate.state for fate in fates.values()} == {PushState.DONE}
    args, _ = git.asked[0]
    words = args[args.index("push") :]
    assert f"--force-with-lease={X}:" in words
    assert f"--force-with-lease={Y}:{B}" in words
    assert words[words.index("--") :] == ("--", URL, f"{A}:{X}", f":{Y}")
    assert "--atomic" in words
    assert "--force" not in words
    assert remote.supports_atomic is True


def test_a_push_is_never_tried_again() -> None:
    git = scripted(AWAY)
    with pytest.raises(RemoteUnreachable):
        PlainRemote(git, URL).push([RefUpdate(X, None, A)], atomic=False)
    assert len(git.asked) == 1


def test_a_push_is_never_split_nor_a_ref_named_twice() -> None:
    remote = PlainRemote(scripted(), URL)
    with pytest.raises(ValueError, match="once"):
        remote.push([RefUpdate(X, None, A), RefUpdate(X, A, B)], atomic=True)
    many = [RefUpdate(f"refs/baton/n{number}", None, A) for number in range(1001)]
    with pytest.raises(ValueError, match="at most"):
        remote.push(many, atomic=False)
    assert remote.push([], atomic=True) == {}


def test_a_push_ended_by_the_clock_is_unknown() -> None:
    git = scripted(GitTimeout("too long"))
    fates = PlainRemote(git, URL).push([RefUpdate(X, None, A)], atomic=False)
    assert fates[X].state is PushState.UNKNOWN


def test_questions_are_asked_three_times() -> None:
    git = scripted(AWAY, AWAY, Completed(0, f"{A}\t{X}\n".encode(), ""))
    assert PlainRemote(git, URL).list(["refs/baton/"]).refs == {X: A}
    git = scripted(AWAY, AWAY, AWAY, AWAY)
    with pytest.raises(RemoteUnreachable):
        PlainRemote(git, URL).fetch({X: A})
    assert len(git.answers) == 1


def test_a_refusal_is_not_asked_again() -> None:
    git = scripted(Completed(128, b"", "fatal: Authentication failed for 'https://host/r.git/'"))
    with pytest.raises(HostRefused):
        PlainRemote(git, URL).list(["refs/baton/"])
    assert len(git.asked) == 1


def test_many_prefixes_are_asked_for_in_parts() -> None:
    git = scripted(*[Completed(0, b"", "")] * 3)
    PlainRemote(git, URL).list([f"refs/baton/n{number}" for number in range(450)])
    sizes = [len(args) - args.index("--") - 2 for args, _ in git.asked]
    assert sizes == [200, 200, 50]


def test_a_fetch_goes_on_without_what_vanished() -> None:
    git = scripted(
        Completed(128, b"", f"fatal: couldn't find remote ref {X}"),
        Completed(0, f"{A}\t{X}\n{B}\t{Y}\n".encode(), ""),  # X came back meanwhile
        Completed(0, b"", ""),
    )
    PlainRemote(git, URL).fetch({X: A, Y: B}, have=[A])
    assert git.asked[0][1] == f"{X}\n{Y}\n".encode()
    assert f"--negotiation-tip={A}" in git.asked[0][0]
    assert git.asked[2][1] == f"{Y}\n".encode()


def test_a_fetch_gives_up_after_some_rounds() -> None:
    moved = Completed(128, b"", "fatal: remote error: upload-pack: not our ref " + A)
    listed = Completed(0, f"{A}\t{X}\n".encode(), "")
    git = scripted(*[moved, listed] * 10)
    PlainRemote(git, URL).fetch({X: A})
    assert len(git.asked) == 16


def test_an_unknown_tip_is_left_out() -> None:
    bad = Completed(128, b"", f"fatal: the object {B} does not exist")
    git = scripted(bad, Completed(0, b"", ""))
    PlainRemote(git, URL).fetch({X: A}, have=[B])
    assert not any(word.startswith("--negotiation-tip") for word in git.asked[1][0])


def test_defaults_fill_only_what_the_user_left_open() -> None:
    def options(git: ScriptedGit, url: str = URL) -> str:
        PlainRemote(git, url).list(["refs/baton/"])
        args = git.asked[0][0]
        return " ".join(args[: args.index("ls-remote")])

    ok = Completed(0, b"", "")
    plain = options(scripted(ok))
    assert "BatchMode=yes" in plain
    assert "ServerAliveInterval=5" in plain
    assert "http.lowSpeedLimit=1" in plain
    assert "http.lowSpeedTime=60" in plain
    assert "http" not in options(scripted(ok), url="ssh://host/r.git")
    assert "ssh" not in options(scripted(ok, core_sshCommand="myssh"))
    assert "ssh" not in options(scripted(ok, env={"GIT_SSH_COMMAND": "myssh"}))
    assert "ssh" not in options(scripted(ok, env={"GIT_SSH": "myssh"}))
    assert "lowSpeedTime" not in options(scripted(ok, http_lowSpeedTime="9"))


def test_the_address_is_told_without_the_password() -> None:
    assert PlainRemote(scripted(), "https://me:secret@host/r.git").url == URL
