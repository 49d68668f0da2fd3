------------------------------ MODULE TwoPhase ------------------------------
(* The published two-phase commit: the state graph of                      *)
(* specs/transactions/two_phase.psm, step for step. The runner sets N in   *)
(* a copy of TwoPhase.cfg. TLC's "states generated" are our transitions    *)
(* and the initial state; "distinct states" are our states. The runner     *)
(* compares the counts and fails if they differ.                           *)
EXTENDS Naturals, FiniteSets

CONSTANT N

VARIABLES rmState, tmState, tmSeen, msgs

vars == <<rmState, tmState, tmSeen, msgs>>

RM == 1..N

Prepared(r) == [type |-> "prepared", rm |-> r]
Commit == [type |-> "commit", rm |-> 0]
Abort == [type |-> "abort", rm |-> 0]

Init ==
  /\ rmState = [r \in RM |-> "working"]
  /\ tmState = "open"
  /\ tmSeen = {}
  /\ msgs = {}

Decide ==
  /\ tmState = "open"
  /\ tmSeen = RM
  /\ tmState' = "commit"
  /\ msgs' = msgs \cup {Commit}
  /\ UNCHANGED <<rmState, tmSeen>>

Refuse ==
  /\ tmState = "open"
  /\ tmState' = "abort"
  /\ msgs' = msgs \cup {Abort}
  /\ UNCHANGED <<rmState, tmSeen>>

Hear(r) ==
  /\ tmState = "open"
  /\ Prepared(r) \in msgs
  /\ tmSeen' = tmSeen \cup {r}
  /\ UNCHANGED <<rmState, tmState, msgs>>

Prepare(r) ==
  /\ rmState[r] = "working"
  /\ rmState' = [rmState EXCEPT ![r] = "prepared"]
  /\ msgs' = msgs \cup {Prepared(r)}
  /\ UNCHANGED <<tmState, tmSeen>>

Quit(r) ==
  /\ rmState[r] = "working"
  /\ rmState' = [rmState EXCEPT ![r] = "aborted"]
  /\ UNCHANGED <<tmState, tmSeen, msgs>>

OnCommit(r) ==
  /\ Commit \in msgs
  /\ rmState' = [rmState EXCEPT ![r] = "committed"]
  /\ UNCHANGED <<tmState, tmSeen, msgs>>

OnAbort(r) ==
  /\ Abort \in msgs
  /\ rmState' = [rmState EXCEPT ![r] = "aborted"]
  /\ UNCHANGED <<tmState, tmSeen, msgs>>

Next ==
  \/ Decide
  \/ Refuse
  \/ \E r \in RM : Hear(r) \/ Prepare(r) \/ Quit(r) \/ OnCommit(r) \/ OnAbort(r)

Spec == Init /\ [][Next]_vars

Consistent == \A a, b \in RM : ~(rmState[a] = "committed" /\ rmState[b] = "aborted")
=============================================================================
