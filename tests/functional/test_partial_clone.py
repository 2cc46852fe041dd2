"""A clone that leaves out the contents of files works as any other (git-clone(1), ``--filter``)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.functional.baton import Baton
from tests.functional.working import Place, add, configure, script, tasks, work
from tests.servers.site import BareRepository

AGENT = """
test "$(cat readme)" = "other words" || exit 1
echo done > result
git add result
git commit -qm result
"""


def test_a_task_goes_all_the_way_in_a_partial_clone(
    tmp_path: Path, file_remote: BareRepository
) -> None:
    place = Place(tmp_path, file_remote)
    whole = place.clone("whole")
    add(whole, {"id": "first"}, {"id": "second"})
    file_remote.git("config", "uploadpack.allowFilter", "true")
    file_remote.git("config", "uploadpack.allowAnySHA1InWant", "true")
    part = Baton(tmp_path / "part")
    wanted = ["clone", "-q", "--filter=blob:none", f"file://{file_remote.path}"]
    subprocess.run(["git", *wanted, str(part.directory)], check=True)
    configure(part)
    assert set(tasks(part)) == {"first", "second"}
    (part.directory / ".git" / "baton" / "clone.promises").unlink()  # made by an older version

    whole.commit("main", "readme", "other words\n")
    whole.git("push", "-q", "origin", "main")
    add(whole, {"id": "third"})  # what the clone then fetches comes without files, too
    part.git("fetch", "-q")
    assert set(tasks(part)) == {"first", "second", "third"}
    (claim,) = part.ok("claim", "first")["claims"]
    part.ok("release", "first", "--token", claim["token"])

    status, worker = work(part, "--once", "--land", "merge", agent=script(tmp_path, AGENT))
    assert (status, len(worker.of("landed"))) == (0, 1), worker.errors.read_text()
    landed = place.branch("main")
    assert landed is not None
    assert "result" in place.files(landed)
    assert [task["status"] for task in tasks(whole).values()].count("done") == 1
