"""Rows of the access table about the language of the site."""

from marketplace.access_rules import PUBLIC, Table

PAGES: Table = {"language": {"POST": PUBLIC}}
