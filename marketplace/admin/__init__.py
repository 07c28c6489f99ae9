"""The back office, at `/office/`: staff look things up; what happened is only ever read."""

from marketplace.admin import market, money, people, proof, work

__all__ = ["market", "money", "people", "proof", "work"]
