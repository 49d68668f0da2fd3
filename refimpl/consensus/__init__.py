"""Consensus: reference implementations of protocols by which several servers agree.

`raft` keeps copies of one log, and `raft_service` and `store` make a key-value store of it; `paxos` agrees on one value, and
`pbft` does so among liars. In each of them a protocol is a class that gets messages and sends some, and a service runs it with
sockets, a disk and timers. `python -m refimpl.consensus` starts one process of either.
"""
