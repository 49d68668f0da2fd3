// What the explorer says, in the language of its page. As in checker/site/words.py, the English text is the key of a catalogue;
// the script of a page in another language begins with one.

const NAMING = ["{name} is down", "{name} is stopped", "{name} is faulty", "every step of {name}", "the limit of {name} is reached"];

const catalogue = () => globalThis.lockstepWords ?? {};

// A sentence with values put in where it names them.
export function say(text, values = {}) {
  return (catalogue()[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// `1 step`, `1,145 steps`; other languages have one form for all numbers.
export function count(number, one, many = `${one}s`) {
  const n = number.toLocaleString("en");
  const form = catalogue()[`# ${one}`];
  return form === undefined ? `${n} ${number === 1 ? one : many}` : form.replace("{n}", n);
}

// Why a step is refused, as the data of a check says it in English: a sentence that may have the name of a process in it.
export function told(text) {
  for (const sentence of NAMING) {
    const found = new RegExp(`^${sentence.replace(/\{name\}/, "(\\w+)")}$`).exec(text);
    if (found !== null) return say(sentence, { name: found[1] });
  }
  return say(text);
}
