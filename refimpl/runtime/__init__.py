"""What a process of a reference implementation needs of its surroundings, and how it gets that on a real machine.

`interface` names it, `tcp` and `files` provide it with sockets and files. A simulator provides the same. `log` makes of a
disk what protocols rest on: records that are forced.
"""
