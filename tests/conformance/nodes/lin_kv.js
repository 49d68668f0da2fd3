// A linearizable store: CASPaxos (Rystsov, 2018). Each key is a register that majorities agree on, changed by functions: a
// majority promises a ballot and tells the newest value that it has accepted, the function is applied to it, and a majority
// accepts the result. A node answers for what it has promised and accepted after a restart, so that is on disk first.
"use strict";
const fs = require("fs");
const path = require("path");
const { me, run, ask, fail, sleep } = require("./runtime");

const registers = new Map(); // key -> { promised, accepted, value }
let ballots = 0;

const newer = (a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
const register = (key) => registers.get(key) ?? { promised: [0, ""], accepted: [0, ""], value: null };
const file = () => path.join(me.dir, `${me.id}.log`);

function keep(key, entry) {
  registers.set(key, entry);
  if (me.dir) fs.appendFileSync(file(), JSON.stringify([key, entry]) + "\n");
}

function recall() {
  if (!me.dir || !fs.existsSync(file())) return;
  for (const line of fs.readFileSync(file(), "utf8").split("\n").slice(0, -1)) {
    const [key, entry] = JSON.parse(line);
    registers.set(key, entry);
    ballots = Math.max(ballots, entry.promised[0]);
  }
}

const acceptor = {
  prepare: ({ key, ballot }) => {
    const now = register(key);
    if (newer(ballot, now.promised) <= 0) return { type: "refused", promised: now.promised };
    keep(key, { ...now, promised: ballot });
    return { type: "promised", accepted: now.accepted, value: now.value };
  },
  accept: ({ key, ballot, value }) => {
    const now = register(key);
    if (newer(ballot, now.promised) < 0) return { type: "refused", promised: now.promised };
    keep(key, { promised: ballot, accepted: ballot, value });
    return { type: "accepted" };
  },
};

// Asks everyone, and gives the good answers once a majority has given one; fewer if that does not happen.
function majority(body, good) {
  const needed = me.bug === "commits-alone" ? 1 : Math.floor(me.ids.length / 2) + 1;
  return new Promise((done) => {
    const answers = [];
    let open = me.ids.length;
    const count = (answer) => {
      open -= 1;
      if (answer?.type === good) answers.push(answer);
      if (answer?.promised) ballots = Math.max(ballots, answer.promised[0]);
      if (answers.length >= needed || open === 0) done(answers.length >= needed ? answers : null);
    };
    for (const id of me.ids) {
      if (id === me.id) count(acceptor[body.type](body));
      else ask(id, body, 200).then(count);
    }
  });
}

// Applies a function to the value of a key. It gives the new value, or throws a definite error.
async function change(key, apply, repeatable) {
  for (let round = 0; round < 8; round++) {
    const ballot = [++ballots, me.id];
    const promises = await majority({ type: "prepare", key, ballot }, "promised");
    if (promises !== null) {
      const newest = promises.reduce((a, b) => (newer(a.accepted, b.accepted) >= 0 ? a : b));
      const value = apply(newest.value);
      if ((await majority({ type: "accept", key, ballot, value }, "accepted")) !== null) return value;
      if (!repeatable) throw fail(0, "some may have accepted it");
    }
    await sleep(Math.random() * 20 * (round + 1));
  }
  throw fail(repeatable ? 11 : 0, "no majority");
}

run({
  prepare: ({ body }) => acceptor.prepare(body),
  accept: ({ body }) => acceptor.accept(body),
  read: async ({ body }) => {
    const value = me.bug === "reads-alone" ? register(body.key).value : await change(body.key, (v) => v, true);
    if (value === null) throw fail(20, "key does not exist");
    return { type: "read_ok", value };
  },
  write: async ({ body }) => {
    await change(body.key, () => body.value, false);
    return { type: "write_ok" };
  },
  cas: async ({ body }) => {
    await change(body.key, (value) => {
      if (value === null) throw fail(20, "key does not exist");
      if (value !== body.from) throw fail(22, `current value ${value} is not ${body.from}`);
      return body.to;
    }, false);
    return { type: "cas_ok" };
  },
}, recall);
