"""Liveness: is there a fair run on which something that should happen never does?

**The problem.** A run is infinite; at a dead end it stutters for ever. A violation is therefore a *lasso*: a stem from an
initial state to a cycle, or to a state in which the run stays. Not every cycle counts: a run that ignores for ever a step
that it could take is no run of the protocol. What may not be ignored are *units*: a step with its process, its parameters
or its exact message. A weakly fair unit is taken again and again if it is enabled from some time on; a strongly fair one,
if it is enabled again and again. A unit is enabled only where it changes the state, as in Lamport's ⟨A⟩_v, so an outcome
that changes nothing is stuttering, and neither enables its unit nor takes it.

**No product is needed.** Each of the four forms says which states a bad run stays in from some moment on, so the state
graph itself is searched, as Manna and Pnueli's classes of properties suggest, instead of its product with an automaton:

    eventually P           begins in not-P                   and stays in not-P
    always eventually P    begins anywhere                   and stays in not-P
    eventually always P    begins anywhere, stays anywhere   and meets not-P again and again
    P ~> Q                 begins where P and not Q          and stays in not-Q

**Fair cycles** (`components`). The states a run meets infinitely often form a strongly connected set. So the part of the graph
in which a bad run stays is decomposed into its maximal strongly connected sets (Tarjan's algorithm, in Pearce's form, without
recursion). Most vertices are sets of their own, and are trimmed off before, the last first: that needs no order of visits, so
several workers can share it (McLendon, Hendrickson, Plimpton, Rauchwerger 2005). In such a set C, a unit that is enabled and
never taken inside C is a matter of which fairness it has. Weak: if it is enabled in all of C, then also in each subset, so no
fair run stays in C. Strong: a fair run avoids the states that enable it, so they are taken out, and the rest is decomposed
again. That is Streett's condition as Emerson and Lei (1987) decide it, after Lichtenstein and Pnueli (1985); TLC does the same
on its behaviour graph (Yu, Manolios, Lamport 1999).
A single state without a fair unit is a set, too: there, a run stutters.

**Coins.** Who resolves `either` and `choose` is an adversary; `toss` is chance. A run gets past a coin with probability 0 only if
each of its outcomes stays in the set. So a toss becomes a vertex of its own (`graph`), and a coin that can leave the set is taken
out of it: what remains are the end components of a Markov decision process (Baier and Katoen, *Principles of Model Checking*,
10.6.3). A run need not be closed under the coins of its stem: luck of positive probability is enough.

**The witness** (`paths`, `lassos`). A breadth-first search over pairs of a state and whether the run is already bad finds a
shortest stem; then a cycle is put together from shortest pieces, each of which satisfies one more fairness condition.
`witness` gives the steps their names and checks, with the step relation alone, that the run is fair.

Everything that costs time is written in the language of kernels (`native.translate`) over arrays of 32-bit cells. CPython
runs it as it stands, for the interpreter; the native engine compiles the same text.

A `limit` leaves out steps that the spec has, so a state with such a step is not judged as part of a cycle, and what depends
on it is not judged at all. Under `bound`, where whole states are left out, nothing is.
"""
