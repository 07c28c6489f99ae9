"""Incidents: what was broken, who answers for it, what was done, and how it ended."""
