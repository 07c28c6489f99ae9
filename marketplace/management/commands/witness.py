"""`python3 manage.py witness`: cosign the log as a stranger would; needs no database of ours."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from marketplace import witness


class Command(BaseCommand):
    help = "A witness with its own key and memory: --folder DIR [--port N] [--trust VKEY]"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", required=True)
        parser.add_argument("--port", default="8100")
        parser.add_argument("--name", default=witness.NAME)
        parser.add_argument("--trust", action="append", default=[])

    def handle(self, *args: Any, **options: Any) -> None:
        trusted = [word for vkey in options["trust"] for word in ("--trust", vkey)]
        witness.main(
            [
                *("--folder", options["folder"], "--port", options["port"]),
                *("--name", options["name"], *trusted),
            ]
        )
