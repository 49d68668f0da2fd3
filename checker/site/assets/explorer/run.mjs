// A run: an initial state, the steps taken from it, and where in it the reader stands.
//
// Runs are immutable. `indices` are the numbers of the steps among those that each state offers, and they are what stands in
// an address: CHECK:INITIAL.INDEX.INDEX…~LOOP@CURSOR. `states` has one entry more than `indices`, but for a last step that
// errs and leads nowhere. `loop` is set where the run goes on for ever: behind its last step it is back after step `loop`,
// and where that is its last step, nothing happens any more.

import { say } from "./words.mjs";

export class Run {
  constructor(graph, initial, indices = [], cursor = null, loop = null) {
    this.graph = graph;
    this.initial = initial;
    this.indices = [];
    this.steps = [];
    this.states = [graph.data.initial[initial]];
    this.whole = true; // whether every index that was given names a step
    for (const index of indices) {
      const step = this.failed ? undefined : graph.steps(this.states.at(-1))?.[index];
      if (step === undefined) {
        this.whole = false;
        break;
      }
      this.indices.push(index);
      this.steps.push(step);
      if (step.target !== null) this.states.push(step.target);
    }
    this.loop = this.whole && loop !== null && this.states[loop] === this.state(this.length) ? loop : null;
    this.cursor = Math.min(Math.max(cursor ?? this.length, 0), this.length);
  }

  get length() {
    return this.indices.length;
  }

  // The last step, where it errs.
  get failed() {
    return this.steps.at(-1)?.error != null ? this.steps.at(-1) : null;
  }

  // The state after so many steps; null after a step that erred.
  state(after = this.cursor) {
    return this.states[after] ?? null;
  }

  // The step that led to where the reader stands; null at the beginning.
  get last() {
    return this.cursor === 0 ? null : this.steps[this.cursor - 1];
  }

  // What can happen next; empty behind an error, null where the data ends.
  get choices() {
    return this.state() === null ? [] : this.graph.steps(this.state());
  }

  // The same in the order in which a reader is shown them: those that change nothing stand last.
  get offers() {
    const idle = (step) => step.target === this.state();
    const found = this.choices ?? [];
    return [...found.filter((step) => !idle(step)), ...found.filter(idle)];
  }

  // The number of the step that this run takes next; null at its end.
  get next() {
    return this.cursor < this.length ? this.indices[this.cursor] : null;
  }

  // Whether the run stands at its end and goes on from an earlier state.
  get turns() {
    return this.loop !== null && this.cursor === this.length;
  }

  // The earlier moments of the run at which it was in the state where it is now.
  get visits() {
    return this.state() === null ? [] : [...this.states.keys()].filter((at) => at < this.cursor && this.states[at] === this.state());
  }

  seek(cursor) {
    return new Run(this.graph, this.initial, this.indices, cursor, this.loop);
  }

  forward() {
    return this.turns ? this.seek(this.loop) : this.seek(this.cursor + 1);
  }

  // Takes a step. Where the run took the same, it is still the same run; otherwise this is a fork.
  take(index) {
    if (index === this.next) return this.forward();
    return new Run(this.graph, this.initial, [...this.indices.slice(0, this.cursor), index]);
  }

  // Whether taking this step leaves the run as it was recorded.
  forks(index) {
    return this.next !== null && this.next !== index;
  }

  // Without what comes after the place where the reader stands.
  cut() {
    return new Run(this.graph, this.initial, this.indices.slice(0, this.cursor));
  }

  equals(other) {
    return this.initial === other.initial && this.loop === other.loop && this.indices.join() === other.indices.join();
  }

  address() {
    const loop = this.loop === null ? "" : `~${this.loop}`;
    return `${this.graph.data.check}:${[this.initial, ...this.indices].join(".")}${loop}@${this.cursor}`;
  }
}

export function runOf(graph, property) {
  const [initial, ...indices] = property.path;
  return new Run(graph, initial, indices, null, property.loop);
}

// An address as {check, initial, indices, loop, cursor}; null where it is none.
export function parseAddress(text) {
  const found = /^([^:]*):(\d+(?:\.\d+)*)(?:~(\d+))?(?:@(\d+))?$/.exec(text ?? "");
  if (found === null) return null;
  const [initial, ...indices] = found[2].split(".").map(Number);
  const number = (digits) => (digits === undefined ? null : Number(digits));
  return { check: found[1], initial, indices, loop: number(found[3]), cursor: number(found[4]) };
}

// The run of an address in the graph of its check; null where it begins nowhere.
export function runAt(graph, { initial, indices, cursor, loop }) {
  return initial < graph.data.initial.length ? new Run(graph, initial, indices, cursor, loop) : null;
}

// How a run without end goes on behind its last step.
export function loopText({ loop, length }) {
  if (loop === length) return `↻ ${say("for ever")}: ${say("nothing happens any more")}`;
  const again = loop + 1 === length
    ? say("step {last} again and again", { last: length })
    : say("steps {first} to {last} again and again", { first: loop + 1, last: length });
  return `↻ ${say("back to {loop}", { loop })}: ${again}`;
}
