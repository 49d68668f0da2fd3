import json
from contextlib import contextmanager
from http.client import HTTPConnection

from checker.conformance.histories.verdict import Verdict
from checker.conformance.live import use

ADDRESS = ("127.0.0.1", 8123)


@contextmanager
def connect(number):  # one connection, for the client of this number; each client has a thread of its own
    service = HTTPConnection(*ADDRESS, timeout=5)

    def perform(f, value):  # carries out one operation, and returns what the service answered
        service.request("GET" if f == "read" else "PUT", "/", json.dumps(value))
        return json.loads(service.getresponse().read())

    yield perform
    service.close()


def choose(random, number):  # draws an operation; the number is another one each time
    return random.choice([("read", None), ("write", number)])


def test_register():
    report = use(connect, choose, model="register", clients=5, operations=500)
    assert report.judgement.verdict is Verdict.OK, report.text()
