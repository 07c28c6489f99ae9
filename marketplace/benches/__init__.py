"""What `manage.py bench <name>` measures: one module per bench, each with a `run`.

Nothing in production imports this package.
"""
