"""The broker's side of `outbox`: RabbitMQ.

What it takes for a message not to be lost, each of which is off unless one asks for it:

- The queue is *durable* and the message *persistent*, so both outlive a restart of the broker.
- The channel is in *confirm* mode: `publish` returns once the broker has taken the message over, and raises if it did not.
- The message is *mandatory*: one that fits no queue comes back as an error. Without that it is dropped, and confirmed.
- The consumer *acknowledges* by itself, behind its commit. What is unacknowledged when its connection ends is delivered again.

At most `PREFETCH` messages are with a consumer at a time, so that a crash leaves few to be delivered twice.

The client blocks, so each process of the outbox has a connection and a loop of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import BasicProperties

PREFETCH = 10
PERSISTENT = 2
"""AMQP's number for messages that are written to disk."""

Handle = Callable[[str, Callable[[], None]], None]
"""Takes a message and the way to acknowledge it: `Warehouse.deliver`."""


class Mailbox:
    """One queue, as its sender and its receiver use it over a channel."""

    def __init__(self, channel: BlockingChannel, queue: str) -> None:
        self._channel = channel
        self._queue = queue
        channel.queue_declare(queue, durable=True)
        channel.confirm_delivery()
        channel.basic_qos(prefetch_count=PREFETCH)

    def publish(self, text: str) -> None:
        """Returns once the broker keeps the message.

        Raises:
            AMQPError: it does not, or nobody knows.
        """
        properties = BasicProperties(delivery_mode=PERSISTENT)
        self._channel.basic_publish("", self._queue, text.encode(), properties, mandatory=True)

    def consume(self, handle: Handle, *, patience: float) -> int:
        """Handles messages until none has come for `patience` seconds, and says how many there were."""
        count = 0
        for method, _, body in self._channel.consume(self._queue, inactivity_timeout=patience):
            if method is None:
                break
            count += 1
            handle(body.decode(), partial(self._channel.basic_ack, method.delivery_tag))
        self._channel.cancel()
        return count
