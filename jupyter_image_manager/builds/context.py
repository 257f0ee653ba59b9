"""The context of a build: walked without leaving the project, streamed without a copy (R3).

Every folder and file is opened below its parent's descriptor without following links, so that nothing that changes
meanwhile can lead outside.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import stat
import tarfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..copies import Presence
from ..errors import BuildFailed, InvalidRequest
from ..models import ContextPreview
from .ignore import IgnoreRules

BLOCK = 1 << 20
DOCKERFILE = ".jupyter-image-manager.Dockerfile"
"""Name of the Dockerfile inside the stream; ``.dockerignore`` keeps it out of what COPY sees."""
LARGEST = 5
DROPPED = 20
"""Names that are told of what is ignored."""
IGNORE_LIMIT = 1 << 20
NAMES = 20_000
"""Files that are looked at for a name like one that is missing."""
_PADDING = bytes(512)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is sent."""

    path: str  # relative, with "/"
    mode: int
    size: int
    mtime_ns: int
    link: str = ""


class Context:
    """A folder of a project as a build's context.

    Parameters
    ----------
    project : Path
        The project's folder, which is never left.
    folder : str, optional
        The context, relative to it; by default the project's folder itself.
    dockerfile_path : str
        The Dockerfile, relative to the project: its own ``.dockerignore`` may lie beside it.
    only : collection of str
        Files and folders, relative to the context, besides which nothing is sent; all of it when empty.
    """

    def __init__(
        self, project: Path, folder: str | None, dockerfile_path: str = "", *, only: Collection[str] = ()
    ) -> None:
        self.project = project.resolve()
        relative = folder or "."
        if Path(relative).is_absolute() or ".." in Path(relative).parts or "\0" in relative:
            raise InvalidRequest(f"The context {relative!r} leaves the project; name a folder inside it.")
        self.folder = project / relative
        try:
            real = self.folder.resolve(strict=True)
        except (OSError, RuntimeError):
            raise InvalidRequest(f"There is no folder {relative!r} in the project {project}.") from None
        if real != self.project and self.project not in real.parents:
            raise InvalidRequest(f"The context {relative!r} leads out of the project; name a folder inside it.")
        if not real.is_dir():
            raise InvalidRequest(f"The context {relative!r} is a file; name its folder.")
        self.folder = real
        self.relative = str(real.relative_to(self.project))
        self.problems: list[str] = []
        self.ignored = 0
        self.dropped: list[str] = []
        self._only = frozenset(only)
        self._leading = frozenset(path[:end] for path in only for end in range(len(path)) if path[end] == "/")
        self.ignore_file = ".dockerignore"
        self._ignore_text = self._read_ignore(dockerfile_path)
        self.rules = IgnoreRules(self._ignore_text.splitlines())

    def _read_ignore(self, dockerfile_path: str) -> str:
        """Return the text of the Dockerfile's own .dockerignore, else of the folder's."""
        own = [self.project / f"{dockerfile_path}.dockerignore"] if dockerfile_path else []
        for path in (*own, self.folder / ".dockerignore"):
            if path.is_symlink() or not path.is_file():
                continue
            try:
                if path.stat().st_size > IGNORE_LIMIT:
                    raise InvalidRequest(f"{path.name} of the context is bigger than 1 MiB: it is hardly a list.")
                self.ignore_file = path.name
                return path.read_text(encoding="utf-8-sig", errors="replace")
            except OSError as error:
                raise self._unreadable(path.name, error) from None
        return ""

    @property
    def shown(self) -> str:
        """How it is called in a sentence."""
        return "the context" if self.relative == "." else f"the context {self.relative!r}"

    def presence(self, path: str) -> Presence:
        """Tell whether a path, relative with ``/``, is sent; when that is not sure, as behind a link, that it is."""
        here, found = self.folder, None
        for part in path.split("/"):
            if found is not None and stat.S_ISLNK(found.st_mode):
                return Presence.SENT
            here = here / part
            try:
                found = here.lstat()
            except (FileNotFoundError, NotADirectoryError):
                return Presence.ABSENT
            except (OSError, ValueError):
                return Presence.SENT
        folder = found is not None and stat.S_ISDIR(found.st_mode)
        if path == ".dockerignore" or not self.rules.ignored(path) or (folder and self.rules.exceptions):
            return Presence.SENT
        return Presence.IGNORED

    def names(self) -> Iterator[str]:
        """Yield paths of files that are sent, the first ones of a large context."""
        try:
            for entry, _ in islice(self.entries(), NAMES):
                if not entry.path.endswith("/"):
                    yield entry.path
        except InvalidRequest:
            return  # what cannot be sent is said by a survey; these are for near matches

    def entries(self) -> Iterator[tuple[Entry, int | None]]:
        """Yield what is sent in a fixed order, each with the descriptor of its open parent folder.

        Raises
        ------
        InvalidRequest
            Something cannot be read, or is a device.
        """
        top = self._open()
        try:
            yield from self._walk(top, "")
        finally:
            os.close(top)

    def _open(self) -> int:
        """Open the folder, each part of its path below the project without following links."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        try:
            here = os.open(self.project, flags)
            for part in Path(self.relative).parts:
                try:
                    below = os.open(part, flags, dir_fd=here)
                finally:
                    os.close(here)
                here = below
        except OSError as error:
            raise self._unreadable(self.relative, error) from None
        return here

    def _walk(self, parent: int, prefix: str) -> Iterator[tuple[Entry, int | None]]:
        try:
            with os.scandir(parent) as listed:
                names = sorted(entry.name for entry in listed)
        except OSError as error:
            raise self._unreadable(prefix or self.relative, error) from None
        for name in names:
            path = f"{prefix}{name}"
            if self._only and not self._wanted(path):
                continue
            ignored = self.rules.ignored(path)
            try:
                found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                continue  # it went between listing and looking: it was not there
            folder = stat.S_ISDIR(found.st_mode)
            if ignored and not (folder and self.rules.exceptions):
                self.ignored += 1
                if len(self.dropped) < DROPPED:
                    self.dropped.append(f"{path}/" if folder else path)
                continue
            if folder:
                if not ignored:
                    yield Entry(path + "/", found.st_mode, 0, found.st_mtime_ns), parent
                try:
                    child = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise self._unreadable(path, error) from None
                try:
                    yield from self._walk(child, path + "/")
                finally:
                    os.close(child)
            elif stat.S_ISLNK(found.st_mode):
                try:
                    target = os.readlink(name, dir_fd=parent)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise self._unreadable(path, error) from None
                yield Entry(path, found.st_mode, 0, found.st_mtime_ns, target), parent
            elif stat.S_ISREG(found.st_mode):
                if not self._readable(name, parent):
                    raise self._unreadable(path, PermissionError(13, "permission denied"))
                yield Entry(path, found.st_mode, found.st_size, found.st_mtime_ns), parent
            elif stat.S_ISSOCK(found.st_mode):
                self.problems.append(f"{path} is a socket: not sent.")
            else:
                raise InvalidRequest(
                    f"{path} in the context is a device or a pipe, which cannot be sent; name it in .dockerignore."
                )

    def _wanted(self, path: str) -> bool:
        """Tell whether something is among the files that are sent alone, leads to one, or lies below one."""
        if path in self._only or path in self._leading:
            return True
        return any(path[:end] in self._only for end in range(len(path)) if path[end] == "/")

    @staticmethod
    def _readable(name: str, parent: int) -> bool:
        return os.access(name, os.R_OK, dir_fd=parent, effective_ids=True)

    @staticmethod
    def _unreadable(path: str, error: OSError) -> InvalidRequest:
        why = (error.strerror or "").lower() or "no reason is known"
        return InvalidRequest(f"{path} in the context cannot be read ({why}); change its rights, or ignore it.")

    def survey(self, limit: int) -> tuple[ContextPreview, str]:
        """Walk the context; return what would be sent, and a fingerprint of it by names, sizes and times."""
        self.ignored, self.problems, self.dropped = 0, [], []
        digest, files, size = hashlib.sha256(self._ignore_text.encode()), 0, 0
        largest: list[tuple[int, str]] = []
        for entry, _ in self.entries():
            digest.update(
                f"{entry.path}\0{entry.mode}\0{entry.size}\0{entry.mtime_ns}\0{entry.link}\n".encode(
                    "utf-8", "surrogateescape"
                )
            )
            files += not entry.path.endswith("/")
            size += entry.size
            heapq.heappush(largest, (entry.size, entry.path))
            if len(largest) > LARGEST:
                heapq.heappop(largest)
        preview = ContextPreview(
            path=self.relative,
            files=files,
            size=size,
            ignored=self.ignored,
            largest=tuple((path, number) for number, path in sorted(largest, reverse=True) if number),
            limit=limit,
            problems=tuple(self.problems),
            dropped=tuple(self.dropped),
        )
        return preview, digest.hexdigest()

    def body(self, note: Callable[[str], None]) -> Iterator[bytes]:
        """Yield the context as the beginning of a tar, block by block: memory stays flat whatever its size.

        Parameters
        ----------
        note : callable
            Told what the user should know, such as a file that grew meanwhile.

        Raises
        ------
        BuildFailed
            A file vanished or shrank while it was sent.
        """
        own = False
        for entry, parent in self.entries():
            if entry.path == DOCKERFILE:
                continue
            if entry.path == ".dockerignore" and stat.S_ISREG(entry.mode):
                own = True
                continue
            yield header(entry)
            if stat.S_ISREG(entry.mode) and entry.size:
                yield from self._content(entry, parent, note)
        for problem in self.problems:
            note(problem)
        # The builder's own look at this file keeps our Dockerfile, and this file where it is ours, out of COPY.
        hidden = f"{DOCKERFILE}\n" if own else f"{DOCKERFILE}\n.dockerignore\n"
        begin = self._ignore_text.rstrip("\n")
        yield from member(".dockerignore", ((begin + "\n" if begin else "") + hidden).encode())

    def _content(self, entry: Entry, parent: int | None, note: Callable[[str], None]) -> Iterator[bytes]:
        name = entry.path.rpartition("/")[2]
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        except OSError:
            raise BuildFailed(f"{entry.path} vanished while the context was sent; build again.") from None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BuildFailed(f"{entry.path} was replaced while the context was sent; build again.")
            left = entry.size
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise BuildFailed(f"{entry.path} became shorter while the context was sent; build again.")
                left -= len(block)
                yield block
            if file.read(1):
                note(f"{entry.path} grew while it was sent: its first {entry.size} bytes were taken.")
        yield _PADDING[: -entry.size % 512]


def header(entry: Entry) -> bytes:
    """Return the tar header of an entry: owners are root, as Docker sends them."""
    info = tarfile.TarInfo(entry.path.rstrip("/"))
    info.mode, info.size, info.mtime = stat.S_IMODE(entry.mode), entry.size, entry.mtime_ns // 1_000_000_000
    if entry.path.endswith("/"):
        info.type = tarfile.DIRTYPE
    elif entry.link:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def closing(dockerfile: str) -> Iterator[bytes]:
    """Yield the end of every context's tar: the Dockerfile under a name of ours, and the trailer."""
    yield from member(DOCKERFILE, dockerfile.encode())
    yield bytes(1024)


def nothing() -> Iterator[bytes]:
    """Yield the beginning of a context without a folder."""
    yield from member(".dockerignore", f"{DOCKERFILE}\n.dockerignore\n".encode())


def member(path: str, content: bytes) -> Iterator[bytes]:
    """Yield a file of the stream that is not in the folder."""
    yield header(Entry(path, stat.S_IFREG | 0o644, len(content), 0))
    yield content
    yield _PADDING[: -len(content) % 512]
