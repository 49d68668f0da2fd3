"""What all tests share: no example of Hypothesis has a deadline, since a busy machine is no fault of the code; Ctrl-C works."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("lockstep", deadline=None)
settings.load_profile("lockstep")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # In the background of a shell it is ignored, and what tests start would inherit that and never be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
