// What the explorer shows of a run, as elements. Every function is given a run and what to do when something is chosen.

import { h, svg } from "./dom.mjs";
import { draw } from "./diagram.mjs";
import { loopText } from "./run.mjs";

export function changeLine(change) {
  const place = change.place;
  if (change.kind === "set") {
    return h("div", { class: "change" }, `${place}: `, h("s", {}, change.old), " → ", h("strong", {}, change.new));
  }
  const arrow = change.new.replace(" -> ", " → ");
  const words = place === "" ? { add: "sent: ", remove: "out of the network: " } : { add: `${place} += `, remove: `${place} -= ` };
  return h("div", { class: "change" }, words[change.kind] + (place === "" ? arrow : change.new));
}

// What a step changes, in at most `most` lines.
function changeLines(graph, before, after, most = Infinity) {
  const found = graph.changes(before, after);
  if (found.length === 0) return [h("div", { class: "change quiet" }, "nothing changes")];
  const lines = found.slice(0, most).map(changeLine);
  if (found.length > most) lines.push(h("div", { class: "change quiet" }, `and ${found.length - most} more`));
  return lines;
}

function place(line) {
  return line > 0 && h("a", { href: `#L${line}`, class: "line" }, `line ${line}`);
}

// The steps of the run, with what each changed. The one at which the reader stands is marked.
export function timeline(run, abstract, seek) {
  const { graph } = run;
  const item = (at, name, ...told) =>
    h(
      "li",
      { class: at > run.cursor ? "later" : null },
      h("button", { type: "button", "data-at": at, "aria-current": at === run.cursor ? "step" : null, onclick: () => seek(at) },
        h("span", { class: "number" }, `${at}`), h("code", {}, name)),
      ...told,
      abstract !== null && abstract[1][at] !== undefined &&
        h("div", { class: "abstract" }, `in ${abstract[0]}: ${abstract[1][at]}`),
    );
  const first = graph.summary(run.state(0)).map((line) => h("div", { class: "change" }, line));
  const items = run.steps.map((step, at) =>
    step.error === null
      ? item(at + 1, step.name, ...changeLines(graph, run.state(at), run.state(at + 1)))
      : item(at + 1, step.name, h("div", { class: "change bad" }, `this step goes wrong: ${step.error} `, place(step.line))),
  );
  const end = run.loop !== null && h("li", { class: "loop" }, loopText(run));
  return h("ol", { class: "steps", start: 0 }, item(0, "initial state", ...first), items, end);
}

// The enabled steps, each with what it would change.
export function choices(run, take) {
  const { graph } = run;
  if (run.state() === null) return h("p", { class: "note" }, "The run ends here: its last step went wrong.");
  const found = run.choices;
  if (found === null) return h("p", { class: "note" }, endText(run));
  if (found.length === 0) return h("p", { class: "note" }, "No step is possible here.");
  const items = run.offers.map((step, at) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "choice", "data-index": step.index, onclick: () => take(step.index) },
        at < 9 ? h("kbd", { "aria-hidden": "true" }, `${at + 1}`) : h("span", { class: "key" }),
        h("code", {}, step.name),
        step.index === run.next && h("span", { class: "mark" }, "next in this run"),
        step.error === null
          ? h("span", { class: "told" }, changeLines(graph, run.state(), step.target, 4))
          : h("span", { class: "told bad" }, `goes wrong: ${step.error}`),
      ),
    ),
  );
  return h("ul", { class: "choices" }, items);
}

export function endText(run) {
  const { check, spec } = run.graph.data;
  if (run.graph.end(run.state()) === "outside") return "This state is outside the bound of the check, so nothing was explored from here.";
  return `The data of this page ends here; it has ${run.graph.size.toLocaleString("en")} states around the runs of the properties. ` +
    `To go on: lockstep trace ${spec} --check ${check} --choose`;
}

// What cannot happen, and why.
export function refusals(run) {
  const found = run.state() === null ? [] : run.graph.refused(run.state());
  const rows = found.map(({ step, count, reason, line }) =>
    h("li", {}, h("code", {}, step), count > 1 && ` (${count} ways)`, ": ", line > 0 ? ["needs ", h("code", {}, reason)] : reason, " ", place(line)),
  );
  return { count: found.length, list: h("ul", { class: "refusals" }, rows) };
}

// Every variable with its value, and the network; what the last step changed is marked.
export function stateTable(run) {
  const state = run.state();
  if (state === null) return h("p", { class: "note" }, "There is no state behind a step that went wrong.");
  const { graph } = run;
  const before = run.cursor > 0 ? new Map(graph.values(run.state(run.cursor - 1))) : null;
  const rows = graph.values(state).map(([name, value]) => {
    const changed = before !== null && before.get(name) !== value;
    return h("tr", { class: changed ? "changed" : null }, h("th", { scope: "row" }, name),
      h("td", {}, h("code", {}, value), changed && h("span", { class: "mark" }, `was ${before.get(name)}`)));
  });
  const letters = graph.network(state);
  rows.push(h("tr", {}, h("th", { scope: "row" }, "in flight"),
    h("td", {}, letters.length === 0 ? "nothing" : letters.map((text) => h("div", {}, h("code", {}, text))))));
  return h("table", {}, h("tbody", {}, rows));
}

export function diagram(run, seek) {
  const { width, height, shapes } = draw(run);
  const nodes = shapes.map(([tag, attributes, text]) => {
    const at = attributes["data-step"];
    return svg(tag, at === undefined ? attributes : { ...attributes, onclick: () => seek(at) }, text);
  });
  const title = `Sequence diagram of ${run.length} step${run.length === 1 ? "" : "s"}; the list of steps says the same in words`;
  return h("div", { class: "drawing", tabindex: 0, role: "region", "aria-label": "Sequence diagram" },
    svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, fill: "currentColor" }, nodes));
}

// What is said aloud, and shown beside the timeline.
export function position(run) {
  if (run.cursor === 0) return `Initial state${run.length > 0 ? `, ${run.length} step${run.length === 1 ? "" : "s"} follow` : ""}`;
  return `Step ${run.cursor} of ${run.length}: ${run.last.name}`;
}

export function spoken(run) {
  const parts = [position(run)];
  if (run.last !== null) {
    if (run.last.error !== null) parts.push(`This step goes wrong: ${run.last.error}`);
    else {
      const found = run.graph.changes(run.state(run.cursor - 1), run.state());
      parts.push(found.length === 0 ? "Nothing changes" : found.map(changeText).join("; "));
    }
  }
  const count = run.choices?.length;
  if (run.state() !== null) parts.push(count === undefined ? "The data ends here" : `${count} step${count === 1 ? "" : "s"} possible`);
  return `${parts.join(". ")}.`;
}

function changeText({ kind, place, old, new: now }) {
  if (kind === "set") return `${place} from ${old} to ${now}`;
  const verb = kind === "add" ? (place === "" ? "sent" : "added") : place === "" ? "taken" : "removed";
  return place === "" ? `${verb} ${now}` : `${verb} ${now}, ${place}`;
}
