"""The simulator: asyncio programs under virtual time, with everything that goes wrong decided by one seed.

`loop` is the event loop, `surroundings` what one process sees (clock, disk, messages), `simulation` puts processes
together, strikes them with faults and records what happens.
"""
