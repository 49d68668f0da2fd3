"""Requests that may be repeated: reference implementations.

`idempotency_key` is a payment service that stores the keys of its clients, and such a client; `front` puts HTTP between the two.
"""
