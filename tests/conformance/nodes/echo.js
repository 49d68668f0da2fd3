"use strict";
const { me, run } = require("./runtime");
let count = 0;
run({
  echo: ({ body }) => ({ type: "echo_ok", echo: me.bug === "tired" && ++count > 5 ? "…" : body.echo }),
});
