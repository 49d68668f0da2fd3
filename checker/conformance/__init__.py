"""Conformance: does an implementation do what its spec says?

`event` tells a step of a spec in names. `mapping` declares what each step is to an implementation, and `adapter` is the
class that carries steps out on one in the same process. `cover` chooses paths through a state graph, and `replay` takes
an adapter along them and compares the states; `mismatch` is what it has to say where they part.

`record` is what happened in a run, whoever drove it. `nodes` runs implementations in other languages as processes, `simulate`
runs asyncio programs under virtual time, and `live` uses running services; `links` is the network of the first two, and
`operations` takes from a record what `histories` judges.
"""
