// A set in which one node never answers a read.
"use strict";
const { me, run, send, others } = require("./runtime");
const elements = new Set();
run({
  add: ({ body }) => {
    elements.add(body.element);
    for (const to of others()) send(to, { type: "merge", element: body.element });
    return { type: "add_ok" };
  },
  merge: ({ body }) => { elements.add(body.element); },
  read: () => (me.id === "n2" ? null : { type: "read_ok", value: [...elements] }),
});
