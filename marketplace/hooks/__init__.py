"""Webhooks out: a party's programs are told what its people are, signed, until it arrives."""
