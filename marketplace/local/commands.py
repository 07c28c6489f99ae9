"""Django's commands, with the servers they need."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from django.core.management import execute_from_command_line

from marketplace.local.folder import ROOT, DataFolder, FolderInUse, FolderUnreachable
from marketplace.local.programs import variables
from marketplace.local.servers import ServerMissing, ServerRefused, embedded
from marketplace.local.supervisor import ServiceFailed

PATIENCE_SECONDS = 60.0
PUBLIC_URL = "http://127.0.0.1:8000"
# A bench starts a server of its own, in a folder of its own.
WITHOUT_SERVERS = {"help", "version", "--version", "collectstatic", "bench", "witness"}


def main(arguments: Sequence[str]) -> int:
    """Run one Django command; exit code. With `DATABASE_URL` set nothing is started or changed."""
    alone = arguments[0] in WITHOUT_SERVERS or list(arguments[:2]) == ["standing", "recompute"]
    if "DATABASE_URL" in os.environ or alone:
        run(arguments)
        return 0
    folder = DataFolder(Path(os.environ.get("EARNEST_DATA") or ROOT / ".data"))
    try:
        run_with_servers(folder, arguments)
    except (FolderInUse, FolderUnreachable, ServerMissing, ServerRefused, ServiceFailed) as error:
        sys.stderr.write(f"earnest: {error}\n")
        return 1
    return 0


def run_with_servers(folder: DataFolder, arguments: Sequence[str]) -> None:
    """On the servers of a running `up`, else on servers of our own that end with the command.

    While another command has servers of its own we wait for it: they would end under our feet.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            valkey = "REDIS_URL" not in os.environ
            with embedded(folder, f"manage.py {arguments[0]}", valkey=valkey) as urls:
                return run(arguments, variables(folder, urls, PUBLIC_URL))
        except FolderInUse:
            if urls := folder.published():
                return run(arguments, variables(folder, {}, PUBLIC_URL) | urls)
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def run(arguments: Sequence[str], environment: dict[str, str] | None = None) -> None:
    os.environ.update(environment or {})
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    execute_from_command_line(["manage.py", *arguments])
