"""Simulation: long runs through models that are too large to explore.

`draws` makes one step of a state at random without listing all of them, and makes it again elsewhere. `schedules` says who is
asked first. `goals` looks at the properties along a run, `shrink` makes a run that shows something as short as it can, and
`simulator` is the engine that puts them together.
"""
