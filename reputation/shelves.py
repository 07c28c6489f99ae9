"""Where each part of the fold's state is kept: one table per part, row for value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.models import Q

from reputation.credibility import Builder, Buyer, Share, Tie, TieKey
from reputation.fold import OpenDispute, Run, ShareKey
from reputation.models import (
    BuilderReach,
    BuyerShare,
    BuyerStanding,
    BuyerTie,
    OpenRun,
    Standing,
    UnruledDispute,
    VersionRecord,
)
from reputation.tallies import METHOD, Key, Record, Tally, VersionKey

K = TypeVar("K")
V = TypeVar("V")
_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Shelf(Generic[K, V]):
    """One part of `reputation.fold.State` and its table.

    `keys` are the columns of the key, in its order. A value's fields are columns of the same name
    unless `renamed` says otherwise; `constant` columns are the same in every row.
    """

    part: str
    model: type[models.Model]
    keys: tuple[str, ...]
    key: Callable[..., K]
    value: Callable[..., V]
    renamed: Mapping[str, str] = field(default_factory=dict)
    constant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, str]:
        """Field of the value → column."""
        named: Any = self.value
        return {one.name: self.renamed.get(one.name, one.name) for one in fields(named)}

    def find(self, wanted: Q) -> dict[K, V]:
        """The stored rows that fit, as the fold takes them."""
        return self.read(self.model._default_manager.filter(wanted))

    def read(self, rows: Iterable[models.Model]) -> dict[K, V]:
        """Rows as the fold takes them."""
        return {
            self.key(*(getattr(row, name) for name in self.keys)): self.value_of(row)
            for row in rows
        }

    def value_of(self, row: models.Model) -> V:
        """One row as the fold takes it; database decimals are whole numbers here."""
        return self.value(
            **{name: _whole(getattr(row, column)) for name, column in self.columns.items()}
        )

    def store(self, before: Mapping[K, V], after: Mapping[K, V]) -> None:
        """Write what differs."""
        gone = [key for key in before if key not in after]
        if gone:  # only parts whose key is the primary key lose rows
            self.model._default_manager.filter(pk__in=gone).delete()
        changed = [key for key in after if after[key] != before.get(key)]
        self.model._default_manager.bulk_create(
            [self._row(key, after[key]) for key in sorted(changed)],  # type: ignore[type-var]
            update_conflicts=True,
            unique_fields=list(self.keys),
            update_fields=[*self.columns.values(), *self.constant],
            batch_size=_BATCH,
        )

    def _row(self, key: K, value: V) -> models.Model:
        parts = key if isinstance(key, tuple) else (key,)
        return self.model(
            **dict(zip(self.keys, parts, strict=True)),
            **{column: getattr(value, name) for name, column in self.columns.items()},
            **self.constant,
        )


def _whole(value: Any) -> Any:
    return int(value) if hasattr(value, "as_tuple") else value


TALLIES: Shelf[Key, Tally] = Shelf(
    part="tallies",
    model=Standing,
    keys=("agent_id", "version_id", "dimension"),
    key=Key,
    value=Tally,
    renamed={"first_at": "first_evidence_at", "last_at": "last_evidence_at"},
    constant={"method": METHOD},
)
SHARES: Shelf[ShareKey, Share] = Shelf(
    part="shares",
    model=BuyerShare,
    keys=("agent_id", "version_id", "dimension", "buyer_id"),
    key=ShareKey,
    value=Share,
)
BUYERS: Shelf[str, Buyer] = Shelf(
    part="buyers", model=BuyerStanding, keys=("buyer_id",), key=str, value=Buyer
)
TIES: Shelf[TieKey, Tie] = Shelf(
    part="ties", model=BuyerTie, keys=("buyer_id", "builder_id"), key=TieKey, value=Tie
)
BUILDERS: Shelf[str, Builder] = Shelf(
    part="builders", model=BuilderReach, keys=("builder_id",), key=str, value=Builder
)
RECORDS: Shelf[VersionKey, Record] = Shelf(
    part="records",
    model=VersionRecord,
    keys=("agent_id", "version_id"),
    key=VersionKey,
    value=Record,
)
RUNS: Shelf[str, Run] = Shelf(
    part="runs", model=OpenRun, keys=("evaluation_id",), key=str, value=Run
)
DISPUTES: Shelf[str, OpenDispute] = Shelf(
    part="disputes", model=UnruledDispute, keys=("dispute_id",), key=str, value=OpenDispute
)
SHELVES: tuple[Shelf[Any, Any], ...] = (
    TALLIES,
    SHARES,
    BUYERS,
    TIES,
    BUILDERS,
    RECORDS,
    RUNS,
    DISPUTES,
)
