"""The client and the bank of the tutorial, as a program: each sends through a function that it is given."""

from collections.abc import Callable

Send = Callable[[str], None]


class Client:
    """Wants to pay 1, and asks again until it hears back."""

    def __init__(self, send: Send) -> None:
        self.done = False
        self._send = send

    def ask(self) -> None:
        if not self.done:
            self._send("Pay")

    def on_paid(self) -> None:
        self.done = True


class Bank:
    """Keeps the account."""

    def __init__(self, send: Send) -> None:
        self.balance = 3
        self.seen = False
        self._send = send

    def on_pay(self) -> None:
        if not self.seen:
            self.balance -= 1
            self.seen = True
        self._send("Paid")
