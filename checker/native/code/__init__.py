"""The compiler of machines: from the typed representation to LLVM code over packed states.

From what is laid out to what is written:

- `width` says how many bits a value takes, `packed` where each part of a state lies, `frame` where counters and results do;
- `writer` writes one LLVM function, `unit` keeps what the functions of a module share;
- values: `values` are registers and patterns, `ranks` are numbers of values, `conversion` brings types together;
- states: `state` has the fixed parts, `networks` the messages;
- expressions: `aggregates`, `logic`, `domains` and `traffic` have what becomes of their nodes, `expressions` the nodes, and
  `functions` what is called. Each is a class above the one before, so code has all of it at hand;
- `pitfalls` says what an expression may do besides giving a value, `footprint` what it reads;
- bodies: `sending` has effects and messages, `statements` the rest;
- steps: `program` numbers them, `outcomes` has what all that take steps share, `handlers` calls bodies, `torn` crashes them,
  `deliver` and `surroundings` say when, `expand` puts them together, and `silent` asks about deliveries;
- `judge` asks properties, `seen` notes enum values;
- `module` is the way in: a `Plan` says how a machine is laid out, and writes its module.
"""
