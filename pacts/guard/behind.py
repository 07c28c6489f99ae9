"""Everything that happens behind the caller: the queue, the thread that records, the upload.

`offer` is all that runs in the caller's thread. It takes no lock, so a signal handler or a
destructor may call it at any point; a full queue drops the newest call and counts it.
"""

import contextlib
import itertools
import logging
import sys
import threading
import time
import weakref
from _thread import allocate_lock
from collections import deque

from pacts.guard import spans
from pacts.guard.capture import weight
from pacts.guard.captured import Captured
from pacts.guard.clauses import Clause
from pacts.guard.recording import Recorder
from pacts.guard.settings import Settings
from pacts.guard.spool import Memory, Spool, SpoolUnusable
from pacts.guard.uploading import Outbox, Server, Uploader

log = logging.getLogger("pacts.guard")

# The recording thread gives way this often, so that a caller waits for the interpreter no longer
# than a slice; real sleeps, since after sleep(0) the same thread would often go on at once.
SLICE_SECONDS = 500e-6
YIELD_SECONDS = 50e-6
MOST_LINES = 200


class Counter:
    """Counts without a lock: `next` of itertools.count is one step of the interpreter."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self.add = self._count.__next__

    @property
    def value(self) -> int:
        return int(repr(self._count)[6:-1])


class Behind:
    """One process's queue, threads and outbox. After a fork the child makes a new one."""

    def __init__(self, settings: Settings, clauses: tuple[Clause, ...], server: Server | None):
        self._settings = settings
        self._recorder = Recorder(settings, clauses)
        self._server = server
        self._queue: deque[Captured] = deque()
        self._bell = allocate_lock()
        self._bell.acquire()
        self._asleep = False
        self._weight = 0
        self._started = False
        self._starting = threading.Lock()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._outbox: Outbox | None = None
        self._uploader: Uploader | None = None
        self._quiet = threading.Event()
        self.seen, self.dropped, self.broken = Counter(), Counter(), Counter()
        self.kept = 0

    def offer(self, captured: Captured) -> None:
        """Take a call, in a few microseconds. Never raises."""
        self.seen.add()
        heavy = weight(captured.output) + weight(captured.input)
        full = len(self._queue) >= self._settings.most_pending
        if full or self._weight + heavy > self._settings.memory_bytes:
            self.dropped.add()
            return
        self._weight += heavy
        self._queue.append(captured)
        if not self._started:
            self.start()
        if self._asleep:
            self._ring()

    def start(self) -> None:
        """Start the threads, once."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._started or self._stopping:
                return
            self._started = True
            if self._server is not None:
                self._prepare_upload(self._server)
            self._run("recording", self._record_all)
            _finish_in_children(self)
        finally:
            self._starting.release()

    def flush(self, seconds: float) -> bool:
        """Wait until everything seen so far is recorded and the server has it; whether it has."""
        until = time.monotonic() + seconds
        while self._started and not self._settled():
            if time.monotonic() >= until:
                return False
            self._ring()
            time.sleep(0.005)
        return not self._queue

    def close(self, seconds: float) -> None:
        """Record what is pending, try to send it, and end the threads. What could not be sent
        stays in the spool."""
        self._stopping = True
        if not self._started:
            return
        self.flush(seconds)
        self._ring()
        if self._uploader is not None:
            self._uploader.stop()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(seconds, 0.2))
        self._started = False
        if self._outbox is not None and not any(thread.is_alive() for thread in self._threads):
            self._outbox.close()

    @property
    def closed(self) -> bool:
        """Whether it was told to end."""
        return self._stopping

    def abandon(self) -> None:
        """In the child of a fork: leave everything to the parent."""
        if self._outbox is not None:
            self._outbox.abandon()

    def figures(self) -> dict[str, int]:
        """The counts a batch carries."""
        return {"seen": self.seen.value, "kept": self.kept, "dropped": self.dropped.value}

    def status(self) -> dict[str, int | str]:
        """Every count there is, and the last problem in words."""
        uploader = self._uploader
        return {
            **self.figures(),
            "pending": len(self._queue),
            "unreadable": self.broken.value,
            "accepted": uploader.accepted if uploader else 0,
            "duplicates": uploader.duplicates if uploader else 0,
            "refused": uploader.refused if uploader else 0,
            "requests": uploader.requests if uploader else 0,
            "torn": self._outbox.torn if self._outbox else 0,
            "problem": uploader.problem if uploader else "",
        }

    def _settled(self) -> bool:
        if self._queue or not self._quiet.is_set():
            return False
        return self._uploader is None or self._uploader.idle.is_set()

    def _ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _run(self, name: str, target: object) -> None:
        thread = threading.Thread(target=target, name=f"earnest-{name}", daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _prepare_upload(self, server: Server) -> None:
        settings = self._settings
        self._outbox = _outbox(settings)
        self._uploader = Uploader(
            self._outbox,
            server,
            figures=self.figures,
            most_calls=settings.batch_calls,
            most_bytes=settings.batch_bytes,
            seconds=settings.request_seconds,
            first_pause=settings.first_pause,
        )
        self._run("upload", self._uploader.run)

    def _record_all(self) -> None:
        """The recording thread's life: wait, let a batch gather, record it in small pieces."""
        while not self._stopping or self._queue:
            if not self._queue:
                self._rest()
                continue
            self._quiet.clear()
            try:
                self._record_some()
            except Exception:
                log.warning("calls could not be recorded", exc_info=True)
                time.sleep(0.1)
        self._quiet.set()

    def _rest(self) -> None:
        self._quiet.set()
        self._weight = 0  # counting without a lock drifts; an empty queue weighs nothing
        self._asleep = True
        if not self._queue:
            self._bell.acquire(timeout=1.0)
        self._asleep = False
        if not self._stopping:
            time.sleep(self._settings.linger_seconds)

    def _record_some(self) -> None:
        lines: list[bytes] = []
        since = time.perf_counter()
        while self._queue and len(lines) < MOST_LINES:
            captured = self._queue.popleft()
            self._weight -= weight(captured.output) + weight(captured.input)
            line = self._line(captured)
            if line is not None:
                lines.append(line)
            if not self._stopping and time.perf_counter() - since > SLICE_SECONDS:
                time.sleep(YIELD_SECONDS)
                since = time.perf_counter()
        if self._outbox is None or self._uploader is None:
            self.kept += len(lines)
            return
        taken = self._outbox.append(lines)
        self.kept += taken
        for _ in lines[taken:]:
            self.dropped.add()
        self._uploader.hint()

    def _line(self, captured: Captured) -> bytes | None:
        try:
            record = self._recorder.record(captured)
            line = self._recorder.line(record)
        except Exception:
            self.broken.add()
            log.debug("a call could not be recorded", exc_info=True)
            return None
        if self._settings.tracer is not None:
            spans.emit(self._settings.tracer, captured, record)
        return line


def _outbox(settings: Settings) -> Outbox:
    folder = settings.spool_folder()
    if folder is not None:
        try:
            return Spool(folder, fsync=settings.fsync, most_bytes=settings.spool_bytes)
        except SpoolUnusable as error:
            log.warning("%s; calls are kept in memory only", error)
    return Memory(settings.memory_bytes)


def _finish_in_children(behind: Behind) -> None:
    """Children of multiprocessing leave without atexit; its own finalizers do run."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is None or process is None or process.parent_process() is None:
        return
    held, seconds = weakref.ref(behind), behind._settings.exit_seconds

    def finish() -> None:
        alive = held()
        if alive is not None:
            alive.close(seconds)

    util.Finalize(None, finish, exitpriority=10)
