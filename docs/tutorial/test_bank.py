"""Holds the program to its spec: every transition of the state graph is taken, and every state is compared."""

import bank
import pytest

import checker
from checker.conformance.adapter import Adapter
from checker.conformance.mapping import step
from checker.conformance.probe import probe_all
from checker.conformance.replay import replay_all


class Transfer(Adapter):
    """One method for each step of the spec, and `observe`, which tells what can be seen."""

    def begin(self, initial):
        self.mail = set()  # a soup keeps what was sent
        self.client = bank.Client(lambda text: self.mail.add(self.letter("Client", "Bank", text)))
        self.bank = bank.Bank(lambda text: self.mail.add(self.letter("Bank", "Client", text)))

    @step("Client.Ask")
    def ask(self, event):
        self.client.ask()

    @step("Client.Paid")
    def paid(self, event):
        self.client.on_paid()

    @step("Bank.Pay")
    def pay(self, event):
        self.bank.on_pay()

    def observe(self):
        return {
            "Client.done": self.client.done,
            "Bank.balance": self.bank.balance,
            "Bank.seen": self.bank.seen,
            "network": self.mail,
        }


graph = checker.load("transfer.psm").graph("calm")


def test_the_bank_does_what_its_spec_says():
    result = replay_all(Transfer(graph.machine), graph)
    print(result)
    if result.mismatch is not None:
        pytest.fail(result.mismatch.text(), pytrace=False)


def test_the_bank_does_nothing_else():
    result = probe_all(Transfer(graph.machine), graph)
    print(result)
    if result.mismatch is not None:
        pytest.fail(result.mismatch.text(), pytrace=False)
