"""Implementations in any language, as processes that speak lines of JSON.

`protocol` is what they speak, a superset of Maelstrom's protocol; `process` runs one node and guards against its output;
`services` are what nodes may use; `cluster` is the network between nodes, services and clients; `faults` plans what goes
wrong; `workloads` asks for operations, and `judges` tells what is wrong with the answers; `conform` puts a run together.
"""
