"""Transactions over several databases: reference implementations.

`two_phase_commit` is the classic protocol, and `service` runs it as processes that talk.
"""
