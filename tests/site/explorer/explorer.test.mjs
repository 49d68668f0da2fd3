// The logic of the explorer, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readAddress, withAddress } from "../../../checker/site/assets/explorer/address.mjs";
import { draw, eventsOf } from "../../../checker/site/assets/explorer/diagram.mjs";
import { outcome } from "../../../checker/site/assets/explorer/element.mjs";
import { Graph } from "../../../checker/site/assets/explorer/graph.mjs";
import { pytestOf, python } from "../../../checker/site/assets/explorer/pytest.mjs";
import { Run, loopText, parseAddress, runAt, runOf } from "../../../checker/site/assets/explorer/run.mjs";
import { changes, grouped, show } from "../../../checker/site/assets/explorer/values.mjs";
import { TOY } from "./toy.mjs";

const graph = new Graph(TOY);
const property = (name) => TOY.properties.find((p) => p.name === name);
const quiet = () => runOf(graph, property("Quiet"));

test("values are shown in the notation of the language", () => {
  assert.equal(show(["r", "Pair", "a", "1", "b", ["{", "x", "y"]]), "Pair(1, {x, y})");
  assert.equal(show(["m", "RM0", ["[", "1"], "RM1", ["["]]), "{RM0: [1], RM1: []}");
  assert.equal(show(["b", "1", "1"]), "bag[1, 1]");
  assert.throws(() => show(["?", "1"]), /unknown kind/);
});

test("only the parts that differ are changes", () => {
  const map = (a, b) => ["m", "k", ["r", "P", "x", a, "y", b]];
  assert.deepEqual(changes("v", map("1", "2"), map("1", "3")), [{ kind: "set", place: "v[k].y", old: "2", new: "3" }]);
  assert.deepEqual(changes("v", "none", ["r", "P", "x", "1"]), [{ kind: "set", place: "v", old: "none", new: "P(1)" }]);
  const long = ["{", "a".repeat(20), "b".repeat(20)];
  assert.deepEqual(changes("v", long, [...long.slice(0, 2), "c"]), [
    { kind: "remove", place: "v", old: "", new: `{${"b".repeat(20)}}` },
    { kind: "add", place: "v", old: "", new: "{c}" },
  ]);
});

test("messages to several receivers are one line, and copies are counted", () => {
  assert.deepEqual(grouped(["M() A -> B", "M() A -> C"]), ["M() A -> B, C"]);
  assert.deepEqual(grouped(["M() A -> B", "M() A -> B", "M() A -> C"]), ["M() A -> B (× 2)", "M() A -> C"]);
});

test("states are made from their differences, in any order", () => {
  const fresh = new Graph(TOY);
  assert.deepEqual(fresh.values(2), [["A.st", "asked"], ["B.seen", "{1}"]]);
  assert.deepEqual(fresh.values(0), [["A.st", "idle"], ["B.seen", "{}"]]);
  assert.deepEqual(fresh.network(1), ["Ask() A -> B"]);
  assert.deepEqual(fresh.summary(0), ["A: st = idle", "B: seen = {}"]);
});

test("a state outside of the bound is not counted", () => {
  assert.equal(graph.size, 4);
});

test("data of another version is refused", () => {
  assert.throws(() => new Graph({ ...TOY, version: 2 }), /reads lockstep-explorer 1, and the data is lockstep-explorer 2/);
  assert.throws(() => new Graph(undefined), /lockstep-explorer/);
});

test("steps lead somewhere, go wrong, or end", () => {
  assert.deepEqual(graph.steps(2).map((s) => [s.name, s.target, s.error, s.line]), [
    ["A.Rest()", 0, null, 0],
    ["B.Go()", null, "error PSM601: 4 is outside 0..3", 12],
    ["B.Far()", 4, null, 0],
  ]);
  assert.equal(graph.steps(3), null);
  assert.equal(graph.end(3), "outside");
  assert.equal(graph.end(4), "cut");
  assert.equal(graph.end(0), null);
});

test("refusals have their reasons, and processes wait for messages", () => {
  assert.deepEqual(graph.refused(0), [
    { step: "A.Rest()", count: 1, reason: "st == asked", line: 9 },
    { step: "A.Pick(…)", count: 3, reason: "its limit is reached", line: 0 },
    { step: "B.Ask", count: 1, reason: "no Ask to B is in flight", line: 0 },
  ]);
  assert.deepEqual(graph.refused(1), []);
  assert.deepEqual(graph.refused(4), []);
});

test("a run is walked, forked and kept", () => {
  const run = quiet();
  assert.deepEqual([run.length, run.cursor, run.state()], [2, 2, 2]);
  const back = run.seek(1);
  assert.equal(back.next, 0);
  assert.ok(back.take(0).equals(run), "the step that the run takes is no fork");
  assert.ok(back.forks(1));
  assert.ok(!back.forks(0));
  const fork = back.take(1);
  assert.deepEqual([fork.length, fork.state(), fork.choices], [2, 3, null]);
  assert.equal(run.length, 2, "runs do not change");
});

test("a run stays within itself", () => {
  assert.equal(quiet().seek(99).cursor, 2);
  assert.equal(quiet().seek(-1).cursor, 0);
  const wrong = new Run(graph, 0, [1, 7, 0]);
  assert.deepEqual([wrong.length, wrong.whole], [1, false]);
});

test("what changes nothing is offered last", () => {
  const run = new Run(graph, 0);
  assert.deepEqual(run.choices.map((s) => s.name), ["A.Idle()", "A.Ask()"]);
  assert.deepEqual(run.offers.map((s) => s.name), ["A.Ask()", "A.Idle()"]);
});

test("a run without end goes round", () => {
  const run = runOf(graph, property("Ends"));
  assert.ok(run.turns);
  assert.equal(run.forward().cursor, 0);
  assert.ok(!run.seek(1).turns);
  assert.deepEqual(run.visits, [0]);
  assert.equal(loopText(run), "↻ back to 0: steps 1 to 3 again and again");
  assert.equal(new Run(graph, 0, [1, 0], null, 1).loop, null, "a loop that is none is not taken over");
});

test("a run can end in an error", () => {
  const run = runOf(graph, property("NoError"));
  assert.deepEqual([run.length, run.state(), run.choices], [3, null, []]);
  assert.equal(run.last.error, "error PSM601: 4 is outside 0..3");
  assert.equal(run.seek(2).state(), 2);
});

test("an address leads to the same state", () => {
  for (const run of [quiet().seek(1), runOf(graph, property("Ends")), runOf(graph, property("NoError")), new Run(graph, 0)]) {
    const again = runAt(graph, parseAddress(run.address()));
    assert.ok(again.equals(run));
    assert.equal(again.cursor, run.cursor);
  }
  assert.equal(runOf(graph, property("Ends")).address(), "small:0.1.0.0~0@3");
  for (const text of [null, "", "small", "small:", "small:x", "small:0.1@", "small:-1"]) assert.equal(parseAddress(text), null, text);
  assert.equal(runAt(graph, parseAddress("small:9")), null);
});

test("the address stands in the query, and in the fragment of a file", () => {
  const web = new URL("https://a.example/p/?h=x#spec");
  const url = new URL(withAddress(web, "small:0.1@1"));
  assert.equal(url.href, "https://a.example/p/?h=x&explore=small:0.1@1#spec");
  assert.equal(readAddress(url), "small:0.1@1");
  const file = new URL(withAddress(new URL("file:///p/index.html"), "small:0.1@1"));
  assert.equal(file.search, "");
  assert.equal(readAddress(file), "small:0.1@1");
  assert.equal(readAddress(web), null);
  assert.equal(readAddress(new URL("file:///p/index.html#explore=%")), "%", "what cannot be decoded is told, and no error");
});

test("what nobody expects anything of is neither good nor bad", () => {
  const told = (verdict, expected) => outcome({ kind: "always", verdict, expected, loop: null, path: [0, 1] });
  assert.deepEqual(told("violated", null), ["·", "quiet", "fails in 1 step, no expectation"]);
  assert.deepEqual(told("violated", "holds"), ["✗", "bad", "fails in 1 step"]);
  assert.deepEqual(told("violated", "fails"), ["✓", "known", "fails as expected in 1 step"]);
  assert.deepEqual(told("holds", "holds"), ["✓", "good", "holds in 1 step"]);
  assert.equal(told("holds", "fails")[0], "✗");
});

test("a diagram has an arrow from the step that sent a message", () => {
  const [ask, taken] = eventsOf(quiet());
  assert.deepEqual([taken.sender, taken.process, taken.origin], [0, 1, 0]);
  assert.equal(ask.sent.size, 0, "a message that is taken is not told again");
  assert.equal(eventsOf(quiet().seek(1).cut())[0].sent.size, 1);
  assert.ok(eventsOf(quiet().seek(1).take(1))[1].lost);
  const { shapes, width, height } = draw(runOf(graph, property("Ends")));
  assert.equal(shapes.filter(([, attributes]) => attributes["data-step"]).length, 3);
  for (const [tag, { x, y, width: w = 0, height: h = 0 }] of shapes.filter(([, a]) => a.x !== undefined)) {
    assert.ok(x >= 0 && x + w <= width && y >= 0 && y + h <= height, `${tag} at ${x}, ${y} is outside`);
  }
  assert.ok(draw(new Run(graph, 0)).width > 0);
});

test("values become Python", () => {
  assert.equal(python(["m", "a", ["{", "1", "true"], "b", "none"]), '{"a": [1, True], "b": None}');
  assert.equal(python(["r", "P", "x", "-3"]), '{"x": -3}');
  assert.equal(python('é"\\'), '"\\u00e9\\"\\\\"');
  assert.equal(python("😀"), '"\\U0001f600"');
});

test("a run becomes a test, up to where the reader stands", () => {
  const text = pytestOf(quiet().seek(1));
  assert.match(text, /^STEPS = \[\n {4}"A\.Ask\(\)",\n\]$/m);
  assert.match(text, /"A\.st": "asked",/);
  assert.doesNotMatch(text, /B\.seen/, "what is as it was at the beginning says little");
  assert.match(pytestOf(runOf(graph, property("NoError"))), /pytest\.raises\(checker\.SpecError, match="goes wrong"\)/);
});
