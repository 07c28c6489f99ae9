"""Which pacts on offer promise less than they did: no standing earned before hides that."""

from collections import defaultdict
from collections.abc import Iterable

from pacts import terms
from pacts.diff import weakens
from pacts.models import PactVersion

_LOOKED_AT = 20  # earlier versions of a pact


def stricter_before(version: PactVersion) -> PactVersion | None:
    """The newest earlier published version that this one owes less than, or may: work done under
    it proves more than this version promises, and is shown with a mark."""
    return stricter_among([version]).get(version.pk)


def stricter_among(versions: Iterable[PactVersion]) -> dict[str, PactVersion]:
    """By id, those of these versions that promise less than an earlier one, with that one.

    One query, however many they are; none where each is its pact's first.
    """
    later = [version for version in versions if version.number > 1]
    if not later:
        return {}
    earlier: dict[str, list[PactVersion]] = defaultdict(list)
    rows = PactVersion.objects.filter(
        pact__in={version.pact_id for version in later}, published_at__isnull=False
    )
    for row in rows.order_by("-number"):
        earlier[row.pact_id].append(row)
    found = {version.pk: _stricter(version, earlier[version.pact_id]) for version in later}
    return {key: before for key, before in found.items() if before}


def _stricter(version: PactVersion, all_of_it: list[PactVersion]) -> PactVersion | None:
    before = [one for one in all_of_it if one.number < version.number][:_LOOKED_AT]
    new = terms.parse(version.terms)
    return next((one for one in before if weakens(old=terms.parse(one.terms), new=new)), None)
