"""A handler that runs a function on a virtual clock, so that its behaviour does not depend on the speed of the machine.

Only two things take virtual time: sleeps, and calls whose response has the header `virtual-milliseconds`. As on a real
clock, a call fails after the read timeout, and the timer raises KeyboardInterrupt in the middle of a call or sleep.
"""

import importlib
import os
import signal
import types

import botocore.endpoint
from botocore.exceptions import ReadTimeoutError

MODULE, HANDLER = os.environ["VIRTUAL_CLOCK_HANDLER"].split(".")


class VirtualClock:
    def __init__(self):
        self.now = 0.0
        self.alarm = None

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        if self.alarm is not None and self.now + seconds >= self.alarm:
            self.now, self.alarm = self.alarm, None
            raise KeyboardInterrupt
        self.now += seconds

    def setitimer(self, _which, seconds, _interval=0):
        self.alarm = self.now + seconds if seconds else None


clock = VirtualClock()
function = importlib.import_module(MODULE)
function.time = botocore.endpoint.time = clock
function.signal = types.SimpleNamespace(
    ITIMER_REAL=signal.ITIMER_REAL,
    SIGALRM=signal.SIGALRM,
    SIG_IGN=signal.SIG_IGN,
    default_int_handler=signal.default_int_handler,
    setitimer=clock.setitimer,
    signal=lambda _number, _handler: None,
)


def send(request, **_):
    """Makes the real call, then lets its virtual duration pass."""
    response = function.sqs._endpoint.http_session.send(request)
    seconds = int(response.headers.get("virtual-milliseconds", "0")) / 1000
    read_timeout = function.CONFIG.read_timeout
    clock.sleep(min(seconds, read_timeout))
    if seconds > read_timeout:
        raise ReadTimeoutError(endpoint_url=request.url)
    return response


function.sqs.meta.events.register("before-send.sqs.*", send)


def handler(event, _context):
    """Invokes the function with the remaining time that the event has."""
    deadline = clock.now + event.pop("virtualMilliseconds") / 1000
    context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: round(1000 * (deadline - clock.now)))
    return getattr(function, HANDLER)(event, context)
