"""Transactions over several databases: reference implementations.

`log` is the disk that they share a need for; `two_phase_commit` is the classic protocol, and `service` runs it
as processes that talk.
"""
