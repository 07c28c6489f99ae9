"""Embedded servers: real ones, started over whatever an earlier run left behind."""

import os
import pwd
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from marketplace.local.folder import DataFolder
from marketplace.local.processes import has_ended, identify, working_in
from marketplace.local.servers import ServerRefused, embedded, start_servers
from marketplace.local.supervisor import Supervisor


def ask(urls: dict[str, str], question: str) -> object:
    with psycopg.connect(urls["DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def keep(urls: dict[str, str], number: int) -> None:
    with psycopg.connect(urls["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number integer)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def postmaster(folder: DataFolder) -> int:
    return int((folder.path / "pg" / "postmaster.pid").read_text().split()[0])


def eventually(fact: Callable[[], bool], turn: Callable[[], None] = lambda: None) -> bool:
    deadline = time.monotonic() + 10
    while not fact() and time.monotonic() < deadline:
        turn()
        time.sleep(0.02)
    return fact()


def answers(urls: dict[str, str]) -> bool:
    try:
        return ask(urls, "SELECT 1") == 1 and pings(urls)
    except psycopg.OperationalError:
        return False


def pings(urls: dict[str, str]) -> bool:
    try:
        with redis.Redis.from_url(urls["REDIS_URL"]) as valkey:
            return bool(valkey.ping())
    except redis.ConnectionError:
        return False


def test_both_servers_answer_on_sockets_and_keep_what_they_promise(
    folder: DataFolder, supervisor: Supervisor
) -> None:
    urls = start_servers(folder, supervisor)

    assert ask(urls, "SHOW listen_addresses") == ""
    assert ask(urls, "SHOW fsync") == "on"
    assert ask(urls, "SHOW synchronous_commit") == "on"
    with redis.Redis.from_url(urls["REDIS_URL"]) as valkey:
        assert valkey.config_get("appendonly") == {"appendonly": "yes"}
        assert valkey.config_get("port") == {"port": "0"}
    for name in (".s.PGSQL.5432", "valkey.sock"):
        assert stat.S_IMODE((folder.path / "run" / name).stat().st_mode) == 0o700


def test_data_survive_a_stop_and_a_start(folder: DataFolder) -> None:
    for number in (1, 2):
        supervisor = Supervisor(folder)
        urls = start_servers(folder, supervisor)
        keep(urls, number)
        with redis.Redis.from_url(urls["REDIS_URL"]) as valkey:
            valkey.rpush("kept", number)
            assert valkey.llen("kept") == number
        supervisor.stop("valkey", "postgres")
    assert "shut down" in (folder.logs / "postgres.log").read_text()


@pytest.mark.usefixtures("as_root")
def test_servers_of_root_run_as_nobody(folder: DataFolder, supervisor: Supervisor) -> None:
    start_servers(folder, supervisor)
    owner = Path(f"/proc/{postmaster(folder)}").stat().st_uid
    assert owner == (folder.path / "pg").stat().st_uid != 0


def test_a_user_who_is_not_root_runs_them_as_itself(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("every other test of this file shows it")
    user = pwd.getpwnam("nobody")
    home = place / "of a user"
    home.mkdir()
    os.chown(home, user.pw_uid, user.pw_gid)
    code = (
        "import os, sys, psycopg; from pathlib import Path; from marketplace.local import servers\n"
        "servers.postgres_programs(), servers.valkey_program()\n"
        f"os.setgroups([]); os.setgid({user.pw_gid}); os.setuid({user.pw_uid})\n"
        "with servers.embedded(servers.DataFolder(Path(sys.argv[1])), 'test') as urls:\n"
        "    psycopg.connect(urls['DATABASE_URL']).close()\n"
        "    print(os.stat(sys.argv[1] + '/pg').st_uid)\n"
    )
    command = [sys.executable, "-c", code, str(home / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Permission denied" in done.stderr:
        pytest.skip("this checkout is private to root")
    assert done.stdout.endswith(f"{user.pw_uid}\n"), done.stderr


def test_a_server_forgotten_by_a_killed_run_is_ended_first(
    folder: DataFolder, supervisor: Supervisor
) -> None:
    forgotten = Supervisor(folder)
    keep(start_servers(folder, forgotten), 7)
    first = postmaster(folder)

    folder.processes.unlink()
    urls = start_servers(folder, supervisor)

    assert identify(first) is None
    assert ask(urls, "SELECT number FROM kept") == 7
    forgotten.stop()


def test_a_killed_server_nobody_has_reaped_does_not_block_the_next(
    folder: DataFolder, supervisor: Supervisor
) -> None:
    killed = Supervisor(folder)
    keep(start_servers(folder, killed), 7)
    zombie = postmaster(folder)
    os.kill(zombie, signal.SIGKILL)
    assert eventually(lambda: identify(zombie) is None)
    assert Path(f"/proc/{zombie}").exists()

    urls = start_servers(folder, supervisor)

    assert ask(urls, "SELECT number FROM kept") == 7
    killed.stop()


def test_a_stale_pid_file_that_names_a_living_stranger_harms_neither(
    folder: DataFolder, supervisor: Supervisor
) -> None:
    first = Supervisor(folder)
    start_servers(folder, first)
    text = (folder.path / "pg" / "postmaster.pid").read_text()
    first.stop("valkey", "postgres")
    with subprocess.Popen(["sleep", "60"]) as stranger:
        stale = "\n".join([str(stranger.pid), *text.split("\n")[1:]])
        (folder.path / "pg" / "postmaster.pid").write_text(stale)

        assert answers(start_servers(folder, supervisor))
        assert stranger.poll() is None
        stranger.kill()


def test_a_cluster_whose_making_was_cut_short_is_made_again(
    folder: DataFolder, supervisor: Supervisor
) -> None:
    half = folder.path / "pg.init"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    assert answers(start_servers(folder, supervisor))
    assert not half.exists()


def test_a_cluster_of_another_version_is_refused_with_advice(
    folder: DataFolder, supervisor: Supervisor
) -> None:
    (folder.path / "pg").mkdir()
    (folder.path / "pg" / "PG_VERSION").write_text("12\n")
    with pytest.raises(ServerRefused, match="made by PostgreSQL 12"):
        start_servers(folder, supervisor)


def test_a_long_path_with_spaces_is_no_obstacle(place: Path) -> None:
    folder = DataFolder(place / ("a long, long name " * 6))
    with embedded(folder, "test", durable=False) as urls:
        assert answers(urls)
        sockets = Path(folder.sockets_note.read_text())
    assert not sockets.exists()


def test_killed_servers_are_running_again_at_the_next_looks(
    folder: DataFolder, supervisor: Supervisor
) -> None:
    urls = start_servers(folder, supervisor)
    keep(urls, 7)
    valkey = working_in(folder.path / "valkey", "valkey-server")[0].pid
    for pid in (postmaster(folder), valkey):
        os.kill(pid, signal.SIGKILL)

    assert eventually(lambda: not answers(urls))
    assert eventually(lambda: answers(urls), turn=supervisor.look)
    assert ask(urls, "SELECT number FROM kept") == 7


def test_servers_end_with_a_run_that_is_killed(folder: DataFolder) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from marketplace.local.servers import DataFolder, embedded\n"
        "with embedded(DataFolder(Path(sys.argv[1])), 'test'): print(flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        assert run.stdout
        assert eventually(lambda: (folder.path / "run" / "valkey.sock").exists())
        while run.stdout.readline() not in {b"\n", b""}:
            pass
        pid = postmaster(folder)
        run.kill()
        assert eventually(lambda: has_ended(run))
    assert eventually(lambda: identify(pid) is None)
    assert eventually(lambda: not working_in(folder.path / "valkey", "valkey-server"))
