"""`manage.py up`: everything Earnest needs, running on this machine until Ctrl-C."""

import argparse
import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marketplace.local import programs
from marketplace.local.folder import ROOT, DataFolder, FolderInUse, FolderUnreachable
from marketplace.local.owner import Owner
from marketplace.local.programs import PortTaken
from marketplace.local.screen import say
from marketplace.local.servers import ServerMissing, ServerRefused, start_servers, stop_all
from marketplace.local.supervisor import Service, ServiceFailed, StepFailed, Stopped, Supervisor

REFUSALS = (
    FolderInUse,
    FolderUnreachable,
    ServerMissing,
    ServerRefused,
    ServiceFailed,
    StepFailed,
    PortTaken,
)
MANAGE = [sys.executable, str(ROOT / "manage.py")]


def main(arguments: Sequence[str]) -> int:
    """Run everything; 0 when a person stopped it, 1 with a reason when it could not go on."""
    asked = parse(arguments)
    folder = DataFolder(Path(asked.data))
    try:
        with folder.held("manage.py up"):
            Instance(folder, asked.port, sample=asked.sample).live()
    except Stopped:
        say("stopped", "everything is as it was; start again with the same command")
    except REFUSALS as error:
        sys.stderr.write(f"earnest: {error}\n")
        return 1
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    parser.add_argument("--port", type=port, default=8000, help="of the pages; 0 takes a free one")
    parser.add_argument(
        "--data",
        default=os.environ.get("EARNEST_DATA") or str(ROOT / ".data"),
        help="folder of the database, keys and logs",
    )
    parser.add_argument(
        "--no-sample",
        action="store_false",
        dest="sample",
        help="neither the sample marketplace nor its agents",
    )
    return parser.parse_args(arguments)


def port(words: str) -> int:
    number = int(words)
    if not 0 <= number <= 65535:
        raise ValueError(words)
    return number


class Instance:
    """One life of `up` in a data folder that is already held."""

    def __init__(self, folder: DataFolder, port: int, *, sample: bool) -> None:
        self._folder = folder
        self._port = port
        self._sample = sample
        self._supervisor = Supervisor(folder)
        self._owner = Owner(name="", uid=os.geteuid(), gid=os.getegid(), changes=False)

    def live(self) -> None:
        """Start in order, watch, and whatever happens stop in order."""
        began = time.monotonic()
        self._supervisor.obey_signals()
        try:
            self._supervisor.end_leftovers()
            self._take_port()
            surroundings = self._start_servers()
            facts = self._prepare(surroundings)
            surroundings |= self._start_witness(surroundings, facts["log_key"])
            self._start_services(surroundings)
            say("ready", f"{self._address} after {time.monotonic() - began:.1f} s")
            self._tell_sample(surroundings, facts)
            say("", f"\n  Earnest is at {self._address}   (Ctrl-C stops everything)\n")
            self._supervisor.watch()
        finally:
            stop_all(self._folder, self._supervisor)

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _take_port(self) -> None:
        if self._port == 0:
            with socket.socket() as line:
                line.bind(("127.0.0.1", 0))
                self._port = line.getsockname()[1]
        elif not programs.is_free(self._port):
            raise PortTaken(
                f"port {self._port} is not free: another program listens there, or it needs more "
                f"rights; choose another one: python3 manage.py up --port {self._port % 60000 + 1}"
            )

    def _start_servers(self) -> dict[str, str]:
        """PostgreSQL and Valkey, each unless its address was given; the children's environment."""
        given = {n: os.environ[n] for n in ("DATABASE_URL", "REDIS_URL") if os.environ.get(n)}
        for name in given:
            say("servers", f"using {name} as given")
        began = time.monotonic()
        urls = given | start_servers(
            self._folder,
            self._supervisor,
            postgres="DATABASE_URL" not in given,
            valkey="REDIS_URL" not in given,
        )
        self._folder.publish({**urls, "EARNEST_PUBLIC_URL": self._address})
        say("servers", f"answer after {time.monotonic() - began:.1f} s")
        return programs.variables(self._folder, urls, self._address)

    def _prepare(self, surroundings: dict[str, str]) -> dict[str, Any]:
        say("database", "bringing tables and static files up to date")
        answer = self._folder.path / "prepared.json"
        command = [sys.executable, "-m", "marketplace.local.prepare", str(answer)]
        self._supervisor.run("prepare", command, like=self._like("prepare", surroundings))
        return dict(json.loads(answer.read_text()))

    def _start_witness(self, surroundings: dict[str, str], log_key: str) -> dict[str, str]:
        """A witness of the log, unless the surroundings name others; the setting that names it."""
        if surroundings.get("EARNEST_LOG_WITNESSES"):
            return {}
        service, named = programs.witness(self._folder, log_key, self._owner, surroundings)
        self._supervisor.start(service)
        self._supervisor.wait_ready(service.name)
        return {"EARNEST_LOG_WITNESSES": named}

    def _start_services(self, surroundings: dict[str, str]) -> None:
        """Agents, web, worker and beat start side by side; those with a port are waited for."""
        sample = programs.sample_agents() if self._sample else ()
        agents = programs.agent_services(self._folder, sample, self._owner, surroundings)
        if agents:
            say("agents", f"starting {len(agents)} sample agents")
        say("web", "starting web, worker and beat")
        started = [
            programs.web(self._port, self._owner, surroundings),
            programs.worker(self._owner, surroundings),
            programs.beat(self._folder, self._owner, surroundings),
            *agents,
        ]
        for service in started:
            self._supervisor.start(service)
        self._supervisor.wait_ready(*[service.name for service in started if service.ready])

    def _tell_sample(self, surroundings: dict[str, str], facts: dict[str, Any]) -> None:
        """Play the sample on an empty database, or go on with one that was cut short.

        A failed sample does not end `up`: the pages already answer, and the next start goes on.
        """
        if not (self._sample and facts["sample"]):
            return
        pending = self._folder.path / "sample-pending"
        playing = facts["empty"] or pending.exists()
        command = [*MANAGE, "sample", *([] if playing else ["--logins"])]
        if playing:
            pending.touch()
            say("sample", f"real hires on an empty market; {self._address} already shows them")
        like = self._like("sample", surroundings)
        try:
            self._supervisor.run("sample", command, like=like, shown=True)
        except StepFailed as error:
            say("sample", f"{error}; the next start goes on with it")
        else:
            pending.unlink(missing_ok=True)

    def _like(self, name: str, surroundings: dict[str, str]) -> Service:
        return programs.ours(name, [], self._owner, surroundings)
