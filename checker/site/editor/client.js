// The page's side of the worker: requests as promises, and an end to whatever runs.
//
// Python in the worker cannot be interrupted, so stopping means ending the worker. A new one is made at once; what the
// browser fetched for the first one is in its cache.

export class Stopped extends Error {}

export class Client {
  /**
   * @param {{name: string, texts: Record<string, string>, language: string, words: Record<string, string>}} setup what the worker is opened with
   * @param {(kind: "told" | "ready" | "failed", text: string) => void} notice what there is to say between answers
   */
  constructor(setup, notice) {
    this.setup = setup;
    this.broken = false; // it could not be opened
    this.notice = notice;
    this.waiting = new Map();
    this.number = 0;
    this.start();
  }

  start() {
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.take(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.take({ kind: "failed", message: event.message || "the worker could not be loaded" });
    };
    this.ready = new Promise((resolve, reject) => {
      this.opened = { resolve, reject };
    });
    this.ready.catch(() => {}); // told by `notice`
    this.worker.postMessage({ kind: "open", ...this.setup });
  }

  take(data) {
    const asked = this.waiting.get(data.id);
    if (data.kind === "told") return this.notice("told", data.text);
    if (data.kind === "ready") {
      this.opened.resolve(data.seconds);
      return this.notice("ready", data.seconds.toFixed(1));
    }
    if (asked !== undefined) this.waiting.delete(data.id);
    if (data.kind === "failed") {
      const problem = new Error(data.message);
      if (asked === undefined) {
        this.broken = true;
        this.opened.reject(problem);
        this.fail(problem);
        return this.notice("failed", data.message);
      }
      return asked.reject(problem);
    }
    return asked?.resolve(data);
  }

  async ask(kind, more) {
    await this.ready;
    const id = ++this.number;
    const answer = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.worker.postMessage({ kind, id, ...more });
    return answer;
  }

  /** What is wrong with a text. */
  look(text) {
    return this.ask("look", { text });
  }

  /** The same, and the text is what `run` and `explore` are about from now on. */
  edit(text) {
    return this.ask("edit", { text });
  }

  run(check, limits) {
    return this.ask("run", { check, ...limits });
  }

  explore(check) {
    return this.ask("explore", { check });
  }

  fail(problem) {
    for (const { reject } of this.waiting.values()) reject(problem);
    this.waiting.clear();
  }

  /** Ends whatever runs; requests without an answer are `Stopped`. */
  close() {
    this.worker.terminate();
    this.opened.reject(new Stopped());
    this.fail(new Stopped());
  }

  restart() {
    this.close();
    this.start();
  }
}
