"""The platform's policy as it stood at a moment: what every floor may ask, and nobody changes here.

Work lives under the policy of its own moment: an engagement, and everything that follows from it,
under that of its proposal. Versions are made in `marketplace.policy`.
"""

from collections.abc import Mapping
from datetime import datetime

from pacts.models import Engagement, PolicyVersion
from pacts.procedure.limits import Rules
from pacts.procedure.ruleset import rules_of


def version_at(moment: datetime) -> PolicyVersion | None:
    """The version in force at this moment; at exactly a change it is the new one."""
    return PolicyVersion.objects.filter(changed_at__lte=moment).order_by("-number").first()


def values_at(moment: datetime) -> Mapping[str, int]:
    """The settings that differed from their defaults at this moment."""
    version = version_at(moment)
    return version.values if version else {}


def rules_for(engagement: Engagement) -> Rules:
    """The rules of disputes an engagement was proposed under."""
    return rules_of(values_at(engagement.proposed_at))
