"""Earnest's own processes on one machine: web, worker, beat, and the sample's agents."""

import http.client
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

from marketplace.local.folder import ROOT, DataFolder
from marketplace.local.owner import Owner
from marketplace.local.supervisor import Service
from marketplace.witness import Witness

THREADS = 8
AGENT_PORTS = range(20_000, 32_000)
AGENTS_MODULE = "marketplace.sample.agents"
# Rows are the queue, so a worker may be cut short: what it held is claimed again.
WORKER_STOPS = ((signal.SIGTERM, 3.0), (signal.SIGQUIT, 2.0))


class PortTaken(Exception):
    """Another program listens on a port we need."""


class SampleAgent(Protocol):
    """What `marketplace.sample.agents.AGENTS` holds."""

    @property
    def name(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def wsgi(self) -> str: ...


def variables(folder: DataFolder, urls: Mapping[str, str], public_url: str) -> dict[str, str]:
    """The environment of Earnest's processes when they run for one person on this machine."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "PYTHONUNBUFFERED": "1",
        "EARNEST_DATA": str(folder.path),
        "EARNEST_DEVELOPMENT": "1",
        "EARNEST_EGRESS_ALLOW_LOOPBACK": "1",
        "EARNEST_PUBLIC_URL": public_url,
        "EARNEST_SAMPLE_CONTROL": str(folder.path / "sample-control"),
    }
    secret = os.environ.get("EARNEST_SECRET_KEY") or folder.secret("secret-key")
    return {**os.environ, **urls, **ours, "EARNEST_SECRET_KEY": secret}


def gunicorn(name: str, port: int, application: str) -> list[str]:
    """One process with threads. No control socket: it would lie in the user's home."""
    return [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1"),
        *("--worker-class", "gthread", "--threads", str(THREADS), "--graceful-timeout", "3"),
        *("--name", name, "--no-control-socket", "--access-logfile", "-", application),
    ]


def celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "marketplace.celery", *arguments]


def ours(
    name: str, command: Sequence[str], owner: Owner, surroundings: Mapping[str, str]
) -> Service:
    """A Django process of ours, running as whoever started us."""
    environment = {**surroundings, "EARNEST_PROCESS": name}
    return Service(name, command, environment, ROOT, owner)


def web(port: int, owner: Owner, surroundings: Mapping[str, str]) -> Service:
    """The web server. Each of its threads may hold a connection of psycopg's pool."""
    command = gunicorn("earnest", port, "marketplace.wsgi:application")
    environment = {**surroundings, "EARNEST_PROCESS": "web", "EARNEST_WEB_POOL": str(THREADS)}
    return Service("web", command, environment, ROOT, owner, ready=answers(port))


def worker(owner: Owner, surroundings: Mapping[str, str]) -> Service:
    processes = str(min(4, max(2, os.cpu_count() or 2)))
    quiet = ("--loglevel", "INFO", "--without-gossip", "--without-mingle")
    command = celery("worker", "--concurrency", processes, *quiet)
    environment = {**surroundings, "EARNEST_PROCESS": "worker"}
    return Service("worker", command, environment, ROOT, owner, stops=WORKER_STOPS)


def beat(folder: DataFolder, owner: Owner, surroundings: Mapping[str, str]) -> Service:
    schedule = folder.path / "beat" / "schedule"
    schedule.parent.mkdir(exist_ok=True)
    command = celery("beat", "--schedule", str(schedule), "--pidfile=", "--loglevel", "INFO")
    return ours("beat", command, owner, surroundings)


def answers(port: int) -> Callable[[], bool]:
    """A question: does anything speak HTTP on this port?"""

    def ask() -> bool:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            line.request("GET", "/")
            line.getresponse().read()
        except OSError:
            return False
        finally:
            line.close()
        return True

    return ask


def is_free(port: int) -> bool:
    """Whether we could listen there now."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def witness(
    folder: DataFolder, log_key: str, owner: Owner, surroundings: Mapping[str, str]
) -> tuple[Service, str]:
    """The witness beside this log, and how the settings name it. A stranger to us as well.

    On one machine it shows how witnesses work; one that protects anybody runs somewhere else.
    """
    home = folder.path / "witness"
    port = agent_ports(folder.path / "witness-port.json", ["witness"])["witness"]
    vkey = Witness(home).vkey
    command = [sys.executable, "-m", "marketplace.witness", "--folder", str(home)]
    options = ["--port", str(port), "--trust", log_key]
    service = Service(
        "witness", [*command, *options], strangers(), ROOT, owner, ready=answers(port)
    )
    return service, f"{vkey} http://127.0.0.1:{port}/"


def strangers() -> dict[str, str]:
    """What programs get that are no part of the platform: no key, database or queue."""
    known = ("PATH", "HOME", "LANG", "TMPDIR")
    passed = {name: os.environ[name] for name in known if name in os.environ}
    return {**passed, "PYTHONUNBUFFERED": "1", "TZ": "UTC"}


# --- the sample's agents -----------------------------------------------------------------------


def sample_agents() -> tuple[SampleAgent, ...]:
    """The agents of the sample marketplace; none where the sample is not installed."""
    package = AGENTS_MODULE.rpartition(".")[0]
    if find_spec(package) is None or find_spec(AGENTS_MODULE) is None:
        return ()
    return cast("tuple[SampleAgent, ...]", import_module(AGENTS_MODULE).AGENTS)


def agent_services(
    folder: DataFolder, agents: Sequence[SampleAgent], owner: Owner, surroundings: Mapping[str, str]
) -> list[Service]:
    """One small web server per agent. Strangers to us: they get no key, database or queue."""
    ports = agent_ports(folder.path / "sample-agents.json", [agent.slug for agent in agents])
    control = surroundings["EARNEST_SAMPLE_CONTROL"]
    Path(control).mkdir(mode=0o700, exist_ok=True)
    environment = strangers() | {
        "EARNEST_DATA": str(folder.path),
        "EARNEST_SAMPLE_CONTROL": control,
    }
    return [
        Service(
            f"agent-{agent.slug}",
            gunicorn(agent.slug, ports[agent.slug], agent.wsgi),
            {**environment, "EARNEST_SAMPLE_AGENT": agent.slug},
            ROOT,
            owner,
            ready=answers(ports[agent.slug]),
        )
        for agent in agents
    ]


def agent_ports(path: Path, slugs: Sequence[str]) -> dict[str, int]:
    """A port for each agent, chosen free once and kept: registered addresses stay true.

    Raises PortTaken when somebody else has one of them now.
    """
    ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    for slug in slugs:
        if slug not in ports:
            ports[slug] = _choose_port(ports.values())
        elif not is_free(ports[slug]):
            raise PortTaken(
                f"port {ports[slug]} belongs to the sample agent {slug} (see {path}), but another "
                f"program listens on it: end that program and start again"
            )
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(ports, indent=1))
    draft.replace(path)
    return ports


def _choose_port(taken: Iterable[int]) -> int:
    """Below the ports systems lend to outgoing connections, and not a neighbour's by habit."""
    given = set(taken)
    while True:
        port = secrets.choice(AGENT_PORTS)
        if port not in given and is_free(port):
            return port
