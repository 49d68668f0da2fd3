"""LLVM text to machine code, and machine code to functions that can be called.

Two steps, so that the result of the first, which takes nearly all of the time, can be kept on disk (`cache.py`):

- `compile_object` parses a module, checks it, optimises it and gives the bytes of an object file for this processor. Level 0
  is for code that has to run at once, level 2 for code that has to run fast.
- `link` puts an object into memory and tells the addresses of its functions, for as long as the `Linked` lives.

LLVM comes with llvmlite, of which only the binding is used, and only once something has to be compiled or linked: importing
it takes 50 ms. llvmlite holds a lock for each call of LLVM, so a long compilation in another thread makes a second one wait,
but not native code that runs.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from ctypes import CFUNCTYPE, c_uint64
from importlib import import_module
from importlib.util import find_spec
from typing import Any

SYSTEM_FUNCTIONS = ("pread", "memcpy", "memmove", "memset", "memcmp", "bcmp")
"""What kernels call to read files, and LLVM for loops that do the same."""

_NUMBERS = itertools.count()


def _binding() -> Any:
    """Llvmlite's binding, which has no types, imported only now."""
    return import_module("llvmlite.binding")


class JitError(Exception):
    """LLVM refused something: a fault of the compiler that made the text, or a processor that LLVM does not know."""


def unavailable() -> str | None:
    """Why nothing can be compiled here; None where it can."""
    if find_spec("llvmlite") is None:
        return "llvmlite is not installed"
    try:
        _machine(2)
    except (ImportError, OSError, RuntimeError, JitError) as problem:
        return f"llvmlite does not work here: {problem}"
    return None


def processor() -> str:
    """What objects depend on besides their text: LLVM's version, the processor, and what it can do."""
    binding = _binding()
    features = binding.get_host_cpu_features().flatten()
    version = ".".join(map(str, binding.llvm_version_info))
    return f"{version} {binding.get_default_triple()} {binding.get_host_cpu_name()} {features}"


def compile_object(text: str, level: int = 2) -> bytes:
    """The object file of a module of LLVM text.

    Args:
        text: The module; functions that are to be called have external linkage.
        level: 0 compiles fast, 2 gives fast code.

    Raises:
        JitError: The text is no valid module.
    """
    binding = _binding()
    machine = _machine(level)
    try:
        with binding.create_context() as context, binding.parse_assembly(text, context) as module:
            module.verify()
            _optimise(module, machine, level)
            return bytes(machine.emit_object(module))
    except RuntimeError as problem:
        raise JitError(str(problem)) from None


class Linked:
    """Functions in memory. Their addresses are valid while this object lives."""

    def __init__(self, tracker: Any, names: Iterable[str]) -> None:
        self._tracker = tracker
        self._addresses = {name: int(tracker[name]) for name in names}

    def address(self, name: str) -> int:
        """Where a function stands."""
        return self._addresses[name]

    def function(self, name: str, arguments: int) -> Callable[..., int]:
        """A function of words that gives a word. Calling it releases the interpreter's lock."""
        function = CFUNCTYPE(c_uint64, *[c_uint64] * arguments)(self._addresses[name])
        function.keeps_alive = self  # type: ignore[attr-defined]
        return function


def link(objects: bytes | Iterable[bytes], exports: Iterable[str]) -> Linked:
    """Puts objects into memory.

    Args:
        objects: One or several; they may call each other.
        exports: The functions whose addresses are wanted.

    Raises:
        JitError: Something is missing or defined twice.
    """
    binding = _binding()
    exports = list(exports)
    builder = binding.JITLibraryBuilder()
    for image in [objects] if isinstance(objects, bytes) else objects:
        builder.add_object_img(image)
    for name in exports:
        builder.export_symbol(name)
    for name, address in _system_functions().items():
        builder.import_symbol(name, address)
    try:
        return Linked(builder.link(_linker(), f"lockstep{next(_NUMBERS)}"), exports)
    except RuntimeError as problem:
        raise JitError(str(problem)) from None


def _optimise(module: Any, machine: Any, level: int) -> None:
    binding = _binding()
    options = binding.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = False  # words are packed, loops are short: no gain, and longer to compile
    options.slp_vectorization = False
    options.loop_unrolling = level > 0
    builder = binding.create_pass_builder(machine, options)
    if level == 0:
        passes = binding.create_new_module_pass_manager()
        passes.add_always_inliner_pass()
        passes.add_global_dead_code_eliminate_pass()
        passes.add_sroa_pass()
    else:
        passes = builder.getModulePassManager()
    passes.run(module, builder)


@functools.cache
def _machine(level: int) -> Any:
    binding = _binding()
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=level,
        reloc="pic",
        codemodel="small",
        jit=True,
    )


@functools.cache
def _linker() -> Any:
    binding = _binding()
    _machine(2)
    return binding.create_lljit_compiler(use_jit_link=True, suppress_errors=True)


@functools.cache
def _system_functions() -> dict[str, int]:
    import ctypes

    library = ctypes.CDLL(None)
    found = {}
    for name in SYSTEM_FUNCTIONS:
        function = getattr(library, name, None)
        if function is not None:
            address = ctypes.cast(function, ctypes.c_void_p).value
            assert address is not None
            found[name] = address
    return found
