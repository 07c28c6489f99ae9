"""The data folder: everything Earnest keeps on a machine, held by one running instance."""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marketplace.local.owner import Owner

ROOT = Path(__file__).resolve().parent.parent.parent
SOCKET_PATH_BYTES = 100
SOCKET_NAME = ".s.PGSQL.5432"
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
STATE = Path("/var/lib")


class FolderInUse(Exception):
    """Another instance holds the data folder."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is in use by {holder or 'another instance'}")
        self.holder = holder


class FolderUnreachable(Exception):
    """The servers' user may not enter a folder on the way to the data."""


class DataFolder:
    """Paths below one folder, its lock, and what an instance leaves there for others to read."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def processes(self) -> Path:
        return self.path / "processes.json"

    @property
    def sockets_note(self) -> Path:
        """Names the temporary folder of sockets, where there is one."""
        return self.path / "sockets.path"

    @property
    def mark(self) -> str:
        """What every child of this folder carries in its environment."""
        return f"EARNEST_DATA={self.path}"

    def make(self) -> None:
        """Create it, enterable by the servers' user whatever the umask says."""
        if not self.path.exists():
            self.path.mkdir(parents=True)
            self.path.chmod(0o755)
        self.logs.mkdir(exist_ok=True)

    @contextmanager
    def held(self, kind: str) -> Iterator[None]:
        """Be the one instance of this folder; `kind` tells others who holds it.

        Raises FolderInUse. The kernel lets go of the lock however the holder ends.
        """
        self.make()
        with (self.path / ".lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise FolderInUse(self.path, file.read()) from None
            file.truncate(0)
            file.write(f"{kind} (process {os.getpid()})")
            file.flush()
            self._note.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._note.unlink(missing_ok=True)
                file.truncate(0)

    @property
    def _note(self) -> Path:
        return self.path / "instance.json"

    def publish(self, urls: dict[str, str]) -> None:
        """Tell other commands of this machine how to reach the running servers."""
        draft = self._note.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(urls))
        draft.replace(self._note)

    def published(self) -> dict[str, str]:
        """What the running instance published; empty before it has."""
        try:
            return dict(json.loads(self._note.read_text()))
        except (OSError, ValueError):
            return {}

    def secret(self, name: str) -> str:
        """A secret made once and kept, readable only by the user who runs Earnest."""
        path = self.path / name
        if not path.exists():
            draft = path.with_suffix(".new")
            draft.unlink(missing_ok=True)
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            draft.replace(path)
        return path.read_text()


def server_home(data: Path, owner: Owner) -> Path:
    """Where the servers keep their files: the data folder, if their user can enter it.

    A checkout of root's is often below a private folder (`/root`). Data that nobody chose a place
    for then lives under `/var/lib`, named after the folder it stands in for. Raises
    FolderUnreachable for a place somebody chose, or when there is no other.
    """
    wall = owner.blocked_at(data)
    if wall is None:
        return data
    name = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    home = STATE / f"earnest-{name}"
    if ROOT in data.parents and os.access(STATE, os.W_OK) and not owner.blocked_at(STATE):
        home.mkdir(exist_ok=True)
        home.chmod(0o755)
        return home
    raise FolderUnreachable(
        f"the servers run as {owner.name}, who may not enter {wall}: start Earnest as an ordinary "
        f"user, or name a reachable folder with --data (for example --data /srv/earnest)"
    )


def socket_folder(data: DataFolder, home: Path, owner: Owner) -> Path:
    """An empty 0700 folder for unix sockets, of the servers' user.

    A socket's path may have about 100 bytes, and servers read commas and spaces in it as lists,
    so a longer or stranger path gets a short temporary folder instead.
    """
    forget_sockets(data, owner)
    usual = home / "run"
    if not PLAIN_PATH.fullmatch(str(usual)) or _too_long(usual):
        usual = Path(tempfile.mkdtemp(prefix="earnest-", dir="/tmp"))
        data.sockets_note.write_text(str(usual))
    usual.mkdir(mode=0o700, exist_ok=True)
    usual.chmod(0o700)
    owner.own(usual)
    return usual


def _too_long(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_BYTES


def forget_sockets(data: DataFolder, owner: Owner) -> None:
    """Remove the temporary folder of this or an earlier run, unless its name is another's now."""
    if not data.sockets_note.exists():
        return
    folder = Path(data.sockets_note.read_text())
    if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == owner.uid:
        shutil.rmtree(folder, ignore_errors=True)
    data.sockets_note.unlink()
