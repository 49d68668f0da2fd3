// The checker in a web worker: CPython compiled to WebAssembly, and in it `checker.site.browser`.
//
// One message in, one or more out. Every request has an `id`, and its answer carries it:
//   {kind: "open", name, texts, language, words}   -> ready {seconds}
//   {kind: "look", id, text}                       -> looked {checks, diagnostics}
//   {kind: "edit", id, text}                       -> edited {checks, diagnostics}; what follows is about this text
//   {kind: "run", id, check, states, seconds}      -> told {text} …, ran {verdict, html}
//   {kind: "explore", id, check}                   -> explored {opens, data}
// `failed` answers any of them where something went wrong that is not the author's doing.

import { loadPyodide } from "./pyodide.mjs";

const FOLDER = "/lockstep/spec";
let spec = null;

const tell = (kind, more = {}) => self.postMessage({ kind, ...more });

async function open({ name, texts, language, words }) {
  const began = performance.now();
  const [python, archive] = await Promise.all([
    loadPyodide({ indexURL: new URL(".", import.meta.url).href, stdout: () => {}, stderr: () => {} }),
    fetch(new URL("checker.zip", import.meta.url)).then((answer) => {
      if (!answer.ok) throw new Error(`checker.zip: ${answer.status}`);
      return answer.arrayBuffer();
    }),
  ]);
  tell("told", { text: words["Starting the checker …"] ?? "Starting the checker …" });
  python.unpackArchive(archive, "zip", { extractDir: "/lockstep/packages" });
  python.globals.set("folder", FOLDER);
  python.globals.set("name", name);
  python.globals.set("texts", JSON.stringify(texts));
  python.globals.set("language", language);
  python.globals.set("catalogue", JSON.stringify(words));
  spec = python.runPython(`
import json, os, sys
from pathlib import Path
sys.path.insert(0, "/lockstep/packages")
os.makedirs(folder, exist_ok=True)
os.chdir(folder)  # so that messages name the file alone
from checker.site.browser import EditedSpec
from checker.site.words import Words
spec = EditedSpec(Path(folder), name, Words(language, json.loads(catalogue)))
spec.supply(json.loads(texts))
spec
`);
  tell("ready", { seconds: (performance.now() - began) / 1000 });
}

function answer(message) {
  if (message.kind === "look") return { kind: "looked", ...JSON.parse(spec.look(message.text)) };
  if (message.kind === "edit") return { kind: "edited", ...JSON.parse(spec.edit(message.text)) };
  if (message.kind === "explore") return { kind: "explored", ...JSON.parse(spec.explore(message.check)) };
  const say = (text) => tell("told", { id: message.id, text });
  return { kind: "ran", ...JSON.parse(spec.run(message.check, message.states, message.seconds, say)) };
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "open") await open(data);
    else self.postMessage({ id: data.id, ...answer(data) });
  } catch (problem) {
    // The last line of a traceback of Python says what happened; the rest is for the console.
    console.error(problem);
    const lines = String(problem.message ?? problem).trim().split("\n");
    tell("failed", { id: data.id, message: lines[lines.length - 1] });
  }
};
