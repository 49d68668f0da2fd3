// A counter in the service seq-kv, changed by compare-and-set. The store is sequentially consistent, so a reader may be behind;
// before it reads, a node writes something, and what comes after its own write is no older than that.
"use strict";
const { run, ask, me, fail, sleep } = require("./runtime");
const KEY = "counter";

const read = async () => {
  const answer = await ask("seq-kv", { type: "read", key: KEY }, 300);
  if (answer === null) throw fail(11, "the store does not answer");
  return answer.type === "error" ? 0 : answer.value;
};

run({
  add: async ({ body }) => {
    for (;;) {
      const value = await read();
      const cas = { type: "cas", key: KEY, from: value, to: value + body.delta, create_if_not_exists: true };
      const answer = await ask("seq-kv", cas, 300);
      if (answer === null) throw fail(0, "the store does not answer");
      if (answer.type === "cas_ok") return { type: "add_ok" };
      await sleep(Math.random() * 10);
    }
  },
  read: async () => {
    await ask("seq-kv", { type: "write", key: me.id, value: Math.random() }, 300);
    return { type: "read_ok", value: await read() };
  },
});
