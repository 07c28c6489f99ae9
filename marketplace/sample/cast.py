"""Who plays in the sample: alice buys, bob builds for three houses, carol adjudicates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from marketplace.sample.agents import BUILDERS
from marketplace.sample.task import SampleTask
from pacts.engagements import Timers
from pacts.models import Member, Party, User

Owner = tuple[Party | None, Sequence[SampleTask]]

PASSWORD = "earnest-sample"  # noqa: S105  a sample on loopback, printed at every start
BUYER = "Harbour Street Trading"

# Long enough to look at, short enough that a refund is seen at the first start.
TIMERS = Timers(
    work_seconds=3600, evaluation_seconds=3600, acceptance_seconds=72 * 3600, cure_seconds=20
)


@dataclass(frozen=True, slots=True)
class People:
    """The sample's users and the parties they act for."""

    alice: User
    bob: User
    carol: User
    buyer: Party
    builders: dict[str, Party]


def ensure() -> People:
    """The cast, made where missing."""
    alice, bob = _user("alice"), _user("bob")
    return People(
        alice=alice,
        bob=bob,
        carol=_user("carol", is_adjudicator=True, is_staff=True),
        buyer=_party(BUYER, "Sells by chat, ships by lorry, books orders from mails.", alice),
        builders={made.slug: _party(made.name, made.summary, bob) for made in BUILDERS},
    )


def logins() -> Iterable[str]:
    """The sample's logins, a line each."""
    yield f"Sample logins, password “{PASSWORD}”:"
    yield f"  alice@example.org   buys for {BUYER}"
    yield f"  bob@example.org     builds for {', '.join(made.name for made in BUILDERS)}"
    yield "  carol@example.org   adjudicates, and keeps the platform’s controls; a case waits"


def _user(name: str, *, is_adjudicator: bool = False, is_staff: bool = False) -> User:
    email = f"{name}@example.org"
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(
        email=email,
        password=PASSWORD,
        name=name.title(),
        is_adjudicator=is_adjudicator,
        is_staff=is_staff,
    )


def _party(name: str, about: str, owner: User) -> Party:
    party, _ = Party.objects.get_or_create(name=name, defaults={"about": about})
    Member.objects.get_or_create(party=party, user=owner, defaults={"role": Member.Role.OWNER})
    return party
