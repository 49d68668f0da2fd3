"""The text of one LLVM function as it is written: lines, fresh names, blocks."""

from __future__ import annotations


class Writer:
    """A function under construction. `lines` is what was written, and ends inside a block while `open`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.open = True
        self.block = "entry"
        self._count = 0

    def _set(self, name: str, value: str) -> None:
        self._line(f"store i64 {value}, ptr %{name}.at")

    def _line(self, text: str) -> None:
        self.lines.append("  " + text)

    def _fresh(self) -> str:
        self._count += 1
        return f"%.{self._count}"

    def _temp(self, text: str) -> str:
        name = self._fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def _label(self, word: str) -> str:
        self._count += 1
        return f"{word}.{self._count}"

    def _start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label
        self.open = True

    def _jump(self, label: str) -> None:
        self._end(f"br label %{label}")

    def _end(self, text: str) -> None:
        self._line(text)
        self.open = False
