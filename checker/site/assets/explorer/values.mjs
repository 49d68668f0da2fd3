// Values as text, and what differs between two of them.
//
// A value is a text, or a list that begins with its kind: "{" set, "[" sequence, "b" bag, "m" map (key, value, …), "r" record
// (name, field, value, …). This mirrors checker/render/values.py, and a test compares the two on every step of several specs.

// Sets and sequences whose two texts are together at most so long are shown whole.
const SHORT = 32;

export function show(value) {
  if (typeof value === "string") return value;
  const [kind, ...parts] = value;
  switch (kind) {
    case "{":
      return `{${parts.map(show).join(", ")}}`;
    case "[":
      return `[${parts.map(show).join(", ")}]`;
    case "b":
      return `bag[${parts.map(show).join(", ")}]`;
    case "m":
      return `{${pairs(parts).map(([key, part]) => `${key}: ${show(part)}`).join(", ")}}`;
    case "r":
      return `${parts[0]}(${pairs(parts.slice(1)).map(([, part]) => show(part)).join(", ")})`;
  }
  throw new Error(`unknown kind of value: ${kind}`);
}

export function same(a, b) {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.length === b.length && a.every((part, at) => same(part, b[at]));
}

// The parts that differ: {kind: "set" | "add" | "remove", place, old, new}.
export function changes(place, a, b) {
  const kind = typeof a === "string" || typeof b === "string" || a[0] !== b[0] ? "" : a[0];
  if (kind === "r" || kind === "m") {
    const [old, now] = [a, b].map((v) => pairs(v.slice(kind === "r" ? 2 : 1)));
    const before = new Map(old);
    return now.flatMap(([key, part]) => {
      const name = kind === "r" ? `${place}.${key}` : `${place}[${key}]`;
      if (!before.has(key)) return [{ kind: "set", place: name, old: "none", new: show(part) }];
      return same(before.get(key), part) ? [] : changes(name, before.get(key), part);
    });
  }
  const [old, now] = [show(a), show(b)];
  if (kind === "{" && old.length + now.length > SHORT) {
    const gone = a.slice(1).filter((v) => !b.slice(1).some((w) => same(v, w)));
    const come = b.slice(1).filter((v) => !a.slice(1).some((w) => same(v, w)));
    const lines = [["remove", gone], ["add", come]].filter(([, found]) => found.length > 0);
    return lines.map(([what, found]) => ({ kind: what, place, old: "", new: show(["{", ...found]) }));
  }
  if (kind === "[" && old.length > SHORT && same(a, b.slice(0, a.length))) {
    return [{ kind: "add", place, old: "", new: show(["[", ...b.slice(a.length)]) }];
  }
  return [{ kind: "set", place, old, new: now }];
}

// Messages as lines: one message to several receivers is one line, equal copies are counted.
export function grouped(messages) {
  const receivers = new Map();
  for (const message of messages) {
    const at = message.lastIndexOf(" -> ") + 4;
    const content = message.slice(0, at);
    receivers.set(content, [...(receivers.get(content) ?? []), message.slice(at)]);
  }
  return [...receivers].flatMap(([content, all]) => {
    const once = [...new Set(all)];
    if (once.length === all.length) return [content + once.join(", ")];
    return once.map((name) => {
      const copies = all.filter((other) => other === name).length;
      return content + name + (copies > 1 ? ` (× ${copies})` : "");
    });
  });
}

function pairs(parts) {
  return Array.from({ length: parts.length / 2 }, (_, at) => [parts[2 * at], parts[2 * at + 1]]);
}
