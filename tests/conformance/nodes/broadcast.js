// Every message goes to every neighbour until the neighbour acknowledges it.
"use strict";
const { me, run, ask, others } = require("./runtime");
const seen = new Set();
let near = null;

async function pass(to, message) {
  while ((await ask(to, { type: "pass", message })) === null) {
    if (me.bug === "sends-once") return;
  }
}

function learn(message, from) {
  if (seen.has(message)) return;
  seen.add(message);
  for (const to of near ?? others()) if (to !== from) pass(to, message);
}

run({
  topology: ({ body }) => { near = body.topology[me.id]; return { type: "topology_ok" }; },
  broadcast: ({ src, body }) => { learn(body.message, src); return { type: "broadcast_ok" }; },
  pass: ({ src, body }) => { learn(body.message, src); return { type: "pass_ok" }; },
  read: () => ({ type: "read_ok", messages: [...seen] }),
});
