"""What a page says of one version of a pact beside the others."""

from django import template

from marketplace.pages.pact_view import ChangeText, change_texts
from marketplace.weakening import stricter_before
from pacts import terms
from pacts.models import PactVersion

register = template.Library()


@register.simple_tag
def stricter(version: PactVersion) -> tuple[PactVersion, list[ChangeText]] | None:
    """The version that promised more, and what this one changed of it; None where none did."""
    before = stricter_before(version)
    if before is None:
        return None
    changes = change_texts(old=terms.parse(before.terms), new=terms.parse(version.terms))
    return before, [one for one in changes if one.direction not in ("new", "stricter", "reworded")]
