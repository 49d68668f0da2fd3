"""What all tests share: no example of Hypothesis has a deadline, since a busy machine is no fault of the code."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("lockstep", deadline=None)
settings.load_profile("lockstep")
