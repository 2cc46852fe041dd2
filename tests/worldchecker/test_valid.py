"""What is right is accepted, and what a merge gives is said here by hand."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.worldchecker import check_world
from tests.worldchecker.__main__ import main
from tests.worldchecker.build import tell
from tests.worldchecker.evidence import Line
from tests.worldchecker.merging import merge_again


def test_imports_nothing_of_what_it_checks() -> None:
    for file in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file.name}: a relative import hides where it leads"
                names = [node.module or ""]
            strange = [n for n in names if n.startswith(("gitbaton", "importlib"))]
            assert not strange, f"{file.name} imports {strange}"


def test_a_run_with_everything_that_may_happen(tmp_path: Path) -> None:
    repo, ledger = tell().write(tmp_path)
    assert check_world(repo, ledger) == []


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = tell()
    story.frames[-1].record["number"] = 9
    repo, ledger = story.write(tmp_path)
    assert main([str(repo), "--ledger", str(ledger)]) == 1
    assert "line: frame 9: comes after frame 3\n" in capsys.readouterr().out


def test_what_a_merge_gives() -> None:
    """By hand, from the design: sums, maxima, sets, keyed elements, the last writer in order."""

    def line(worker: str, sequence: int, op: str, path: str, value: object) -> Line:
        said = {"op": op, "doc": "d.json", "path": path, "value": value}
        return Line(3, worker, "s1", sequence, said)

    before = {"d.json": {"sum": 1, "list": [{"id": "x"}], "set": ["b"], "kept": True}}
    lines = [
        line("w2", 1, "set", "/name", "second"),
        line("w1", 2, "set", "/name", "first"),
        line("w1", 1, "set", "/name", "zeroth"),
        line("w1", 3, "incr", "/sum", 2),
        line("w2", 2, "incr", "/sum", 3),
        line("w2", 3, "max", "/top/most", 7),
        line("w1", 4, "max", "/top/most", 5),
        line("w2", 4, "add", "/set", "a"),
        line("w1", 5, "add", "/set", "b"),
        line("w1", 6, "append", "/list", {"id": "x"}),
        line("w2", 5, "append", "/list", {"id": "y"}),
        line("w1", 7, "explode", "/list", {"id": "z"}),
    ]
    for given in (lines, lines[::-1], lines * 2):
        merged = merge_again(before, given)
        assert merged.documents == {
            "d.json": {
                "sum": 6,
                "list": [{"id": "x"}, {"id": "y"}],
                "set": ["b", "a"],
                "kept": True,
                "name": "first",  # by lot: w1 comes after w2 in frame 3
                "top": {"most": 7},
            }
        }
        assert merged.disagreeing == {("d.json", "/name")}
    assert before["d.json"]["sum"] == 1, "what is given is left as it is"
