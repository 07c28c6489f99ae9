"""The same calls to somebody else: shadow runs before a switch, and single calls replayed."""
