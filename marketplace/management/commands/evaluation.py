"""`manage.py evaluation verify FILE`: check an exported run again, offline, without a database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pacts.verification import MOST_SHOWN, NotABundle, verify


class Command(BaseCommand):
    help = "Check an exported evaluation again: every check, every statistic, byte for byte."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["verify"])
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            found = verify(file.read_bytes())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        except NotABundle as error:
            raise CommandError(f"{file} cannot be verified: {error}") from error
        for line in found.as_recorded:
            self.stdout.write(f"taken as recorded: {line}")
        for line in found.differences[:MOST_SHOWN]:
            self.stdout.write(f"differs: {line}")
        if not found.holds:
            raise CommandError(f"{len(found.differences)} differences", returncode=1)
        self.stdout.write(
            f"verified: {found.trials} trials, {found.observations} observations made again"
        )
