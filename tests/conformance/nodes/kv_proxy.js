// Passes the requests of the lin-kv workload on to a service: node kv_proxy.js lin-kv
"use strict";
const { me, run, ask, fail } = require("./runtime");
const pass = async ({ body }) => {
  const { msg_id, ...request } = body;
  const answer = await ask(me.bug, request, 300);
  if (answer === null) throw fail(0, "no answer");
  const { in_reply_to, ...rest } = answer;
  return rest;
};
run({ read: pass, write: pass, cas: pass });
