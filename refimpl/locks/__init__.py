"""Locks: reference implementations.

`redis_lock` is a lock with a time to live in Redis, and a store that its fencing tokens protect.
"""
