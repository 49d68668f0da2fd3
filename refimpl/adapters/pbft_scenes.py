"""A situation of PBFT that takes three views, and so is in no small graph."""

from __future__ import annotations

from typing import Final

from checker.conformance.adapter import Instance, Scene

SCENES: Final = (
    Scene(
        "a certificate outlives a view without one",
        Instance("f1", {"VIEWS": 3}),
        (
            "Rep0.Propose(Val0)",
            "Rep1.PrePrepare(0, Val0) <- Rep0",
            "Rep2.PrePrepare(0, Val0) <- Rep0",
            "Rep1.NextView()",
            "Rep1.NextView()",
        ),
        {"faulty": ["Rep3"]},
    ),
)
"""Its report for the third view has to name the certificate of the first, since the second had none."""
