"""Histories: what clients saw of a system, judged without looking inside.

`history` pairs events to operations, `edn` and `reading` read and write them. `models` say what operations mean, `search` and
`ordered` look for an order that explains all answers: linearizability and sequential consistency. `sessions` judges session
guarantees and causal consistency, `unordered` what needs no order. Transactions: `list_append` and `rw_register` find
dependencies, `dependencies` and `anomalies` their cycles, `isolation` what levels are left. `judge` puts all of that behind two
names, `verdict` is what comes out, `report` shows it.
"""
