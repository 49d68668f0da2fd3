// What every node needs: lines of JSON in and out, requests with answers, and an error for what it does not know.
// Mistakes are planted by the second argument: `node pn_counter.js lost-updates`.
"use strict";
const readline = require("readline");

const me = { id: null, ids: [], bug: process.argv[2] || "", dir: process.argv[3] || "" };
const handlers = {};
const waiting = new Map();
let lastId = 0;

function send(dest, body) {
  process.stdout.write(JSON.stringify({ src: me.id, dest, body }) + "\n");
}

function reply(request, body) {
  send(request.src, { ...body, in_reply_to: request.body.msg_id });
}

// Asks `dest` and gives the answer, or null if there is none in time.
function ask(dest, body, timeout = 100) {
  const id = ++lastId;
  return new Promise((done) => {
    const timer = setTimeout(() => { waiting.delete(id); done(null); }, timeout);
    waiting.set(id, (answer) => { clearTimeout(timer); waiting.delete(id); done(answer); });
    send(dest, { ...body, msg_id: id });
  });
}

function fail(code, text) {
  return Object.assign(new Error(text), { code });
}

async function take(message) {
  const body = message.body;
  if (body.in_reply_to !== undefined) {
    const done = waiting.get(body.in_reply_to);
    if (done) done(body);
    return;
  }
  const handler = handlers[body.type];
  try {
    if (!handler) throw fail(10, `no handler for ${body.type}`);
    const answer = await handler(message);
    if (answer) reply(message, answer);
  } catch (problem) {
    if (body.msg_id === undefined) throw problem;
    reply(message, { type: "error", code: problem.code ?? 13, text: String(problem.message) });
  }
}

// Starts the node; `ready` is called once it knows its name.
function run(mine, ready = () => {}) {
  Object.assign(handlers, mine, {
    init: ({ body }) => {
      me.id = body.node_id;
      me.ids = body.node_ids;
      ready();
      return { type: "init_ok" };
    },
  });
  readline.createInterface({ input: process.stdin }).on("line", (line) => take(JSON.parse(line)))
    .on("close", () => process.exit(0));
}

const others = () => me.ids.filter((id) => id !== me.id);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

module.exports = { me, run, send, reply, ask, fail, others, sleep };
