"""Rows of the access table about the language of the site."""

from marketplace.access_rules import FOUNDERS, PUBLIC, USERS, Table

API: Table = {"api:language": {"GET": USERS, "PUT": FOUNDERS}}

PAGES: Table = {"language": {"POST": PUBLIC}}
