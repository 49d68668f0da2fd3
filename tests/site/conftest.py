"""Specs for the tests of the site: a small one with everything that a page shows, and one that was written by an enemy."""

from __future__ import annotations

import pytest

from checker.site.facts import SpecFacts
from checker.site.gather import SpecFile, gather
from checker.site.store import Store

RELAY = """\
/// Relay: one process passes a number on, and another may forget it.
///
/// - It is `sent` once.
/// - It may come twice, see https://example.org/relay.
///
/// Source: none.
spec Relay

const N: 1..3 = 2
const STRICT: bool = false

enum Mood { calm, upset }

message Go(n: 0..3)

network bag[1]

role Source {
  durable left: 0..3 = N
  action Send when left > 0 { left -= 1  send Go(left) to Sink }
}

/// Takes what comes.
role Sink {
  durable seen: Set[0..3] = {}
  durable mood: Mood = calm
  on Go(n) from s { assert not STRICT or n > 0  seen += n  if n == 0 { mood := upset } }
  fault Slip when mood == upset { mood := calm }
}

/// Nothing is upset, which is wrong.
invariant Calm: Sink.mood == calm
invariant Few: size(Sink.seen) <= 3
reach Got: size(Sink.seen) == N
live Ends: eventually Source.left == 0

final: true

/// As it should be.
check small { expect holds Few, Got  expect fails Calm  expect states 7 transitions 8 depth 4 }

check lossy { faults lose <= 1, Sink.Slip <= 1  expect holds Few }

check three { N = 3  expect holds Calm  expect states 14 }

check strict { STRICT = true  expect fails NoError }
"""

LONG = "x" * 300

HOSTILE = f"""\
/// </h1>"T" & *b* [a](javascript:b): <script>alert(1)</script> & "q" **b** <img src=x onerror=alert(2)> and `<b>`.
///
/// # Not a heading
/// ```
/// --8<-- "index.md"
/// ![x](https://evil.example/"onmouseover="alert(3)) {{: onclick="alert(4)" }} :smile: &lt;i&gt; \u202edrawkcab {LONG}
///
/// - <script>alert(5)</script>
/// 1. ](javascript:alert(6))
spec {LONG}

# </code></pre><script>alert(7)</script>
message M
network soup

/// </div><script>alert(8)</script>
role A {{
  durable {LONG}_v: 0..2 = 0
  action Go when {LONG}_v < 2 {{ {LONG}_v += 1  send M to B }}
}}
role B {{ durable n: 0..1 = 0  on M from _a {{ n := 1 }} }}

/// "><script>alert(9)</script> | a | b |
invariant __p__: B.n == 0
final: true

/// </td></table><script>alert(10)</script>
check __c__ {{ expect fails __p__ }}
"""


@pytest.fixture(scope="session")
def relay() -> SpecFacts:
    return facts_of("specs/toys/relay.psm", RELAY)


@pytest.fixture(scope="session")
def hostile() -> SpecFacts:
    return facts_of('specs/<b>toys/"><script>alert(11).psm', HOSTILE)


def facts_of(path: str, text: str) -> SpecFacts:
    return gather([SpecFile(path, text)], Store(None))[0]
