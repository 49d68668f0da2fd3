"""Recorded runs held to a spec.

`sightings` reads a record in the words of the spec, `frontier` follows it, `refusals` explains, `validate` judges.
"""
