"""Git's configuration as it applies in one repository, all values of a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitbaton.git.runner import Git


@dataclass(frozen=True, slots=True)
class Configuration:
    """Names as git prints them (section and key in lower case) with their values in order."""

    values: Mapping[str, Sequence[str]]

    @staticmethod
    def parse(listed: str) -> Configuration:
        """Read the output of ``git config --null --list`` (or ``--get-urlmatch``)."""
        values: dict[str, list[str]] = {}
        for entry in listed.split("\0"):
            name, _, value = entry.partition("\n")
            if name:
                values.setdefault(name, []).append(value)
        return Configuration(values)

    @staticmethod
    def read(git: Git, *options: str) -> Configuration:
        """Return what ``git config --null *options`` lists, by default everything."""
        done = git.run("config", "--null", *(options or ("--list",)), check=False)
        return Configuration.parse(done.stdout.decode("utf-8", "surrogateescape"))

    def last(self, name: str) -> str | None:
        """Return the value that counts where only one does."""
        found = self.values.get(name)
        return found[-1] if found else None

    def ending(self, *ends: str) -> Iterator[tuple[str, str]]:
        """Yield every (name, value) whose name ends in one of ``ends``."""
        for name, values in self.values.items():
            if name.endswith(ends):
                yield from ((name, value) for value in values)
