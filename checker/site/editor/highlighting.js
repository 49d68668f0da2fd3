// Highlighting of specs in the editor, by the rules of the site's Pygments lexer.
//
// `highlighting.json` is written by the build from `checker/site/lexer.py`: a list of patterns, each with the classes of
// its groups. The classes are those of the code blocks of the page, so both have the same colours.

import rules from "./highlighting.json";

const compiled = rules.map(([pattern, classes]) => ({ pattern: new RegExp(pattern, "dyu"), classes }));

/** The pieces at a place of a line: `[[end, class], …]`, never none. */
export function pieces(line, at) {
  for (const { pattern, classes } of compiled) {
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (found === null || found[0] === "") continue;
    if (classes.length === 1) return [[at + found[0].length, classes[0]]];
    return classes.map((name, group) => [found.indices[group + 1][1], name]);
  }
  return [[at + 1, ""]];
}

/** For `StreamLanguage.define` of CodeMirror. */
export const parser = {
  name: "psm",
  startState: () => ({ left: [] }),
  copyState: (state) => ({ left: [...state.left] }),
  token(stream, state) {
    if (stream.sol()) state.left = [];
    if (state.left.length === 0) state.left = pieces(stream.string, stream.pos);
    const [end, name] = state.left.shift();
    stream.pos = end;
    return name || null;
  },
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", "[", "{"] } },
};

export const classNames = [...new Set(rules.flatMap(([, classes]) => classes))].filter((name) => name !== "");
