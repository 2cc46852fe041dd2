"""``baton session``: what a shell evaluates, what is listed, and what is left when it is over."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from gitbaton.core.process import find_process
from tests.functional.baton import COMMAND, Baton
from tests.functional.test_keep import keepers
from tests.functional.working import wait_until
from tests.needs import needs

BATON = " ".join(COMMAND)


def shell(
    clone: Baton, script: str, *, name: str = "sh", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run ``script`` in one shell, in which ``$baton`` is the command."""
    return subprocess.run(
        [name, "-ec", script],
        cwd=clone.directory,
        env={**clone.environment(), "baton": BATON, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_shell_evaluates_it_and_lives_as_long_as_it(baton: Baton) -> None:
    script = (
        'eval "$($baton session start --name ann --worktree)"; '
        "pwd; git branch --show-current; echo $BATON_SESSION; touch $BATON_SESSION_STATE/x; "
        "echo $XDG_CACHE_HOME; $baton session list --json; "
        'eval "$($baton session start)"; $baton session list --json'
    )
    done = shell(baton, script)
    assert done.returncode == 0, done
    place = baton.directory.parent / "alone.baton" / "sessions" / "ann"
    where, branch, name, cache, listed, again = done.stdout.splitlines()
    assert (where, branch, name) == (str(place), "session/ann", "ann")
    [session] = json.loads(listed)["sessions"]
    assert (session["state"], session["alive"]) == ("active", True)
    assert session["worktree"] == {"path": where, "branch": branch}
    assert json.loads(again)["sessions"] == [session], "who is in one already stays in it"
    assert "session ann works in" in done.stderr
    # The shell is gone: the next to look clears its session away.
    cleared = baton.ok("session", "list")
    assert cleared["sessions"] == []
    assert cleared["cleared"] == [{"name": "ann", "ended": True, "kept": None, "reasons": []}]
    assert not place.exists() and not Path(cache).exists()


@pytest.mark.parametrize("shell_name", ["sh", "bash"])
def test_it_lives_as_long_as_the_shell_and_not_its_subshell(baton: Baton, shell_name: str) -> None:
    if shutil.which(shell_name) is None:
        shell_name = "sh"
    script = (
        'eval "$(cd . && $baton session start --name ann; true)"; '
        'echo "$$ $($baton session list --json)"'
    )
    done = shell(baton, script, name=shell_name)
    pid, _, listed = done.stdout.partition(" ")
    [session] = json.loads(listed)["sessions"]
    assert (session["name"], session["pid"]) == ("ann", int(pid)), done


def test_the_fourth_session_gets_a_worktree(baton: Baton) -> None:
    pid = str(os.getpid())
    started = [baton.ok("session", "start", "--pid", pid, "--name", f"n{n}") for n in range(4)]
    assert [one["session"]["worktree"] is None for one in started] == [True] * 3 + [False]
    assert [one["cd"] == str(baton.directory) for one in started] == [True] * 3 + [False]
    assert started[3]["env"]["BATON_WORKTREE"] == started[3]["cd"]
    taken = baton("session", "start", "--pid", pid, "--name", "n0")
    assert taken.status == 1 and "there is a session 'n0' already" in taken.err
    assert baton("session", "start", "--pid", "999999999").status == 2
    foreign = baton("session", "end", "n0")
    assert (foreign.status, foreign.err.splitlines()[-1]) == (
        1,
        "  next: baton session end n0 --force",
    )
    assert baton.acting(BATON_SESSION="n0").ok("session", "end")["ended"] is True
    assert baton.ok("session", "end", "n0")["ended"] is False, "ended twice is no error"
    for name in ("n1", "n2", "n3"):
        baton.ok("session", "end", name, "--force")
    assert baton("session", "list").out == "no session is active\n"


def test_the_threshold_is_configured(baton: Baton) -> None:
    (baton.directory / "baton.toml").write_text("[sessions]\nthreshold = 0\n")
    answer = baton("session", "exec", "--", "sh", "-c", "pwd; exit 7")
    assert answer.status == 7
    assert answer.out.strip().startswith(str(baton.directory.parent / "alone.baton/sessions/s-"))
    assert answer.err.startswith("session s-")
    shared = baton("session", "exec", "--no-worktree", "--", "pwd")
    assert shared.out == f"{baton.directory}\n"
    assert baton("session", "exec", "--", "no-such-command-at-all").status == 2


def test_what_is_kept_is_listed_and_gone_on_with(baton: Baton) -> None:
    """I3: nothing that only the worktree holds is removed, and the way back is named."""
    left = baton("session", "exec", "--worktree", "--name", "ann", "--", "sh", "-c", "echo x > new")
    place = baton.directory.parent / "alone.baton" / "sessions" / "ann"
    assert left.status == 0
    assert f"{place} is kept: changes that are not committed" in left.err
    listed = baton("session", "list").out
    assert "ann is kept: changes that are not committed" in listed
    assert f"  next: cd {place}; baton session end ann" in listed
    assert baton("session", "start", "--name", "ann").err.splitlines()[-1] == (
        "  next: baton session start --resume ann"
    )
    script = (
        'eval "$($baton session start --resume ann)"; git add new; git commit -qm new; '
        "git -C ../../../alone merge -q session/ann; $baton session end"
    )
    done = shell(baton, script)
    assert done.stdout == "session ann is over; its worktree held nothing unique\n", done
    assert (baton.directory / "new").read_text() == "x\n"
    assert baton.git("branch", "--list", "session/*") == ""


def test_of_the_users_cache_what_is_shared_is_linked(baton: Baton, tmp_path: Path) -> None:
    """A credential that git keeps there is found in every session, in one within another too."""
    cache = tmp_path / "cache"
    (cache / "git" / "credential").mkdir(parents=True)
    (cache / "other").mkdir()
    script = (
        "ls $XDG_CACHE_HOME; readlink -f $XDG_CACHE_HOME/git; echo $XDG_CONFIG_HOME; "
        "$baton session exec -- sh -c 'readlink -f $XDG_CACHE_HOME/git'"
    )
    env = {"XDG_CACHE_HOME": str(cache), "XDG_CONFIG_HOME": "/config"}
    answer = baton.acting(**env, baton=BATON)("session", "exec", "--", "sh", "-ec", script)
    words = answer.out.split()
    assert words[:5] == ["git", "pip", "pre-commit", "prek", "uv"]
    assert words[5:] == [str(cache / "git"), "/config", str(cache / "git")]
    assert (cache / "git" / "credential").is_dir(), "the end of a session follows no link"


def test_gc_clears_away_what_is_dead_and_names_what_is_kept(baton: Baton) -> None:
    script = (
        "$baton session start --name ann --worktree --pid $$ >/dev/null; "
        'eval "$($baton session start --name bob --worktree --pid $$)"; touch new'
    )
    assert shell(baton, script).returncode == 0
    told = baton.ok("gc", "--dry-run")
    assert [i["what"] for i in told["freed"] if i["kind"] == "session"] == ["ann", "bob"]
    done = baton.ok("gc")
    assert [i["what"] for i in done["freed"] if i["kind"] == "session"] == ["ann"]
    [kept] = [i for i in done["kept"] if i["kind"] == "session"]
    assert kept["what"].endswith("/sessions/bob") and "not committed" in kept["why"]


CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc")


def start_exec(
    clone: Baton, script: str, *, within: Sequence[str] = ()
) -> tuple[subprocess.Popen[str], int, Path]:
    """Start ``script`` in a session and a worktree; return its process id and its place, too."""
    running = subprocess.Popen(
        [
            *(*within, *COMMAND, "session", "exec", "--worktree", "--name", "ann"),
            *("--", "sh", "-c", f"echo $$; pwd; {script}"),
        ],
        cwd=clone.directory,
        env=clone.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    return running, int(running.stdout.readline()), Path(running.stdout.readline().strip())


def test_the_worktree_of_a_killed_baton_stays_as_long_as_its_command(
    baton: Baton, tmp_path: Path
) -> None:
    """I3, I4: the command goes on, and its directory is there."""
    go, end = tmp_path / "go", tmp_path / "end"
    os.mkfifo(go)
    os.mkfifo(end)
    running, pid, place = start_exec(baton, f"read word <{go}; echo $word >late; cat {end}")
    with running:
        running.kill()
        running.wait()
        listed = baton.ok("session", "list")
        assert listed["cleared"] == [] and place.is_dir()
        [known] = listed["sessions"]
        assert (known["pid"], known["alive"], known["state"]) == (pid, True, "active")
        go.write_text("on\n")
        end.write_text("")  # opens when the command has come there, and lets it end
    wait_until(lambda: find_process(pid, origin="") is None)
    [cleared] = baton.ok("session", "list")["cleared"]
    assert cleared["kept"] == str(place), "what it wrote is nowhere else"
    assert (place / "late").read_text() == "on\n"


def test_a_worktree_is_not_taken_from_what_was_left_running_in_it(baton: Baton) -> None:
    """I3: a server that a session left keeps its directory; when it ends, that goes by itself."""
    answer = baton(
        *("session", "exec", "--worktree", "--name", "ann", "--", "sh", "-c"),
        "sleep 600 >/dev/null 2>&1 & echo $!; pwd",
    )
    pid, place = int(answer.out.split()[0]), Path(answer.out.split()[1])
    try:
        assert f"process {pid} (sleep) works in it" in answer.err
        assert place.is_dir()
        assert [one["pid"] for one in baton.ok("session", "list")["sessions"]] == [pid]
        again = baton.ok("session", "end", "ann", "--force")
        assert again["kept"] == str(place) and place.is_dir()
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: find_process(pid, origin="") is None)
    assert baton.ok("session", "list")["sessions"] == []
    assert not place.exists(), "nothing unique was in it"


def test_what_renews_a_claim_keeps_no_worktree(baton: Baton) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as kept:
        claim = f"{BATON} claim t1 --create --keep {kept.pid} >/dev/null; pwd"
        answer = baton("session", "exec", "--worktree", "--name", "ann", "--", "sh", "-c", claim)
        assert answer.status == 0, answer
        [keeper] = keepers(kept.pid)
        assert not Path(answer.out.strip()).exists(), "nothing unique was in it"
        assert baton.ok("session", "list")["sessions"] == []
        kept.communicate(b"")
    keeper.wait(timeout=60)


def test_a_session_of_a_container_is_not_judged_by_its_number(baton: Baton, tmp_path: Path) -> None:
    """I3, I4: the boot is the same there, and the number is another process's here."""
    needs("containers")
    go = tmp_path / "go"
    os.mkfifo(go)
    running, _, place = start_exec(baton, f"read word <{go}", within=CONTAINER)
    with running:
        listed = baton.ok("session", "list")
        assert listed["cleared"] == [] and place.is_dir()
        assert [one["alive"] for one in listed["sessions"]] == [True]
        go.write_text("on\n")
    assert running.returncode == 0
    assert not place.exists(), "it was ended from within"
