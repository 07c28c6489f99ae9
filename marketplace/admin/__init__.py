"""The back office, at `/office/`: staff look things up; what happened is only ever read."""

from marketplace.admin import books, disputing, market, money, people, production, proof, work

__all__ = ["books", "disputing", "market", "money", "people", "production", "proof", "work"]
