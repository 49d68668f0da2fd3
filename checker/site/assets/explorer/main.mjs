// The script of a page: the element, and where its data comes from.

import { define } from "./element.mjs";
import { say } from "./words.mjs";

const base = document.currentScript.src;
const waiting = new Map();
const known = new Map();

// Data files call `provide` with their own name. Other scripts speak the same language.
globalThis.lockstepExplorer = {
  provide(file, data) {
    known.set(file, Promise.resolve(data));
    waiting.get(file)?.(data);
  },
  say,
};

function load(file) {
  if (!known.has(file)) {
    const loaded = new Promise((resolve, reject) => {
      waiting.set(file, resolve);
      const script = document.createElement("script");
      script.src = new URL(file, base).href;
      script.onload = () => reject(new Error(say("{file} does not hold what it should", { file }))); // no effect where it called provide
      script.onerror = () => reject(new Error(say("{file} cannot be loaded", { file })));
      document.head.append(script);
    });
    loaded.catch(() => known.delete(file)); // it may be there the next time
    known.set(file, loaded);
  }
  return known.get(file);
}

if (customElements.get("state-explorer") === undefined) define(load);
