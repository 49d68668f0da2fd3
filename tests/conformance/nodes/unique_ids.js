// Identifiers from the node, the time at which it was started, and a counter.
"use strict";
const { me, run } = require("./runtime");
const started = `${Date.now()}-${process.pid}`;
let count = 0;
run({
  generate: () => {
    count += 1;
    if (me.bug === "counter-only") return { type: "generate_ok", id: count };
    if (me.bug === "forgets-restarts") return { type: "generate_ok", id: `${me.id}-${count}` };
    return { type: "generate_ok", id: `${me.id}-${started}-${count}` };
  },
});
