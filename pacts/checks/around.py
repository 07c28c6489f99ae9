"""The kinds that look at many trials of one task, or wait for a jury or people: see each file."""

from collections.abc import Iterable

from pacts.checks import (
    attack_resistance,
    invariance,
    judged,
    judged_anchored,
    reviewed,
    solved_within,
    utility,
    utility_under_attack,
    variant_drop,
    worst_variant,
)
from pacts.checks.check import Check, Proven


def around(single: Iterable[Check]) -> list[Check]:
    """These kinds, around the checks of one answer."""
    plain = Proven({check.kind: check for check in single if not check.needs_repeats})
    return [
        solved_within.over(plain),
        invariance.over(plain),
        worst_variant.over(plain),
        variant_drop.over(plain),
        utility.over(plain),
        utility_under_attack.over(plain),
        attack_resistance.CHECK,
        judged.CHECK,
        judged_anchored.CHECK,
        reviewed.CHECK,
    ]
