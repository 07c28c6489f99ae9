"""The gaming watch: what rows say of rings, self-dealing, one-buyer volume and jumps.

`signs` holds the rules, pure; `sightings` reads the rows and keeps what was seen; `freezing` is
what a person does about it. A sign is a fact with its figures and never a judgement: nothing is
restricted before a person says so.
"""
