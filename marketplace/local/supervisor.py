"""Keeping processes running: start, watch, restart, give up loudly, stop in order."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from marketplace.local import processes
from marketplace.local.folder import DataFolder
from marketplace.local.owner import Owner
from marketplace.local.screen import say

LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
MAX_DEATHS = 5
DEATHS_WINDOW_SECONDS = 60.0
FIRST_DELAY_SECONDS = 0.1
TAIL_BYTES = 2_000


class ServiceFailed(Exception):
    """A service could not be started, or died again and again; the text ends with its log."""


class StepFailed(Exception):
    """A program that had to finish well did not."""


class Stopped(Exception):
    """A person asked us to stop; nothing went wrong."""


@dataclass(frozen=True)
class Service:
    """A program to keep running.

    `before` runs ahead of each start, `ready` says whether the program answers, `stops` are the
    signals that end it with the seconds each may take (SIGKILL follows the last).
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    owner: Owner
    stops: processes.Steps = ((signal.SIGTERM, 4.0),)
    before: Callable[[], None] | None = None
    ready: Callable[[], bool] | None = None


@dataclass
class Running:
    """A service and its present process; None while it waits for its next start."""

    service: Service
    process: "subprocess.Popen[bytes] | None" = None
    start_at: float = 0.0
    deaths: deque[float] = field(default_factory=deque)


@dataclass
class Ending:
    """A program being ended: the signals still to send, and until when the last one has time."""

    process: "subprocess.Popen[bytes]"
    steps: deque[tuple[signal.Signals, float]]
    until: float = 0.0

    def go_on(self, now: float) -> None:
        """Send the next signal when the last had its time; SIGKILL to the group after them."""
        if now < self.until:
            return
        if self.steps:
            sign, seconds = self.steps.popleft()
            os.kill(self.process.pid, sign)
            self.until = now + seconds
        else:
            processes.signal_group(self.process.pid, signal.SIGKILL)


class Supervisor:
    """The processes of one data folder. Use from the main thread: children die with it."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._running: dict[str, Running] = {}
        self._register = processes.Register(folder.processes, folder.mark)
        self._requests = 0

    # --- being asked to stop -------------------------------------------------------------------

    def obey_signals(self) -> None:
        """SIGINT, SIGTERM and a closed terminal stop everything; a second one at once."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if sign == signal.SIGINT or signal.getsignal(sign) is not signal.SIG_IGN:
                signal.signal(sign, self._hear)

    def _hear(self, _sign: int, _frame: FrameType | None) -> None:
        self._requests += 1

    def _rest(self, seconds: float = LOOK_SECONDS) -> None:
        time.sleep(seconds)
        if self._requests:
            raise Stopped

    # --- what an earlier run left --------------------------------------------------------------

    def end_leftovers(self) -> None:
        """End the processes an earlier, killed instance of this folder left running."""
        for name, family in self._register.leftovers().items():
            say(name, f"ending process {family[0].pid}, left over from an earlier run")
            processes.end(family, [(signal.SIGTERM, 2.0)])

    # --- starting ------------------------------------------------------------------------------

    def start(self, service: Service) -> None:
        """Start a service and keep it running from now on. Does not wait for it to answer."""
        running = self._running[service.name] = Running(service)
        self._spawn(running)

    def wait_ready(self, *names: str, patience: float = PATIENCE_SECONDS) -> None:
        """Wait until the named services answer. Raises ServiceFailed, with the log's tail."""
        deadline = time.monotonic() + patience
        waiting = [self._running[name] for name in names]
        while waiting := [running for running in waiting if not self._answers(running)]:
            if time.monotonic() > deadline:
                raise self._failure(waiting[0].service, f"did not answer in {patience:.0f} s")
            self._rest(0.02)

    def _answers(self, running: Running) -> bool:
        """Whether it answers. A first start that ends is a failure, not a thing to repeat."""
        service, process = running.service, running.process
        if process and processes.has_ended(process):
            raise self._failure(service, f"ended with code {self._bury(running)}")
        return service.ready is None or service.ready()

    def _spawn(self, running: Running) -> None:
        service = running.service
        if service.before:
            service.before()
        running.process = processes.spawn(
            service.command,
            environment=service.environment,
            folder=service.folder,
            log=self._log(service.name),
            owner=service.owner,
            death=service.stops[0][0],
        )
        self._register.add(service.name, running.process.pid)

    def _bury(self, running: Running) -> int:
        assert running.process is not None
        code = processes.bury(running.process)
        running.process = None
        self._register.remove(running.service.name)
        return code

    # --- watching ------------------------------------------------------------------------------

    def watch(self) -> None:
        """Restart what dies, until asked to stop (Stopped) or one keeps dying (ServiceFailed)."""
        while True:
            self.look()
            self._rest()

    def run(self, name: str, command: Sequence[str], *, like: Service, shown: bool = False) -> None:
        """Run a program to its end, in the surroundings of `like`, while watching the services.

        Its words go to the screen when `shown`, else to its log. Raises StepFailed.
        """
        process = processes.spawn(
            command,
            environment=like.environment,
            folder=like.folder,
            log=None if shown else self._log(name),
            owner=like.owner,
        )
        self._register.add(name, process.pid)
        try:
            while not processes.has_ended(process):
                self.look()
                self._rest()
        finally:
            code = self._finish(name, process)
        if code:
            words = "" if shown else f"\n{self._tail(name)}"
            raise StepFailed(f"{name} ended with code {code}{words}")

    def _finish(self, name: str, process: "subprocess.Popen[bytes]") -> int:
        self._end([(process, [(signal.SIGTERM, 2.0)])])
        self._register.remove(name)
        return processes.bury(process)

    def look(self) -> None:
        """One look at every service: plan the next start of a dead one, start one that is due."""
        now = time.monotonic()
        for running in self._running.values():
            if running.process is None:
                if now >= running.start_at:
                    self._spawn(running)
            elif processes.has_ended(running.process):
                self._schedule(running, now)

    def _schedule(self, running: Running, now: float) -> None:
        """Plan the next start of a service that died, later each time; give up on the sixth."""
        service = running.service
        code = self._bury(running)
        deaths = running.deaths
        deaths.append(now)
        while deaths[0] < now - DEATHS_WINDOW_SECONDS:
            deaths.popleft()
        if len(deaths) > MAX_DEATHS:
            raise self._failure(service, f"died {len(deaths)} times in a minute, last with {code}")
        delay = FIRST_DELAY_SECONDS * 3 ** (len(deaths) - 1)
        running.start_at = now + delay
        say(service.name, f"ended with code {code}; starting it again in {delay:.1f} s")

    # --- stopping ------------------------------------------------------------------------------

    def stop(self, *last: str) -> None:
        """End everything side by side, but the services named in `last` after it, one by one."""
        if self._requests:
            say("stopping", "a second Ctrl-C kills")
        first = [name for name in self._running if name not in last]
        for stage in (first, *([name] for name in last)):
            group = [self._running.pop(name) for name in stage if name in self._running]
            living = [running for running in group if running.process is not None]
            self._end([(r.process, r.service.stops) for r in living if r.process])
            for running in living:
                self._bury(running)

    def _end(self, group: "Sequence[tuple[subprocess.Popen[bytes], processes.Steps]]") -> None:
        """Signal each program step by step until all have ended; a second request kills at once."""
        endings = [Ending(process, deque(steps)) for process, steps in group]
        while endings := [one for one in endings if not processes.has_ended(one.process)]:
            for ending in endings:
                if self._requests > 1:
                    ending.steps.clear()
                    ending.until = min(ending.until, time.monotonic())
                ending.go_on(time.monotonic())
            time.sleep(0.02)

    # --- telling -------------------------------------------------------------------------------

    def _log(self, name: str) -> Path:
        return self._folder.logs / f"{name}.log"

    def _tail(self, name: str) -> str:
        try:
            return self._log(name).read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""

    def _failure(self, service: Service, fact: str) -> ServiceFailed:
        name = service.name
        return ServiceFailed(f"{name} {fact}; the end of {self._log(name)}:\n{self._tail(name)}")
