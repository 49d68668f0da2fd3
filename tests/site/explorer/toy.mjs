// A graph that is small enough to be checked by eye: two processes, one message, a fault, an error, a loop.
//
//   0 --A.Ask()--> 1 --B.Ask() <- A--> 2 --A.Rest()--> 0
//   1 --lose Ask() A -> B--> 3 (outside the bound)      2 --B.Go()--> goes wrong     2 --B.Far()--> 4 (the data ends)

export const TOY = {
  format: "lockstep-explorer",
  version: 1,
  spec: "specs/toys/toy.psm",
  check: "small",
  complete: false,
  processes: ["A", "B"],
  faulty: [],
  waits: [[1, "Ask"]],
  places: ["A.st", "B.seen", "left of lose", "network"],
  values: [["idle", "asked"], [["{"], ["{", "1"]], ["1", "0"], [[], [0]]],
  messages: ["Ask() A -> B"],
  steps: [
    ["A.Ask()", "Ask", 0, -1, 0, "", ""],
    ["B.Ask() <- A", "Ask", 1, 0, 0, "Ask() A -> B", ""],
    ["A.Rest()", "Rest", 0, -1, 0, "", ""],
    ["lose Ask() A -> B", "lost: Ask", 1, 0, 5, "Ask() A -> B", ""],
    ["B.Go()", "Go", 1, -1, 0, "", ""],
    ["B.Far()", "Far", 1, -1, 0, "", ""],
    ["A.Idle()", "Idle", 0, -1, 0, "", ""],
  ],
  errors: [["error PSM601: 4 is outside 0..3", 12]],
  initial: [0],
  states: [[-1, 0, 0, 1, 0, 2, 0, 3, 0], [0, 0, 1, 3, 1], [1, 1, 1, 3, 0], [1, 2, 1, 3, 0], [2, 0, 0]],
  edges: [[6, 0, 0, 1], [1, 2, 3, 3], [2, 0, 4, -1, 5, 4], 1, 0],
  calls: [["A.Rest()", 1], ["A.Pick(…)", 3]],
  reasons: [["st == asked", 9], ["its limit is reached", 0]],
  lists: [[0, 0, 1, 1], []],
  refusals: [0, 1, 1, -1, -1],
  properties: [
    { name: "Quiet", kind: "invariant", verdict: "violated", expected: "fails", reason: null, path: [0, 1, 0], loop: null },
    { name: "Ends", kind: "live", verdict: "violated", expected: null, reason: null, path: [0, 1, 0, 0], loop: 0 },
    { name: "NoError", kind: "builtin", verdict: "violated", expected: null, reason: null, path: [0, 1, 0, 1], loop: null },
  ],
};
