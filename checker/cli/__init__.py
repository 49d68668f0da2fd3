"""The command `lockstep`. The only layer that reads arguments, writes to streams, and ends a process."""
