"""Forwards CloudTrail records from a CloudWatch Logs subscription to Heeler's SQS FIFO queue, one message per record.

An invocation succeeds only if SQS accepted every record. Otherwise it fails, and Lambda repeats it after one and two
minutes. The queue's content-based deduplication (five minutes) drops the records that the queue already has.
The log has counts and event IDs, never the content of a record. heeler-ec's decision record 0007 has the reasons. For
`heeler-ec verify`, it also has the name of each canary with the ID of its message.
"""

import base64
import gzip
import json
import os
import random
import re
import signal
import time
from collections import Counter

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

QUEUE_URL = os.environ["QUEUE_URL"]
MAX_BYTES = int(os.environ.get("MAX_MESSAGE_BYTES", "262144"))  # of a message and of a batch
MAX_BATCH_SIZE = 10  # messages
MAX_FAILED_CALLS = 5  # in a row
RESERVED_SECONDS = 1  # at the end of an invocation, for the log line and the error
# A record without these members, which may be large, still says who did what.
CUTTABLE = ("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources")
# Errors that one message can cause, and errors that every message would meet. Any other error may be either.
MESSAGE_ERRORS = ("InvalidMessageContents", "InvalidParameterValue", "MessageTooLong", "BatchRequestTooLong")
SERVICE_ERRORS = re.compile("Throttl|OverLimit|Queue|K[Mm][Ss]|Denied|Token|Signature|Expired|Internal|Unavailable")
# Characters that SQS rejects. Valid JSON has them only in strings, where an escape means the same.
REJECTED_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
CANARY = re.compile(r"heeler-ec-canary-\d{8}T\d{6}-[\da-f]{8}", re.ASCII)  # in the user agent of a call of verify
DECODER = json.JSONDecoder(parse_int=float)  # Python limits the digits of an int, but not those of a float.
MEMBER_NAME = re.compile(r'[\s{,]*("(?:[^"\\]|\\.)*")[\s:]*')
CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
sqs = boto3.client("sqs", config=CONFIG)


def lambda_handler(event, context):
    started = time.monotonic()
    report = dict.fromkeys(("received", "skipped", "repeated", "unreadable", "cut", "sent", "failed"), 0)
    try:
        payload = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        # CloudWatch Logs sends a CONTROL_MESSAGE to test whether it can invoke the function.
        is_data = payload["messageType"] == "DATA_MESSAGE"
        report |= deliver(payload["logEvents"], context) if is_data else {"skipped": 1}
    finally:
        report["milliseconds"] = round(1000 * (time.monotonic() - started))
        print(json.dumps(report))
    if report["failed"]:
        raise RuntimeError(f"{report['failed']} of {report['received']} records are not in the queue")


def deliver(log_events, context):
    """Sends the records of one delivery. Returns counts, error counts, and the IDs of events worth looking into."""
    unique = {message.text: message for message in map(Message, log_events)}.values()
    seconds = context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS
    sent, errors = send([message for message in unique if message.size() <= MAX_BYTES], seconds)
    events = {
        "unreadable": [message.id for message in unique if not message.readable],
        "cut": [message.id for message in unique if message in sent and message.cut],
        "failed": [message.id for message in unique if message not in sent],
    }
    canaries = {message.canary: message.sqs_id for message in sent if message.canary}
    counts = {"received": len(log_events), "repeated": len(log_events) - len(unique), "sent": len(sent)}
    counts |= {name: len(ids) for name, ids in events.items()} | {"refusals": errors, "events": events}
    return counts | ({"canaries": canaries} if canaries else {})


def send(messages, seconds):
    """Sends until no message waits, calls keep failing, or time runs out. Returns sent messages and error counts."""
    first = random.randrange(len(messages) or 1)  # A repeated invocation reaches records that this one does not.
    waiting, sent, errors, failed_calls = messages[first:] + messages[:first], set(), Counter(), 0
    try:
        if seconds <= 0:
            raise KeyboardInterrupt
        # Lambda would stop the function without the log line. The timer raises KeyboardInterrupt, which no library
        # catches. It fires repeatedly, because Python drops exceptions in finalizers.
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
        while waiting and failed_calls < MAX_FAILED_CALLS:
            batch = waiting[:MAX_BATCH_SIZE]
            while sum(message.size() for message in batch) > MAX_BYTES:
                batch.pop()
            del waiting[: len(batch)]
            refused = send_batch(batch)
            sent.update(message for message in batch if message not in refused)
            errors.update(code for code, _ in refused.values())
            retries = [message for message, (_, can_retry) in refused.items() if can_retry]
            waiting += retries + [m for m, (code, _) in refused.items() if code in MESSAGE_ERRORS and m.cut_to(0)]
            failed_calls = failed_calls + 1 if len(retries) == len(batch) else 0
            if retries and failed_calls < MAX_FAILED_CALLS:
                time.sleep(random.uniform(0.05, 0.1) * 2**failed_calls)
    except KeyboardInterrupt:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        errors["TimeLimitReached"] += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return sent, errors


def send_batch(batch):
    """Makes one call. Returns the messages that were not accepted, each with an error code and whether to retry."""
    entries = [{"Id": str(n), "MessageBody": m.body, "MessageGroupId": m.group} for n, m in enumerate(batch)]
    try:
        response = sqs.send_message_batch(QueueUrl=QUEUE_URL, Entries=entries)
    except BotoCoreError as error:
        return dict.fromkeys(batch, (type(error).__name__, True))
    except ClientError as error:
        name = error.response["Error"]["Code"]
        code = re.split("[.#]", name)[-1]  # Some codes have the service's name before them.
        can_retry = code not in MESSAGE_ERRORS and SERVICE_ERRORS.search(name.removeprefix("AWS.SimpleQueueService."))
        if can_retry or len(batch) == 1:
            return dict.fromkeys(batch, (code, can_retry))
        # SQS can refuse a whole call because of one message: send each of them alone.
        return {message: reason for alone in batch for message, reason in send_batch([alone]).items()}
    accepted = {entry["Id"]: entry.get("MessageId") for entry in response.get("Successful", [])}
    codes = {entry["Id"]: re.split("[.#]", entry["Code"])[-1] for entry in response.get("Failed", [])}
    for n, message in enumerate(batch):
        message.sqs_id = accepted.get(str(n))
    refused = {message: codes.get(str(n), "NotInResponse") for n, message in enumerate(batch) if str(n) not in accepted}
    return {message: (code, code not in MESSAGE_ERRORS) for message, code in refused.items()}


class Message:
    """A record as a message. Its text stays as it is, so that the queue recognises a record that is sent again."""

    def __init__(self, log_event):
        log_event = log_event if isinstance(log_event, dict) else {}
        text = log_event.get("message")
        json_text = text if isinstance(text, str) else json.dumps(text)
        self.body = self.text = REJECTED_CHARACTERS.sub(lambda match: f"\\u{ord(match[0]):04x}", json_text)
        try:
            record = DECODER.decode(self.text)
        except (ValueError, RecursionError):
            record = None
        self.readable = isinstance(text, str) and isinstance(record, dict)
        record = record if isinstance(record, dict) else {}
        self.id = identifier(record.get("eventID"), identifier(log_event.get("id")))
        # SQS delivers a message group in order: a record must not wait for those of another account or region.
        self.group = f"{identifier(record.get('recipientAccountId'))}.{identifier(record.get('awsRegion'))}"
        canary = CANARY.search(self.text)
        self.canary, self.sqs_id = canary and canary[0], None
        self.cut = []
        self.cut_to(MAX_BYTES)

    def size(self):
        return len(self.body.encode())

    def cut_to(self, max_bytes):
        """Replaces the largest members by null until the body fits. Returns True if that made a sendable difference."""
        if self.size() <= max_bytes or not self.readable:
            return False
        before, text, self.cut = self.body, self.text, []
        while self.size() > max_bytes and (members := cuttable_members(text)):
            name, start, end = max(members, key=lambda member: len(text[member[1] : member[2]].encode()))
            self.cut.append(name)
            text = f"{text[:start]}null{text[end:]}"
            before_end, after_end = text.rsplit("}", 1)
            self.body = f'{before_end},"heelerEcCut":{json.dumps(self.cut, separators=(",", ":"))}}}{after_end}'
        return self.body != before and self.size() <= MAX_BYTES


def cuttable_members(text):
    """Returns the name of each cuttable member of a JSON object, and where its value starts and ends."""
    members, end = [], 0
    while match := MEMBER_NAME.match(text, end):
        name, start = DECODER.decode(match[1]), match.end()
        value, end = DECODER.raw_decode(text, start)
        if name in CUTTABLE and value is not None:
            members.append((name, start, end))
    return members


def identifier(value, default="unknown"):
    """Returns a value that is safe in a log line and in a message group ID (128 characters), or else the default."""
    return value if isinstance(value, str) and re.fullmatch("[A-Za-z0-9-]{1,60}", value) else default
