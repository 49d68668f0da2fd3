// A run as a test for pytest, which takes the same steps through `checker` and compares where they lead.

import { same } from "./values.mjs";

export function pytestOf(run) {
  const { graph } = run;
  const { spec, check } = graph.data;
  const cut = run.cut();
  const failed = cut.failed;
  const steps = cut.steps.map((step) => `    ${literal(step.name)},\n`).join("");
  const walk = `checker.load(${literal(spec)}).walk(STEPS, ${literal(check)})`;
  const told = failed ? "whose last step errs" : `with ${cut.length} step${cut.length === 1 ? "" : "s"}`;
  const lines = [
    `"""A run of ${plain(spec)}, check ${plain(check)}, ${told}."""`,
    "",
    ...(failed ? ["import pytest", ""] : []),
    "import checker",
    "",
    `STEPS = [\n${steps}]`,
    "",
    "",
    `def test_${name(check)}_run() -> None:`,
  ];
  if (failed) {
    lines.push(`    with pytest.raises(checker.SpecError, match="goes wrong"):`, `        ${walk}`);
  } else {
    // What is as it was at the beginning says little.
    const first = new Map(graph.trees(cut.state(0)));
    const values = graph.trees(cut.state());
    const changed = values.filter(([place, value]) => !same(first.get(place), value));
    const items = (changed.length > 0 ? changed : values).map(([place, value]) => [literal(place), python(value)]);
    lines.push(
      "    expected = {",
      ...items.map(([place, value]) => `        ${place}: ${value},`),
      "    }",
      `    states = ${walk}`,
      "    assert any(all(state[place] == value for place, value in expected.items()) for state in states)",
    );
  }
  return `${lines.join("\n")}\n`;
}

// A value as Python writes what stands in JSON.
export function python(value) {
  if (typeof value === "string") {
    if (/^-?\d+$/.test(value)) return value;
    return { none: "None", true: "True", false: "False" }[value] ?? literal(value);
  }
  const [kind, ...parts] = value;
  if (kind !== "m" && kind !== "r") return `[${parts.map(python).join(", ")}]`;
  const from = kind === "r" ? 1 : 0;
  const items = [];
  for (let at = from; at < parts.length; at += 2) items.push(`${literal(parts[at])}: ${python(parts[at + 1])}`);
  return `{${items.join(", ")}}`;
}

// A text as Python and JSON both write it; what is not ASCII is escaped, so nothing in it is more than text.
function literal(text) {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/gu, (c) => {
    const code = c.codePointAt(0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

function plain(text) {
  return text.replace(/[^\w./ -]/g, "");
}

function name(text) {
  return text.replace(/\W+/g, "_");
}
