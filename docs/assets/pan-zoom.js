// Large drawings can be moved and enlarged: with the pointer, with buttons, and with the keyboard. Without scripts, or where
// this one fails, a drawing scrolls in its container, as all others do.
//
// A drawing shows the part of it that its view box names. Moving and enlarging change the view box alone.
//
// One finger scrolls the page when it goes up or down, since a drawing can fill the window of a phone. Two fingers move and
// enlarge the drawing, and where there is no finer pointer, buttons move it up and down, too.

const STEP = 1.4;
const CLOSEST = 12;
const READABLE = 1.2; // pixels for a point of the drawing, in which its text is easily read

function view(svg) {
  const { x, y, width, height } = svg.viewBox.baseVal;
  return { x, y, width, height };
}

function show(svg, box) {
  svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
}

function enlarge(svg, whole, factor, at = { x: 0.5, y: 0.5 }) {
  const old = view(svg);
  const closest = Math.min(whole.width / CLOSEST, svg.clientWidth / (2 * READABLE)); // closer than it opens, however large it is
  const width = Math.min(whole.width, Math.max(closest, old.width / factor));
  const height = (width * old.height) / old.width;
  show(svg, within(whole, { x: old.x + (old.width - width) * at.x, y: old.y + (old.height - height) * at.y, width, height }));
}

function move(svg, whole, across, down) {
  const old = view(svg);
  show(svg, within(whole, { ...old, x: old.x + across * old.width, y: old.y + down * old.height }));
}

// A box of which no part lies outside of the whole, as far as it is not larger: then the whole stays inside of it.
function within(whole, box) {
  const kept = (at, length, start, all) =>
    Math.min(Math.max(at, Math.min(start, start + all - length)), Math.max(start, start + all - length));
  return { ...box, x: kept(box.x, box.width, whole.x, whole.width), y: kept(box.y, box.height, whole.y, whole.height) };
}

function button(sign, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = sign;
  made.setAttribute("aria-label", label);
  made.title = label;
  made.addEventListener("click", act);
  return made;
}

function byTouch(made) {
  made.className = "ls-by-touch";
  return made;
}

// Two fingers: their middle moves the drawing, and their distance enlarges it. The browser would scroll the page instead.
function followFingers(svg, whole) {
  let last = null;
  const fingers = ({ touches: [a, b] }) => {
    const frame = svg.getBoundingClientRect();
    const x = (a.clientX + b.clientX) / 2 - frame.left;
    const y = (a.clientY + b.clientY) / 2 - frame.top;
    return { x, y, apart: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)), frame };
  };
  const begin = (event) => {
    last = event.touches.length === 2 ? fingers(event) : null;
    if (last !== null && event.cancelable) event.preventDefault();
  };
  svg.addEventListener("touchstart", begin, { passive: false });
  svg.addEventListener(
    "touchmove",
    (event) => {
      if (last === null) return;
      const now = fingers(event);
      move(svg, whole, (last.x - now.x) / now.frame.width, (last.y - now.y) / now.frame.height);
      enlarge(svg, whole, now.apart / last.apart, { x: now.x / now.frame.width, y: now.y / now.frame.height });
      last = now;
      if (event.cancelable) event.preventDefault();
    },
    { passive: false },
  );
  for (const end of ["touchend", "touchcancel"]) svg.addEventListener(end, begin);
  return () => last !== null;
}

function prepare(figure) {
  const svg = figure.querySelector("svg");
  if (!svg || figure.classList.contains("ls-pan")) return;
  const whole = view(svg);
  const all = svg.getAttribute("viewBox");
  const tallest = Math.min(0.7 * window.innerHeight, 640);
  const { width: wide, height: high } = svg.getBoundingClientRect();
  if (wide <= figure.clientWidth && high <= tallest) return; // all of it is there to be seen
  figure.classList.add("ls-pan");
  svg.dataset.whole = all; // for what is printed
  const { say } = globalThis.lockstepExplorer; // the script before this one, which knows the language of the page
  svg.style.minWidth = "0";
  svg.style.width = "100%";
  svg.style.height = `${Math.min(tallest, Math.max(READABLE * whole.height, 240))}px`;
  // it opens at its initial state, large enough to be read
  const begin = svg.querySelector("g.initial") || svg.querySelector("g.node");
  const matrix = svg.getScreenCTM();
  if (begin && matrix) {
    const frame = begin.getBoundingClientRect();
    const middle = new DOMPoint(frame.left + frame.width / 2, frame.top + frame.height / 2);
    const at = middle.matrixTransform(matrix.inverse());
    const width = Math.min(whole.width, svg.clientWidth / READABLE);
    const height = Math.min(whole.height, svg.clientHeight / READABLE);
    const y = Math.min(Math.max(at.y - height / 2, whole.y), whole.y + whole.height - height);
    show(svg, { x: Math.max(whole.x, at.x - width / 4), y, width, height });
  }

  const buttons = document.createElement("div");
  buttons.className = "ls-buttons";
  buttons.append(
    byTouch(button("↑", say("Move up"), () => move(svg, whole, 0, -0.3))),
    byTouch(button("↓", say("Move down"), () => move(svg, whole, 0, 0.3))),
    button("+", say("Enlarge"), () => enlarge(svg, whole, STEP)),
    button("−", say("Make smaller"), () => enlarge(svg, whole, 1 / STEP)),
    button("⤢", say("Show all of it"), () => show(svg, whole)),
  );
  figure.prepend(buttons);

  figure.addEventListener("keydown", (event) => {
    const keys = {
      ArrowLeft: () => move(svg, whole, -0.1, 0),
      ArrowRight: () => move(svg, whole, 0.1, 0),
      ArrowUp: () => move(svg, whole, 0, -0.1),
      ArrowDown: () => move(svg, whole, 0, 0.1),
      "+": () => enlarge(svg, whole, STEP),
      "-": () => enlarge(svg, whole, 1 / STEP),
      0: () => show(svg, whole),
    };
    if (event.target !== figure || !keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key]();
    event.preventDefault();
  });

  // The wheel enlarges with Ctrl alone, so that it never stops a page from scrolling.
  svg.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      const frame = svg.getBoundingClientRect();
      const at = { x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height };
      enlarge(svg, whole, event.deltaY < 0 ? STEP : 1 / STEP, at);
      event.preventDefault();
    },
    { passive: false },
  );

  const twoFingers = followFingers(svg, whole);
  let last = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    last = event;
    svg.setPointerCapture(event.pointerId);
    figure.classList.add("ls-moving");
  });
  svg.addEventListener("pointermove", (event) => {
    if (!last || event.pointerId !== last.pointerId) return;
    if (!twoFingers()) move(svg, whole, (last.clientX - event.clientX) / svg.clientWidth, (last.clientY - event.clientY) / svg.clientHeight);
    last = event;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    svg.addEventListener(end, () => {
      last = null;
      figure.classList.remove("ls-moving");
    });
  }
}

// Paper shows all of a drawing. Its size there is a matter of the style sheet.
let printed = [];

function beforePrint() {
  afterPrint(); // some browsers tell twice
  printed = [...document.querySelectorAll(".ls-pan svg")].map((svg) => [svg, svg.getAttribute("viewBox")]);
  for (const [svg] of printed) svg.setAttribute("viewBox", svg.dataset.whole);
}

function afterPrint() {
  for (const [svg, box] of printed) svg.setAttribute("viewBox", box);
  printed = [];
}

window.addEventListener("beforeprint", beforePrint);
window.addEventListener("afterprint", afterPrint);

function prepareAll() {
  for (const figure of document.querySelectorAll(".ls-movable")) prepare(figure);
}

// The theme tells when a page was exchanged without being loaded; where it does not do that, the page is loaded once.
if (window.document$) window.document$.subscribe(prepareAll);
else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", prepareAll);
else prepareAll();
