"""Requests that have one effect however often they are made, and numbers that are given out once: reference implementations.

`idempotency_key` is a payment service that stores the keys of its clients, and such a client; `front` puts HTTP between the two.
`snowflake` gives out numbers on many nodes that do not talk to one another; `number_ranges` those of a counter in a database.
"""
