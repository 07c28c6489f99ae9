"""Everything a party has, as one archive: asked for, packed by a worker, kept for a week."""
