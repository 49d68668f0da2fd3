// A counter on several nodes. Every node tells the others what was added to it.
const lines = require("readline").createInterface({ input: process.stdin });
let me, others, sum = 0;

function send(dest, body) {
  console.log(JSON.stringify({ src: me, dest, body }));
}

lines.on("line", (line) => {
  const { src, body } = JSON.parse(line);
  const reply = (answer) => send(src, { ...answer, in_reply_to: body.msg_id });
  switch (body.type) {
    case "init":
      me = body.node_id;
      others = body.node_ids.filter((id) => id !== me);
      return reply({ type: "init_ok" });
    case "add":
      sum += body.delta;
      for (const id of others) send(id, { type: "added", delta: body.delta });
      return reply({ type: "add_ok" });
    case "added":
      sum += body.delta;
      return;
    case "read":
      return reply({ type: "read_ok", value: sum });
  }
});
