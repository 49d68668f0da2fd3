"""The kernels of the native engine: one worker's share of a level, and the set of the states seen so far.

**The problem.** A search generates ten successors for each new state, and nearly all of them have been seen before. Whether
one has been seen is a look at a random place of a table that is far larger than any cache: 100 ns and more, in which the
processor could have run a thousand instructions. So everything here is arranged around not waiting for memory.

All of it is written in the kernel language (`words`, `translate`) and is translated together with each spec:

- `loop` has the entry `run`: expands states until some kilobytes of successors are pending, and has them looked up;
- `lookup` looks them up in passes over a batch, so that what one needs from memory arrives while others are dealt with;
- `table` is the set: which slot a state belongs into, and what the slot looks like;
- `growth` has the entries `grow` and `adopt`: a shard moves into a larger table; a resumed search gets its states back;
- `blocks` has the blocks of a level, of which workers take one after the other;
- `probing` has the steps of a search in a small table;
- `again` goes through states of earlier levels again, for the way to a violation;
- `memos` finds what was noted about the state that another one was found from;
- `records` reads, compares, hashes and keeps states;
- `spec` has the functions that every compiled spec defines.

**Resuming.** Whatever `run` returns with, all that it was about stands in the context, and a second call goes on with exactly the
pending successor that the first one stopped at. That it has judged a step, it remembers in CTX_JUDGED; everything else that it
does again has no effect.
"""

from __future__ import annotations

from checker.native.kernels.growth import adopt, grow
from checker.native.kernels.loop import run

__all__ = ["adopt", "grow", "run"]
