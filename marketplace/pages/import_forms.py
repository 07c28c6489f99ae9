"""The form that brings a run log."""

from django import forms

from pacts import imports

MOST_BYTES = 48_000_000


class ImportForm(forms.Form):
    """A file or archive; which of its runs, where it holds several."""

    file = forms.FileField(
        label="Run log", help_text="A file, or a .zip, .tar, .xz or .gz of one or many."
    )
    format = forms.ChoiceField(
        required=False,
        choices=[("", "Recognise it"), *imports.titles().items()],
        help_text="Only where it is not recognised.",
    )
    agent_name = forms.CharField(
        required=False,
        max_length=200,
        label="Whose run",
        help_text="As the file names the agent, where it holds several.",
    )
    benchmark = forms.CharField(
        required=False, max_length=200, help_text="As the file names it, where it holds several."
    )

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                f"The file has more than {MOST_BYTES // 10**6} MB; pack it, or bring a part of it."
            )
        return file
