#!/usr/bin/env python3
"""The one command: `python3 manage.py up` runs Earnest, `python3 manage.py test` proves it.

Standard library only, because nothing is installed when it starts. It makes `.venv` from the
hashed lock, continues inside it, and hands over to `marketplace.local`, pytest or Django.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".earnest"
DATA = ROOT / ".data"
LOG = DATA / "log" / "environment.log"
RUNTIME_LOCK = ROOT / "requirements.lock"
DEVELOPMENT_LOCK = ROOT / "requirements-dev.lock"
INSTALLER_LOCK = ROOT / "requirements-uv.lock"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
HEARTBEAT_SECONDS = 5

USAGE = """\
python3 manage.py up [--port N] [--data DIR]   run Earnest here; Ctrl-C stops everything
python3 manage.py test [pytest arguments]      run the tests on a real PostgreSQL and Valkey
python3 manage.py environment                  make or refresh .venv with the development tools
python3 manage.py <command>                    any Django command; `help` lists them
"""


class EnvironmentFailed(Exception):
    """A step of making the environment did not work; the text says which and why."""


def main(argv: Sequence[str]) -> None:
    """Make the environment if it is not there yet, enter it, and run the command."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is read before anything checks
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"Earnest needs Python 3.11 or newer; {sys.executable} is {version}.")
    command = argv[1] if len(argv) > 1 else ""
    if command in {"", "-h", "--help"}:
        say(USAGE.rstrip())
        return
    ensure_environment(wanted_lock(command))
    if Path(sys.prefix) != VENV:
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "manage.py"), *argv[1:]])  # noqa: S606
    run(command, list(argv[2:]))


def run(command: str, arguments: list[str]) -> None:
    """Inside the environment: hand over to the part that knows the command."""
    sys.path.insert(0, str(ROOT))
    if command == "up":
        from marketplace.local.up import main as up

        sys.exit(up(arguments))
    if command == "test":
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", "pytest", *test_arguments(arguments)])  # noqa: S606
    if command != "environment":
        from marketplace.local.commands import main as django

        sys.exit(django([command, *arguments]))


def test_arguments(arguments: list[str]) -> list[str]:
    """The whole suite runs on several processes and leaves the slow out; a part runs as asked."""
    chosen = any(not argument.startswith("-") for argument in arguments)
    if chosen or any(
        argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments
    ):
        return arguments
    processes = str(min(4, max(2, os.cpu_count() or 2)))
    marker = [] if any(argument.startswith("-m") for argument in arguments) else ["-m", "not slow"]
    return ["-n", processes, *marker, *arguments]


# --- the environment ---------------------------------------------------------------------------


def wanted_lock(command: str) -> Path:
    """The lock to install: a development environment serves `up` too and is never cut back."""
    development = command in {"test", "environment", "bench"} or (VENV / "bin" / "pytest").exists()
    return DEVELOPMENT_LOCK if development else RUNTIME_LOCK


def fingerprint(lock: Path) -> str:
    """What a stamp must say: this lock, in this place, on this interpreter."""
    digest = hashlib.sha256(lock.read_bytes())
    digest.update(f"{ROOT}\n{PYTHON.resolve()}\n".encode())
    return digest.hexdigest()


def is_ready(lock: Path) -> bool:
    return PYTHON.exists() and STAMP.is_file() and STAMP.read_text() == fingerprint(lock)


def ensure_environment(lock: Path) -> None:
    """Bring `.venv` to the lock; a warm start reads one file. Exits with advice when it cannot."""
    if is_ready(lock):
        return
    try:
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with alone(DATA / "environment.lock"):
            if not is_ready(lock):
                make_environment(lock)
    except (EnvironmentFailed, OSError) as error:
        sys.exit(
            f"earnest: the Python environment could not be made.\n{error}\n\nIt needs a package "
            f"index once: check the network and start again; nothing is lost. (all of it: {LOG})"
        )
    except KeyboardInterrupt:
        sys.exit(130)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file: two starts at once must not write into one environment."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("environment  another start is making it; waiting")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_environment(lock: Path) -> None:
    began = time.monotonic()
    LOG.write_text("")
    STAMP.unlink(missing_ok=True)
    base = getattr(sys, "_base_executable", sys.executable)
    if not fits_interpreter():
        shutil.rmtree(VENV, ignore_errors=True)
        step("making .venv", [base, "-m", "venv", "--without-pip", str(VENV)])
    install(lock, base)
    for packages in VENV.glob("lib/python3*/site-packages"):
        (packages / "earnest.pth").write_text(f"{ROOT}\n")
    STAMP.write_text(fingerprint(lock))
    say(f"environment  ready after {time.monotonic() - began:.1f} s")


def fits_interpreter() -> bool:
    """Whether `.venv` still runs and is of the Python its packages were installed for."""
    if not PYTHON.exists():
        return False
    question = "import sys; print('python%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([PYTHON, "-c", question], capture_output=True, text=True)  # noqa: S603
    return answer.returncode == 0 and (VENV / "lib" / answer.stdout.strip()).is_dir()


def install(lock: Path, base: str) -> None:
    """uv is quick; pip does the same slowly where uv cannot (a mirror only pip knows of)."""
    arguments = ["--require-hashes", "--python", str(PYTHON), str(lock)]
    try:
        step(f"installing {lock.name} with uv", [find_uv(base), "pip", "sync", "-q", *arguments])
    except EnvironmentFailed as error:
        say(f"environment  {str(error).splitlines()[0]}; trying pip")
        pip = [base, "-m", "pip", "--python", str(PYTHON), "install", "-q", "--retries", "1"]
        step(f"installing {lock.name} with pip", [*pip, "--require-hashes", "-r", str(lock)])


def find_uv(base: str) -> str:
    """The machine's own uv, or the pinned one, kept in the data folder."""
    own = DATA / "uv"
    program = own / "bin" / "uv"
    if machine := shutil.which("uv"):
        return machine
    if not runs([str(program), "--version"]):
        if not runs([base, "-m", "pip", "--version"]):
            raise EnvironmentFailed(
                f"{base} has no pip: install it (Debian: apt install python3-pip) or install uv."
            )
        shutil.rmtree(own, ignore_errors=True)
        pip = [base, "-m", "pip", "install", "-q", "--no-cache-dir", "--target", str(own)]
        step("fetching uv", [*pip, "--require-hashes", "-r", str(INSTALLER_LOCK)])
    return str(program)


def runs(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def step(title: str, command: Sequence[str]) -> None:
    """Run one program, saying every few seconds that it still does. Its words go to the log."""
    say(f"environment  {title}")
    began = time.monotonic()
    with LOG.open("a+") as log:
        start = log.tell()
        child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables(), umask=0o022
        )
        try:
            while wait(child) is None:
                say(f"environment  {title}: {time.monotonic() - began:.0f} s{progress()}")
        except KeyboardInterrupt:
            child.terminate()
            child.wait()
            raise
        log.seek(start)
        words = log.read().strip()
    if child.returncode:
        raise EnvironmentFailed(f"{title} failed\n{words[-1500:]}")


def wait(child: subprocess.Popen[bytes]) -> int | None:
    try:
        return child.wait(HEARTBEAT_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def progress() -> str:
    """How many packages have arrived, as a reader of the screen wants to know."""
    arrived = sum(1 for _ in VENV.glob("lib/python3*/site-packages/*.dist-info"))
    return f", {arrived} packages in place" if arrived else ""


def variables() -> dict[str, str]:
    """This environment without what would lead the installers into another one."""
    astray = {"VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "PIP_TARGET"}
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    kept.setdefault("UV_CACHE_DIR", str(DATA / "cache" / "uv"))
    if SYSTEM_CERTIFICATES.exists():  # a company's own authority is in there, not in uv
        kept.setdefault("UV_SYSTEM_CERTS", "1")
    return kept | {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0", "PIP_NO_INPUT": "1"}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv)
