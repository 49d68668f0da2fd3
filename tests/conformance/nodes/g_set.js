// Every node tells everyone all elements that it has, again and again.
"use strict";
const { me, run, send, others } = require("./runtime");
const elements = new Set();

function gossip() {
  for (const to of others()) send(to, { type: "merge", elements: [...elements] });
}

run({
  add: ({ body }) => { elements.add(body.element); return { type: "add_ok" }; },
  merge: ({ body }) => { body.elements.forEach((e) => elements.add(e)); },
  read: () => ({ type: "read_ok", value: [...elements] }),
}, () => setInterval(gossip, 50));
