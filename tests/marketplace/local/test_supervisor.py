"""The supervisor: restarts, gives up loudly, stops when asked."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from marketplace.local import supervisor as supervisors
from marketplace.local.folder import DataFolder
from marketplace.local.owner import Owner
from marketplace.local.processes import identify
from marketplace.local.supervisor import (
    Service,
    ServiceFailed,
    StepFailed,
    Stopped,
    Supervisor,
)

ME = Owner(name="me", uid=os.geteuid(), gid=os.getegid(), changes=False)


def service(code: str, **more: object) -> Service:
    command = [sys.executable, "-c", code]
    return Service("service", command, dict(os.environ), Path("/"), ME, **more)  # type: ignore[arg-type]


def test_a_service_that_dies_is_started_again(
    folder: DataFolder, supervisor: Supervisor, place: Path
) -> None:
    lives = place / "lives"
    code = f"import os, time; open({str(lives)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(60)"
    supervisor.start(service(code))
    deadline = time.monotonic() + 10
    killed: set[str] = set()
    while len(killed) < 2 and time.monotonic() < deadline:
        supervisor.look()
        pids = set(lives.read_text().split()) if lives.exists() else set()
        for pid in pids - killed:
            os.kill(int(pid), signal.SIGKILL)
        killed |= pids
        time.sleep(0.02)
    assert len(killed) == 2


def test_one_that_keeps_dying_ends_the_watch_with_its_last_words(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisors, "FIRST_DELAY_SECONDS", 0.0)
    supervisor.start(service("raise SystemExit('no such luck')"))
    with pytest.raises(ServiceFailed, match=r"died 6 times(.|\n)*no such luck"):
        supervisor.watch()


def test_one_that_ends_before_it_answers_is_a_failure_at_once(supervisor: Supervisor) -> None:
    supervisor.start(service("raise SystemExit('bad settings')", ready=lambda: False))
    with pytest.raises(ServiceFailed, match=r"ended with code 1(.|\n)*bad settings"):
        supervisor.wait_ready("service")


def test_one_that_never_answers_is_not_waited_for_forever(supervisor: Supervisor) -> None:
    supervisor.start(service("import time; time.sleep(60)", ready=lambda: False))
    with pytest.raises(ServiceFailed, match="did not answer"):
        supervisor.wait_ready("service", patience=0.1)


def test_children_of_a_killed_service_go_with_it(
    supervisor: Supervisor, place: Path, folder: DataFolder
) -> None:
    note = place / "child"
    code = (
        "import os, time\n"
        f"if (pid := os.fork()): open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{pid}}.')\n"
        "time.sleep(60)"
    )
    supervisor.start(service(code))
    while not note.exists() or not note.read_text().endswith("."):
        time.sleep(0.01)
    leader, child = map(int, note.read_text().rstrip(".").split())
    os.kill(leader, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and identify(child):
        supervisor.look()
        time.sleep(0.02)
    assert identify(child) is None


def test_a_step_that_fails_says_so_with_its_words(supervisor: Supervisor) -> None:
    like = service("")
    code = "import sys; print('relation is gone'); sys.exit(3)"
    with pytest.raises(StepFailed, match=r"migrate ended with code 3(.|\n)*relation is gone"):
        supervisor.run("migrate", [sys.executable, "-c", code], like=like)


def test_a_request_to_stop_ends_the_step_that_is_running(supervisor: Supervisor) -> None:
    supervisor._requests = 1
    began = time.monotonic()
    with pytest.raises(Stopped):
        supervisor.run("sample", ["sleep", "60"], like=service(""))
    assert time.monotonic() - began < 5


def test_a_second_request_kills_what_will_not_listen(supervisor: Supervisor, place: Path) -> None:
    ready = place / "ready"
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(ready)!r}, 'w'); time.sleep(60)"
    )
    supervisor.start(service(deaf, stops=((signal.SIGTERM, 60.0),), ready=ready.exists))
    supervisor.wait_ready("service")
    supervisor._requests = 2
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 5


def test_the_named_services_stop_last(supervisor: Supervisor, place: Path) -> None:
    note = place / "order"
    code = (
        "import signal, sys, time\n"
        "def stop(*_): open({note!r}, 'a').write({name!r}); sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop); open({note!r}, 'a').write('.'); time.sleep(60)"
    )
    for name in ("database", "web"):
        command = [sys.executable, "-c", code.format(note=str(note), name=name)]
        supervisor.start(Service(name, command, dict(os.environ), Path("/"), ME))
    while not note.exists() or note.read_text() != "..":
        time.sleep(0.01)
    supervisor.stop("database")
    assert note.read_text() == "..webdatabase"
