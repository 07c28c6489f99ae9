"""What a builder chooses when it has a standing signed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _lazy

from marketplace import credentials
from marketplace.pages.wording import work_title
from reputation.queries import AgentStanding

USUAL_DAYS = 30


class CredentialForm(forms.Form):
    """Which dimensions, for whom, for how long: what the API's POST takes."""

    dimensions = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label=_lazy("Dimensions"),
        help_text=_lazy("None chosen: all of them, with what they come to together."),
    )  # fmt: skip
    audience = forms.CharField(
        max_length=120, required=False, label=_lazy("For whom"),
        help_text=_lazy("The one marketplace it is meant for. Empty: everybody."),
    )  # fmt: skip
    days = forms.IntegerField(
        min_value=1, max_value=credentials.LONGEST.days, initial=USUAL_DAYS, required=False,
        label=_lazy("Valid for days"),
        help_text=_lazy("1 to %(days)s.") % {"days": credentials.LONGEST.days},
    )  # fmt: skip

    def __init__(self, data: Any = None, *, standing: AgentStanding) -> None:
        super().__init__(data, auto_id="credential_%s")
        proven = sorted(name for name, one in standing.dimensions.items() if not one.is_new)
        chosen: Any = self.fields["dimensions"]
        chosen.choices = [(name, work_title(name)) for name in proven]

    def wanted(self) -> dict[str, Any]:
        """What was chosen, for `credentials.issue`. Raises `CredentialRefused`."""
        if not self.is_valid():
            (field, (reason, *_)), *_ = self.errors.items()
            raise credentials.CredentialRefused(f"{self[field].label}: {reason}")
        return {**self.cleaned_data, "days": self.cleaned_data["days"] or USUAL_DAYS}
