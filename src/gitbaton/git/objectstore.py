"""The objects of one repository: written without processes, read through one that stays.

Objects are named by their content, so whatever is read once may be kept for ever.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from gitbaton.core.errors import BatonError, GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.gaps import Gap
from gitbaton.git.objects import Format, Kind, RawObject, loose_bytes
from gitbaton.git.runner import Git, end_group

_ASKS = 3  # conversations with git before its end is an error
_RECENT, _SMALL = 256, 16 * 1024  # objects just written that are kept at hand, and their bytes
_LOOSE_LIMIT = 12  # more objects than this are written as one pack: two files


class MissingObject(BatonError):
    """An object that was asked for is not in the repository."""

    code = "missing_object"
    advice = "the same command again: what is missing is fetched then"

    def __init__(self, name: str) -> None:
        super().__init__(f"git object {name} is not here")
        self.name = name


class Unreadable(GitFailed):
    """Git ends when it reads an object: a file of the repository, or of the clone, is damaged."""

    advice = "the same command again: what is damaged is fetched then"

    def __init__(self, reason: str) -> None:
        super().__init__(["git", "cat-file"], -1, reason)


class ObjectStore:
    """Reads and writes the objects of the repository at ``git_dir``. Thread-safe.

    ``durable``: loose objects are written through to the disk (git/durability.py).
    """

    def __init__(self, git: Git, git_dir: Path, format: Format, *, durable: bool = False) -> None:
        self._git = git
        self._objects = git_dir / "objects"
        self.gap = Gap(git_dir)
        self.format: Format = format
        self._durable = durable
        self._lock = threading.Lock()
        self._recent: Mapping[str, RawObject] = {}
        self._reader: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    @property
    def is_shallow(self) -> bool:
        """Whether history here ends before its beginning (git-clone(1), ``--depth``)."""
        shallow = self._objects.parent / "shallow"
        return shallow.is_file() and shallow.stat().st_size > 0

    @property
    def is_of_shallow_clone(self) -> bool:
        """Whether history ends early in the clone that this repository belongs to.

        What ends early here only, we have fetched so ourselves, from where the rest of it is.
        """
        noted = self._objects.parent / "shallow.clone"
        return noted.is_file() and noted.stat().st_size > 0

    def own(self, oids: Iterable[Oid]) -> set[Oid]:
        """Return those of ``oids`` that are here and not only borrowed from the clone."""
        from gitbaton.git.ownobjects import find_own

        return find_own(self._objects, oids)

    def write(self, objects: Iterable[RawObject]) -> None:
        """Make sure that all ``objects`` are in the repository.

        As durable as what git itself writes (by default core.fsync does not synchronise loose
        objects; what matters is on the remote before anybody relies on it). Raises BatonError when
        the disk is full or not writable; what is there stays whole.
        """
        unique = list({item.oid: item for item in objects}.values())
        try:
            if len(unique) > _LOOSE_LIMIT:
                self._write_pack(unique)
            else:
                for item in unique:
                    self._write_loose(item)
        except OSError as error:
            raise self._unwritable(error) from error
        self._remember(unique)

    def write_pack(self, objects: Iterable[RawObject]) -> None:
        """Make sure that all ``objects`` are in the repository, on the disk, as one pack.

        For what was brought from elsewhere: git synchronises the packs that it fetches, too, and
        keeps loose objects to the system, which a power cut leaves empty. Raises as ``write``.
        """
        unique = list({item.oid: item for item in objects}.values())
        if unique:
            self._pack(unique)
            self._remember(unique)

    @contextlib.contextmanager
    def adopting(self, objects: Sequence[RawObject], source: ObjectStore) -> Iterator[None]:
        """Make sure that ``objects``, which ``source`` has, are here too; raises as ``write``.

        On one disk the files of loose objects are shared by links, as ``git clone --local`` does:
        they never change. Until the block is left, in which refs are moved to them, a repack here
        does not drop them as unreachable (receive-pack keeps its packs so, too).
        """
        few = len(objects) <= _LOOSE_LIMIT
        left = [item for item in objects if not (few and self._link(item, source))]
        if len(left) <= _LOOSE_LIMIT:
            self.write(left)
            yield
            return
        kept = self._pack(left, keep=True)
        try:
            yield
        finally:
            kept.unlink(missing_ok=True)

    def read(self, name: str) -> tuple[Kind, bytes]:
        """Return the kind and content of the object that ``name`` (an id, or ``id:path``) names.

        Raises MissingObject.
        """
        return self.read_many([name])[0]

    def read_many(self, names: Sequence[str]) -> list[tuple[Kind, bytes]]:
        """Return kind and content for each of ``names``, in order. Raises MissingObject."""
        found = self.find_many(names)
        for name, item in zip(names, found, strict=True):
            if item is None:
                raise MissingObject(name)
        return [item for item in found if item is not None]

    def find_many(self, names: Sequence[str]) -> list[tuple[Kind, bytes] | None]:
        """Return kind and content for each of ``names``, None for what is not there.

        Git takes an object that another process writes between its two looks for a corrupt one,
        and ends (read_object_file_extended in its object-file.c): then it is asked again. One that
        is corrupt is as good as missing: of ours, its file goes. Raises Unreadable.
        """
        recent = self._recent
        if all(name in recent for name in names):  # none, or just written: about to be pushed
            return [(recent[name].kind, recent[name].body) for name in names]
        with self._lock:
            for left in reversed(range(_ASKS)):
                try:
                    return self._ask(names)
                except (OSError, ValueError) as error:
                    self._drop()
                    if not left:
                        self.gap.note()
                        raise Unreadable(str(error)) from error
                    if left == 1:
                        self.drop_damaged()
                except BaseException:
                    self._drop()  # the conversation is out of step
                    raise
        raise AssertionError("the last time returns or raises")

    def missing(self, oids: Iterable[Oid]) -> set[Oid]:
        """Return those of ``oids`` that are not in the repository."""
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return set()
        asked = self._git.run(
            "cat-file",
            "--batch-check=%(objectname)",
            stdin="\n".join(wanted).encode() + b"\n",
        )
        answers = asked.text.split("\n")
        return {o for o, a in zip(wanted, answers, strict=True) if a.endswith(" missing")}

    def missing_commits(self, oids: Iterable[Oid]) -> set[Oid]:
        """Return those of ``oids``, which are commits, that are not in the repository.

        As ``missing``, but read through the process that runs anyway: a commit is small.
        """
        wanted = list(dict.fromkeys(oids))
        return {oid for oid, item in zip(wanted, self.find_many(wanted), strict=True) if not item}

    def drop_damaged(self) -> None:
        """Remove what a power cut has left of loose objects, where the repository is ours.

        Git lets an empty or cut file stand for an object that it then cannot read.
        """
        if not self.gap.is_ours:
            return
        from gitbaton.git.ownobjects import find_damaged

        for path in find_damaged(self._objects, self.format):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """End the reading process."""
        with self._lock:
            self._drop()

    def _remember(self, written: Sequence[RawObject]) -> None:
        """Keep small objects at hand for a while: who writes them reads them to push them."""
        small: dict[str, RawObject] = {
            item.oid: item for item in written if len(item.body) <= _SMALL
        }
        kept = self._recent if len(self._recent) + len(small) <= _RECENT else {}
        self._recent = {**kept, **small}

    def _ask(self, names: Sequence[str]) -> list[tuple[Kind, bytes] | None]:
        reader = self._running_reader()
        assert reader.stdin is not None and reader.stdout is not None
        found: list[tuple[Kind, bytes] | None] = []
        # In slices: both pipes are finite, and git answers while it is being asked.
        for start in range(0, len(names), 200):
            part = names[start : start + 200]
            reader.stdin.write(b"".join(name.encode() + b"\n" for name in part))
            reader.stdin.flush()
            for _ in part:
                header = reader.stdout.readline()
                if not header:
                    raise ValueError("git cat-file ended")
                if header.endswith((b" missing\n", b" ambiguous\n")):
                    found.append(None)
                    continue
                _, kind, size = header.split()
                body = reader.stdout.read(int(size) + 1)
                found.append((_kind(kind), body[:-1]))
        return found

    def _running_reader(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():  # after a fork the pipes belong to the parent
            self._reader, self._owner = None, os.getpid()
        if self._reader is None or self._reader.poll() is not None:
            self._reader = self._start_reader()
        return self._reader

    def _start_reader(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [self._git.binary, *self._git.options, "cat-file", "--batch"],
                cwd=self._git.directory,
                env=dict(self._git.env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise BatonError(
                f"git could not be started: {error.strerror}", next="git --version"
            ) from error

    def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None or self._owner != os.getpid():
            return
        for pipe in (reader.stdin, reader.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        end_group(reader)

    def _unwritable(self, error: OSError) -> BatonError:
        return BatonError(
            f"cannot write to {self._objects}: {error.strerror}",
            next=f"ls -ld {self._objects}; df {self._objects}",
        )

    def _pack(self, objects: Sequence[RawObject], *, keep: bool = False) -> Path:
        try:
            return self._write_pack(objects, keep=keep)
        except OSError as error:
            raise self._unwritable(error) from error

    def _write_pack(self, objects: Sequence[RawObject], *, keep: bool = False) -> Path:
        """Write a pack, which is there when its index is; return the file that may ``keep`` it."""
        from gitbaton.git.packfile import make_packfile

        packed = make_packfile(objects, self.format)
        directory = self._objects / "pack"
        directory.mkdir(exist_ok=True)
        keeping = directory / f"{packed.name}.keep"
        if keep:
            keeping.write_text("gitbaton moves refs to it\n")
        for kind, content in (("pack", packed.pack), ("idx", packed.index)):
            temporary = directory / f"tmp_{kind}_{os.urandom(8).hex()}"  # for git's own prune
            try:
                _write_new(temporary, content, durable=True)
                os.replace(temporary, directory / f"{packed.name}.{kind}")
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        return keeping

    def _link(self, item: RawObject, source: ObjectStore) -> bool:
        """Share the file of a loose object; return whether that could be done."""
        name = f"{item.oid[:2]}/{item.oid[2:]}"
        theirs = source._objects / name
        try:
            if not theirs.stat().st_size:  # a power cut may have left it empty
                return False
            os.utime(theirs)  # or prune might take it for an old one that nobody needs
            os.link(theirs, self._objects / name)
        except OSError:  # there already, in a pack, the first of its directory, on another disk
            return False
        return True

    def _write_loose(self, item: RawObject) -> None:
        directory = self._objects / item.oid[:2]
        path = directory / item.oid[2:]
        with contextlib.suppress(OSError):
            if path.stat().st_size > 0:  # a power cut may have left it empty
                os.utime(path)  # or git's prune might take it for an old one that nobody needs
                return
        temporary = directory / f"tmp_obj_{os.urandom(8).hex()}"  # git's own prune knows the name
        try:
            try:
                _write_new(temporary, loose_bytes(item), durable=self._durable)
            except FileNotFoundError:
                directory.mkdir(exist_ok=True)
                _write_new(temporary, loose_bytes(item), durable=self._durable)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _write_new(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file that must not be there yet, readable and unchangeable for everybody."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(handle)


def _kind(word: bytes) -> Kind:
    match word:
        case b"blob":
            return "blob"
        case b"tree":
            return "tree"
        case b"commit":
            return "commit"
    raise ValueError(f"unexpected object kind {word!r}")
