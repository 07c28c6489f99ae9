"""How a run varies its tasks: perturbed, reworded or attacked, each variant a trial of its own.

A clause whose check asks for variants says so through `Check.varies`; clauses that ask for the same
share them. A variant is named `<clause key>/<family>/<number>`, and what the agent is asked follows
from that name, the evaluation's seed and the task alone, so anybody who holds the three can make
the very bytes again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pacts import probes
from pacts.perturb import PARAPHRASE, Draws, perturb
from pacts.probes import Attack
from reputation.canonical import JsonValue

MOST_VARIANTS = 60


class VariantUnknown(LookupError):
    """The pact asks for no such variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What one clause wants varied.

    `each` variants of every family, in the named `fields` of the input. `attack` says where secrets
    and bait are planted. `base` says whether the clause also looks at the task as it is.
    """

    kind: Literal["perturbation", "probe"]
    families: tuple[str, ...]
    each: int
    fields: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    secret_field: str = ""
    base: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What the agent is asked, and the attack in it, if it is one."""

    input: JsonValue
    attack: Attack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A task as far as variants depend on it. `position` is its place in its task set."""

    position: int
    input: JsonValue
    expected: JsonValue = None
    paraphrases: Sequence[Mapping[str, JsonValue]] = ()


@dataclass(frozen=True, slots=True)
class VariantPlan:
    """Every variation of a pact: by the key that names it, and which one each clause looks at."""

    variations: Mapping[str, Variation] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)  # clause key → name of its variation

    def sees(self, clause: str, variant: str) -> bool:
        """Whether a clause looks at a trial of this variant (empty: of the task as it is)."""
        name = self.named.get(clause)
        if not variant:
            return name is None or self.variations[name].base
        return name is not None and variant.split("/")[0] == name

    def names(self, subject: Subject, *, seed: int) -> list[str]:
        """The variants of a task that differ from it: one that changes nothing shows nothing."""
        plain = _written(subject.input)
        return [
            name
            for name in self._possible(subject)
            if _written(self.asked(subject, variant=name, seed=seed).input) != plain
        ]

    def most(self, paraphrases: int = 0) -> int:
        """The most variants one task can have."""
        return sum(
            paraphrases if family == PARAPHRASE else variation.each
            for variation in self.variations.values()
            for family in variation.families
        )

    def asked(self, subject: Subject, *, variant: str, seed: int) -> Asked:
        """What the agent is asked in this variant. Raises VariantUnknown."""
        if not variant:
            return Asked(subject.input)
        name, family, number = _parts(variant)
        variation = self.variations.get(name)
        if variation is None or family not in variation.families:
            raise VariantUnknown(f"the pact asks for no variant {variant!r}")
        draws = Draws("variant", seed, subject.position, variant)
        if variation.kind == "probe":
            attack = probes.prepare(family=family, draws=draws)
            return Asked(
                probes.planted(
                    subject.input,
                    attack,
                    fields=variation.fields,
                    secret_field=variation.secret_field,
                ),
                attack,
            )
        return Asked(
            perturb(
                subject.input,
                family=family,
                fields=variation.fields,
                draws=draws,
                expected=subject.expected,
                remarks=variation.remarks,
                paraphrases=subject.paraphrases,
                number=number,
            )
        )

    def _possible(self, subject: Subject) -> Iterable[str]:
        for name, variation in self.variations.items():
            for family in variation.families:
                each = len(subject.paraphrases) if family == PARAPHRASE else variation.each
                yield from (f"{name}/{family}/{number}" for number in range(each))


def plan_of(wanted: Iterable[tuple[str, Variation | None]]) -> VariantPlan:
    """The plan of a pact from its clauses' keys and what each wants varied, in their order."""
    variations: dict[str, Variation] = {}
    named: dict[str, str] = {}
    for key, variation in wanted:
        if variation is None:
            continue
        same = next((name for name, other in variations.items() if other == variation), None)
        if same is None:
            variations[key] = variation
        named[key] = same or key
    return VariantPlan(variations, named)


def _parts(variant: str) -> tuple[str, str, int]:
    name, _, rest = variant.partition("/")
    family, _, number = rest.partition("/")
    if not number.isdecimal():
        raise VariantUnknown(f"{variant!r} names no variant")
    return name, family, int(number)


def _written(value: JsonValue) -> str:
    """As it goes to the agent: the order of members counts."""
    return json.dumps(value, ensure_ascii=False)
