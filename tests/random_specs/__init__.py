"""Random well-typed specs, small enough to explore.

`random_spec` (in `narrow`) has few types and many interactions; `wide_spec` (in `wide`) uses every construct of the language;
`live_spec` (in `live`) goes round in cycles, for liveness.
Whoever uses them compares what two ways of exploring them say, or asserts that nothing but the documented errors comes out.
"""

from tests.random_specs.live import live_spec
from tests.random_specs.narrow import random_spec
from tests.random_specs.wide import wide_spec

__all__ = ["live_spec", "random_spec", "wide_spec"]
