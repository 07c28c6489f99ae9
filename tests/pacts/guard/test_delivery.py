"""From the spool to the server: nothing acknowledged is lost, none counts twice."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from pacts.guard import PactGuard
from pacts.guard.records import batch_of, read_record
from pacts.guard.spool import Memory, Spool, SpoolUnusable, frame
from tests.pacts.guard.conftest import Guards
from tests.pacts.guard.receiving import Receiver

ROOT = Path(__file__).resolve().parents[3]


def run(script: str, *arguments: str) -> "subprocess.Popen[str]":
    """A program of somebody else's that uses the guard."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_batch_says_what_the_server_reads(guards: Guards, market: Receiver) -> None:
    guard = guards(labels={"task": "greeting"})
    guard(lambda x: {"said": x})("hi")
    assert guard.flush(5)
    figures, calls = batch_of(market.batches[0])
    assert figures["version"] == "0.1.0"
    assert (figures["seen"], figures["dropped"]) == (1, 0)
    record = read_record(calls[0])
    assert record.output == {"said": "hi"}
    assert record.labels == {"task": "greeting"}
    assert market.headers[0]["Content-Encoding"] == "gzip"


def test_a_busy_server_is_obeyed_before_anything_is_sent_again(
    guards: Guards, market: Receiver
) -> None:
    market.answers.append((429, {"Retry-After": "1"}))
    guard = guards()
    began = time.monotonic()
    guard(lambda: "x")()
    assert guard.flush(10)
    assert time.monotonic() - began >= 0.95
    assert guard.status()["requests"] == 2
    assert len(market.calls) == 1


def test_a_server_that_fails_is_asked_again_until_it_answers(
    guards: Guards, market: Receiver
) -> None:
    market.answers.extend([(503, {}), (500, {}), (401, {})])
    guard = guards()
    guard(lambda: "x")()
    assert guard.flush(10)
    assert len(market.calls) == 1
    assert guard.status()["accepted"] == 1


def test_one_record_the_server_cannot_read_does_not_hold_up_the_rest(
    guards: Guards, market: Receiver
) -> None:
    guard = guards(linger_seconds=0.1, first_pause=0.3)
    agent = guard(lambda i: i)
    market.answers.append((503, {}))  # so that all four wait together, however slow the machine is
    market.answers.extend([(422, {}), (422, {}), (422, {})])
    for i in range(4):
        agent(i)
    assert guard.flush(20)
    assert guard.status()["refused"] == 1
    assert len(market.calls) == 3


def test_what_a_stopped_process_still_owed_is_sent_by_the_next_one(
    guards: Guards, market: Receiver
) -> None:
    market.answers.extend([(503, {"Retry-After": "60"})])
    first = guards()
    first(lambda: "first")()
    assert not first.flush(0.3)
    first.close(0.1)
    second = guards()
    second(lambda: "second")()
    assert second.flush(10)
    assert sorted(record["output"] for record in market.records) == ["first", "second"]


def test_kill_9_loses_nothing_that_was_acknowledged_and_nothing_counts_twice(
    guards: Guards, market: Receiver, tmp_path: Path
) -> None:
    host = run(
        """
        import sys, time
        from pacts.guard import PactGuard
        guard = PactGuard(agent_version="agv_1", base_url=sys.argv[1], spool=sys.argv[2],
                          linger_seconds=0.001, batch_calls=7)
        agent = guard(lambda i: i)
        for i in range(100_000):
            agent(i)
            time.sleep(0.0005)
            if i % 20 == 0:
                print(guard.status()["kept"], flush=True)
        """,
        market.address,
        str(tmp_path / "spool"),
    )
    assert host.stdout is not None
    acknowledged = 0
    while acknowledged < 200:
        acknowledged = int(host.stdout.readline())
    os.kill(host.pid, signal.SIGKILL)
    rest = host.stdout.read().splitlines()  # what it had said before it was killed
    acknowledged = max([acknowledged, *(int(line) for line in rest if line.isdigit())])
    host.wait()
    next_one = guards()
    next_one(lambda: "next")()
    assert next_one.flush(20)
    numbers = sorted(r["output"] for r in market.records if r["output"] != "next")
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= acknowledged


def test_leaving_sends_what_is_pending(market: Receiver, tmp_path: Path) -> None:
    host = run(
        """
        import sys
        from pacts.guard import PactGuard
        guard = PactGuard(agent_version="agv_1", base_url=sys.argv[1], spool=sys.argv[2])
        for i in range(50):
            guard(lambda i: i)(i)
        """,
        market.address,
        str(tmp_path),
    )
    assert host.wait(20) == 0
    assert len(market.calls) == 50


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_sends_its_own_calls_and_none_of_its_parents(
    guards: Guards, market: Receiver
) -> None:
    guard = guards(linger_seconds=0.2)
    agent = guard(lambda who: who)
    agent("parent")
    child = os.fork()
    if child == 0:
        said = 1
        try:
            agent("child")
            said = 0 if guard.flush(10) else 1
        finally:
            os._exit(said)
    assert os.waitpid(child, 0)[1] == 0
    assert guard.flush(10)
    assert sorted(record["output"] for record in market.records) == ["child", "parent"]
    assert market.duplicates == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_guard_that_was_closed_takes_nothing_from_the_child_of_a_fork(
    guards: Guards, market: Receiver, tmp_path: Path
) -> None:
    closed = [guards(spool=tmp_path / str(n)) for n in range(8)]
    for one in closed:
        one(lambda: "before")()
        one.close(10)
    # These take the numbers of the files that the closed guards had open.
    files = [(tmp_path / f"file {n}").open("w") for n in range(40)]
    guard = guards(spool=tmp_path / "own")
    agent = guard(lambda who: who)
    child = os.fork()
    if child == 0:
        said = 1
        try:
            agent("child")
            sent = guard.flush(10)
            for file in files:
                os.fstat(file.fileno())  # raises where it was closed for good
            said = 0 if sent else 1
        finally:
            os._exit(said)
    assert os.waitpid(child, 0)[1] == 0
    for file in files:
        file.close()
    assert sorted(r["output"] for r in market.records) == ["before"] * 8 + ["child"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_workers_of_multiprocessing_leave_nothing_behind(guards: Guards, market: Receiver) -> None:
    guard = guards()
    agent = guard(lambda who: who)
    agent("parent")
    workers = [
        multiprocessing.get_context("fork").Process(target=agent, args=(f"worker {i}",))
        for i in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert guard.flush(10)
    assert len(market.calls) == 4


def test_a_signal_handler_may_make_guarded_calls(guards: Guards, market: Receiver) -> None:
    guard = guards()
    agent = guard(lambda x: x)
    before = signal.signal(signal.SIGALRM, lambda *_: agent("from the handler"))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            agent("from the program")
        signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert agent("still alive") == "still alive"


def test_without_a_server_calls_are_checked_and_counted_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EARNEST_URL", raising=False)
    guard: Any = PactGuard(agent_version="agv_1", spool=None)
    guard(lambda: 1)()
    assert guard.flush(5)
    assert guard.status()["kept"] == 1


def test_an_address_that_answers_nothing_never_hurts_the_caller(tmp_path: Path) -> None:
    guard: Any = PactGuard(agent_version="agv_1", base_url="http://127.0.0.1:9", spool=tmp_path)
    assert guard(lambda: 1)() == 1
    assert not guard.flush(0.2)
    assert "Connection refused" in str(guard.status()["problem"])
    guard.close(0.1)


def test_a_spool_that_cannot_be_written_is_memory_instead(
    guards: Guards, market: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    guard = guards(spool=tmp_path / "file" / "spool")
    guard(lambda: "x")()
    assert guard.flush(5)
    assert len(market.calls) == 1


def test_a_record_cut_off_in_the_middle_ends_its_segment_only(tmp_path: Path) -> None:
    old = Spool(tmp_path)
    assert old.append([b'{"n":1}', b'{"n":2}']) == 2
    segment = next(tmp_path.glob("*/*.seg"))
    old.close()
    with segment.open("ab") as file:
        file.write(frame(b'{"n":3}')[:-2])
    new = Spool(tmp_path)
    assert new.adopt() == 1
    batch = new.due(10, 10_000)
    assert batch is not None
    assert batch.lines == [b'{"n":1}', b'{"n":2}']
    new.sent(batch)
    assert new.due(10, 10_000) is None
    assert new.torn == 1
    assert [folder.name for folder in tmp_path.iterdir()] == [new._own.path.name]
    new.close()


def test_a_flipped_bit_is_found_out(tmp_path: Path) -> None:
    old = Spool(tmp_path)
    old.append([b'{"n":1}', b'{"n":2}'])
    segment = next(tmp_path.glob("*/*.seg"))
    old.close()
    data = bytearray(segment.read_bytes())
    data[-2] ^= 1
    segment.write_bytes(data)
    new = Spool(tmp_path)
    new.adopt()
    batch = new.due(10, 10_000)
    assert batch is not None
    assert batch.lines == [b'{"n":1}']
    new.close()


def test_the_cursor_survives_so_that_what_was_sent_is_not_sent_again(tmp_path: Path) -> None:
    old = Spool(tmp_path)
    old.append([b"1", b"2", b"3"])
    batch = old.due(2, 10_000)
    assert batch is not None
    old.sent(batch)
    old.close()
    new = Spool(tmp_path)
    new.adopt()
    rest = new.due(10, 10_000)
    assert rest is not None
    assert rest.lines == [b"3"]
    new.close()


def test_the_folder_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    living = Spool(tmp_path)
    living.append([b"1"])
    other = Spool(tmp_path)
    assert other.adopt() == 0
    living.close()
    assert other.adopt() == 1
    other.close()


@pytest.mark.parametrize("bounded", ["disk", "memory"])
def test_a_full_outbox_takes_no_more_until_something_was_sent(tmp_path: Path, bounded: str) -> None:
    outbox = Spool(tmp_path, most_bytes=100) if bounded == "disk" else Memory(100)
    assert outbox.append([b"x" * 80, b"y" * 80]) == 1
    assert outbox.append([b"z" * 80]) == 0
    outbox.close()


def test_segments_are_removed_once_they_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pacts.guard.spool.SEGMENT_BYTES", 50)
    spool = Spool(tmp_path, fsync="always")
    for i in range(10):
        spool.append([b"record %d" % i * 5])
    seen = []
    while (batch := spool.due(3, 10_000)) is not None:
        seen.extend(batch.lines)
        spool.sent(batch)
    assert seen == [b"record %d" % i * 5 for i in range(10)]
    assert len(list(tmp_path.glob("*/*.seg"))) == 1
    spool.close()


def test_a_folder_without_write_permission_is_said_to_be_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolUnusable, match="cannot be used"):
        Spool(tmp_path / "file")
