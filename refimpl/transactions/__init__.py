"""Transactions over several databases: reference implementations.

`log` is the disk that they share a need for; `two_phase_commit` is the classic protocol, `service` runs it as processes that
talk, and `branches` are its participants' shares in PostgreSQL and MariaDB. `three_phase_commit` does not block when the
coordinator fails, for the price of a round more and a failure detector. `outbox` joins a database and a message broker without a
common commit; `rabbitmq` is its broker. `saga` is a row of transactions, each of which can be made undone. `tcc` has
reservations in the place of locks, and `tcc_rest` is its form over HTTP.
"""
