"""Bring database and static files up to date, in one Django process.

`python -m marketplace.local.prepare FILE` writes to FILE, as JSON, what the next steps need:
`{"empty": bool, "sample": bool, "log_key": str}`: nobody has an account yet; there is a `sample`
command; what the witness verifies the log by.
"""

import gc
import json
import sys
from pathlib import Path

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands


def main(answer: Path) -> None:
    django.setup()
    from reputation import keys
    from reputation.clock import database_now

    # Migrations make and drop models by the ten thousand; what lives for ever is not looked
    # through each time: a fifth of the work.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    call_command("migrate", interactive=False)
    call_command("collectstatic", interactive=False, verbosity=1)
    facts = {
        "empty": not get_user_model().objects.exists(),
        "sample": "sample" in get_commands(),
        "log_key": str(keys.vkey_of(keys.key_in_use(now=database_now()))),
    }
    answer.write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
