"""The operating-system user the servers run as. PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """A user and group; `changes` says that it is not the user who started us."""

    name: str
    uid: int
    gid: int
    changes: bool

    def own(self, path: Path) -> None:
        """Give one file or folder to this user."""
        if self.changes:
            os.chown(path, self.uid, self.gid)

    def blocked_at(self, path: Path) -> Path | None:
        """The first folder on the way to `path` that this user may not enter, or None.

        Looks at owner, group and mode, not at access lists, and only as far as folders exist.
        """
        if not self.changes:
            return None
        ways = [*reversed(path.absolute().parents), path.absolute()]
        return next((way for way in ways if way.is_dir() and not self._may_enter(way)), None)

    def _may_enter(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def server_owner() -> Owner:
    """`nobody` when root starts us, otherwise whoever does. No user is ever created."""
    uid = os.geteuid()
    entry = pwd.getpwnam("nobody") if uid == 0 else None
    if entry:
        return Owner(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, changes=True)
    return Owner(name=str(uid), uid=uid, gid=os.getegid(), changes=False)
