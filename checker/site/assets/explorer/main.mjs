// The script of a page: the element, and where its data comes from.

import { define } from "./element.mjs";

const base = document.currentScript.src;
const waiting = new Map();
const known = new Map();

// Data files call this with their own name.
globalThis.lockstepExplorer = {
  provide(file, data) {
    known.set(file, Promise.resolve(data));
    waiting.get(file)?.(data);
  },
};

function load(file) {
  if (!known.has(file)) {
    const loaded = new Promise((resolve, reject) => {
      waiting.set(file, resolve);
      const script = document.createElement("script");
      script.src = new URL(file, base).href;
      script.onload = () => reject(new Error(`${file} does not hold what it should`)); // no effect where it called provide
      script.onerror = () => reject(new Error(`${file} cannot be loaded`));
      document.head.append(script);
    });
    loaded.catch(() => known.delete(file)); // it may be there the next time
    known.set(file, loaded);
  }
  return known.get(file);
}

if (customElements.get("state-explorer") === undefined) define(load);
