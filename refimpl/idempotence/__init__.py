"""Things that happen once however often they are asked for, and names that are given once: reference implementations.

`snowflake` gives out numbers on many nodes that do not talk to one another; `number_ranges` those of a counter in a database.
"""
