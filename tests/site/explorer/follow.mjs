// What the explorer makes of data, for a test that compares it with what the checker makes of the same runs.
//
// Reads data as JSON from standard input. Gives for each property its run: steps, changes, the state at the end, the test that
// can be copied, and the address with the run that it leads to.

import { readFileSync } from "node:fs";

import { Graph } from "../../../checker/site/assets/explorer/graph.mjs";
import { pytestOf } from "../../../checker/site/assets/explorer/pytest.mjs";
import { parseAddress, runAt, runOf } from "../../../checker/site/assets/explorer/run.mjs";

const graph = new Graph(JSON.parse(readFileSync(0, "utf8")));

const told = graph.data.properties.map((property) => {
  const run = runOf(graph, property);
  const good = run.steps.filter((step) => step.error === null);
  return {
    name: property.name,
    whole: run.whole,
    steps: run.steps.map((step) => step.name),
    changes: good.map((_, at) => graph.changes(run.state(at), run.state(at + 1)).map((c) => [c.kind, c.place, c.old, c.new])),
    first: graph.summary(run.state(0)),
    test: pytestOf(run),
    same: runAt(graph, parseAddress(run.address())).equals(run),
  };
});

// Every state can be read, in the order in which a reader would ask last.
for (let state = graph.data.states.length - 1; state >= 0; state -= 1) {
  graph.values(state);
  graph.refused(state);
  for (const step of graph.steps(state) ?? []) if (step.target !== null) graph.changes(state, step.target);
}

process.stdout.write(JSON.stringify(told));
