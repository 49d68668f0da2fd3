// A counter on several nodes. Every node keeps what was added at each node, up and down
// apart, so that both only grow: the larger of two numbers is the newer one. Told again and
// again, everyone knows everything in the end.
const lines = require("readline").createInterface({ input: process.stdin });
const up = {}, down = {};
let me, others;

function send(dest, body) {
  console.log(JSON.stringify({ src: me, dest, body }));
}

function merge(mine, theirs) {
  for (const id in theirs) mine[id] = Math.max(mine[id] ?? 0, theirs[id]);
}

const total = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

lines.on("line", (line) => {
  const { src, body } = JSON.parse(line);
  const reply = (answer) => send(src, { ...answer, in_reply_to: body.msg_id });
  switch (body.type) {
    case "init":
      me = body.node_id;
      others = body.node_ids.filter((id) => id !== me);
      setInterval(() => others.forEach((id) => send(id, { type: "counts", up, down })), 100);
      return reply({ type: "init_ok" });
    case "add": {
      const side = body.delta < 0 ? down : up;
      side[me] = (side[me] ?? 0) + Math.abs(body.delta);
      return reply({ type: "add_ok" });
    }
    case "counts":
      merge(up, body.up);
      merge(down, body.down);
      return;
    case "read":
      return reply({ type: "read_ok", value: total(up) - total(down) });
  }
});
lines.on("close", () => process.exit());
