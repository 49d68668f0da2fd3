// <state-explorer>: walking through the state graph of a check, on the page of its protocol.
//
// Attributes: `checks` is JSON, a list of [name of a check, file with its data]; `opens` names the check and the property whose
// run is shown first, with a `/` between them. Files are found beside this script, and hold a call of `lockstepExplorer.provide`
// instead of plain JSON, since a page from the file system can load scripts but cannot fetch. With `apart` the run is not kept in
// the address, because the data is not that of the page. Nothing is loaded before the
// element is in view, or the address has a path. Light children are what is shown without scripts.
//
// The element keeps one run (run.mjs), the runs that were left by forking, and which view is open. A change of any of these goes
// through `show`, which makes the panels anew, keeps the focus where it was, writes the address and says what happened.

import { readAddress, withAddress } from "./address.mjs";
import { h } from "./dom.mjs";
import { Graph } from "./graph.mjs";
import { choices, diagram, position, refusals, spoken, stateTable, timeline } from "./panels.mjs";
import { pytestOf } from "./pytest.mjs";
import { Run, parseAddress, runAt, runOf } from "./run.mjs";
import { STYLE } from "./style.mjs";
import { count, say } from "./words.mjs";

const MOST_LEFT = 6; // the most runs that are kept when they are left

const STALE = "The address names steps that are not there; the spec may have changed since. The run is shown as far as it goes.";
const NOWHERE = "The address names no run of this page; the spec may have changed since. What is shown is another one.";
const KEYS = "← and → go along the run, Home and End to its ends, 1 to 9 take a step, Backspace takes the last step back, d shows the diagram.";

export function define(load) {
  customElements.define(
    "state-explorer",
    class extends HTMLElement {
      connectedCallback() {
        if (this.shadowRoot !== null) return;
        const root = this.attachShadow({ mode: "open" });
        root.append(h("style", {}, STYLE), h("div", { class: "box" }, h("p", { class: "note" }, say("The explorer loads its data when it comes into view."))));
        this.explorer = new Explorer(this, root, load);
        const address = this.hasAttribute("apart") ? null : readAddress(location);
        if (address !== null) {
          this.explorer.start(address).then(() => this.scrollIntoView());
          return;
        }
        const watcher = new IntersectionObserver((seen) => {
          if (!seen.some((entry) => entry.isIntersecting)) return;
          watcher.disconnect();
          this.explorer.start(null);
        });
        watcher.observe(this);
      }
    },
  );
}

class Explorer {
  constructor(host, root, load) {
    this.host = host;
    this.root = root;
    this.load = load;
    this.checks = JSON.parse(host.getAttribute("checks") ?? "[]");
    this.view = "list";
    this.asked = 0; // how many checks were asked for; data that comes late is not shown
    this.apart = host.hasAttribute("apart");
  }

  // Opens the path of an address, or what the page asks for.
  async start(text) {
    const [check, property] = (this.host.getAttribute("opens") ?? "").split("/");
    const address = parseAddress(text);
    if (address !== null && this.checks.some(([name]) => name === address.check)) {
      if (await this.open(address.check)) this.restore(address);
    } else if (await this.open(check || this.checks[0]?.[0])) {
      this.begin(property);
      if (text !== null) this.tell(say(NOWHERE), true);
    }
  }

  // Loads a check; false, with a message, where that fails, and false where the reader has asked for another one meanwhile.
  async open(check) {
    const file = this.checks.find(([name]) => name === check)?.[1];
    this.asked += 1;
    const now = this.asked;
    let graph;
    try {
      graph = new Graph(await this.load(file));
    } catch (problem) {
      if (now !== this.asked) return false;
      this.root.lastChild.removeAttribute("aria-busy");
      this.root.lastChild.replaceChildren(h("p", { class: "note", role: "alert" }, say("The explorer has no data: {problem}", { problem: problem.message })));
      return false;
    }
    if (now !== this.asked) return false;
    this.graph = graph;
    this.left = [];
    this.build(check);
    return true;
  }

  begin(property, quiet = true) {
    const found = this.graph.data.properties.find((p) => p.name === property);
    this.show(found === undefined ? new Run(this.graph, 0) : runOf(this.graph, found), { quiet });
  }

  restore(address) {
    const run = runAt(this.graph, address);
    this.show(run ?? new Run(this.graph, 0), { quiet: true });
    if (run === null || !run.whole) this.tell(say(STALE), true);
  }

  // The parts that stay while a check is open.
  build(check) {
    const { data } = this.graph;
    const select = h("select", { id: "check", onchange: () => this.change(select.value) },
      this.checks.map(([name]) => h("option", { value: name, selected: name === check }, name)));
    const size = say(data.complete ? "all of its {states}" : "{states} around its runs", { states: count(this.graph.size, "state") });
    this.badges = data.properties.map((property) => {
      const [mark, kind, words] = outcome(property);
      return h("button", { type: "button", class: `badge ${kind}`, "aria-pressed": "false", onclick: () => this.show(runOf(this.graph, property)) },
        `${mark} ${property.name} ${words}`);
    });
    const button = (label, text, action) => h("button", { type: "button", "aria-label": label, title: label, onclick: action }, text);
    this.buttons = [
      button(say("To the initial state"), "|◀", () => this.seek(0)),
      button(say("One step back"), "◀", () => this.seek(this.run.cursor - 1)),
      button(say("One step forward"), "▶", () => this.show(this.run.forward())),
      button(say("To the end of the run"), "▶|", () => this.seek(this.run.length)),
    ];
    this.range = h("input", { type: "range", min: 0, "aria-label": say("Place in the run"), oninput: () => this.seek(Number(this.range.value)) });
    this.where = h("span", { class: "grow" });
    this.runs = h("div", { class: "bar", role: "group", "aria-label": say("Runs that were left") });
    this.note = h("p", { class: "note", hidden: true });
    this.steps = h("div", { class: "scroll" });
    this.next = h("div", { class: "scroll" });
    this.refused = h("details", {});
    this.drawing = h("div", { hidden: true });
    this.table = h("details", {});
    this.views = [["list", say("Steps")], ["diagram", say("Sequence diagram")]].map(([view, text]) =>
      h("button", { type: "button", "data-view": view, onclick: () => this.look(view) }, text));
    this.live = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
    this.lists = h("div", { class: "columns" },
      h("section", { "aria-labelledby": "steps" }, h("h3", { id: "steps" }, say("The run")), this.steps),
      h("section", { "aria-labelledby": "next" }, h("h3", { id: "next", tabindex: -1 }, say("What can happen next")), this.next, this.refused));
    this.choose = h("div", { class: "bar" }, h("label", { for: "check" }, say("Check")), select, h("span", { class: "small quiet" }, size));
    const box = h("div", { class: "box", role: "group", tabindex: -1, "aria-label": say("State explorer"), onkeydown: (event) => this.key(event) },
      this.choose,
      this.badges.length > 0 && h("div", { class: "bar", role: "group", "aria-label": say("Runs of properties") }, this.badges),
      h("div", { class: "bar plain" }, this.buttons, this.where),
      h("div", { class: "bar" }, h("div", { class: "grow" }, this.range)),
      this.runs,
      h("div", { class: "bar" }, this.views,
        h("span", { class: "grow" }),
        !this.apart && h("button", { type: "button", onclick: () => this.copy(withAddress(location, this.run.address()), say("The address of this state")) }, say("Copy link")),
        h("button", { type: "button", onclick: () => this.copy(pytestOf(this.run), say("A test for pytest")) }, say("Copy as pytest"))),
      this.note, this.lists, this.drawing, this.table,
      h("details", {}, h("summary", {}, say("Keys")), h("p", {}, say(KEYS))), this.live);
    this.root.lastChild.replaceWith(box);
    this.look(this.view, false);
  }

  async change(check) {
    this.wait(check);
    if (!(await this.open(check))) return;
    this.begin(this.graph.data.properties.find((p) => p.verdict === "violated")?.name, false);
    this.root.getElementById("check").focus();
  }

  // Until its data is there, what is shown is of another check, and nothing of it can be used.
  wait(check) {
    const box = this.root.lastChild;
    box.setAttribute("aria-busy", "true");
    for (const part of box.children) part.inert = ![this.choose, this.note, this.live].includes(part);
    this.tell(say("Loading the states of {check} …", { check }), true);
  }

  seek(cursor) {
    this.show(this.run.seek(cursor));
  }

  take(index) {
    const [old, run] = [this.run, this.run.take(index)];
    if (old.forks(index)) this.left = [old, ...this.left.filter((other) => !other.equals(old))].slice(0, MOST_LEFT);
    this.show(run, { focus: true });
    if (old.forks(index)) this.tell(`${say("You left the run after step {at}; it is kept above.", { at: old.cursor })} ${spoken(run)}`);
  }

  // Goes to a run: everything that is shown follows from it.
  show(run, { quiet = false, focus = false } = {}) {
    const held = this.root.activeElement;
    const part = [this.steps, this.next, this.refused, this.table, this.drawing, this.runs, this.note].find((one) => one.contains(held));
    this.run = run;
    this.note.hidden = true;
    const property = this.graph.data.properties.find((p) => runOf(this.graph, p).equals(run));
    this.badges.forEach((badge, at) => badge.setAttribute("aria-pressed", this.graph.data.properties[at] === property));
    const [first, back, forward, last] = this.buttons;
    const [atStart, atEnd] = [run.cursor === 0, run.cursor === run.length];
    // What is disabled for the browser loses the focus, and the keys with it; these do nothing where there is nothing to do.
    for (const button of [first, back]) button.setAttribute("aria-disabled", atStart);
    last.setAttribute("aria-disabled", atEnd);
    forward.setAttribute("aria-disabled", atEnd && !(run.turns && run.loop < run.length));
    Object.assign(this.range, { max: run.length, value: run.cursor });
    this.range.setAttribute("aria-disabled", run.length === 0);
    this.range.setAttribute("aria-valuetext", position(run));
    const visits = run.visits;
    this.where.replaceChildren(h("strong", {}, position(run)), visits.length > 0 ? ` (${say("the same state as after step {at}", { at: visits.at(-1) })})` : "");
    this.steps.replaceChildren(timeline(run, property?.abstract ?? null, (at) => this.seek(at)));
    this.next.replaceChildren(choices(run, (index) => this.take(index)));
    const refused = refusals(run);
    this.refused.replaceChildren(h("summary", {}, say("What cannot happen, and why: {number}", { number: refused.count })), refused.list);
    this.refused.hidden = refused.count === 0;
    this.table.replaceChildren(h("summary", {}, say("The whole state")), stateTable(run));
    this.runs.hidden = this.left.length === 0;
    this.runs.replaceChildren(h("span", { class: "small" }, say("Left:")), ...this.left.map((other) =>
      h("button", { type: "button", onclick: () => this.back(other) }, say("run with {steps}, left after {at}", { steps: count(other.length, "step"), at: other.cursor }))));
    if (this.view === "diagram") this.draw();
    this.refocus(held, part, focus);
    reveal(this.steps, this.steps.querySelector("[aria-current]").closest("li"));
    if (!quiet) {
      if (!this.apart) history.replaceState(history.state, "", withAddress(location, run.address()));
      this.tell(spoken(run));
    }
  }

  // Panels are made anew, so what had the focus is gone: its successor gets it, or else the whole, so that keys still reach it.
  refocus(held, part, focus) {
    const first = (within, ...selectors) => selectors.map((selector) => within.querySelector(selector)).find((found) => found !== null);
    const chosen = () => first(this.next, "button") ?? this.root.getElementById("next");
    const successor = new Map([
      [this.steps, () => first(this.steps, `[data-at="${held.dataset.at}"]`, "[aria-current]")],
      [this.next, chosen],
      [this.refused, () => first(this.refused, "summary")],
      [this.table, () => first(this.table, "summary")],
      [this.drawing, () => this.drawing.firstChild],
      [this.runs, () => first(this.runs, "button") ?? first(this.steps, "[aria-current]")],
    ]).get(focus && !this.lists.hidden ? this.next : part);
    successor?.()?.focus({ preventScroll: true });
    if (part !== undefined && (this.root.activeElement === null || part === this.note)) {
      this.root.lastChild.focus({ preventScroll: true });
    }
    this.next.scrollTop = 0;
  }

  // The diagram of the run, with what was scrolled into view still there.
  draw() {
    const { scrollLeft, scrollTop } = this.drawing.firstChild ?? {};
    this.drawing.replaceChildren(diagram(this.run, (at) => this.seek(at)));
    this.drawing.firstChild.scrollTo(scrollLeft ?? 0, scrollTop ?? 0);
  }

  back(run) {
    this.left = this.left.filter((other) => other !== run);
    if (this.run.length > 0) this.left = [this.run, ...this.left].slice(0, MOST_LEFT);
    this.show(run);
  }

  look(view, drawn = true) {
    this.view = view;
    for (const button of this.views) button.setAttribute("aria-pressed", button.dataset.view === view);
    this.lists.hidden = view !== "list";
    this.drawing.hidden = view !== "diagram";
    if (drawn && view === "diagram") this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return;
    const { run } = this;
    const slider = event.target === this.range;
    const act = {
      ArrowLeft: () => this.seek(run.cursor - 1),
      ArrowRight: () => this.show(run.forward()),
      Home: () => this.seek(0),
      End: () => this.seek(run.length),
      Backspace: () => run.cursor > 0 && this.show(run.seek(run.cursor - 1).cut()),
      d: () => {
        this.look(this.view === "list" ? "diagram" : "list");
        this.views.find((button) => button.dataset.view === this.view).focus(); // what had the focus may be hidden now
      },
    }[event.key];
    const number = /^[1-9]$/.test(event.key) ? run.offers[Number(event.key) - 1] : undefined;
    if (number !== undefined) this.take(number.index);
    else if (act === undefined || (slider && event.key !== "Backspace" && event.key !== "d")) return;
    else act();
    event.preventDefault();
    event.stopPropagation();
  }

  async copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      this.tell(say("{what} was copied.", { what }), true);
    } catch {
      this.tell(say("The browser does not let a page copy here. Select the text below."), true);
      this.note.append(h("pre", { tabindex: 0 }, text));
    }
  }

  tell(text, visible = false) {
    this.live.textContent = text;
    this.note.hidden = !visible;
    if (visible) this.note.replaceChildren(text);
  }
}

// Scrolls a box, and not the page, so that an element in it can be seen.
function reveal(box, node) {
  const [inner, outer] = [node.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 8;
  else if (inner.bottom > outer.bottom) box.scrollTop += Math.min(inner.bottom - outer.bottom + 8, inner.top - outer.top);
}

// Sign, colour and words for what a run of a property shows.
export function outcome({ kind, verdict, expected, loop, path }) {
  const steps = path.length - 1;
  const length = loop === null ? count(steps, "step") : say("{steps}, then for ever", { steps: count(steps, "step") });
  if (verdict === "error") return ["!", "bad", say("cannot be judged after {length}", { length })];
  const said = verdict !== "holds" ? say("fails in {length}", { length })
    : say(kind === "reach" ? "is reached in {length}" : "holds in {length}", { length });
  // As in the tables of the page: what nobody expects anything of is neither good nor bad.
  if (expected === null) return ["·", "quiet", verdict === "holds" ? said : say("{what}, {remark}", { what: said, remark: say("no expectation") })];
  if ((verdict === "holds") !== (expected === "holds")) return ["✗", "bad", said];
  return verdict === "holds" ? ["✓", "good", said] : ["✓", "known", say("fails as expected in {length}", { length })];
}
