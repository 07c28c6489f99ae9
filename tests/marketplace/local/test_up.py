"""`manage.py up`: the whole command, as a person runs it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from marketplace.local.folder import ROOT, DataFolder
from marketplace.local.processes import PROC, identify
from marketplace.local.programs import PortTaken, agent_ports, is_free

PATIENCE_SECONDS = 90
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def up(folder: DataFolder) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []
    taken_away = {"DATABASE_URL", "REDIS_URL", "EARNEST_DATA"}
    environment = {n: v for n, v in os.environ.items() if n not in taken_away}

    def start(*arguments: str, **more: str) -> "subprocess.Popen[str]":
        own = [sys.executable, "-m", "marketplace.local", "--no-sample"]
        command = [*own, "--data", str(folder.path), *arguments]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**environment, **more},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)


def address(process: "subprocess.Popen[str]") -> str:
    """Wait for the address; fails with everything said before when there is none."""
    said = []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"Earnest is at (\S+)", line):
            return found[1]
    raise AssertionError("".join(said))


def family(folder: DataFolder) -> list[int]:
    """Every process of this folder that lives, whoever its parent is."""
    named = [pid for pid in map(int, filter(str.isdigit, os.listdir(PROC))) if of(folder, pid)]
    return [pid for pid in named if identify(pid)]


def of(folder: DataFolder, pid: int) -> bool:
    try:
        files = [(PROC / str(pid) / name).read_bytes() for name in ("cmdline", "environ")]
        return str(folder.path).encode() in b"\0".join(files)
    except OSError:
        return False


def keep_a_row(folder: DataFolder) -> None:
    with psycopg.connect(folder.published()["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")


def kept_row(folder: DataFolder) -> int:
    with psycopg.connect(folder.published()["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT number FROM kept").fetchone()
        assert row
        return int(row[0])


def test_it_runs_survives_the_death_of_everything_and_stops_when_asked(
    up: Start, folder: DataFolder
) -> None:
    first = up("--port", "0")
    address(first)
    keep_a_row(folder)
    for pid in (first.pid, *family(folder)):
        os.kill(pid, signal.SIGKILL)

    second = up("--port", "0")
    address(second)
    assert kept_row(folder) == 7
    names = json.loads(folder.processes.read_text())
    assert set(names) == {"postgres", "valkey", "web", "worker", "beat", "witness"}

    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=20) == 0
    deadline = time.monotonic() + 2
    while family(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert family(folder) == []


def test_a_taken_port_is_refused_with_the_way_to_choose_another(up: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = up("--port", str(other.getsockname()[1]))
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert re.search(r"port \d+ is not free(.|\n)*up --port \d+", said)


def test_a_second_up_in_one_folder_is_refused(up: Start, folder: DataFolder) -> None:
    with folder.held("manage.py up"):
        process = up("--port", "0")
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert f"{folder.path} is in use by manage.py up (process {os.getpid()})" in said


def test_given_servers_are_used_and_none_started(up: Start, folder: DataFolder) -> None:
    given = {"DATABASE_URL": "postgresql:///x?host=/nowhere", "REDIS_URL": "unix:///nowhere?db=0"}
    process = up("--port", "0", **given)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "using DATABASE_URL as given" in said
    assert "prepare ended with code 1" in said
    assert "/nowhere" in said
    assert not (folder.path / "pg").exists()
    assert not (folder.path / "valkey").exists()


def test_agents_keep_their_ports_and_new_ones_get_others(tmp_path: Path) -> None:
    path = tmp_path / "sample-agents.json"
    first = agent_ports(path, ["one", "two"])
    second = agent_ports(path, ["two", "three"])
    assert second == {**first, "three": second["three"]}
    assert len(set(second.values())) == 3
    assert all(is_free(port) for port in second.values())


def test_a_taken_port_of_an_agent_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sample-agents.json"
    ports = agent_ports(path, ["one"])
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports["one"]))
        other.listen()
        with pytest.raises(PortTaken, match=f"port {ports['one']} .*sample agent one"):
            agent_ports(path, ["one"])
