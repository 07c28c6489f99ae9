"""The text of a pact as people type it: YAML or JSON, each mistake at its line."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from pacts import texts
from pacts.terms import parse
from pacts.texts import Source, TextRefused


class PactForm(forms.Form):
    """The text of a pact in the pact language; `source` holds what was read of it."""

    text = forms.CharField(
        strip=False,
        max_length=texts.MOST_BYTES,
        label=_lazy("Text"),
        help_text=_lazy("YAML or JSON, as you like. The review reads along."),
        widget=forms.Textarea(attrs={"class": "code", "spellcheck": "false", "rows": 34}),
    )
    source: Source | None = None

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            self.source = texts.read(text)
        except TextRefused as error:
            sentence = str(error)
            raise forms.ValidationError(f"{sentence[:1].upper()}{sentence[1:]}.") from error
        if not isinstance(self.source.value, dict):
            raise forms.ValidationError(_("A pact is one object of named fields, not a list."))
        return text

    @staticmethod
    def written(terms: dict[str, Any]) -> str:
        """Terms as the editor shows them: in the order of the language, not of the database."""
        return texts.write_yaml(parse(terms))
