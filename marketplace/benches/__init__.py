"""What `python3 manage.py bench <name>` measures: one module per bench, each with a `run`.

`--quick` takes about a minute on an idle machine and says that it is smaller than the bars are
meant for; `--json` ends with one line `{figure: {"value": ratio, "bar": bar}}`. Judge ratios, on a
machine with nothing else to do. Nothing in production imports this package.
"""
