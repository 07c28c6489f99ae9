"""`python -m tests.faults.people alice bob`: these people with an API key each, as JSON.

A program of its own, because the stack under test is not the test's own Django. It works in the
database it is given and prints `{"alice": "<secret>", "bob": "<secret>"}`.
"""

import json
import sys

import django

ADJUDICATORS = {"carol", "dora", "erin"}


def main() -> None:
    django.setup()
    from django.utils.timezone import now

    from marketplace.keys import issue_key
    from marketplace.models import ApiKey
    from pacts.models import Member
    from tests import cast

    def known(name: str) -> cast.Actor | None:
        """Who is there already: the stack may have served other tests before."""
        member = Member.objects.filter(user__email=f"{name}@example.org").first()
        return cast.Actor(member.user, member.party) if member else None

    secrets = {}
    for name in sys.argv[1:]:
        person = known(name) or cast.actor(name, is_adjudicator=name in ADJUDICATORS)
        issued = issue_key(
            party=person.party,
            user=person.user,
            name="a program",
            scopes=list(ApiKey.Scope.values),
            now=now(),
        )
        secrets[name] = issued.secret
    sys.stdout.write(json.dumps(secrets))


if __name__ == "__main__":
    main()
