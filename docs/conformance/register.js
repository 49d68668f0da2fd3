// A register over HTTP: GET reads it, PUT writes it. With `stale`, reads are answered from a copy that lags behind.
const [port = 8123, mistake] = process.argv.slice(2);
let value = null;
let copy = null;
setInterval(() => { copy = value; }, 50);

require("http").createServer((request, response) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    if (request.method === "PUT") value = JSON.parse(body);
    response.end(JSON.stringify(request.method === "PUT" ? null : mistake === "stale" ? copy : value));
  });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
