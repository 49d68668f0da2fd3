"""Random well-typed specs, small enough to explore.

`random_spec` (in `narrow`) has few types and many interactions; `wide_spec` (in `wide`) uses every construct of the language,
`symmetric_spec` makes more of its roles and ids symmetric, and `alike_spec` (in `alike`) is about symmetry alone;
`loose_spec` (in `loose`) has processes that are almost independent, and `soup_spec` lets them send over a soup alone;
`live_spec` (in `live`) goes round in cycles, for liveness. Whoever uses them compares what two ways of exploring them say, or
asserts that nothing but the documented errors comes out.
"""

from tests.random_specs.alike import alike_spec
from tests.random_specs.live import live_spec
from tests.random_specs.loose import loose_spec, soup_spec
from tests.random_specs.narrow import random_spec
from tests.random_specs.wide import symmetric_spec, wide_spec

__all__ = ["alike_spec", "live_spec", "loose_spec", "random_spec", "soup_spec", "symmetric_spec", "wide_spec"]
