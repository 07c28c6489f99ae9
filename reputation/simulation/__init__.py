"""Attacks on standing, run through the real scoring function. Pure; every run follows its seed."""
