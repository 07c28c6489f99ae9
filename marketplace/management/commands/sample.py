"""`manage.py sample`: fill the sample marketplace through the real path, or say who can log in."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from marketplace.sample import seed


class Command(BaseCommand):
    help = "Run the sample marketplace: real agents, real hires. Goes on where it was interrupted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--logins", action="store_true", help="only print the sample logins")

    def handle(self, *args: Any, logins: bool = False, **options: Any) -> None:
        if not logins:
            seed.run(say=self._say)
        for line in seed.logins():
            self._say(line)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
