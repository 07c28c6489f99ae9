"""What changed for a search, in one line and in the language of the moment."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

UNNAMED = "…"  # in the row, where the name would be; the name is drawn when it is read


def kept(*, came: int, went: int) -> list[dict[str, dict[str, str]]]:
    """The counts as the row of news keeps them."""
    return [{"values": {"came": str(came), "went": str(went)}}]


def title_from(values: Mapping[str, str], *, name: str) -> str:
    """The title from what `kept` wrote and the search's name of now."""
    return title_of(name=name, came=int(values["came"]), went=int(values["went"]))


def title_of(*, name: str, came: int, went: int) -> str:
    """How many agents newly fit the search of that name, and how many no longer do."""
    line = ngettext(
        "%(count)s agent newly fits “%(name)s”", "%(count)s agents newly fit “%(name)s”", came
    ) % {"count": came, "name": name}
    if not went:
        return line
    if not came:
        return ngettext(
            "%(count)s agent no longer fits “%(name)s”",
            "%(count)s agents no longer fit “%(name)s”",
            went,
        ) % {"count": went, "name": name}
    return _("%(came)s, %(count)s no longer") % {"came": line, "count": went}
