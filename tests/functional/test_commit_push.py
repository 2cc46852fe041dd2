"""``baton commit --push`` and ``baton sync`` in a checkout that many share."""

from __future__ import annotations

from collections.abc import Callable

from tests.functional.baton import Baton
from tests.functional.outage import away
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def write(clone: Baton, path: str, text: str) -> None:
    (clone.directory / path).write_text(text)


def push_upstream(clone: Baton, **files: str) -> str:
    clone.git("pull", "-q", "--rebase", "--autostash", "origin", "main")
    for path, text in files.items():
        write(clone, path, text)
        clone.git("add", path)
    clone.git("commit", "-q", "-m", f"up {' '.join(files)}")
    clone.git("push", "-q", "origin", "HEAD:main")
    return clone.git("rev-parse", "HEAD")


def test_a_commit_is_pushed_onto_what_others_pushed(clones: Clones) -> None:
    one, two = clones("one"), clones("two")
    push_upstream(two, up="up\n", readme="theirs\n")
    for path in ("mine", "staged", "stray"):
        write(one, path, f"{path}\n")
    one.git("add", "staged")
    write(one, "readme", "being edited\n")
    done = one.ok("commit", "mine", "-m", "mine", "--push")
    assert [f["path"] for f in done["files"]] == ["mine"]
    push = done["push"]
    assert (push["way"], push["pushed"], push["upstream"]) == ("rebase", True, "origin/main")
    assert push["kept"] == [{"path": "readme", "why": "changed", "reason": None}]
    assert one.git("rev-parse", "HEAD") == push["commit"]
    assert one.git("ls-remote", "origin", "main").split()[0] == push["commit"]
    assert one.git("status", "--porcelain") == "M readme\nA  staged\n?? stray"
    assert one.git("show", "--format=", "--name-only", "HEAD") == "mine"

    write(one, "mine", "again\n")
    human = one("commit", "mine", "-m", "again", "--push")
    assert human.status == 0
    assert human.out.splitlines()[-1] == "main: pushed to origin/main"


def test_what_is_committed_already_is_pushed_by_sync(clones: Clones) -> None:
    one = clones("one")
    write(one, "mine", "mine\n")
    one.ok("commit", "mine", "-m", "mine")
    answer = one("commit", "mine", "-m", "mine", "--push", "--json")
    assert (answer.status, answer.error["code"]) == (1, "nothing")
    assert answer.error["next"] == "baton sync --push"
    assert one.ok("sync", "--push")["branch"]["pushed"] is True


def test_what_cannot_be_pushed_stays_committed(clones: Clones, file_remote: BareRepository) -> None:
    one, two = clones("one"), clones("two")
    write(one, "mine", "mine\n")
    with away(file_remote):
        answer = one("commit", "mine", "-m", "mine", "--push", "--json")
        assert (answer.status, answer.json["error"]["code"]) == (69, "no_repository")
        assert answer.json["commit"] == one.git("rev-parse", "HEAD")
    push_upstream(two, mine="theirs\n")
    write(one, "other", "x\n")
    refused = one("commit", "other", "-m", "other", "--push")
    assert refused.status == 1
    assert "changed the same lines: mine; the branch stays as it is" in refused.err
    assert "next: git worktree add --detach" in refused.err
    assert one.git("log", "--format=%s", "-2") == "other\nmine"
    assert one("commit", "other", "--check", "--push", "-m", "x").status == 2
    one.git("checkout", "-q", "--detach")
    write(one, "other", "y\n")
    assert one("commit", "other", "-m", "y", "--push").status == 1


def test_sync_brings_in_what_others_pushed(clones: Clones) -> None:
    one, two = clones("one"), clones("two")
    tip = push_upstream(two, up="up\n", more="more\n")
    write(one, "more", "untracked\n")
    human = one("sync")
    assert human.status == 0
    assert human.out.splitlines()[:2] == [
        f"main: fast-forward with origin/main at {tip[:10]}; 1 file follows",
        "  more is here untracked, and stays as it is",
    ]
    assert one.ok("sync")["branch"]["way"] == "nothing"
    write(one, "mine", "mine\n")
    one.ok("commit", "mine", "-m", "mine")
    assert one.ok("sync")["branch"]["pushed"] is False, "only when asked"
    assert one.ok("sync", "--push")["branch"]["pushed"] is True
    one.git("checkout", "-q", "-b", "topic")
    assert one.ok("sync")["branch"] is None
    assert one.ok("sync", "--push")["branch"]["upstream"] == "origin/topic"


def test_a_file_that_stayed_behind_undoes_nothing(clones: Clones) -> None:
    """I3: an edit begun on the old version is not committed over what upstream did to the file."""
    one, two = clones("one"), clones("two")
    for path in ("text", "clash", "gone", "bin"):
        write(one, path, "1\n2\n3\n4\n5\n")
    one.ok("commit", "text", "clash", "gone", "bin", "-m", "files", "--push")
    two.git("pull", "-q", "origin", "main")
    two.git("rm", "-q", "gone")
    push_upstream(two, text="1\n2\n3\n4\nup\n", clash="up\n2\n3\n4\n5\n", bin="\0up")
    for path in ("text", "clash", "gone"):
        write(one, path, "mine\n2\n3\n4\n5\n")
    write(one, "bin", "\0mine")
    (one.directory / "text").chmod(0o755)
    assert {k["path"] for k in one.ok("sync")["branch"]["kept"]} == {"text", "clash", "gone", "bin"}
    for path in ("text", "clash", "gone", "bin"):
        answer = one("commit", path, "-m", "x", "--json")
        assert (answer.status, answer.error["code"]) == (1, "behind"), path
        assert f"baton sync --merge {path}" in answer.error["next"]
    merged = one.ok("sync", "--merge", "text", "--merge", "readme")["merged"]
    assert [(m["path"], m["fate"]) for m in merged] == [("text", "merged"), ("readme", "current")]
    assert (one.directory / "text").read_text() == "mine\n2\n3\n4\nup\n"
    assert (one.directory / "text").stat().st_mode & 0o777 == 0o755
    one.ok("commit", "text", "-m", "both")
    left = one("sync", "--merge", "clash", "--merge", "gone", "--merge", "bin")
    assert left.status == 1
    assert (one.directory / "clash").read_text().startswith("<<<<<<< yours\nmine\n=======\nup\n")
    assert (one.directory / "bin").read_text() == "\0mine"
    assert "next: when it is as it shall be: baton sync --mine bin" in left.out
    assert one("commit", "gone", "-m", "x").status == 1
    marked = one("commit", "clash", "-m", "x", "--json")
    assert (marked.status, marked.error["code"]) == (1, "conflict_marks")
    text = (one.directory / "clash").read_text()
    write(one, "clash", text.replace("<<<<<<< yours\n", ""))
    assert one("commit", "clash", "-m", "x").status == 1, "the other mark is there yet"
    write(one, "clash", "both\n2\n3\n4\n5\n")
    one.ok("commit", "clash", "-m", "both")
    write(one, "clash", text)
    one.ok("commit", "clash", "-m", "a page about marks")
    one.ok("sync", "--mine", "gone", "--mine", "bin")
    one.ok("commit", "gone", "bin", "-m", "mine after all")


def test_a_slip_of_the_pen_does_not_pass_for_a_look(clones: Clones) -> None:
    """`sync --mine` of what is not behind changes nothing, and names what is."""
    one, two = clones("one"), clones("two")
    (one.directory / "dir").mkdir()
    write(one, "dir/api.py", "1\n")
    one.ok("commit", "dir/api.py", "-m", "api", "--push")
    nothing = one("sync", "--mine", "readme", "--json")
    assert (nothing.status, nothing.error["code"]) == (1, "not_behind")
    assert nothing.error["next"] == "baton commit readme -m MSG"
    two.git("pull", "-q", "origin", "main")
    push_upstream(two, **{"dir/api.py": "up\n"})
    write(one, "dir/api.py", "mine\n")
    one.ok("sync")
    for option, slip in (("--mine", "api.py"), ("--mine", "dir"), ("--merge", "nonsense")):
        answer = one("sync", "--mine", "dir/api.py", option, slip, "--json")
        assert (answer.status, answer.error["code"]) == (1, "not_behind"), slip
        assert answer.error["message"].startswith(f"{slip} did not stay behind")
        assert answer.error["next"] == "baton sync --mine dir/api.py"
    assert one("commit", "dir/api.py", "-m", "x").status == 1, "nothing was declared by the others"
    one.ok("sync", "--mine", "dir/api.py")
    one.ok("commit", "dir/api.py", "-m", "mine after all")


def test_guarded_commits_are_refused_without_a_hook_run(clones: Clones) -> None:
    """Our own hook is not run by `baton commit`: it looks by itself, and checks nothing out."""
    one = clones("one")
    one.ok("init", "--hooks")
    one.git("checkout", "-q", "-b", "task/t1")
    write(one, "mine", "mine\n")
    done = one.ok("commit", "mine", "-m", "mine")
    assert done["hooks"] == []
    assert not (one.directory.parent / "one.baton").exists()
    one.ok("claim", "t1", "--create")
    stranger = one.acting(BATON_SESSION="x")
    write(one, "mine", "again\n")
    answer = stranger("commit", "mine", "-m", "mine", "--json")
    assert (answer.status, answer.error["code"]) == (1, "not_held")
    assert one.ok("commit", "mine", "-m", "mine", "--push")["push"]["pushed"] is True
