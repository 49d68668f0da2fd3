// A grow-only counter of increments and one of decrements for each node; the larger of two numbers is the newer one.
"use strict";
const { me, run, send, others } = require("./runtime");
const plus = {}, minus = {};
let heard = 0, sum = 0;

function gossip() {
  for (const to of others()) send(to, { type: "merge", plus, minus });
}

function merge(mine, theirs) {
  for (const id of Object.keys(theirs)) mine[id] = Math.max(mine[id] ?? 0, theirs[id]);
}

const total = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

run({
  add: ({ body }) => {
    const side = body.delta < 0 ? minus : plus;
    side[me.id] = (side[me.id] ?? 0) + Math.abs(body.delta);
    sum += body.delta;
    // The planted mistake: an update is told once, and not again.
    if (me.bug === "lost-updates") for (const to of others()) send(to, { type: "delta", delta: body.delta });
    return { type: "add_ok" };
  },
  delta: ({ body }) => { heard += body.delta; },
  merge: ({ body }) => { merge(plus, body.plus); merge(minus, body.minus); },
  read: () => ({ type: "read_ok", value: me.bug === "lost-updates" ? sum + heard : total(plus) - total(minus) }),
}, () => { if (me.bug !== "lost-updates") setInterval(gossip, 50); });
