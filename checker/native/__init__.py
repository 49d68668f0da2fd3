"""The native engine: machines compiled to machine code, explored at the speed of memory.

The interpreter (`checker.engine`) defines what a spec means. This package finds the same states, transitions, depths,
verdicts and traces, only faster. What native code cannot do for one state is handed to the interpreter for that state, so no
answer ever differs. From the outside to the inside:

- `search` is the engine; `tiers` makes code for it, twice, and `cache` keeps it on disk;
- `explorer` drives a search, level by level, with the `workers`; `store` has what it found; `memory` is where that stands;
- `code` compiles a machine; `support` has what compiled machines call;
- `kernels` are the loop and the visited set, and `entries` how they are called; `abi` is what they and a compiled machine
  agree on;
- `translate` turns kernels, which are restricted Python (`words`), into LLVM's text, and `jit` all text into functions.
"""
