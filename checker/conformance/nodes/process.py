"""One node: a process of the operating system, and the guard at its output.

A node is a stranger. Its lines are bounded in length and in number, its input is not buffered without end if it does not
read, its log is kept in a ring of the last lines (and in a file, up to a size, where one is wanted), and it runs in a session
of its own, so that what it starts ends with it, unless that leaves for another session (`setsid`): nobody is told of it then.
What goes wrong is a `NodeProblem`, which carries the last lines of the log: they mostly say what happened.

Some ends are wanted: a node that is killed as a fault, or stopped at the end, has no problem. What a killed node had printed
before its death was sent, and still counts, up to the last whole line.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path

from checker.conformance.nodes.protocol import MAX_LINE, MalformedMessage, Message, line_of, parse_message

MAX_RATE = 3_000
"""Messages that a node may send within one second."""
MAX_BYTES = 256 << 20
"""Bytes that all nodes together may print in a run: all messages stand in the record."""
HELD = 10_000
"""Messages that wait for a node to answer `init`; older ones are lost."""
AT_ONCE = 50
"""Messages of one node that are read before others get their turn."""
MAX_UNREAD = 16 << 20
"""Bytes that a node may leave unread."""
MAX_LOG = 32 << 20
"""Bytes of a log file."""
TAIL = 12
"""Lines of the log that are shown."""
TAIL_WIDTH = 300
"""Characters of each of them."""
STOPPING = 0.5
"""Seconds between asking a node to end and killing it."""


class Trouble(Enum):
    """What may be wrong with a node."""

    START = "cannot be started"
    PROTOCOL = "breaks the message protocol"
    ENDED = "ended by itself"


class NodeProblem(Exception):
    """A node does not do its part.

    Attributes:
        node: which.
        trouble: what kind of problem it is; the text of the exception says more.
        log: the last lines that it wrote to standard error.
    """

    def __init__(self, node: str, trouble: Trouble, text: str, log: Sequence[str] = ()) -> None:
        super().__init__(f"node {node} {text}")
        self.node = node
        self.trouble = trouble
        self.log = tuple(log)


class Printed:
    """What the nodes of one run have printed, restarts included."""

    def __init__(self) -> None:
        self.bytes: Counter[str] = Counter()

    def add(self, node: str, size: int) -> str | None:
        """Counts a line; the complaint, if it is one too many."""
        self.bytes[node] += size
        total = self.bytes.total()
        if total <= MAX_BYTES:
            return None
        if total == self.bytes[node]:
            return f"has printed more than {MAX_BYTES:,} bytes"
        most, share = self.bytes.most_common(1)[0]
        return f"and the others have printed more than {MAX_BYTES:,} bytes together, {most} most of all with {share:,}"


class NodeProcess:
    """A running node.

    Args:
        name: its address, `n1`.
        command: the program and its arguments.
        receive: called with each message that it sends.
        fail: called once, when something is wrong.
        log: a file for its standard error.
        printed: what all nodes of its run have printed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        receive: Callable[[Message], None],
        fail: Callable[[NodeProblem], None],
        log: Path | None = None,
        printed: Printed | None = None,
    ) -> None:
        self.name = name
        self._command = tuple(command)
        self._receive = receive
        self._fail = fail
        self._log = log
        self._printed = printed or Printed()
        self._tail: deque[str] = deque(maxlen=TAIL)
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._serving = False
        self._held: deque[Message] = deque(maxlen=HELD)
        self._ending = False
        self._killed = False
        self._ended_output = False
        self._gone = False
        self._sent = 0

    async def start(self) -> None:
        """Starts the process.

        Raises:
            NodeProblem: there is no such program, or it cannot be run.
        """
        if os.name != "posix":  # there are no sessions and signals to pause and end nodes with
            raise NodeProblem(self.name, Trouble.START, "cannot be started here: nodes need Linux, macOS or the like")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=MAX_LINE,
                start_new_session=True,
            )
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
            raise NodeProblem(self.name, Trouble.START, f"cannot be started: {self._command[0]}: {reason}") from None
        self._tasks = [asyncio.create_task(work) for work in (self._read_messages(), self._read_log())]

    def serve(self) -> None:
        """It has answered `init`: from now on it gets what others send, and first what they have sent already."""
        self._serving = True
        while self._held:
            self.send(self._held.popleft())

    def send(self, message: Message) -> None:
        """Writes a message to the node's standard input; what a dead node is sent is lost."""
        if not self._serving and message.type != "init":
            self._held.append(message)
            return
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None or self._ending:
            return
        if process.stdin.transport.get_write_buffer_size() > MAX_UNREAD:
            self._problem(Trouble.PROTOCOL, f"does not read its standard input: {MAX_UNREAD:,} bytes wait there")
            return
        self._sent += 1
        with suppress(OSError, RuntimeError):
            process.stdin.write(line_of(message, self._sent))

    def pause(self) -> None:
        """Stops the process where it stands."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """Ends it at once, with no chance to save anything, and everything that it has started."""
        self._killed = True
        self._signal(signal.SIGKILL)
        if self._tasks:  # what stands in the pipe was sent while it lived
            await asyncio.wait(self._tasks[:1], timeout=STOPPING)
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ends it at the end of a run: closes its input, asks, and kills it if it does not go."""
        self._ending = True
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        await self._end(signal.SIGTERM)

    async def settle(self) -> None:
        """If its output has ended already, waits until it is known why."""
        if self._ended_output and self._tasks:
            await asyncio.wait(self._tasks[:1])

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines of its log."""
        return tuple(self._tail)

    # ---- inside

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None or self._gone:
            return
        self._ending = True
        self._signal(how)
        self._signal(signal.SIGCONT)  # a paused process gets no other signal
        with suppress(TimeoutError):
            async with asyncio.timeout(STOPPING):
                await process.wait()
        self._signal(signal.SIGKILL)
        await process.wait()
        with suppress(TimeoutError):  # a grandchild in another session may hold the pipes open
            async with asyncio.timeout(STOPPING):
                await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if process.stdin is not None:
            process.stdin.close()
        self._gone = True  # from now on its number may be that of another process
        process._transport.close()  # type: ignore[attr-defined]  # there is no public way to close the pipes

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, which)

    async def _read_messages(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        clock = asyncio.get_running_loop().time
        second, count = clock(), 0
        while not self._ending:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                self._problem(Trouble.PROTOCOL, f"prints a line of more than {MAX_LINE:,} bytes")
                return
            if self._killed and not line.endswith(b"\n"):
                return
            if not line:
                self._ended_output = True
                await self._ended()
                return
            count += 1
            if complaint := self._printed.add(self.name, len(line)):
                self._problem(Trouble.PROTOCOL, complaint)
                return
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)  # what is in a buffer is read without waiting
            if clock() - second > 1:
                second, count = clock(), 1
            if count > MAX_RATE:
                self._problem(Trouble.PROTOCOL, f"prints more than {MAX_RATE:,} messages in a second")
                return
            try:
                message = parse_message(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
            except MalformedMessage as problem:
                self._problem(Trouble.PROTOCOL, f"prints what is no message: {problem}")
                return
            if not self._ending:
                self._receive(message)

    async def _ended(self) -> None:
        assert self._process is not None
        try:
            async with asyncio.timeout(STOPPING):
                code = await self._process.wait()
        except TimeoutError:
            self._problem(Trouble.ENDED, "has closed its standard output and runs on")
            return
        await asyncio.wait(self._tasks[1:], timeout=STOPPING)  # the last lines of the log are on their way
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if self._serving:
            self._problem(Trouble.ENDED, f"{how} in the middle of the run")
        else:
            self._problem(Trouble.START, f"{how} before it answered `init`")

    async def _read_log(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        room, rest = MAX_LOG, b""
        while chunk := await self._process.stderr.read(1 << 16):
            if self._log is not None and room > 0:
                with self._log.open("ab") as file:
                    file.write(chunk[:room])
                room -= len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[: 4 * TAIL_WIDTH]
            self._keep(lines[-TAIL:])
        self._keep([rest] if rest else [])

    def _keep(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            text = line.decode("utf-8", "backslashreplace").rstrip()
            if text:
                self._tail.append(text[:TAIL_WIDTH])

    def _problem(self, trouble: Trouble, text: str) -> None:
        if not self._ending and not self._killed:
            self._ending = True
            self._fail(NodeProblem(self.name, trouble, text, self._tail))
