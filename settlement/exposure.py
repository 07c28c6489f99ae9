"""How much money may be held in escrow on one agent at once: it follows the agent's standing.

Pure. The table is published: nobody is trusted with more than what the log says it can carry. The
amounts are hundredths (cents) of a currency of two decimals; other currencies count their own
minor units, scaled where they have more than two decimals. Each currency counts by itself.

A new name carries nothing that an old one lost: the agents of a builder, and of the parties it is
connected with (`settlement.kinship`), that have no evidence of their own share what the worst of
them may carry (`shared`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """From this many units and this lower bound (basis points) on, so much may be held."""

    least_units: int
    least_lower_bps: int
    limit: int


NEWCOMER = 2_500_000  # 25,000.00: no rate is known yet
BREACHED = 250_000  # 2,500.00: a dimension is below its floor
STEPS = (
    Step(20, 5_000, 5_000_000),
    Step(100, 7_000, 20_000_000),
    Step(500, 8_500, 100_000_000),
    Step(2_000, 9_500, 500_000_000),
)
_UNIT = 100  # hundredths


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The whole table, in hundredths: what a policy may set. `earned` rises in every column."""

    newcomer: int = NEWCOMER
    breached: int = BREACHED
    earned: tuple[Step, ...] = STEPS

    @property
    def least(self) -> int:
        """What every agent may carry, whatever its standing."""
        return min(self.newcomer, self.breached)

    @property
    def largest(self) -> int:
        """What no standing exceeds."""
        return max(self.newcomer, *(step.limit for step in self.earned))


PUBLISHED = Steps()


def steps_of(values: Mapping[str, int]) -> Steps:
    """The table a policy sets, amounts in whole units: `exposure_new`, `exposure_breached`, and
    `exposure_1_units`, `exposure_1_lower`, `exposure_1_limit` and on; a key it lacks has its
    default."""
    return Steps(
        newcomer=values.get("exposure_new", NEWCOMER // _UNIT) * _UNIT,
        breached=values.get("exposure_breached", BREACHED // _UNIT) * _UNIT,
        earned=tuple(
            Step(
                values.get(f"exposure_{row}_units", step.least_units),
                values.get(f"exposure_{row}_lower", step.least_lower_bps),
                values.get(f"exposure_{row}_limit", step.limit // _UNIT) * _UNIT,
            )
            for row, step in enumerate(STEPS, 1)
        ),
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """Minor units, and the row of the table they come from, in words."""

    amount: int
    because: str


def limit_of(
    *,
    units: int,
    lower_bps: int | None,
    is_breached: bool,
    exponent: int,
    steps: Steps = PUBLISHED,
) -> Limit:
    """What an agent of this standing may carry in a currency of that many decimals."""
    scale = 10 ** max(0, exponent - 2)
    if is_breached:
        return Limit(steps.breached * scale, "a dimension of its standing is breached")
    earned = [
        step
        for step in steps.earned
        if lower_bps is not None and units >= step.least_units and lower_bps >= step.least_lower_bps
    ]
    if not earned:
        return Limit(steps.newcomer * scale, "its standing is new or low")
    best = earned[-1]
    return Limit(
        max(steps.newcomer, best.limit) * scale,
        f"{units} units with a lower bound of {(lower_bps or 0) / 100:.2f} %",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """An agent beside its builder's others: what is held on it, and what it may carry by itself.

    `is_proven`: credible buyers vouch for at least 20 units in every dimension, and it is neither
    breached nor narrowed or suspended by the platform. `is_kin`: its builder is another party, that
    of the agent asked about is connected with.
    """

    held: int
    limit: Limit
    is_proven: bool
    is_kin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What may be held, and what is held already on the agents that share it.

    `kin` of those that share are of connected parties; `by_kin` says that one of theirs is the
    worst.
    """

    held: int
    limit: Limit
    sharing: int = 1
    kin: int = 0
    by_kin: bool = False


def shared(
    of: Carrier, others: Iterable[Carrier], *, exponent: int, steps: Steps = PUBLISHED
) -> Room:
    """What an agent may carry beside its builder's `others`.

    A proven agent carries by itself, and so does everyone while no other carries less than a
    newcomer. Otherwise all that are not proven carry, together, what the worst of them may: who
    registers another agent gains nothing by it.
    """
    alone = Room(held=of.held, limit=of.limit)
    pool = [one for one in others if not one.is_proven]
    if of.is_proven or not pool:
        return alone
    worst = min([of, *pool], key=lambda one: one.limit.amount)
    if worst.limit.amount >= steps.newcomer * 10 ** max(0, exponent - 2):
        return alone
    whose = "" if worst is of else ", on another agent of this builder"
    if worst.is_kin:
        whose = ", on an agent of a party connected with this builder"
    return Room(
        held=of.held + sum(one.held for one in pool),
        limit=Limit(worst.limit.amount, f"{worst.limit.because}{whose}"),
        sharing=1 + len(pool),
        kin=sum(one.is_kin for one in pool),
        by_kin=worst.is_kin,
    )


def suspended(limit: Limit, *, exponent: int, steps: Steps = PUBLISHED) -> Limit:
    """What a listing suspended by the platform leaves to the builder's other agents: no more than
    a breached one would."""
    scale = 10 ** max(0, exponent - 2)
    left = Limit(steps.breached * scale, "the platform suspended its listing")
    return limit if limit.amount <= left.amount else left


def narrowed(limit: Limit, *, to: int, because: str, exponent: int) -> Limit:
    """The lower of what the standing carries and what a control leaves of it (hundredths)."""
    left = to * 10 ** max(0, exponent - 2)
    return limit if limit.amount <= left else Limit(left, because)


def least_limit(exponent: int, steps: Steps = PUBLISHED) -> int:
    """What every agent may carry, whatever its standing."""
    scale: int = 10 ** max(0, exponent - 2)
    return steps.least * scale
