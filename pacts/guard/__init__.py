"""The guard: a client that stands around every production call and never in its way."""
