// The state graph of a check, read from its data (checker/render/explorer.py says how that is made).

import { changes, grouped, show } from "./values.mjs";
import { say } from "./words.mjs";

const FORMAT = "lockstep-explorer";
const VERSION = 1;

export const FAULT = 1;
export const FORGED = 2;
export const LOST = 4;
export const DOWN = 8;
export const UP = 16;

const CUT = 0;
const OUTSIDE = 1;

// What is left of fault budgets is a place, too, but the names of the faults say it.
const BUDGET = "left of ";

export class Graph {
  constructor(data) {
    if (data?.format !== FORMAT || data.version !== VERSION) {
      throw new Error(`this explorer reads ${FORMAT} ${VERSION}, and the data is ${data?.format} ${data?.version}`);
    }
    this.data = data;
    this.places = data.places.slice(0, -1);
    this.shown = this.places.map((name, at) => at).filter((at) => !this.places[at].startsWith(BUDGET));
    this.rows = new Map();
  }

  // How many states it has. As in the result of the check, those outside of its bound are not counted.
  get size() {
    return this.data.edges.filter((edges) => edges !== OUTSIDE).length;
  }

  // The numbers of a state's values at each place; the last is its network. Each is kept, since the others are made from it.
  row(state) {
    const missing = [];
    for (let at = state; !this.rows.has(at) && at >= 0; at = this.data.states[at][0]) missing.push(at);
    for (const at of missing.reverse()) {
      const [parent, ...differences] = this.data.states[at];
      const row = parent < 0 ? [] : this.rows.get(parent).slice();
      for (let n = 0; n < differences.length; n += 2) row[differences[n]] = differences[n + 1];
      this.rows.set(at, row);
    }
    return this.rows.get(state);
  }

  // Every place of a state with its value, as text.
  values(state) {
    const row = this.row(state);
    return this.shown.map((at) => [this.places[at], show(this.data.values[at][row[at]])]);
  }

  // Every place with its value as a tree.
  trees(state) {
    const row = this.row(state);
    return this.places.map((name, at) => [name, this.data.values[at][row[at]]]);
  }

  // A whole state in few lines: processes whose variables are equal share one.
  summary(state) {
    const owners = new Map();
    for (const [name, value] of this.values(state)) {
      const dot = name.lastIndexOf(".");
      const owner = name.slice(0, Math.max(dot, 0));
      owners.set(owner, [...(owners.get(owner) ?? []), `${name.slice(dot + 1)} = ${value}`]);
    }
    const equal = new Map();
    for (const [owner, parts] of owners) {
      const text = parts.join(", ");
      equal.set(text, [...(equal.get(text) ?? []), owner]);
    }
    return [...equal].map(([text, who]) => (who.length === 1 && who[0] === "" ? text : `${who.join(", ")}: ${text}`));
  }

  // Every message in flight, once for each copy.
  network(state) {
    const row = this.row(state);
    return this.data.values[this.places.length][row[this.places.length]].map((m) => this.data.messages[m]);
  }

  // The messages that went and those that came between two states, once for each copy.
  traffic(before, after) {
    const gone = this.network(before);
    const come = [];
    for (const message of this.network(after)) {
      const at = gone.indexOf(message);
      if (at < 0) come.push(message);
      else gone.splice(at, 1);
    }
    return { gone, come };
  }

  // What differs between two states: messages that went, variables, messages that came.
  changes(before, after) {
    const [old, now] = [this.row(before), this.row(after)];
    const { gone, come } = this.traffic(before, after);
    const inside = this.shown
      .filter((at) => old[at] !== now[at])
      .flatMap((at) => changes(this.places[at], this.data.values[at][old[at]], this.data.values[at][now[at]]));
    const line = (kind) => (text) => ({ kind, place: "", old: "", new: text });
    return [...grouped(gone).map(line("remove")), ...inside, ...grouped(come).map(line("add"))];
  }

  // The enabled steps of a state, with those that err last: {index, name, target, error, line, …}. Null where the data ends.
  steps(state) {
    const edges = this.data.edges[state];
    if (!Array.isArray(edges)) return null;
    return Array.from({ length: edges.length / 2 }, (_, index) => {
      const target = edges[2 * index + 1];
      const [name, text, process, sender, flags, message, notes] = this.data.steps[edges[2 * index]];
      const [error, line] = target < 0 ? this.data.errors[-1 - target] : [null, 0];
      return { index, name, text, process, sender, flags, message, notes, error, line, target: target < 0 ? null : target };
    });
  }

  // Why a state has no steps here: the data ends, or it is outside the bound of the check. Null where it has.
  end(state) {
    const edges = this.data.edges[state];
    return edges === CUT ? "cut" : edges === OUTSIDE ? "outside" : null;
  }

  // What cannot happen: {step, reason, line}, and what each process waits for.
  refused(state) {
    const found = this.data.refusals[state];
    if (found < 0) return [];
    const list = this.data.lists[found];
    const refused = Array.from({ length: list.length / 2 }, (_, at) => {
      const [step, count] = this.data.calls[list[2 * at]];
      const [reason, line] = this.data.reasons[list[2 * at + 1]];
      return { step, count, reason, line };
    });
    const inFlight = new Set(this.network(state).map((m) => `${m.slice(m.lastIndexOf(" -> ") + 4)} ${m.split("(")[0]}`));
    for (const [process, kind] of this.data.waits) {
      const name = this.data.processes[process];
      if (!inFlight.has(`${name} ${kind}`)) {
        refused.push({ step: `${name}.${kind}`, count: 1, reason: say("no {kind} to {name} is in flight", { kind, name }), line: 0 });
      }
    }
    return refused;
  }
}
