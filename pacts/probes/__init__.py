"""Attacks on agents: a pack of probes, planted with secrets of the day and found out by rule."""

from pacts.probes.attack import (
    Attack,
    ProbeFamilyUnknown,
    planted,
    prepare,
    success,
    unseen,
)
from pacts.probes.outcomes import AttackFigures, attack_figures
from pacts.probes.pack import FAMILIES, VERSION, pack_digest

__all__ = [
    "FAMILIES",
    "VERSION",
    "Attack",
    "AttackFigures",
    "ProbeFamilyUnknown",
    "attack_figures",
    "pack_digest",
    "planted",
    "prepare",
    "success",
    "unseen",
]
