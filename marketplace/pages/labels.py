"""Words that come from rows: states, kinds and codes, said in the visitor's language."""

from django.utils.translation import gettext


def said(label: str) -> str:
    """A label in the visitor's language; what no catalogue knows stays as it is."""
    return gettext(label) if label else label
