"""Searches as people and programs ask them, keep them under a name, and are told of changes."""
