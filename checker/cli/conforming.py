"""Runs nodes for the command line: directories, files, diagnostics, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

from checker.base.diagnostics import Diagnostic, SpecError, error
from checker.base.source import display_name
from checker.cli.adapting import EXITS, judge
from checker.cli.exits import Exit, worst
from checker.cli.output import print_diagnostics, print_json, signs_of, write_atomically
from checker.conformance.nodes.conform import Plan, Result, conform
from checker.conformance.nodes.interruption import Terminated
from checker.conformance.nodes.process import NodeProblem, Trouble
from checker.conformance.nodes.report import document_of, text_of
from checker.conformance.record import text_of as record_text
from checker.conformance.validation import report as validation
from checker.conformance.validation.frontier import BUDGET
from checker.conformance.validation.mapping import TraceMapping
from checker.model.machine import Machine

_CODES = {Trouble.START: "PSM861", Trouble.PROTOCOL: "PSM862", Trouble.ENDED: "PSM863"}
_HELP = {
    Trouble.START: "run the program by hand: it reads lines of JSON and answers `init` with `init_ok`",
    Trouble.PROTOCOL: "each line of standard output is one message, an object with src, dest and body; logs belong to "
    "standard error",
    Trouble.ENDED: "a node runs until its standard input ends",
}
_EXITS = {Result.PASSED: Exit.MET, Result.FAILED: Exit.UNMET, Result.INCOMPLETE: Exit.INCOMPLETE}


def run_nodes(
    plan: Plan, *, record: Path | None, json: bool, against: tuple[Machine, TraceMapping] | None = None
) -> Exit:
    """Runs a plan and prints what came of it; `against` a spec, the steps that nodes tell of are judged, too.

    Raises:
        SpecError: PSM872 for steps that mean nothing in the spec, PSM861 for nodes that cannot be started, PSM007 for a file
        or directory that cannot be written.
    """
    if plan.logs is not None:
        try:
            plan.logs.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            reason = problem.strerror or problem
            raise error(
                "PSM007", f"{display_name(plan.logs)} cannot be made: {reason}", help="check the path"
            ) from None
    try:
        report = conform(plan)
    except Terminated as problem:
        sys.stderr.write(f"ended by {problem.signal}\n")
        raise
    except NodeProblem as problem:
        raise SpecError([_diagnostic(problem)]) from None
    if record is not None:
        write_atomically(record, record_text(report.record).encode())
    told = None if against is None else judge(against[0], report.record, against[1], BUDGET, "the run")
    if json:
        extra = {} if told is None else {"steps": validation.document_of(told)}
        print_json({**document_of(report), **extra})
    else:
        steps = "" if told is None else validation.text_of(told)
        sys.stdout.write(text_of(report, signs_of(sys.stdout)) + steps)
        sys.stdout.flush()
    if report.problem is not None:
        print_diagnostics([_diagnostic(report.problem)])
    code = _EXITS[report.result]
    return code if told is None else worst((code, EXITS[told.outcome]))


def _diagnostic(problem: NodeProblem) -> Diagnostic:
    log = tuple(f"it logged: {line}" for line in problem.log)
    return Diagnostic(
        _CODES[problem.trouble],
        str(problem),
        notes=log or ("it wrote nothing to standard error",),
        help=_HELP[problem.trouble],
    )
