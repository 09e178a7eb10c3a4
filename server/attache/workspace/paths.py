"""Names of files: URIs and paths, one key for each file, and roots that no path gets out of."""

from __future__ import annotations

import errno
import os
import re
import sys
import unicodedata
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Literal, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from attache.schema.data import Uri
from attache.schema.errors import PathRefused
from attache.workspace import beneath

WINDOWS = sys.platform == "win32"
Guard = Literal["kernel", "walk", "check"]
"""How a root keeps paths inside: by openat2; by a walk that follows no link unread; by looking before and after.

`kernel` and `walk` cannot be raced. `check` is all that Windows lets Python do: a link swapped in at the right moment
may be opened, which is then noticed and refused, but a file that this opening created outside stays there.
"""

_DRIVE = r"/+([A-Za-z])[:|](/.*)?\Z"
_DEVICES = r"(?i:con|prn|aux|nul|com[0-9\xb9\xb2\xb3]|lpt[0-9\xb9\xb2\xb3]|conin\$|conout\$) *(?:\.|\Z)"


# ---------------------------------------------------------------- URIs


def to_uri(path: PurePath | str, *, windows: bool = WINDOWS) -> Uri:
    """Return the URI of an absolute path, spelled as VS Code does: all but letters, digits and `-._~/` escaped."""
    text, host = os.fspath(path), ""
    if windows:
        text = re.sub(
            r"\A//[?.]/(?:UNC/)?", lambda verbatim: "//" if "UNC" in verbatim[0] else "", text.replace("\\", "/")
        )
        if text.startswith("//"):
            host, _, text = text[2:].partition("/")
        elif text[1:2] == ":":
            text = text[0].lower() + text[1:]
        text = "/" + text.removeprefix("/")
    return Uri(f"file://{host}{quote_from_bytes(text.encode('utf-8', 'surrogateescape'), safe='/')}")


def to_path(uri: Uri) -> Path:
    """Return the path that a file's URI names, however it is spelled; raises PathRefused for what is no local file."""
    return Path(path_text(uri))


def path_text(uri: str, *, windows: bool = WINDOWS) -> str:
    """Return the path that a file's URI names on the given platform."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "file":
        raise PathRefused(f"{uri} is not a file", hint="save it to a file first")
    rest, host = re.split("[?#]", rest, maxsplit=1)[0], ""
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
    text = unquote_to_bytes(rest).decode("utf-8", "surrogateescape")
    if "\0" in text or not text.startswith("/"):
        raise PathRefused(f"{uri} names no absolute path", hint="a file's URI looks like file:///folder/name")
    if host.lower() == "localhost":
        host = ""
    if windows:
        return _windows_path(uri, host, text)
    if host:
        raise PathRefused(f"{uri} lies on another machine", hint="open it through a folder that is mounted here")
    return text


def _windows_path(uri: str, host: str, text: str) -> str:
    if host:
        return f"\\\\{host}{text}".replace("/", "\\")
    if drive := re.match(_DRIVE, text, re.DOTALL):
        return f"{drive[1]}:{drive[2] or '/'}".replace("/", "\\")
    if ":" in text[:4]:
        raise PathRefused(
            f"{uri} names no absolute path", hint="a drive is followed by a slash: file:///c:/folder/name"
        )
    return text.replace("/", "\\")


# ---------------------------------------------------------------- keys


def key(uri: str) -> str:
    """Return what is equal for all spellings of one file's URI; what is no file is its own key."""
    try:
        return path_key(path_text(uri))
    except PathRefused:
        return uri


def path_key(path: str | PurePath) -> str:
    """Return what is equal for all paths to one file: links followed, case folded where the file system folds it."""
    folder, name = os.path.split(os.path.realpath(path))
    return f"{_folder_key(folder)}{os.sep}{_folded(folder, name)}" if name else folder


@lru_cache(maxsize=4096)
def _folder_key(folder: str) -> str:
    parent, name = os.path.split(folder)
    return f"{_folder_key(parent)}{os.sep}{_folded(parent, name)}" if name else folder


def _folded(folder: str, name: str) -> str:
    folds = _folds(folder)
    if sys.platform == "darwin" or (folds and not WINDOWS):
        name = unicodedata.normalize("NFC", name)
    return name.lower() if folds else name


@lru_cache(maxsize=4096)
def _folds(folder: str) -> bool:
    """Return whether a folder takes `NAME` for `name`: tried on the first name in it that has letters."""
    name = ""
    try:
        with os.scandir(folder) as entries:
            name = next((entry.name for entry in entries if entry.name.swapcase() != entry.name), "")
        if name:
            here, there = (os.lstat(f"{folder}{os.sep}{spelled}") for spelled in (name, name.swapcase()))
            return os.path.samestat(here, there)
    except OSError:
        if name:
            return False
    parent, _ = os.path.split(folder)
    return _folds(parent) if parent != folder else WINDOWS or sys.platform == "darwin"


def shown(path: Path, roots: Iterable[Path]) -> str:
    """Return the path as people and models see it: from the innermost root, with forward slashes, else absolute."""
    inside = [path.relative_to(root) for root in roots if path.is_relative_to(root)]
    return min(inside, key=lambda relative: len(relative.parts)).as_posix() if inside else path.as_posix()


# ---------------------------------------------------------------- roots


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder inside a root, held open: what is done to its names cannot be led elsewhere by a link."""

    path: str
    """Relative to the root, its links followed; empty for the root itself."""
    place: Path
    fd: int | None
    """None where the platform opens no folders; then `place` is used instead, checked but not held."""

    def child(self, name: str) -> str:
        """Return the path of a name in it, relative to the root."""
        return f"{self.path}/{name}" if self.path else name

    def open(self, name: str, flags: int, mode: int = 0o666) -> int:
        """Open a file in it, which may not be a link."""
        return os.open(self.at(name), flags | _NOFOLLOW | _BINARY, mode, dir_fd=self.fd)

    def stat(self, name: str) -> os.stat_result | None:
        """Return what is known of a name in it, a link not followed; None where there is none."""
        try:
            return os.stat(self.at(name), dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def unlink(self, name: str) -> None:
        """Remove a file."""
        os.unlink(self.at(name), dir_fd=self.fd)

    def sync(self) -> None:
        """Make renames and removals in it survive a crash; where a folder cannot be synced the system decides when."""
        if self.fd is not None:
            os.fsync(self.fd)

    def at(self, name: str) -> str:
        """Return what names a file in it for a function that is given `dir_fd=folder.fd` as well."""
        return name if self.fd is not None else str(self.place / name)


class Root:
    """A folder of the workspace that paths given by models, editors and links do not get out of."""

    __slots__ = ("_fd", "guard", "path")

    def __init__(self, path: Path, *, guard: Guard | None = None) -> None:
        """Open the folder; `guard` forces a weaker way than the strongest there is."""
        self.path = Path(os.path.realpath(path))
        if not self.path.is_dir():
            raise PathRefused(f"{path} is not a folder", hint="name a folder that is there")
        self.guard: Guard = guard or strongest_guard()
        self._fd = None if self.guard == "check" else os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)

    def relative(self, path: str | PurePath) -> str:
        """Return a path, absolute or from the root, as one from the root with forward slashes.

        An absolute one may be spelled in any way that leads into the root; raises PathRefused where none does.
        """
        text, spelled = os.fspath(path), PurePath(path)
        _refuse_nul(text)
        if not spelled.is_absolute():
            self._refuse_odd(text)
            return spelled.as_posix() if WINDOWS else text
        if spelled.is_relative_to(self.path) and ".." not in spelled.parts:
            return spelled.relative_to(self.path).as_posix()
        real, root = PurePath(os.path.realpath(text)), path_key(self.path)
        if f"{path_key(real)}{os.sep}".startswith(root.rstrip(os.sep) + os.sep):
            return PurePath(*real.parts[len(self.path.parts) :]).as_posix()
        raise beneath.leads_out(text, str(self.path))

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
        """Open a file by its path from the root, and return its descriptor.

        Links are followed while they stay inside. Raises PathRefused where the path leads out, OSError as `os.open`.
        """
        self._refuse_odd(path)
        if self._fd is None:
            return self._open_checked(path, flags, mode)
        if self.guard == "kernel":
            try:
                return beneath.open_by_kernel(self._fd, path or ".", flags, mode)
            except OSError as error:
                if error.errno not in {errno.EXDEV, errno.EAGAIN}:
                    raise
        # EXDEV is also the kernel's answer to an absolute link that leads back inside: the walk decides, and says why.
        return beneath.open_by_walk(self._fd, str(self.path), path, flags, mode)

    @contextmanager
    def spot(self, path: str, *, create: bool = False, follow: bool = True) -> Generator[tuple[Folder, str]]:
        """Yield where a path from the root really leads, to write there: a folder held open, and the name in it.

        The name is no link: those on the way, and the last, have been followed. It need not be there. With `create`,
        missing folders are made. Without `follow`, the last name is taken for itself, link or not.
        """
        self._refuse_odd(path)
        if self._fd is None:
            above, _, last = path.rpartition("/")
            real = self._real(path) if follow else self._real(above) / last
            place, name = (real, ".") if real == self.path else (real.parent, real.name)
            if create:
                place.mkdir(parents=True, exist_ok=True)
            yield Folder("" if place == self.path else place.relative_to(self.path).as_posix(), place, None), name
            return
        with beneath.spot(self._fd, str(self.path), path, create=create, follow=follow) as found:
            yield Folder(found.folder, self.path / found.folder, found.fd), found.name

    def close(self) -> None:
        """Let go of the folder."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refuse_odd(self, path: str) -> None:
        _refuse_nul(path)
        if path.startswith("/") or (WINDOWS and PurePath(path).is_absolute()):
            raise beneath.leads_out(path, str(self.path))
        if WINDOWS and (trouble := refused_on_windows(path)):
            raise PathRefused(f"{path} is no file in {self.path}: {trouble}", hint="name an ordinary file")

    def _open_checked(self, path: str, flags: int, mode: int) -> int:
        descriptor = os.open(self._real(path), flags | _NOFOLLOW | _BINARY, mode)
        with ExitStack() as refused:
            refused.callback(os.close, descriptor)
            if not os.path.samestat(os.fstat(descriptor), self._real(path).lstat()):
                raise beneath.leads_out(path, str(self.path))
            refused.pop_all()
        return descriptor

    def _real(self, path: str) -> Path:
        real = Path(os.path.realpath(self.path / path))
        if not real.is_relative_to(self.path):
            raise beneath.leads_out(path, str(self.path))
        return real


_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)


def _refuse_nul(path: str) -> None:
    if "\0" in path:  # the kernel would read up to there
        raise PathRefused(f"{path!r} is not a path", hint="a path holds no NUL")


def folder_in(roots: Sequence[Root], cwd: Path) -> Path:
    """Return the folder that a command runs in; raises PathRefused where it lies in no root."""
    folder = os.path.realpath(roots[0].path / cwd)
    home_of(roots, folder)
    return Path(folder)


def home_of(roots: Sequence[Root], path: str) -> tuple[Root, str]:
    """Return the root that an absolute path lies in, and the path from there."""
    for root in roots:
        with suppress(PathRefused):
            return root, root.relative(path)
    raise PathRefused(f"{path} lies in no folder of the workspace", hint="name a folder inside it")


def strongest_guard() -> Guard:
    """Return the strongest way this platform has of keeping paths inside a root."""
    if os.open not in os.supports_dir_fd or not _NOFOLLOW:
        return "check"
    return "kernel" if beneath.kernel_can() else "walk"


def refused_on_windows(path: str) -> str:
    """Return why Windows would take a name for something else than a file of that name, empty where it would not."""
    if path.startswith(("\\\\", "//")):
        return "it names another machine or a device"
    drive, colon, rest = path.partition(":")
    if colon and len(drive) == 1 and not rest.startswith(("\\", "/")):
        return "a drive is followed by a slash"
    for name in re.split(r"[\\/]", rest if len(drive) == 1 else path):
        if ":" in name:
            return "a colon names a hidden stream"
        if re.match(_DEVICES, name):
            return f"{name} is a device"
        if name not in {".", ".."} and name.endswith((".", " ")):
            return f"Windows drops the end of {name!r}"
    return ""
