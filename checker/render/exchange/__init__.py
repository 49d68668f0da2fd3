"""Traces in the formats of other tools.

`itf` writes states as Apalache and Quint do, `itf_reader` reads them from strangers. `mermaid` and `shiviz` tell who sent what to
whom, from the events that `render.events` reads from a trace. Nothing here knows where a trace comes from, so runs of
implementations are written by the same functions as paths of a model.
"""
