"""`{% translate %}` that looks each text up once for each language and process."""

from django import template
from django.template import Context
from django.template.base import Parser, Token
from django.templatetags.i18n import TranslateNode, do_translate
from django.utils.translation import get_language

register = template.Library()


class KnownText(template.Node):
    """A text that only depends on the language: catalogues do not change under a process."""

    def __init__(self, node: TranslateNode) -> None:
        self.node = node
        self.said: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        found = self.said.get(language)
        if found is None:
            found = self.said[language] = str(self.node.render(context))
        return found


@register.tag
def translate(parser: Parser, token: Token) -> template.Node:
    """As Django's own tag; texts that stand in the template are kept."""
    node = do_translate(parser, token)
    text = node.filter_expression
    is_known = isinstance(getattr(text.var, "literal", None), str) and not text.filters
    return node if node.asvar or node.noop or not is_known else KnownText(node)
