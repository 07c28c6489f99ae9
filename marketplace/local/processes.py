"""Processes of the machine: who they are, starting them, ending exactly those we started.

A process is known by its pid and its start time, because pids are used again.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from marketplace.local.owner import Owner

PROC = Path("/proc")
LOG_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child that has dropped its user may not be allowed to read it.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Steps = Sequence[tuple[signal.Signals, float]]


@dataclass(frozen=True)
class Identity:
    """One process for all time: its pid, and when the kernel started it."""

    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """Who has this pid now; None when nobody has, or only a zombie nobody has reaped."""
    fields = _status(pid)
    if fields is None or fields[0].startswith("Z"):
        return None
    return Identity(pid, fields[1])


def is_alive(identity: Identity) -> bool:
    return identify(identity.pid) == identity


def _status(pid: int) -> tuple[str, str] | None:
    """State and start of a process, from /proc, or from `ps` where there is none."""
    if PROC.joinpath("self", "stat").exists():
        try:
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            return None
        return fields[0], f"{_boot()}/{fields[19]}"
    asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
    return (answer[0], " ".join(answer[1:])) if answer else None


def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def working_in(folder: Path, program: str) -> list[Identity]:
    """Processes of `program` (a name) whose working folder is exactly `folder`.

    Servers work in their data folder, so this finds a forgotten one and its children even when
    no record of it was written. Empty where the system has no /proc.
    """
    return [
        identity
        for pid in _pids()
        if _name(pid) == program and _folder(pid) == str(folder)
        if (identity := identify(pid))
    ]


def session_of(leader: int, mark: str) -> list[Identity]:
    """Members of the session `leader` opened that carry `mark` in their environment.

    The mark keeps strangers apart: a session id is a pid, and pids are used again.
    """
    return [
        identity
        for pid in _pids()
        if _session(pid) == leader and _carries(pid, mark)
        if (identity := identify(pid))
    ]


def _pids() -> list[int]:
    if not PROC.is_dir():
        return []
    return [int(entry) for entry in os.listdir(PROC) if entry.isdigit()]


def _name(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def _folder(pid: int) -> str:
    try:
        return os.readlink(PROC / str(pid) / "cwd")
    except OSError:
        return ""


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _carries(pid: int, mark: str) -> bool:
    try:
        return mark.encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


# --- starting ----------------------------------------------------------------------------------


def die_with_parent(sign: signal.Signals) -> Callable[[], None]:
    """What a child runs before it becomes its program: ask for `sign` when we are gone.

    The kernel forgets the wish when the user changes, so it is asked after that.
    """
    parent = os.getpid()

    def ask() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, int(sign))
            if os.getppid() != parent:
                os._exit(1)

    return ask


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path | None,
    owner: Owner,
    death: signal.Signals = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, its words going to `log` (or to the screen)."""
    log_file = open_log(log) if log else None
    changes = owner.changes
    try:
        return subprocess.Popen(  # noqa: S603
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=die_with_parent(death),
            user=owner.uid if changes else None,
            group=owner.gid if changes else None,
            extra_groups=[] if changes else None,
        )
    finally:
        if log_file is not None:
            os.close(log_file)


def open_log(path: Path) -> int:
    """Append to a log; one that has grown large is set aside as `<name>.1` first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.rename(path.with_name(f"{path.name}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


# --- ending ------------------------------------------------------------------------------------


def has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it is over, without reaping it: its zombie keeps the pid from being used again."""
    if process.returncode is not None:
        return True
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    try:
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, options) is not None
    except ChildProcessError:
        return True


def signal_group(pid: int, sign: signal.Signals) -> None:
    """Signal a process group that one of our unreaped children leads."""
    try:
        os.killpg(pid, sign)
    except (ProcessLookupError, PermissionError):
        return


def bury(process: "subprocess.Popen[bytes]") -> int:
    """Reap a child that has ended, after ending whatever it left in its group. Its exit code."""
    if process.returncode is None:
        signal_group(process.pid, signal.SIGKILL)
    return process.wait()


def end(identities: Iterable[Identity], steps: Steps) -> None:
    """Signal strangers' children of ours step by step until all are gone; SIGKILL at the end."""
    left = [identity for identity in identities if is_alive(identity)]
    for sign, seconds in [*steps, (signal.SIGKILL, 5.0)]:
        for identity in left:
            _signal(identity, sign)
        deadline = time.monotonic() + seconds
        while left and time.monotonic() < deadline:
            time.sleep(0.02)
            left = [identity for identity in left if is_alive(identity)]
        if not left:
            return


def _signal(identity: Identity, sign: signal.Signals) -> None:
    if not is_alive(identity):
        return
    try:
        os.kill(identity.pid, sign)
    except ProcessLookupError:
        return


# --- remembering -------------------------------------------------------------------------------


class Register:
    """The children now running, in a file, so that the next start can end what was left over."""

    def __init__(self, path: Path, mark: str) -> None:
        self._path = path
        self._mark = mark
        self._children: dict[str, Identity] = {}

    def add(self, name: str, pid: int) -> None:
        if identity := identify(pid):
            self._children[name] = identity
            self._write()

    def remove(self, name: str) -> None:
        if self._children.pop(name, None):
            self._write()

    def _write(self) -> None:
        """Replace the file whole. No fsync: after a power cut there is nobody left to end."""
        draft = self._path.with_suffix(".new")
        rows = {name: [child.pid, child.started] for name, child in self._children.items()}
        draft.write_text(json.dumps(rows))
        draft.replace(self._path)

    def leftovers(self) -> dict[str, list[Identity]]:
        """By name: the recorded processes that still live, and members of their sessions."""
        found = {}
        for name, child in self._read().items():
            family = {child} if is_alive(child) else set()
            if alive := sorted(family | set(session_of(child.pid, self._mark)), key=_by_pid):
                found[name] = alive
        return found

    def _read(self) -> dict[str, Identity]:
        """What the last run wrote; a torn or foreign file is as good as none."""
        try:
            rows = json.loads(self._path.read_text())
            return {str(name): Identity(int(pid), str(at)) for name, (pid, at) in rows.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}


def _by_pid(identity: Identity) -> int:
    return identity.pid
