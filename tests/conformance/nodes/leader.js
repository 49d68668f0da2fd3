// One node does everything, the others pass requests on to it: logs (kafka) and transactions.
"use strict";
const { me, run, ask, fail } = require("./runtime");
const logs = {}, committed = {}, store = {};

const local = {
  send: ({ key, msg }) => {
    const log = (logs[key] ??= []);
    log.push(msg);
    const forgets = me.bug === "forgets" && log.length % 10 === 0;
    if (forgets) log[log.length - 1] = null;
    return { type: "send_ok", offset: log.length - 1 };
  },
  poll: ({ offsets }) => {
    const msgs = {};
    for (const [key, from] of Object.entries(offsets)) {
      msgs[key] = (logs[key] ?? []).map((msg, i) => [i, msg]).filter(([i, msg]) => i >= from && msg !== null).slice(0, 20);
    }
    return { type: "poll_ok", msgs };
  },
  commit_offsets: ({ offsets }) => {
    for (const [key, n] of Object.entries(offsets)) committed[key] = Math.max(committed[key] ?? -1, n);
    return { type: "commit_offsets_ok" };
  },
  list_committed_offsets: ({ keys }) => {
    const known = keys.filter((key) => key in committed).map((key) => [key, committed[key]]);
    return { type: "list_committed_offsets_ok", offsets: Object.fromEntries(known) };
  },
  txn: ({ txn }) => ({
    type: "txn_ok",
    txn: txn.map(([f, key, value]) => {
      if (f === "r") return [f, key, Array.isArray(store[key]) ? [...store[key]] : store[key] ?? null];
      if (f === "append") (store[key] ??= []).push(value);
      else store[key] = value;
      return [f, key, value];
    }),
  }),
};

const handlers = {};
for (const [type, apply] of Object.entries(local)) {
  handlers[type] = async ({ src, body }) => {
    if (me.id === me.ids[0] || me.bug === "everyone-leads") return apply(body);
    const { msg_id, ...request } = body;
    const answer = await ask(me.ids[0], request, 300);
    if (answer === null) throw fail(0, "the leader does not answer");
    const { in_reply_to, ...rest } = answer;
    return rest;
  };
}
run(handlers);
