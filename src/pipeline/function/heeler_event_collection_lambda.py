"""Sends the CloudTrail records that CloudWatch Logs hands over to Heeler's SQS FIFO queue, each as one message.

An invocation succeeds only when every record is in the queue. Otherwise it fails, and what is already there when it is
tried again is dropped by the queue's content-based deduplication (five minutes; Lambda tries again after one and two).
Nothing of a record is ever logged but its id. Needs of its role: sqs:SendMessage, and the use of the queue's key.
"""

import base64
import gzip
import json
import os
import random
import re
import time
from collections import Counter, deque

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

QUEUE_URL = os.environ["QUEUE_URL"]
# The queue's MaximumMessageSize. A batch is held to it as well: what AWS allows a batch was 256 KiB for long.
MAX_BYTES = int(os.environ.get("MAX_MESSAGE_BYTES", "262144"))
MAX_MESSAGES = 10

# What an oversize record is sent without: the parts that may be large, and without which it still says who did what.
CUTTABLE = ("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails")
CUT = "heelerEcCut"

# With these two attempts, and up to a second between them, a call takes five seconds at most.
CLIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
CALL_MS = 5_000
# Enough for the log line and the error at the end.
END_MS = 1_000
# How many calls in a row may come to nothing.
TRIES = 5

# The refusals that a message may have brought upon itself. Any other is worth the same call again: even throttling may
# come as the sender's fault.
OF_THE_MESSAGE = ("InvalidMessageContents", "InvalidParameterValue", "MessageTooLong", "BatchRequestTooLong")
# The characters that SQS does not take. A readable record has them only where JSON may as well have an escape.
UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

sqs = boto3.client("sqs", config=CLIENT)


def lambda_handler(event, context):
    began = time.monotonic()
    report = {"received": 0, "skipped": 0, "repeated": 0, "unreadable": 0, "cut": 0, "sent": 0, "failed": 0}
    try:
        payload = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        if payload["messageType"] == "DATA_MESSAGE":
            deliver(payload["logEvents"], context.get_remaining_time_in_millis, report)
        else:
            # CloudWatch asks whether anybody is there.
            report["skipped"] = 1
    finally:
        report["milliseconds"] = round(1000 * (time.monotonic() - began))
        print(json.dumps(report))
    if report["failed"]:
        raise RuntimeError(f"{report['failed']} of {report['received']} records are not in the queue")


def deliver(log_events, time_left, report):
    """Sends what can be sent, and reports what became of each."""
    report["received"] = len(log_events)
    messages = [Message(log_event) for log_event in log_events]
    # The queue would drop the second of two that are the same; this saves the sending.
    once = list({message.body: message for message in messages}.values())
    refusals = Counter()
    sent = send([message for message in once if message.fits()], time_left, refusals)
    lists = {
        "unreadable": [message.id for message in once if not message.readable],
        "cut": [message.id for message in once if message in sent and message.cut],
        "failed": [message.id for message in once if message not in sent],
    }
    report.update({name: len(ids) for name, ids in lists.items()})
    report.update(repeated=len(messages) - len(once), sent=len(sent), refusals=refusals, events=lists)


def send(messages, time_left, refusals):
    """Sends messages until all are sent or given up, SQS refuses everything, or time runs out; returns the sent."""
    waiting, sent, fruitless = deque(messages), set(), 0
    # A call that hung once may do so again, and the end has to be told of.
    while waiting and fruitless < TRIES and time_left() > END_MS + (CALL_MS if fruitless else 0):
        batch = next_batch(waiting)
        refused = post(batch)
        refusals.update(refused.values())
        sent.update(message for message in batch if message not in refused)
        again = [message for message, code in refused.items() if code not in OF_THE_MESSAGE]
        waiting.extend(again)
        for message in (message for message, code in refused.items() if code in OF_THE_MESSAGE):
            # Of a call that was refused as a whole, it may have been any of them.
            message.alone = len(refused) == len(batch)
            if len(batch) > 1 and message.alone or message.cut_to(0):
                waiting.append(message)
        fruitless = fruitless + 1 if len(again) == len(batch) else 0
        if again and fruitless < TRIES:
            time.sleep(random.uniform(0.05, 0.1) * 2**fruitless)
    return sent


def next_batch(waiting):
    """Takes as many messages as one call may carry."""
    batch, room = [], MAX_BYTES
    while waiting and len(batch) < MAX_MESSAGES and waiting[0].size() <= room:
        message = waiting[0]
        if message.alone and batch:
            break
        batch.append(waiting.popleft())
        room = 0 if message.alone else room - message.size()
    return batch


def post(batch):
    """Makes one call; returns the refused messages, each with the code of its refusal."""
    entries = [
        {"Id": str(number), "MessageBody": message.body, "MessageGroupId": message.group}
        for number, message in enumerate(batch)
    ]
    try:
        answer = sqs.send_message_batch(QueueUrl=QUEUE_URL, Entries=entries)
    except ClientError as error:
        return dict.fromkeys(batch, code_of(error.response["Error"]["Code"]))
    except BotoCoreError as error:
        return dict.fromkeys(batch, type(error).__name__)
    return {batch[int(entry["Id"])]: code_of(entry["Code"]) for entry in answer.get("Failed", [])}


def code_of(text):
    """The code without the name of the service before it, which some answers have and some have not."""
    return re.split("[.#]", text)[-1]


class Message:
    """One record on its way."""

    def __init__(self, log_event):
        self.body = UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", log_event["message"])
        self.cut = []
        self.alone = False
        record = self.record()
        self.readable = record is not None
        record = record or {}
        self.id = plain(record.get("eventID"), log_event["id"])
        # Messages of one group wait for each other, so that each account and region has its own.
        self.group = f"{plain(record.get('recipientAccountId'))}.{plain(record.get('awsRegion'))}"

    def record(self):
        """The body as an object; nothing when it is none. It is sent all the same."""
        try:
            record = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return record if isinstance(record, dict) else None

    def size(self):
        return len(self.body.encode())

    def fits(self):
        return self.size() <= MAX_BYTES or self.cut_to(MAX_BYTES)

    def cut_to(self, limit):
        """Leaves parts out, the largest first, until no more than this is left; says whether it made a difference."""
        record = self.record() or {}
        parts = [part for part in CUTTABLE if record.get(part) is not None]
        parts.sort(key=lambda part: len(json.dumps(record[part])), reverse=True)
        for part in parts:
            if self.size() <= limit:
                break
            self.cut.append(part)
            record.update({part: None, CUT: self.cut})
            self.body = json.dumps(record, separators=(",", ":"))
        return bool(parts) and self.size() <= MAX_BYTES


def plain(value, otherwise="unknown"):
    """A value that may stand in the log and in the name of a group (128 characters at most), or else another."""
    fine = isinstance(value, str) and re.fullmatch("[A-Za-z0-9-]{1,60}", value)
    return value if fine else otherwise
