"""Which agents are tried on which tasks, against whose pact, and what that may use."""

import re
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from marketplace.models import Listing
from marketplace.pages.evaluation_forms import BudgetForm
from marketplace.tryouts.starting import MOST
from pacts.models import PactVersion, Party, TaskSetVersion

MOST_OFFERED = 12
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class AgentsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Agents by the slug in their address."""

    def label_from_instance(self, obj: Listing) -> str:
        return f"{obj.agent.name}, version {obj.agent_version.number}"


class PactField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The buyer's own pacts, the newest version of each first."""

    def label_from_instance(self, obj: PactVersion) -> str:
        return f"{obj.pact.title}, version {obj.number}"


class ChoiceForm(forms.Form):
    """Sent by GET, so that a choice has an address; complete once agents and tasks are named."""

    agent = AgentsField(
        Listing.objects.none(),
        to_field_name="slug",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("Agents"),
    )
    set = forms.ModelChoiceField(
        TaskSetVersion.objects.none(),
        required=False,
        label=_("Tasks"),
        empty_label=_("Choose a task set of yours"),
    )
    pact = PactField(
        PactVersion.objects.none(),
        required=False,
        label=_("Held against"),
        empty_label=_("Each agent’s own pact"),
        help_text=_("Under one pact of your own the results compare clause by clause."),
    )

    def __init__(self, data: Any, *, party: Party) -> None:
        sent = _plain(data)
        super().__init__(sent)
        self.party = party
        self.asked = list(dict.fromkeys(sent.getlist("agent")))[: 2 * MOST_OFFERED]
        fields: dict[str, Any] = self.fields
        fields["agent"].queryset = _offered(self.asked)
        fields["set"].queryset = _sets(party, self._work())
        fields["pact"].queryset = _wishes(party)

    def _work(self) -> str:
        """What the first agent chosen does; tasks for other work cannot be tried on it."""
        found = Listing.objects.filter(agent__slug__in=self.asked).values_list("agent__work")
        return next((work for (work,) in found), "")

    def clean_agent(self) -> list[Listing]:
        chosen = {listing.agent.slug: listing for listing in self.cleaned_data["agent"]}
        if len(chosen) > MOST:
            raise forms.ValidationError(
                _("At most %(most)s agents are tried at once; take one off."), params={"most": MOST}
            )
        return [chosen[slug] for slug in self.asked if slug in chosen]

    @property
    def listings(self) -> list[Listing]:
        """The agents, in the order they were chosen."""
        found: list[Listing] = self.cleaned_data["agent"]
        return found

    @property
    def tasks(self) -> TaskSetVersion:
        found: TaskSetVersion = self.cleaned_data["set"]
        return found

    @property
    def wish(self) -> PactVersion | None:
        found: PactVersion | None = self.cleaned_data["pact"]
        return found

    @property
    def is_complete(self) -> bool:
        """Whether there is something to forecast and to start."""
        return bool(self.cleaned_data.get("agent")) and bool(self.cleaned_data.get("set"))

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """The choice as the hidden fields of the forms that start it."""
        pairs = [("agent", slug) for slug in self.asked]
        pairs += [(name, self.data.get(name, "")) for name in ("set", "pact")]
        return [(name, value) for name, value in pairs if value]

    @property
    def query(self) -> str:
        """The choice as an address."""
        return f"?{urlencode(self.chosen)}"

    @property
    def agents_query(self) -> str:
        """The agents alone: for bringing tasks first and coming back."""
        return f"?{urlencode([pair for pair in self.chosen if pair[0] == 'agent'])}"


def _plain(data: Any) -> QueryDict:
    """What was sent, without what no address of ours holds."""
    found = QueryDict(mutable=True)
    for name in ("agent", "set", "pact"):
        found.setlist(name, [one for one in data.getlist(name) if _NAME.fullmatch(one)])
    return found


def _offered(asked: list[str]) -> QuerySet[Listing]:
    """The agents asked for, then open offers of the same kind of work, the newest first."""
    rows = Listing.objects.filter(state=Listing.State.OPEN)
    works = Listing.objects.filter(agent__slug__in=asked).values("agent__work")
    same = rows.filter(agent__work__in=works) if asked else rows
    beside = list(same.order_by("-opened_at").values_list("pk", flat=True)[:MOST_OFFERED])
    shown = rows.filter(Q(pk__in=beside) | Q(agent__slug__in=asked)).annotate(slug=F("agent__slug"))
    return shown.select_related("agent", "agent_version", "pact_version__pact").order_by(
        "agent__name"
    )


def _sets(party: Party, work: str) -> QuerySet[TaskSetVersion]:
    rows = TaskSetVersion.objects.filter(task_set__owner=party, task_set__canaries=False)
    if work:
        rows = rows.filter(task_set__work=work)
    return rows.select_related("task_set").order_by("-created_at")


def _wishes(party: Party) -> QuerySet[PactVersion]:
    rows = PactVersion.objects.filter(pact__buyer=party, published_at__isnull=False)
    return rows.select_related("pact").order_by("-published_at")


class PlanForm(BudgetForm):
    """What each run may use for itself."""
