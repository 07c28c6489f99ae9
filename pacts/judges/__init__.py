"""Juries of models: what they are asked, how far they may be believed, and when they may not."""
