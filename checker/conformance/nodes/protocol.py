"""What nodes speak: one message in each line, in Maelstrom's format.

    {"src": "c1", "dest": "n1", "body": {"type": "echo", "msg_id": 2, "echo": "hello"}}
    {"src": "n1", "dest": "c1", "body": {"type": "echo_ok", "in_reply_to": 2, "echo": "hello"}}

A body has a `type`; a request has a `msg_id`, and its answer names it in `in_reply_to`. Between nodes a body may be anything
with a type or without. A message may carry an `id` of the network, which nodes ignore.

A node may answer with an error, whose code says whether the operation certainly has no effect (it is *definite*) or may have
one, now or later. Codes from 1000 on are a node's own, and they, like every code that is not known here, are indefinite: that
is the safe reading, since it claims nothing.

One thing is added to Maelstrom's protocol. A node may tell which step of a spec it has taken and what it knows, by a message
to `lockstep`: `{"type": "trace", "step": "Node.Vote", "obs": {"Node.term": 3}}`, with the arguments of the step in `args`, if
it likes. Under Maelstrom nobody has that name.

Source: the documentation of Maelstrom, `doc/protocol.md`, and its table of errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from checker.base.data import dataclass
from checker.conformance.jsonlines import LineError, dump, excerpt, parse_object
from checker.properties.kinds import Json

Body = dict[str, Json]

TRACER: Final = "lockstep"
"""To whom nodes tell their steps."""

MAX_LINE: Final = 1 << 20
"""Bytes in one line of a node."""

INIT_TIMEOUT: Final = 10.0
"""Seconds within which a node answers `init`."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A kind of error. `definite`: the operation has no effect and never will."""

    code: int
    name: str
    definite: bool


TIMEOUT: Final = 0
NODE_NOT_FOUND: Final = 1
NOT_SUPPORTED: Final = 10
MALFORMED_REQUEST: Final = 12
KEY_DOES_NOT_EXIST: Final = 20
PRECONDITION_FAILED: Final = 22

ERRORS: Final[Mapping[int, ErrorCode]] = {
    e.code: e
    for e in (
        ErrorCode(TIMEOUT, "timeout", False),
        ErrorCode(NODE_NOT_FOUND, "node-not-found", True),
        ErrorCode(NOT_SUPPORTED, "not-supported", True),
        ErrorCode(11, "temporarily-unavailable", True),
        ErrorCode(MALFORMED_REQUEST, "malformed-request", True),
        ErrorCode(13, "crash", False),
        ErrorCode(14, "abort", True),
        ErrorCode(KEY_DOES_NOT_EXIST, "key-does-not-exist", True),
        ErrorCode(21, "key-already-exists", True),
        ErrorCode(PRECONDITION_FAILED, "precondition-failed", True),
        ErrorCode(30, "txn-conflict", True),
    )
}


class RpcError(Exception):
    """A node answered a request with an error."""

    def __init__(self, code: int, text: str = "") -> None:
        self.code = code
        self.known = ERRORS.get(code, ErrorCode(code, "an error of the node's own", False))
        super().__init__(f"{self.known.name} ({code})" + (f": {text}" if text else ""))

    @property
    def definite(self) -> bool:
        """Whether the operation certainly has no effect."""
        return self.known.definite


class NodeKilled(Exception):
    """The node that was asked is dead: nobody knows whether it did what was asked for."""

    def __init__(self) -> None:
        super().__init__("the node was killed")


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    src: str
    dest: str
    body: Body

    @property
    def type(self) -> str:
        """The type of the body, empty where it has none."""
        found = self.body.get("type")
        return found if isinstance(found, str) else ""

    @property
    def is_request(self) -> bool:
        """Whether an answer may be expected."""
        return isinstance(self.body.get("msg_id"), int) and "in_reply_to" not in self.body


class MalformedMessage(Exception):
    """A line of a node is no message; the text says why, and what the line should be."""


def parse_message(line: str) -> Message:
    """The message in a line of a node.

    Raises:
        MalformedMessage: it is none.
    """
    try:
        value = parse_object(line, max_length=MAX_LINE)
    except LineError as problem:
        raise MalformedMessage(f"{problem}; standard output is for messages alone, logs go to standard error") from None
    for key in ("src", "dest"):
        if not isinstance(value.get(key), str):
            raise MalformedMessage(f"`{key}` should be a text, the name of a node, in {excerpt(line)}")
    body = value.get("body")
    if not isinstance(body, dict):
        raise MalformedMessage(f"`body` should be an object in {excerpt(line)}")
    for key in ("msg_id", "in_reply_to"):
        if key in body and (isinstance(body[key], bool) or not isinstance(body[key], int)):
            raise MalformedMessage(f"`body.{key}` should be a whole number in {excerpt(line)}")
    return Message(str(value["src"]), str(value["dest"]), body)


def line_of(message: Message, number: int) -> bytes:
    """A message as a node reads it."""
    text = dump({"id": number, "src": message.src, "dest": message.dest, "body": message.body})
    return text.encode() + b"\n"


def reply_to(message: Message, body: Mapping[str, Json]) -> Message:
    """The answer to a request."""
    answer: Body = {**body}
    if "msg_id" in message.body:
        answer["in_reply_to"] = message.body["msg_id"]
    return Message(message.dest, message.src, answer)


def error_body(code: int, text: str) -> Body:
    """The body of an answer that is an error."""
    return {"type": "error", "code": code, "text": text}


def result_of(body: Body) -> Body:
    """The body of an answer.

    Raises:
        RpcError: it is an error.
    """
    if body.get("type") != "error":
        return body
    code, text = body.get("code"), body.get("text")
    shown = text[:200] if isinstance(text, str) else ""
    if isinstance(code, bool) or not isinstance(code, int):
        raise RpcError(-1, shown or "the error has no code")
    raise RpcError(code, shown)
