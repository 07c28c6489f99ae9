"""What the sample's platform watches from the start: controls over everybody, owned by carol."""

from marketplace import steering
from marketplace.acting import Acting
from marketplace.sample.cast import People
from reputation.clock import database_now
from reputation.controlling import newest

# A broken critical promise in settled work leaves 1,000.00 to be held; a year-old standing asks a
# person to look.
CONTROLS: tuple[dict[str, object], ...] = (
    {
        "name": "Critical promise broken",
        "metric": "critical_breaches",
        "threshold": 0,
        "action": "narrow",
        "limit": 100_000,
    },
    {
        "name": "Evidence grown old",
        "metric": "freshness_days",
        "threshold": 90,
        "action": "escalate",
    },
)


def set_controls(people: People) -> int:
    """Set the platform's controls where they are missing; how many there are."""
    acting = Acting(people.carol)
    for wanted in CONTROLS:
        if not newest().filter(name=wanted["name"]).exists():
            fields = {name: value for name, value in wanted.items() if name != "name"}
            terms = steering.terms_of({"scope": "platform", "cadence_days": 30, **fields})
            steering.set_control(
                acting=acting, name=str(wanted["name"]), terms=terms, now=database_now()
            )
    return len(CONTROLS)
