"""Runs one emulator until standard input ends, so that none outlives the process that holds the other end.

Usage: run.py ministack|moto PORT
"""

import os
import signal
import sys
import threading
import time

HOST = "127.0.0.1"


def end_with_standard_input():
    """Ends this process once whoever started it is gone or has closed the pipe."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(2)
    os._exit(0)


def count_as_secure(app):
    """Counts plain HTTP on loopback as TLS, which is what a program meets on AWS.

    The emulator evaluates aws:SecureTransport, so every policy that insists on
    TLS, as those of the program do, would refuse everybody here.
    """
    import contextvars

    from ministack.core import iam_evaluator

    pin = iam_evaluator.pin_request_origin
    iam_evaluator._request_origin = contextvars.ContextVar(
        "request_origin", default=(HOST, True)
    )
    app.pin_request_origin = lambda source, _: pin(source, True)


def ministack(port):
    # Credentials in the server's environment would replace the secret `test`.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(
        BIND_HOST=HOST,
        MINISTACK_HOST=HOST,
        GATEWAY_PORT=port,
        AUTH="true",
        LOG_LEVEL="ERROR",
    )
    import ministack.app
    from ministack.app import main

    count_as_secure(ministack.app)
    sys.argv = ["ministack"]
    main()


def correct_notifications():
    """Makes moto answer for a bucket's notifications as S3 does.

    It names the root of an empty configuration after the shape, which the Rust
    SDK refuses, and it leaves EventBridge out of every answer.
    """
    from moto.s3.responses import S3Response

    root = "NotificationConfiguration"
    answer = S3Response.get_bucket_notification

    def corrected(self):
        self.data["Action"] = "GetBucketNotificationConfiguration"
        status, headers, body = answer(self)
        stored = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if stored and stored.event_bridge is not None:
            entry = f"<EventBridgeConfiguration/></{root}>"
            if f"</{root}>" in body:
                body = body.replace(f"</{root}>", entry)
            else:
                body = body.replace("/>", f">{entry}")
        return status, headers, body

    S3Response.get_bucket_notification = corrected


def show_who_may_redrive():
    """Makes moto answer with the RedriveAllowPolicy that it was given and keeps to itself."""
    from moto.sqs.models import Queue

    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")


def take_arns_of_keys():
    """Lets moto schedule the deletion of a key that is named by its ARN."""
    from moto.kms.models import KmsBackend

    schedule = KmsBackend.schedule_key_deletion

    def corrected(self, key_id, pending_window_in_days):
        return schedule(self, self.get_key_id(key_id), pending_window_in_days)

    KmsBackend.schedule_key_deletion = corrected


def moto(port):
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    from moto.server import main

    correct_notifications()
    show_who_may_redrive()
    take_arns_of_keys()
    main(["-H", HOST, "-p", port])


if __name__ == "__main__":
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    {"ministack": ministack, "moto": moto}[sys.argv[1]](sys.argv[2])
