// What the explorer shows of a run, as elements. Every function is given a run and what to do when something is chosen.

import { h, svg } from "./dom.mjs";
import { draw } from "./diagram.mjs";
import { loopText } from "./run.mjs";
import { count, say, told } from "./words.mjs";

export function changeLine(change) {
  const place = change.place;
  if (change.kind === "set") {
    return h("div", { class: "change" }, `${place}: `, h("s", {}, change.old), " → ", h("strong", {}, change.new));
  }
  const arrow = change.new.replace(" -> ", " → ");
  const words = place === ""
    ? { add: `${say("sent")}: `, remove: `${say("out of the network")}: ` }
    : { add: `${place} += `, remove: `${place} -= ` };
  return h("div", { class: "change" }, words[change.kind] + (place === "" ? arrow : change.new));
}

// What a step changes, in at most `most` lines.
function changeLines(graph, before, after, most = Infinity) {
  const found = graph.changes(before, after);
  if (found.length === 0) return [h("div", { class: "change quiet" }, say("nothing changes"))];
  const lines = found.slice(0, most).map(changeLine);
  if (found.length > most) lines.push(h("div", { class: "change quiet" }, say("and {number} more", { number: found.length - most })));
  return lines;
}

function place(line) {
  return line > 0 && h("a", { href: `#L${line}`, class: "line" }, say("line {line}", { line }));
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
        h("div", { class: "abstract" }, say("in {spec}: {step}", { spec: abstract[0], step: abstract[1][at] })),
    );
  const first = graph.summary(run.state(0)).map((line) => h("div", { class: "change" }, line));
  const items = run.steps.map((step, at) =>
    step.error === null
      ? item(at + 1, step.name, ...changeLines(graph, run.state(at), run.state(at + 1)))
      : item(at + 1, step.name, h("div", { class: "change bad" }, `${say("this step goes wrong: {error}", { error: step.error })} `, place(step.line))),
  );
  const end = run.loop !== null && h("li", { class: "loop" }, loopText(run));
  return h("ol", { class: "steps", start: 0 }, item(0, say("initial state"), ...first), items, end);
}

// The enabled steps, each with what it would change.
export function choices(run, take) {
  const { graph } = run;
  if (run.state() === null) return h("p", { class: "note" }, say("The run ends here: its last step went wrong."));
  const found = run.choices;
  if (found === null) return h("p", { class: "note" }, endText(run));
  if (found.length === 0) return h("p", { class: "note" }, say("No step is possible here."));
  const items = run.offers.map((step, at) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "choice", "data-index": step.index, onclick: () => take(step.index) },
        at < 9 ? h("kbd", { "aria-hidden": "true" }, `${at + 1}`) : h("span", { class: "key" }),
        h("code", {}, step.name),
        step.index === run.next && h("span", { class: "mark" }, say("next in this run")),
        step.error === null
          ? h("span", { class: "told" }, changeLines(graph, run.state(), step.target, 4))
          : h("span", { class: "told bad" }, say("goes wrong: {error}", { error: step.error })),
      ),
    ),
  );
  return h("ul", { class: "choices" }, items);
}

const OUTSIDE = "This state is outside the bound of the check, so nothing was explored from here.";
const ENDS = "The data of this page ends here; it has {states} around the runs of the properties. To go on: {command}";

export function endText(run) {
  const { check, spec } = run.graph.data;
  if (run.graph.end(run.state()) === "outside") return say(OUTSIDE);
  const command = `lockstep trace ${spec} --check ${check} --choose`;
  return say(ENDS, { states: count(run.graph.size, "state"), command });
}

// What cannot happen, and why.
export function refusals(run) {
  const found = run.state() === null ? [] : run.graph.refused(run.state());
  const rows = found.map(({ step, count: ways, reason, line }) =>
    h("li", {}, h("code", {}, told(step)), ways > 1 && ` (${count(ways, "way")})`, ": ", line > 0 ? [say("needs"), " ", h("code", {}, reason)] : told(reason), " ", place(line)),
  );
  return { count: found.length, list: h("ul", { class: "refusals" }, rows) };
}

// Every variable with its value, and the network; what the last step changed is marked.
export function stateTable(run) {
  const state = run.state();
  if (state === null) return h("p", { class: "note" }, say("There is no state behind a step that went wrong."));
  const { graph } = run;
  const before = run.cursor > 0 ? new Map(graph.values(run.state(run.cursor - 1))) : null;
  const rows = graph.values(state).map(([name, value]) => {
    const changed = before !== null && before.get(name) !== value;
    return h("tr", { class: changed ? "changed" : null }, h("th", { scope: "row" }, name),
      h("td", {}, h("code", {}, value), changed && h("span", { class: "mark" }, say("was {value}", { value: before.get(name) }))));
  });
  const letters = graph.network(state);
  rows.push(h("tr", {}, h("th", { scope: "row" }, say("in flight")),
    h("td", {}, letters.length === 0 ? say("nothing") : letters.map((text) => h("div", {}, h("code", {}, text))))));
  return h("table", {}, h("tbody", {}, rows));
}

export function diagram(run, seek) {
  const { width, height, shapes } = draw(run);
  const nodes = shapes.map(([tag, attributes, text]) => {
    const at = attributes["data-step"];
    return svg(tag, at === undefined ? attributes : { ...attributes, onclick: () => seek(at) }, text);
  });
  const title = say("Sequence diagram of {steps}; the list of steps says the same in words", { steps: count(run.length, "step") });
  return h("div", { class: "drawing", tabindex: 0, role: "region", "aria-label": say("Sequence diagram") },
    svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, fill: "currentColor" }, nodes));
}

// What is said aloud, and shown beside the timeline.
export function position(run) {
  if (run.cursor > 0) return say("Step {at} of {all}: {name}", { at: run.cursor, all: run.length, name: run.last.name });
  return run.length === 0 ? say("Initial state") : say("Initial state, {steps} to come", { steps: count(run.length, "step") });
}

export function spoken(run) {
  const parts = [position(run)];
  if (run.last !== null) {
    if (run.last.error !== null) parts.push(say("This step goes wrong: {error}", { error: run.last.error }));
    else {
      const found = run.graph.changes(run.state(run.cursor - 1), run.state());
      parts.push(found.length === 0 ? say("Nothing changes") : found.map(changeText).join("; "));
    }
  }
  const open = run.choices?.length;
  if (run.state() !== null) {
    parts.push(open === undefined ? say("The data ends here") : say("{steps} possible", { steps: count(open, "step") }));
  }
  return `${parts.join(". ")}.`;
}

function changeText({ kind, place, old, new: now }) {
  if (kind === "set") return say("{place} from {old} to {now}", { place, old, now });
  const verb = kind === "add" ? say(place === "" ? "sent" : "added") : say(place === "" ? "taken" : "removed");
  return `${verb} ${now}${place === "" ? "" : `, ${place}`}`;
}
