"""`python3 manage.py translations`: what the catalogues lack; `--write` brings them up to date."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import refused


class Command(BaseCommand):
    help = "Count the site's texts and those without a translation; exit 1 if there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="merge and compile the catalogues")
        parser.add_argument("--json", action="store_true", help="the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from marketplace import catalogue, markings
        except ImportError as error:
            raise CommandError(f"{error.name} comes with the development requirements") from None
        if options["write"]:
            for language in catalogue.TRANSLATED:
                catalogue.keep(language)
        states = {one: catalogue.state_of(one) for one in catalogue.TRANSLATED}
        unmarked = markings.unmarked_everywhere()
        if options["json"]:
            self.stdout.write(json.dumps(_counts(states, unmarked)))
        else:
            self._say(states, unmarked)
        lacking = any(one.missing or one.fuzzy or one.differing for one in states.values())
        if lacking or unmarked:
            raise CommandError("not every text is translated", returncode=1)

    def _say(self, states: dict[str, Any], unmarked: dict[str, list[str]]) -> None:
        for language, state in states.items():
            self.stdout.write(
                f"{language}: {state.texts:,} texts, {len(state.missing)} without a translation, "
                f"{len(state.fuzzy)} to look over, {len(state.differing)} with other placeholders"
            )
            known = refused.table(language)
            self.stdout.write(
                f"{language}: {len(known):,} sentences of lower floors; the others stay English"
            )
            for text in [*state.missing, *state.fuzzy, *state.differing]:
                self.stdout.write(f"  {text!r}")
        for template, texts in unmarked.items():
            self.stdout.write(f"{template}: not marked: {texts}")


def _counts(states: dict[str, Any], unmarked: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "unmarked": sum(map(len, unmarked.values())),
        "languages": {
            language: {
                "texts": state.texts,
                "missing": len(state.missing),
                "fuzzy": len(state.fuzzy),
                "differing": len(state.differing),
            }
            for language, state in states.items()
        },
    }
