"""`manage.py standing export | show | recompute`: anybody's standing from the public log alone."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reputation import exports


class Command(BaseCommand):
    help = (
        "export: the public log as JSON lines. recompute FILE: the standing that follows from it, "
        "without a database; with --oracle, whether one agent's public document does. "
        "show: the same bytes, from the stored standings. Compare the two."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name in ("export", "show"):
            actions.add_parser(name).add_argument("--to", type=Path, help="a file, not the screen")
        again = actions.add_parser("recompute")
        again.add_argument("file", type=Path)
        again.add_argument("--to", type=Path, help="a file, not the screen")
        again.add_argument("--against", type=Path, help="exit 1 unless equal to this file")
        again.add_argument("--oracle", type=Path, help="exit 1 unless this document follows")

    def handle(self, *args: Any, action: str, to: Path | None, **options: Any) -> None:
        if action == "recompute":
            self._recompute(to, **options)
        else:
            _write(to, _exported() if action == "export" else _shown())

    def _recompute(
        self,
        to: Path | None,
        *,
        file: Path,
        against: Path | None,
        oracle: Path | None,
        **options: Any,
    ) -> None:
        if oracle is not None:
            self._check_oracle(file, oracle)
            return
        try:
            with file.open(encoding="utf-8") as lines:
                found = exports.recompute(lines)
        except (OSError, exports.ExportMalformed) as error:
            raise CommandError(f"{file}: {error}", returncode=1) from error
        if against is None:
            _write(to, iter([found]))
        elif against.read_bytes() != found:
            raise CommandError(f"{against} is not what {file} comes to", returncode=1)
        else:
            self.stdout.write(f"{against} is, byte for byte, what {file} comes to.")

    def _check_oracle(self, file: Path, oracle: Path) -> None:
        try:
            with file.open(encoding="utf-8") as lines:
                wrong = exports.differences(lines, document=json.loads(oracle.read_text("utf-8")))
        except (OSError, KeyError, ValueError) as error:
            raise CommandError(f"{file}, {oracle}: {error}", returncode=1) from error
        if wrong:
            raise CommandError("\n".join([f"{oracle} is refuted:", *wrong]), returncode=1)
        self.stdout.write(f"every number of {oracle} follows from {file}.")


def _write(to: Path | None, chunks: Iterator[bytes]) -> None:
    stream = to.open("wb") if to else sys.stdout.buffer
    try:
        for chunk in chunks:
            stream.write(chunk)
    finally:
        stream.flush()
        if to:
            stream.close()


def _exported() -> Iterator[bytes]:
    from reputation import standings  # the other action runs where there is no database

    return standings.export()


def _shown() -> Iterator[bytes]:
    from reputation import standings

    yield exports.account(standings.stored())
