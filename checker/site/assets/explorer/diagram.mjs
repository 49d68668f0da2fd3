// A run as a sequence diagram: lifelines, messages as arrows, faults as bands; time runs downwards, one row for each step.
//
// It looks as the diagrams that the page brings along (checker/render/sequence.py), which are made when the site is built; this
// one is made of whatever run a reader walks. `draw` gives shapes as plain data, [tag, attributes, text], so that they can be
// tested, and so that a text is never markup.

import { DOWN, FAULT, FORGED, LOST, UP } from "./graph.mjs";
import { loopText } from "./run.mjs";
import { grouped } from "./values.mjs";
import { say } from "./words.mjs";

const CHAR = 7.3; // the width of a character, in pixels
const [ROW, TOP, BOX, MARGIN, TURN] = [50, 46, 13, 24, 34];
const [NAME, DETAIL] = [34, 40]; // the longest texts, in characters
const RED = "#e5484d";
const BLUE = "#6b7fd7";

export function eventsOf(run) {
  const sent = new Map(); // the row that sent a message last
  const events = run.steps.map((step, row) => {
    const [before, after] = [run.state(row), run.state(row + 1)];
    const has = (flag) => (step.flags & flag) !== 0;
    const taken = step.message === "" ? undefined : sent.get(step.message);
    return {
      row,
      text: step.text,
      process: step.process,
      sender: step.sender,
      origin: taken ?? null,
      message: step.message,
      fault: has(FAULT),
      forged: has(FORGED),
      lost: has(LOST),
      down: has(DOWN),
      up: has(UP),
      error: step.error,
      detail: step.error ?? [step.notes, ...told(run.graph, step, before, after)].filter((part) => part !== "").join(", "),
      sent: send(sent, run, step, row),
      left: false,
    };
  });
  for (const event of events) {
    if (event.origin !== null) events[event.origin].sent.delete(event.message);
  }
  for (const event of events) choose(event, events);
  return events;
}

function send(sent, run, step, row) {
  const after = run.state(row + 1);
  if (after === null || step.name.startsWith("dup ")) return new Set(); // one more copy was not sent by anybody
  const { come } = run.graph.traffic(run.state(row), after);
  for (const message of come) sent.set(message, row);
  return new Set(come);
}

// What a step changed in its own process and in what is shared, in a few words.
function told(graph, step, before, after) {
  const { processes } = graph.data;
  const own = step.process < 0 ? null : `${processes[step.process]}.`;
  const shared = (place) => {
    const owner = place.split(/[.[]/)[0];
    return owner !== "" && owner !== "cut" && !processes.includes(owner);
  };
  const words = { set: "=", add: "+=", remove: "-=" };
  return graph
    .changes(before, after)
    .filter(({ place }) => (own !== null && place.startsWith(own) && !place.endsWith(".status")) || shared(place))
    .map((c) => `${c.place.startsWith(own) ? c.place.slice(own.length) : c.place} ${words[c.kind]} ${c.new}`);
}

// Texts stand on the side of their box that has no arrow.
function choose(event, events) {
  const sides = new Set();
  if (arrives(event)) sides.add(event.sender > event.process);
  for (const other of events) {
    if (other.origin === event.row && arrives(other)) sides.add(other.process > event.process);
  }
  event.left = sides.size === 1 && sides.has(true);
}

const arrives = (event) => event.process >= 0 && event.sender >= 0 && event.sender !== event.process;

function below(event) {
  const unread = grouped([...event.sent]).map((line) => {
    const [content, receivers] = line.split(" -> ");
    return `${content.slice(0, content.lastIndexOf(" ")).replace(/\(\)$/, "")} → ${receivers}`;
  });
  return [event.detail, unread.length > 0 ? `${say("sent")}: ${unread.join("; ")}` : ""].filter((line) => line !== "");
}

// The shapes of a run, with their size. `cursor` is the step at which the reader stands.
export function draw(run) {
  const events = eventsOf(run);
  const { processes, faulty } = run.graph.data;
  const used = new Set(events.flatMap((e) => [e.process, e.sender]));
  const lives = processes.map((name, at) => at).filter((at) => used.has(at));
  if (lives.length === 0) lives.push(0);
  const half = lives.map((at) => (Math.min(processes[at].length, NAME) * CHAR) / 2 + 10);
  // left of the first lifeline, between each two, and right of the last: the room that names and texts need there
  const room = [half[0], ...half.slice(1).map((wide, at) => Math.max(2 * MARGIN + 60, half[at] + wide + 12)), half.at(-1)];
  for (const event of events.filter((e) => e.process >= 0)) {
    const place = lives.indexOf(event.process) + (event.left ? 0 : 1);
    const arrow = place > 0 && place < lives.length ? BOX + TURN : 0;
    room[place] = Math.max(room[place], width(event) + BOX + 12 + arrow);
  }
  const across = Math.max(0, ...events.filter((e) => e.process < 0).map((e) => width(e) + MARGIN));
  let last = MARGIN / 2;
  const column = new Map(lives.map((process, place) => [process, (last += Math.round(room[place]))]));
  const total = Math.max(last + Math.round(room.at(-1)) + MARGIN / 2, Math.round(across));
  const height = TOP + ROW * events.length + (run.loop === null ? 14 : ROW);
  const x = (process) => column.get(process);
  const shapes = [];
  for (const event of events) {
    if (event.row === run.cursor - 1) shapes.push(band(event, total, "currentColor", 0.14, "current"));
    if (event.fault || event.error !== null) shapes.push(band(event, total, RED, 0.14));
  }
  for (const process of lives) shapes.push(...lifeline(process, processes[process], x(process), events, height, faulty));
  for (const event of events) if (arrives(event)) shapes.push(...arrow(event, x));
  for (const event of events) shapes.push(...box(event, x));
  if (run.loop !== null) {
    shapes.push(["text", { x: MARGIN / 2, y: height - 18 }, loopText(run)]);
  }
  for (const event of events) {
    shapes.push(["rect", { x: 0, y: TOP + ROW * event.row, width: total, height: ROW, class: "row", "data-step": event.row + 1 }]);
  }
  return { width: total, height, shapes };
}

function width(event) {
  return Math.max(cut(event.text, NAME).length + (event.process < 0 || event.lost ? 4 : 0), ...below(event).map((l) => cut(l, DETAIL).length * 0.92)) * CHAR;
}

const y = (row) => TOP + ROW * row + ROW / 2;

function band(event, total, fill, opacity, kind = "band") {
  return ["rect", { x: 0, y: TOP + ROW * event.row + 2, width: total, height: ROW - 4, fill, "fill-opacity": opacity, class: kind }];
}

// The name and the line, dotted while the process is down.
function lifeline(process, name, x, events, height, faulty) {
  const label = cut(name, NAME);
  const half = Math.round((label.length * CHAR) / 2) + 8;
  const colour = faulty.includes(name) ? RED : BLUE;
  const shapes = [
    ["rect", { x: x - half, y: 8, width: 2 * half, height: 26, rx: 5, fill: colour, "fill-opacity": 0.16, stroke: colour }],
    ["text", { x, y: 25, "text-anchor": "middle", "font-weight": 600 }, label],
  ];
  let [start, down] = [34, false];
  const line = (end) => {
    const dots = down ? { "stroke-dasharray": "2 5" } : {};
    shapes.push(["path", { d: `M${x} ${start}V${end}`, stroke: "currentColor", "stroke-opacity": 0.45, ...dots }]);
  };
  for (const event of events) {
    if (event.process === process && (event.down || event.up)) {
      line(y(event.row));
      [start, down] = [y(event.row), event.down];
    }
  }
  line(height);
  return shapes;
}

// From the box that sent a message, or from the lifeline where that is not known, to the box that takes it.
function arrow(event, x) {
  const known = event.origin !== null;
  const side = x(event.process) > x(event.sender) ? 1 : -1;
  const [x1, y1] = [x(event.sender) + (known ? side * BOX : 0), y(known ? event.origin : event.row)];
  const [x2, y2] = [x(event.process) - side * BOX, y(event.row)];
  const knee = x(event.process) - side * (BOX + TURN);
  const stroke = event.lost || event.forged ? RED : BLUE;
  const dash = event.lost || event.forged ? { "stroke-dasharray": "6 4" } : {};
  const style = { fill: "none", stroke, "stroke-width": 1.5 };
  let head = `M${x2 - side * 5 - 5} ${y2 - 5}l10 10m0 -10l-10 10`;
  if (!event.lost) {
    const length = Math.max(1, Math.hypot(x2 - knee, y2 - y1));
    const [ux, uy] = [(x2 - knee) / length, (y2 - y1) / length];
    const end = (s) => `${Math.round(x2 - 9 * ux + s * 4 * uy)} ${Math.round(y2 - 9 * uy - s * 4 * ux)}`;
    head = `M${end(1)}L${x2} ${y2}L${end(-1)}`;
  }
  return [
    ["path", { d: `M${x1} ${y1}H${knee}L${x2} ${y2}`, ...style, ...dash }],
    ["path", { d: head, ...style }],
  ];
}

// The numbered box of a step with its texts.
function box(event, x) {
  const number = `${event.row + 1}`;
  if (event.process < 0) return label(MARGIN / 2, "start", event, `${number}: ${event.text}`);
  const [anchor, at] = event.left ? ["end", x(event.process) - BOX - 7] : ["start", x(event.process) + BOX + 7];
  if (event.lost) return label(at, anchor, event, `${number}: ${event.text}`);
  const fill = event.fault || event.error !== null ? "#c62828" : "#4456b0";
  return [
    ["rect", { x: x(event.process) - BOX, y: y(event.row) - 10, width: 2 * BOX, height: 20, rx: 4, fill }],
    ["text", { x: x(event.process), y: y(event.row) + 4, "text-anchor": "middle", fill: "#fff", "font-size": 11 }, number],
    ...label(at, anchor, event, event.text),
  ];
}

function label(x, anchor, event, text) {
  const lines = below(event);
  const style = { x, "text-anchor": anchor, class: "halo" };
  return [
    ["text", { y: y(event.row) + (lines.length > 0 ? -4 : 4), ...style }, cut(text, event.process < 0 ? 90 : NAME)],
    ...lines.map((line, at) => ["text", { y: y(event.row) + 10 + 13 * at, "font-size": 11, ...style }, cut(line, DETAIL)]),
  ];
}

function cut(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}
