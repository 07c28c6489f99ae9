"""What people type in a dispute, checked before the domain is asked."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels
from marketplace.pages.wording import read_percent
from pacts.models import Dispute, Exhibit
from pacts.procedure.limits import KIB

MIDDLE = 5_000


class DisputeForm(forms.Form):
    """A challenge to an outcome."""

    ground = forms.ChoiceField(
        choices=labels.choices(
            (c.value, c.label) for c in Dispute.Ground if c != Dispute.Ground.HUMAN_REVIEW
        ),
        label=_lazy("What is it about?"),
        initial=Dispute.Ground.PERFORMANCE,
    )
    clauses = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label=_lazy("Contested clauses"),
        help_text=_lazy("Leave all of them empty to contest the whole outcome."),
    )
    statement = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        label=_lazy("What is wrong?"),
        help_text=_lazy("The other side and the adjudicator will read it. Name clauses and tasks."),
    )

    def __init__(self, *args: Any, clauses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clauses"].choices = clauses  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """The other side's answer."""

    answer = forms.CharField(
        max_length=4000, widget=forms.Textarea(attrs={"rows": 5}), label=_lazy("Your answer")
    )


class AppealForm(forms.Form):
    """Why somebody else should look again."""

    statement = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        label=_lazy("What does the ruling get wrong?"),
        help_text=_lazy(
            "At least a sentence. Somebody who had no part in the ruling will read it."
        ),
    )


class ExhibitForm(forms.Form):
    """A text, or a file; `body` and `kind` hold what was brought."""

    title = forms.CharField(max_length=200, label=_lazy("What it shows"))
    text = forms.CharField(
        required=False,
        max_length=600_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_lazy("As text"),
    )
    file = forms.FileField(
        required=False,
        label=_lazy("Or as a file"),
        help_text=_lazy("Text, CSV, JSON, PNG, JPEG or PDF. Nobody’s browser opens it here."),
    )
    body = b""
    kind = Exhibit.Kind.TEXT

    def __init__(self, *args: Any, largest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.largest = largest
        self.fields["file"].help_text = _(
            "Text, CSV, JSON, PNG, JPEG or PDF, at most %(largest)s KiB. It is kept as a "
            "download; nobody’s browser opens it here."
        ) % {"largest": largest // KIB}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        upload, text = data.get("file"), data.get("text", "")
        if bool(upload) == bool(text.strip()):
            raise forms.ValidationError(_("Write a text, or choose a file; one of them."))
        if not upload:
            self.body = text.encode()
            return data
        if upload.size > self.largest:
            raise forms.ValidationError(
                _("The file has %(size)s bytes; one item has at most %(largest)s KiB.")
                % {"size": upload.size, "largest": self.largest // KIB}
            )
        self.body = upload.read()
        self.kind = kind_of(upload.name, self.body)
        return data


def kind_of(name: str, body: bytes) -> Exhibit.Kind:
    """What a file is by its ending; its bytes are checked against that afterwards."""
    endings = {
        "png": Exhibit.Kind.PNG,
        "jpg": Exhibit.Kind.JPEG,
        "jpeg": Exhibit.Kind.JPEG,
        "pdf": Exhibit.Kind.PDF,
        "json": Exhibit.Kind.JSON,
        "csv": Exhibit.Kind.CSV,
    }
    return endings.get(name.rpartition(".")[2].lower(), Exhibit.Kind.TEXT)


class RulingForm(forms.Form):
    """An award with its reasons. The builder's `share` is typed in percent, as a slider says
    nothing of itself where no script runs, and cleaned to basis points."""

    share = forms.CharField(
        max_length=8,
        label=_lazy("Builder’s share in percent"),
        widget=forms.TextInput(
            attrs={
                "inputmode": "decimal",
                "autocomplete": "off",
                "aria-describedby": "id_share_hint",
            }
        ),
    )
    clauses = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_lazy("Clauses that decide it")
    )
    reasons = forms.CharField(
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 8}),
        label=_lazy("Reasons"),
        help_text=_lazy(
            "At least a sentence that both sides can follow. Both sides read them; without "
            "names they are published as a precedent."
        ),
    )

    def __init__(self, *args: Any, clauses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clauses"].choices = clauses  # type: ignore[attr-defined]

    def clean_share(self) -> int:
        share = read_percent(self.cleaned_data["share"])
        if share is None:
            raise forms.ValidationError(
                _("Write the builder’s share in percent, from 0 to 100, like 62.5.")
            )
        return share


class ConfirmationForm(forms.Form):
    """What a second person says of a ruling."""

    says = forms.ChoiceField(
        choices=[("confirm", _lazy("I confirm this ruling")), ("decline", _lazy("I decline it"))],
        widget=forms.RadioSelect,
        label=_lazy("Your decision"),
    )
    reasons = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_lazy("Reasons"),
        help_text=_lazy("Needed to decline: whoever rules next reads them."),
    )


class RecusalForm(forms.Form):
    """Stepping back from a case."""

    why = forms.CharField(
        required=False, max_length=1000, label=_lazy("Why you step back"), widget=forms.TextInput()
    )


class PrecedentForm(forms.Form):
    """A person takes out of a precedent what the rule has missed."""

    reasons = forms.CharField(
        max_length=9000,
        widget=forms.Textarea(attrs={"rows": 10}),
        label=_lazy("Text as published"),
        help_text=_lazy("Take out whatever tells who the sides are. The rule looks over it again."),
    )


GROUNDS = [("", _lazy("Every ground")), *labels.choices(Dispute.Ground.choices)]
