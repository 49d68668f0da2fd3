"""Holds adapters, simulated and recorded runs to a spec for the command line: imports, files, diagnostics, exit codes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from checker.base.diagnostics import SpecError, did_you_mean, error
from checker.base.source import display_name
from checker.cli.exits import Exit, worst
from checker.cli.output import print_json, write_atomically
from checker.cli.specs import machine_of
from checker.conformance.adapter import Adapter, ObservationError
from checker.conformance.choices import ChoiceError, MissingHypothesis
from checker.conformance.documents import document_of
from checker.conformance.drive import Plan, drive
from checker.conformance.growing import GraphTooLarge
from checker.conformance.mapping import MappingError, possible_units
from checker.conformance.modes import Make
from checker.conformance.page import page
from checker.conformance.record import Record, RecordError, read_record, text_of
from checker.conformance.replay import Outcome
from checker.conformance.scenario import Scenario, simulate
from checker.conformance.scenes import SceneError, UnknownScene
from checker.conformance.validation import report as validation_report
from checker.conformance.validation.mapping import MAX_FILE, TraceMapping, TraceMappingError, read_mapping
from checker.conformance.validation.validate import Validated, validate
from checker.model.machine import Machine

EXITS = {Outcome.CONFORMS: Exit.MET, Outcome.MISMATCH: Exit.UNMET, Outcome.INCOMPLETE: Exit.INCOMPLETE}

T = TypeVar("T")
Constants = Mapping[str, int | bool | str]


def load_adapter(text: str) -> type[Adapter]:
    """See `_load`."""
    return _load(text, Adapter)  # type: ignore[type-abstract]


def load_scenario(text: str) -> type[Scenario]:
    """See `_load`."""
    return _load(text, Scenario)  # type: ignore[type-abstract]


def _load(text: str, base: type[T]) -> type[T]:
    """The class that `module:Class` names; modules of the current directory are found, as with `python -m`.

    Raises:
        SpecError: PSM871 where there is none, or it is none of this kind.
    """
    kind = base.__name__.lower()
    module_name, colon, class_name = text.partition(":")
    if not colon or not module_name or not class_name.isidentifier():
        help = f"write module:Class, such as mypackage.{kind}s:Lock"
        raise error("PSM871", f"`{text}` names no {kind}", help=help)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as problem:
        raise error("PSM871", f"{module_name} cannot be imported: {problem}", help="run where it can be") from None
    except Exception as problem:
        raise error(
            "PSM871",
            f"{module_name} raises {type(problem).__name__} when it is imported: {problem}",
            help=f"try python -c 'import {module_name}'",
        ) from problem
    found = getattr(module, class_name, None)
    if isinstance(found, type) and issubclass(found, base):
        return found
    if found is not None:
        raise error("PSM871", f"{text} is no subclass of {base.__name__}", help=f"see {base.__module__}")
    known = [n for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, base) and v is not base]
    help = did_you_mean(class_name, known) or f"its {kind}s are {', '.join(known) or 'none'}"
    raise error("PSM871", f"{module_name} has no {class_name}", help=help)


def run_adapter(
    path: str,
    check: str | None,
    constants: Constants,
    make: Make,
    plan: Plan,
    *,
    name: str,
    html: Path | None,
    json: bool,
) -> Exit:
    """Drives an adapter and prints what came of it.

    Raises:
        SpecError: for the spec; PSM871 for an adapter that does not fit it; PSM902 where Hypothesis is missing.
    """
    spec, machine = machine_of(path, check, constants)
    try:
        report = drive(make, machine, plan, spec=spec, name=name)
    except MappingError as problem:
        message = str(problem).partition(":\n")[0]
        raise error(
            "PSM871", message, notes=problem.problems, help="an adapter accounts for every step of its spec"
        ) from None
    except ObservationError as problem:
        raise error(
            "PSM871", str(problem), help="`observe` gives values by the names of the spec's variables"
        ) from None
    except UnknownScene as problem:
        raise error("PSM871", str(problem), help="`--mode scenes` goes through all of them") from None
    except SceneError as problem:
        raise error(
            "PSM871", str(problem), help="scenes are labels of steps, as `lockstep trace` prints them"
        ) from None
    except ChoiceError as problem:
        raise error("PSM901", f"`--choices`: {problem}", help="give the choices that the failure printed") from None
    except MissingHypothesis as problem:
        raise error("PSM902", str(problem), help="or leave `explore` out of `--mode`") from None
    except GraphTooLarge as problem:
        raise error("PSM903", str(problem), help="give fewer `--runs` or `--steps`, or smaller constants") from None
    document = document_of(report)
    if html is not None:
        write_atomically(html, page([(name, document)], [str(report.coverage)]).encode())
    if json:
        print_json(document)
    else:
        sys.stdout.write(report.text())
        scene = next((phase.scene for phase in report.phases if phase.mismatch is not None), "")
        if scene:
            sys.stdout.write(f"Or:    lockstep conform {quote(path)} --adapter {name} --scene {quote(scene)}\n")
        sys.stdout.flush()
    return EXITS[report.outcome]


# ---- simulated runs


def run_scenario(
    path: str,
    check: str | None,
    constants: Constants,
    make: type[Scenario],
    *,
    name: str,
    seed: int,
    runs: int,
    rare: Sequence[str],
    budget: int,
    record: Path | None,
    html: Path | None,
    json: bool,
) -> Exit:
    """Makes runs in the simulator and prints what came of them; `record` gets that of the last one.

    Raises:
        SpecError: for the spec; PSM872 where the records do not speak of it, PSM901 for a rare step that is none.
    """
    _, machine = machine_of(path, check, constants)
    _known(machine, rare)
    try:
        result = simulate(make, machine, name=name, rare=rare, seed=seed, runs=runs, budget=budget)
    except TraceMappingError as problem:
        raise error("PSM872", f"{name}: {problem}", help="the scenario's `mapping` says what its words mean") from None
    if record is not None and result.record is not None:
        write_atomically(record, text_of(result.record).encode())
    document = result.document()
    if html is not None:
        write_atomically(html, page([(name, {**document, **result.drawing()})], []).encode())
    if json:
        print_json(document)
    else:
        sys.stdout.write(result.text())
        sys.stdout.flush()
    return EXITS[result.outcome]


# ---- recorded runs


def load_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        SpecError: PSM001 or PSM006 for a file that cannot be read, PSM872 for one that is no record.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return read_record(file)
    except RecordError as problem:
        raise error("PSM872", f"{display_name(path)}: {problem}", help="see the record of a run") from None
    except UnicodeDecodeError:
        raise error("PSM872", f"{display_name(path)} is no text", help="a record is lines of JSON") from None
    except OSError as problem:
        raise _unreadable(path, problem) from None


def load_mapping(path: Path | None) -> TraceMapping:
    """The mapping in a file; without one, names are those of the spec.

    Raises:
        SpecError: PSM001 or PSM006 for a file that cannot be read, PSM872 for one that is no mapping.
    """
    if path is None:
        return TraceMapping()
    try:
        with path.open(encoding="utf-8") as file:
            return read_mapping(file.read(MAX_FILE + 1))
    except TraceMappingError as problem:
        raise error("PSM872", f"{display_name(path)}: {problem}", help="see `--mapping` in the reference") from None
    except UnicodeDecodeError:
        raise error("PSM872", f"{display_name(path)} is no text", help="a mapping is one JSON object") from None
    except OSError as problem:
        raise _unreadable(path, problem) from None


MAPPING = 'say with `--mapping FILE` what its words mean, for example {"nodes": {"n1": "Node0"}, "ignored": ["apply"]}'


def _unreadable(path: Path, problem: OSError) -> SpecError:
    if isinstance(problem, FileNotFoundError):
        return error("PSM001", f"{display_name(path)} does not exist", help="check the path")
    return error("PSM006", f"{display_name(path)} cannot be read: {problem.strerror}", help="check its permissions")


def judge(machine: Machine, record: Record, mapping: TraceMapping, budget: int, name: str) -> Validated:
    """Judges one record.

    Raises:
        SpecError: PSM872 where the record does not speak of this spec.
    """
    try:
        return validate(machine, record, mapping, budget=budget)
    except TraceMappingError as problem:
        raise error("PSM872", f"{name}: {problem}", help=MAPPING) from None


def _known(machine: Machine, rare: Sequence[str]) -> None:
    """Refuses rare steps that the spec does not have."""
    known = possible_units(machine)
    for unit in rare:
        if unit not in known:
            help = did_you_mean(unit, known) or f"it has {', '.join(known)}"
            raise error("PSM901", f"`--rare` names {unit}, which is no step of {machine.spec}", help=help)


def run_traces(
    path: str,
    check: str | None,
    constants: Constants,
    traces: Sequence[Path],
    mapping: Path | None,
    *,
    rare: Sequence[str] = (),
    budget: int,
    html: Path | None,
    json: bool,
) -> Exit:
    """Judges recorded runs and prints what came of them.

    Several are also judged together: steps that none of them shows are too little to pass, but for those that are `rare`.
    """
    _, machine = machine_of(path, check, constants)
    _known(machine, rare)
    said = load_mapping(mapping)
    names = [display_name(trace) for trace in traces]
    results = [
        judge(machine, load_record(trace), said, budget, name) for trace, name in zip(traces, names, strict=True)
    ]
    never = tuple(
        unit for unit in results[0].never if all(unit in result.never for result in results) and unit not in rare
    )
    documents: list[dict[str, Any]] = []
    for name, result in zip(names, results, strict=True):
        text = validation_report.text_of(result)
        documents.append({"trace": name, **validation_report.document_of(result)})
        if not json:
            sys.stdout.write(f"{name}: {text}" if len(results) > 1 else text)
    passed = all(result.outcome is Outcome.CONFORMS for result in results)
    if json:
        print_json({"version": 1, "traces": documents, "never_taken": list(never)})
    elif passed and never:
        sys.stdout.write(
            f"incomplete, all in all: no record shows {', '.join(never)}; record more, or name what is rare with --rare\n"
        )
    sys.stdout.flush()
    if html is not None:
        shown = [
            (name, {**document, **validation_report.drawing_of(result)})
            for name, document, result in zip(names, documents, results, strict=True)
        ]
        write_atomically(html, page(shown, []).encode())
    code = worst(EXITS[result.outcome] for result in results)
    return Exit.INCOMPLETE if code is Exit.MET and never else code
