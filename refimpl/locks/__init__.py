"""Locks: reference implementations.

`redis_lock` is a lock with a time to live in Redis, and a store that its fencing tokens protect. `row_update` changes a row that
others change, too, in three ways: with a row lock, a version column, and a comparison of the value. `sessions` makes one of
PostgreSQL and MariaDB for it.
"""
