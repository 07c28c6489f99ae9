"""Processes: exactly those we started are ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marketplace.local.processes import (
    Identity,
    Register,
    bury,
    end,
    has_ended,
    identify,
    is_alive,
    working_in,
)

MARK = "EARNEST_DATA=/somewhere"
Sleeper = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str = "", *, mark: str = MARK) -> "subprocess.Popen[bytes]":
        name, _, value = mark.partition("=")
        program = f"{code}\nprint(flush=True)\nimport time; time.sleep(60)"
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, name: value},
        )
        assert process.stdout
        process.stdout.readline()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def known(process: "subprocess.Popen[bytes]") -> Identity:
    identity = identify(process.pid)
    assert identity
    return identity


def eventually(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.01)
    return fact()


def test_a_recorded_process_that_still_lives_is_a_leftover(
    sleeper: Sleeper, tmp_path: Path
) -> None:
    process = sleeper()
    Register(tmp_path / "processes.json", MARK).add("worker", process.pid)

    left = Register(tmp_path / "processes.json", MARK).leftovers()

    assert left == {"worker": [known(process)]}


def test_a_stranger_who_got_a_recorded_pid_is_left_alone(sleeper: Sleeper, tmp_path: Path) -> None:
    stranger = sleeper(mark="OTHER=program")
    path = tmp_path / "processes.json"
    path.write_text(f'{{"worker": [{stranger.pid}, "another boot/1"]}}')

    assert Register(path, MARK).leftovers() == {}

    end([Identity(stranger.pid, "another boot/1")], [(signal.SIGTERM, 0.1)])
    assert is_alive(known(stranger))


def test_children_of_a_killed_leader_are_leftovers_too(sleeper: Sleeper, tmp_path: Path) -> None:
    fork = "import os, time\nif os.fork() == 0: time.sleep(60)"
    leader = sleeper(fork)
    Register(tmp_path / "processes.json", MARK).add("worker", leader.pid)
    os.kill(leader.pid, signal.SIGKILL)
    assert eventually(lambda: has_ended(leader))

    left = Register(tmp_path / "processes.json", MARK).leftovers()["worker"]
    assert [identity.pid for identity in left] != [leader.pid]
    end(left, [(signal.SIGTERM, 2.0)])

    assert not any(is_alive(identity) for identity in left)


def test_a_stranger_in_a_session_with_a_recorded_number_is_left_alone(
    sleeper: Sleeper, tmp_path: Path
) -> None:
    stranger = sleeper(mark="OTHER=program")
    path = tmp_path / "processes.json"
    path.write_text(f'{{"worker": [{stranger.pid}, "another boot/1"]}}')

    assert Register(path, MARK).leftovers() == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"web": 3}', '{"web": ["x", "y"]}', "\x00"])
def test_a_torn_record_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "processes.json"
    path.write_text(text)
    assert Register(path, MARK).leftovers() == {}


def test_a_zombie_is_not_alive_but_keeps_its_pid_until_buried(sleeper: Sleeper) -> None:
    process = sleeper()
    identity = known(process)
    os.kill(process.pid, signal.SIGKILL)

    assert eventually(lambda: has_ended(process))
    assert not is_alive(identity)
    os.kill(process.pid, 0)
    assert bury(process) == -signal.SIGKILL


def test_ending_goes_on_to_a_signal_that_cannot_be_ignored(sleeper: Sleeper) -> None:
    deaf = sleeper("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    end([known(deaf)], [(signal.SIGTERM, 0.1)])
    assert eventually(lambda: has_ended(deaf))


def test_a_server_is_found_by_its_folder_and_name_not_by_its_folder_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as somebody:
        assert eventually(lambda: [i.pid for i in working_in(tmp_path, "sleep")] == [somebody.pid])
        assert working_in(tmp_path, "postgres") == []
        somebody.kill()
