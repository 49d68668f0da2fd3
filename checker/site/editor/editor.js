// The editor of a spec on its page: text with diagnostics underlined, a button that checks it, and the results.
//
// `assets/edit-spec.js` imports this on a click, so nothing of it counts in the first load of a page. Everything comes from
// the site itself. What the worker gives as markup was escaped where it was made (`checker.site.text`).

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers,
} from "@codemirror/view";
import { Tag } from "@lezer/highlight";
import { Client, Stopped } from "./client.js";
import { classNames, parser } from "./highlighting.js";

const { say } = globalThis.lockstepExplorer; // the script of the explorer, which every page has loaded, knows its language
const PAUSE = 300; // milliseconds without a key before the text is looked at
const LIMITS = { states: 50_000, seconds: 20 };

const tags = Object.fromEntries(classNames.map((name) => [name, Tag.define()]));
const language = StreamLanguage.define({ ...parser, tokenTable: tags });
const colours = HighlightStyle.define(classNames.map((name) => ({ tag: tags[name], class: name })));

// The theme's variables, so that the editor follows the scheme of the page, and its code blocks.
const look = EditorView.theme({
  "&": { backgroundColor: "var(--md-code-bg-color)", color: "var(--md-code-fg-color)", fontSize: "0.68rem", maxHeight: "32rem" },
  "&.cm-focused": { outline: "2px solid var(--md-accent-fg-color)" },
  ".cm-scroller": { fontFamily: "var(--md-code-font-family, monospace)", lineHeight: "1.4" },
  ".cm-content": { caretColor: "currentColor" },
  ".cm-gutters": {
    backgroundColor: "var(--md-code-bg-color)", color: "var(--md-default-fg-color--light)", border: "0",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--ls-soft)" },
  ".cm-cursor": { borderLeftColor: "currentColor" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--md-code-hl-color--light)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--ls-soft)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--md-code-hl-color--light)" },
  ".cm-tooltip, .cm-panels": {
    backgroundColor: "var(--md-default-bg-color)", color: "var(--md-default-fg-color)", border: "1px solid var(--ls-line)",
  },
  ".cm-diagnostic": { whiteSpace: "pre-wrap", maxWidth: "min(32rem, 90vw)" },
  ".cm-panels input, .cm-panels button": { color: "inherit", background: "transparent" },
});

/** An element with attributes and children; text is text, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The text of a diagnostic, in which what stands between backticks is code. */
function words(text) {
  return text.split("`").map((part, number) => (number % 2 === 1 ? make("code", {}, part) : part));
}

/** An offset into a document for a line and a column that count characters (not halves of surrogate pairs) from 1. */
function offset(doc, line, column) {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return at.from + [...at.text].slice(0, column - 1).join("").length;
}

class Editor {
  constructor(host, { text, name, texts }) {
    this.original = text;
    this.edits = 0;
    this.before = "";
    this.checked = null; // the text that the status and the results are about
    this.build(host, text);
    const setup = { name, texts, language: document.documentElement.lang || "en", words: globalThis.lockstepWords ?? {} };
    this.client = new Client(setup, (kind, message) => this.heard(kind, message));
    this.lookSoon(0);
  }

  // ---- what is on the page

  build(host, text) {
    this.check = this.button(say("Check"), "md-button md-button--primary", () => this.runAll());
    this.stop = this.button(say("Stop"), "md-button", () => this.stopAll());
    this.reset = this.button(say("Undo all changes"), "md-button", () => this.setText(this.original));
    this.stop.disabled = true;
    this.states = this.number(LIMITS.states, 1, 1_000_000);
    this.seconds = this.number(LIMITS.seconds, 1, 600);
    this.status = make("p", { class: "ls-edit-status ls-small", role: "status" }, say("Loading the checker …"));
    this.old = make("p", { class: "ls-small ls-open", role: "status", hidden: "" });
    this.problems = make("ol", { class: "ls-edit-problems", "aria-label": say("Diagnostics") });
    this.results = make("div", { class: "ls-edit-results" });
    this.walks = make("div", { class: "ls-edit-bar", role: "group", "aria-label": say("Walk through the states") });
    this.explorer = make("div");
    this.told = make("div", {}, this.walks, this.explorer, this.results);
    this.told.addEventListener("click", (event) => this.followLine(event));
    const ground = make("div", { class: "highlight ls-edit-text" });
    host.append(
      ground,
      this.problems,
      make(
        "div",
        { class: "ls-edit-bar" },
        this.check,
        this.stop,
        this.reset,
        make("label", { class: "ls-small" }, say("states ≤"), " ", this.states),
        make("label", { class: "ls-small" }, say("seconds for each check ≤"), " ", this.seconds),
      ),
      this.status,
      this.old,
      this.told,
    );
    this.view = new EditorView({ state: this.state(text), parent: ground });
  }

  button(label, kind, act) {
    const button = make("button", { type: "button", class: kind }, label);
    button.addEventListener("click", act);
    return button;
  }

  number(value, min, max) {
    return make("input", { type: "number", value, min, max, required: "" });
  }

  state(text) {
    return EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), highlightActiveLineGutter(), lintGutter(), history(), drawSelection(), bracketMatching(),
        highlightActiveLine(), highlightSelectionMatches(), indentUnit.of("  "), language, syntaxHighlighting(colours), look,
        // Tab leaves the editor, as people without a mouse expect.
        keymap.of([{ key: "Mod-Enter", run: () => this.runAll() || true }, ...defaultKeymap, ...historyKeymap, ...searchKeymap]),
        EditorView.contentAttributes.of({ "aria-label": say("Text of the spec"), spellcheck: "false" }),
        EditorView.updateListener.of((update) => update.docChanged && this.changed()),
      ],
    });
  }

  setText(text) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
    this.view.focus();
  }

  tell(text) {
    this.status.textContent = text;
  }

  /** Says so where the text is another than the one that the status and the results are about. */
  compare() {
    const differs = this.checked !== null && !this.checked.eq(this.view.state.doc);
    const text = differs ? say("The text has changed since. What is said here is about the text as it was when it was checked.") : "";
    if (this.old.textContent !== text) this.old.textContent = text; // each key would have it read aloud again
    this.old.hidden = !differs;
    this.told.classList.toggle("ls-edit-old", differs);
  }

  changed() {
    this.compare();
    this.lookSoon(PAUSE);
  }

  heard(kind, message) {
    if (kind === "ready") this.tell(this.before + say("The checker is ready ({seconds} s).", { seconds: message }));
    else if (kind === "failed") {
      this.check.disabled = this.stop.disabled = true;
      this.tell(say("The checker does not run here: {problem}. The page around it does not need it.", { problem: message }));
    } else this.tell(this.before + message);
  }

  // ---- diagnostics

  lookSoon(pause) {
    this.edits += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look().catch((problem) => this.failed(problem)), pause);
  }

  /** Looks at the text as it is, which changes nothing about what is checked. */
  async look() {
    const now = this.edits;
    const { diagnostics } = await this.client.look(this.view.state.doc.toString());
    if (now === this.edits) this.show(diagnostics);
  }

  show(diagnostics) {
    const { doc } = this.view.state;
    const placed = diagnostics.map((d) => {
      const has = d.here && d.line !== null;
      const from = has ? offset(doc, d.line, d.column) : 0;
      const to = has ? Math.max(offset(doc, d.end_line, d.end_column), from) : 0;
      return { ...d, has, from, to };
    });
    const marks = placed
      .filter((d) => d.has)
      .map((d) => ({
        from: d.from,
        // what is missing has a place and no length: something has to be there to be underlined
        to: d.to > d.from ? d.to : Math.min(d.from + 1, doc.length),
        severity: d.severity,
        source: d.code,
        message: [d.message, ...d.notes, ...(d.help ? [`help: ${d.help}`] : [])].join("\n"),
      }));
    this.view.dispatch(setDiagnostics(this.view.state, marks));
    this.problems.replaceChildren(...placed.map((d) => this.problem(d)));
  }

  problem(diagnostic) {
    const { code, severity, message, notes, help, line, has, from, path } = diagnostic;
    const place = has ? say("line {line}", { line }) : path ?? say("the spec");
    const where = has ? make("button", { type: "button", class: "ls-edit-place" }, place) : make("span", {}, place);
    if (has) where.addEventListener("click", () => this.goTo(from));
    const tone = severity === "error" ? "ls-bad-text" : "ls-open";
    const more = [...notes, ...(help ? [`help: ${help}`] : [])].map((text) => make("div", { class: "ls-small" }, ...words(text)));
    return make("li", {}, where, " ", make("span", { class: tone }, `${severity} ${code}: `, ...words(message)), ...more);
  }

  goTo(from) {
    this.view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.view.focus();
  }

  /** Links to lines in the results and in the explorer mean the text in the editor, not the one on the page. */
  followLine(event) {
    const link = event.composedPath()[0].closest("a[href^='#L']"); // the target itself is the explorer, which hides its inside
    const line = link === null ? NaN : Number(link.getAttribute("href").slice(2));
    if (!Number.isInteger(line)) return;
    event.preventDefault();
    this.goTo(offset(this.view.state.doc, line, 1));
  }

  // ---- checking

  limits() {
    for (const input of [this.states, this.seconds]) if (!input.reportValidity()) return null;
    return { states: this.states.valueAsNumber, seconds: this.seconds.valueAsNumber };
  }

  runAll() {
    const limits = this.limits();
    if (limits === null || this.check.disabled) return;
    this.busy(true);
    this.before = "";
    this.tell(say("Looking at the text …"));
    this.checkAll(limits)
      .catch((problem) => this.failed(problem))
      .finally(() => this.busy(false));
  }

  /** Checks the text as it is now, whatever is typed meanwhile. */
  async checkAll(limits) {
    clearTimeout(this.timer);
    this.edits += 1;
    const now = this.edits;
    const { doc } = this.view.state;
    this.checked = doc;
    this.compare();
    const began = performance.now();
    const { checks, diagnostics } = await this.client.edit(doc.toString());
    if (now === this.edits) this.show(diagnostics);
    for (const part of [this.results, this.walks, this.explorer]) part.replaceChildren();
    if (checks.length === 0) return this.tell(say("Nothing was checked: the text has errors, which are listed above."));
    const verdicts = {};
    for (const [number, check] of checks.entries()) {
      this.tell(say("Check {number} of {all}: {check} …", { number: number + 1, all: checks.length, check }));
      const { verdict, html } = await this.client.run(check, limits);
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      this.results.innerHTML = html;
      if (verdict !== "error") this.offerWalk(check);
    }
    const found = Object.entries(verdicts).map(([verdict, number]) => `${number} ${say(verdict)}`).join(say(", "));
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    return this.tell(say("{found}; {seconds} s in this browser.", { found, seconds }));
  }

  // ---- walking through states

  /** A button that opens the explorer of the site on a check, where the page has it. */
  offerWalk(check) {
    if (customElements.get("state-explorer") === undefined) return;
    if (this.walks.childElementCount === 0) this.walks.append(make("span", { class: "ls-small" }, say("Walk through the states of")));
    this.walks.append(this.button(check, "md-button", () => this.walk(check).catch((problem) => this.failed(problem))));
  }

  async walk(check) {
    this.tell(say("Gathering the states of {check} …", { check }));
    const { opens, data } = await this.client.explore(check);
    globalThis.lockstepExplorer.provide("edited", data);
    this.explorer.replaceChildren(
      make("state-explorer", { checks: JSON.stringify([[check, "edited"]]), opens, apart: "" }),
    );
    this.tell(say("The states of {check} are below.", { check }));
  }

  busy(is) {
    for (const button of this.walks.querySelectorAll("button")) button.disabled = is;
    this.check.disabled = is || this.client.broken;
    this.stop.disabled = !is;
  }

  stopAll() {
    this.restart(say("Stopped. What was found until then is below."));
    this.lookSoon(0); // the worker that is gone may not have come to it
  }

  restart(why) {
    this.before = `${why} `;
    this.tell(why);
    this.client.restart();
    this.walks.replaceChildren(); // their checks were run by the worker that is gone
  }

  /** An error of the checker itself, such as an overflow of the browser's stack: nothing of it can be relied on any more. */
  failed(problem) {
    if (problem instanceof Stopped || this.client.broken) return;
    this.restart(say("The checker failed, and that is an error in it: {problem}. It is started again.", { problem: problem.message }));
  }

  destroy() {
    clearTimeout(this.timer);
    this.client.close();
    this.view.destroy();
  }
}

/** Makes an editor in an element; `destroy` ends it. */
export function open(host, spec) {
  return new Editor(host, spec);
}
