"""What people type in a dispute, checked before the domain is asked."""

from typing import Any

from django import forms

from pacts.models import Dispute, Exhibit, Precedent
from pacts.procedure.limits import KIB

MIDDLE = 5_000


class DisputeForm(forms.Form):
    """A challenge to an outcome."""

    ground = forms.ChoiceField(
        choices=[(c.value, c.label) for c in Dispute.Ground if c != Dispute.Ground.HUMAN_REVIEW],
        label="What is it about?",
        initial=Dispute.Ground.PERFORMANCE,
    )
    clauses = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Contested clauses",
        help_text="Leave all of them empty to contest the whole outcome.",
    )
    statement = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        label="What is wrong?",
        help_text="The other side and the adjudicator will read it. Name clauses and tasks.",
    )

    def __init__(self, *args: Any, clauses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clauses"].choices = clauses  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """The other side's answer."""

    answer = forms.CharField(
        max_length=4000, widget=forms.Textarea(attrs={"rows": 5}), label="Your answer"
    )


class AppealForm(forms.Form):
    """Why somebody else should look again."""

    statement = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        label="What does the ruling get wrong?",
        help_text="At least a sentence. Somebody who had no part in the ruling will read it.",
    )


class ExhibitForm(forms.Form):
    """A text, or a file; `body` and `kind` hold what was brought."""

    title = forms.CharField(max_length=200, label="What it shows")
    text = forms.CharField(
        required=False,
        max_length=600_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="As text",
    )
    file = forms.FileField(
        required=False,
        label="Or as a file",
        help_text="Text, CSV, JSON, PNG, JPEG or PDF. Nobody’s browser opens it here.",
    )
    body = b""
    kind = Exhibit.Kind.TEXT

    def __init__(self, *args: Any, largest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.largest = largest
        self.fields["file"].help_text = (
            f"Text, CSV, JSON, PNG, JPEG or PDF, at most {largest // KIB} KiB. "
            "It is kept as a download; nobody’s browser opens it here."
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        upload, text = data.get("file"), data.get("text", "")
        if bool(upload) == bool(text.strip()):
            raise forms.ValidationError("Write a text, or choose a file; one of them.")
        if not upload:
            self.body = text.encode()
            return data
        if upload.size > self.largest:
            raise forms.ValidationError(
                f"The file has {upload.size} bytes; one item has at most {self.largest // KIB} KiB."
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
    """An award with its reasons; `share` is the builder's, in basis points."""

    share = forms.IntegerField(
        min_value=0,
        max_value=10_000,
        label="Builder’s share",
        widget=forms.NumberInput(
            attrs={"type": "range", "min": 0, "max": 10_000, "step": 100, "data-shows": "award"}
        ),
    )
    clauses = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label="Clauses that decide it"
    )
    reasons = forms.CharField(
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 8}),
        label="Reasons",
        help_text="At least a sentence that both sides can follow. Both sides read them; without "
        "names they are published as a precedent.",
    )

    def __init__(self, *args: Any, clauses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clauses"].choices = clauses  # type: ignore[attr-defined]


class ConfirmationForm(forms.Form):
    """What a second person says of a ruling."""

    says = forms.ChoiceField(
        choices=[("confirm", "I confirm this ruling"), ("decline", "I decline it")],
        widget=forms.RadioSelect,
        label="Your decision",
    )
    reasons = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="Reasons",
        help_text="Needed to decline: whoever rules next reads them.",
    )


class RecusalForm(forms.Form):
    """Stepping back from a case."""

    why = forms.CharField(
        required=False, max_length=1000, label="Why you step back", widget=forms.TextInput()
    )


class PrecedentForm(forms.Form):
    """A person takes out of a precedent what the rule has missed."""

    reasons = forms.CharField(
        max_length=9000,
        widget=forms.Textarea(attrs={"rows": 10}),
        label="Text as published",
        help_text="Take out whatever tells who the sides are. The rule looks over it again.",
    )


GROUNDS = [("", "Every ground"), *Precedent._meta.get_field("ground").choices]  # type: ignore[misc]
