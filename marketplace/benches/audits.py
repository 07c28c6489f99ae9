"""The audit at length: the command itself, in a process of its own, timed and weighed."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from marketplace.benches.crowd import BenchFailed
from marketplace.benches.fleet import fleet, surroundings
from marketplace.benches.ground import Ground
from marketplace.local.folder import ROOT

SETTINGS = "marketplace.settings"


@dataclass(frozen=True, slots=True)
class Audited:
    """One run of `manage.py audit`; `peak_mb` is the most memory its process held."""

    entries: int
    escrows: int
    seconds: float
    peak_mb: float

    def __str__(self) -> str:
        return (
            f"  {self.entries:>12,} entries, {self.escrows:,} escrows with receipt and evidence: "
            f"{self.seconds:.1f} s, {self.peak_mb:.0f} MB at most"
        )


def audit_past(server: Ground, *, database: str, entries: int) -> Audited:
    """Write a past with its papers on an open market, then audit all of it. Raises BenchFailed
    unless the audit finds it right.
    """
    url = server.url_of(database)
    server.migrate(url, "reputation", settings=SETTINGS)
    module = "marketplace.benches.settled_past"
    with fleet(module, settings=SETTINGS, url=url, data=server.data) as writer:
        count = writer.call("write_past", entries=entries)
        escrows = writer.call("write_papers")
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "django", "audit", "--skip-checks"],
        env=surroundings(settings=SETTINGS, url=url, data=server.data),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchFailed(f"the audit does not accept the past:\n{said[-1500:]}")
    return Audited(count, escrows, time.perf_counter() - began, usage.ru_maxrss / 1024)
