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
import signal
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
CUTTABLE = ("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources")
CUT = "heelerEcCut"
# What stands between the names and the values of an object that is known to be JSON.
BEFORE_NAME, BEFORE_VALUE = re.compile(r"[\s{,]*"), re.compile(r"[\s:]*")

# What the numbers are does not matter here; as a float, each may have any number of digits, and as an int not.
JSON = json.JSONDecoder(parse_int=float)

CLIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
# Enough for the log line and the error at the end.
END_MS = 1_000
# How many calls in a row may come to nothing.
TRIES = 5

# The refusals that a message may have brought upon itself. Any other is worth the same call again: even throttling may
# come as the sender's fault.
OF_THE_MESSAGE = ("InvalidMessageContents", "InvalidParameterValue", "MessageTooLong", "BatchRequestTooLong")
# The refusals that no message brings upon itself: there is too much traffic, or something is wrong with the queue, its
# key, the role, or SQS.
OF_ALL = re.compile("Throttl|OverLimit|Queue|K[Mm][Ss]|Denied|Token|Signature|Expired|Internal|Unavailable")
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


class TimeIsUp(BaseException):
    """Ends whatever call is under way, through all that takes errors for its own."""


def time_is_up(*_):
    raise TimeIsUp


def send(messages, time_left, refusals):
    """Sends messages until all are sent or given up, SQS refuses everything, or time runs out; returns the sent."""
    waiting, sent, fruitless = deque(messages), set(), 0
    # When time runs out, the delivery comes again from its beginning: what was not reached now may be then.
    waiting.rotate(random.randrange(len(messages) or 1))
    try:
        wake_in(time_left() - END_MS)
        while waiting and fruitless < TRIES:
            batch = next_batch(waiting)
            refused = post(batch)
            refusals.update(refused.values())
            sent.update(message for message in batch if message not in refused)
            again = [message for message, code in refused.items() if code not in OF_THE_MESSAGE]
            waiting.extend(message for message in again if not message.hopeless)
            for message in (message for message, code in refused.items() if code in OF_THE_MESSAGE):
                # Of a call that was refused as a whole, it may have been any of them.
                message.alone = len(refused) == len(batch)
                if len(batch) > 1 and message.alone or message.cut_to(0):
                    waiting.append(message)
            # What will be sent alone from now on, or was and is given up, is no sign that nothing works.
            parted = all(message.hopeless or message.alone and len(batch) > 1 for message in again)
            fruitless = fruitless + 1 if len(again) == len(batch) and not parted else 0
            if again and not parted and fruitless < TRIES:
                time.sleep(random.uniform(0.05, 0.1) * 2**fruitless)
    except TimeIsUp:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        refusals["TimeIsUp"] += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return sent


def wake_in(milliseconds):
    """Lambda ends a function without a word when its time is up, whatever it waits for; this is a little earlier."""
    if milliseconds <= 0:
        raise TimeIsUp
    signal.signal(signal.SIGALRM, time_is_up)
    # Once more soon after: what Python raises in a finalizer is lost.
    signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000, 0.1)


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
        text = error.response["Error"]["Code"]
        code = code_of(text)
        if code not in OF_THE_MESSAGE and not OF_ALL.search(text):
            for message in batch:
                # SQS refuses a whole call over one message, too, with more codes than anybody has listed.
                message.alone, message.hopeless = True, len(batch) == 1
        return dict.fromkeys(batch, code)
    except BotoCoreError as error:
        return dict.fromkeys(batch, type(error).__name__)
    codes = {entry["Id"]: code_of(entry["Code"]) for entry in answer.get("Failed", [])}
    taken = {entry["Id"] for entry in answer.get("Successful", [])}
    left = (entry["Id"] for entry in entries if entry["Id"] not in taken)
    return {batch[int(number)]: codes.get(number, "NotInAnswer") for number in left}


def code_of(text):
    """The code without the name of the service before it, which some answers have and some have not."""
    return re.split("[.#]", text)[-1]


class Message:
    """One record on its way."""

    def __init__(self, log_event):
        log_event = log_event if isinstance(log_event, dict) else {}
        text = log_event.get("message")
        self.readable = isinstance(text, str)
        # CloudWatch Logs hands over texts; whatever else it may be, it arrives.
        text = text if self.readable else json.dumps(text)
        self.body = UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        self.cut = []
        # It has a call to itself, since it was in one that was refused as a whole; or it was refused so, too.
        self.alone, self.hopeless = False, False
        record = self.record()
        self.readable = self.readable and record is not None
        record = record or {}
        self.id = plain(record.get("eventID"), plain(log_event.get("id")))
        # Messages of one group wait for each other, so that each account and region has its own.
        self.group = f"{plain(record.get('recipientAccountId'))}.{plain(record.get('awsRegion'))}"

    def record(self):
        """The body as an object; nothing when it is none. It is sent all the same."""
        try:
            record = JSON.decode(self.body)
        except (ValueError, RecursionError):
            return None
        return record if isinstance(record, dict) else None

    def size(self):
        return len(self.body.encode())

    def fits(self):
        return self.size() <= MAX_BYTES or self.cut_to(MAX_BYTES)

    def cut_to(self, limit):
        """Leaves parts out, the largest first, until no more than this is left; says whether it made a difference."""
        members = self.members() if self.readable else {}
        parts = {part: members[part] for part in CUTTABLE if part in members and members[part] != "null"}
        for part in sorted(parts, key=lambda part: len(parts[part].encode()), reverse=True):
            if self.size() <= limit:
                break
            self.cut.append(part)
            self.put(part, "null")
            self.put(CUT, json.dumps(self.cut, separators=(",", ":")))
        return bool(parts) and self.size() <= MAX_BYTES

    def members(self):
        """The names in the record, each with its value as it is written."""
        return {name: self.body[start:end] for name, start, end in self.places()}

    def put(self, name, value):
        """Writes a value in the place of another, or at the end; all else stays as it was written."""
        end = self.body.rindex("}")
        places = [(start, end) for found, start, end in self.places() if found == name]
        start, end = places[-1] if places else (end, end)
        text = value if places else f',"{name}":{value}'
        self.body = self.body[:start] + text + self.body[end:]

    def places(self):
        """Where the values of the record begin and end."""
        at = BEFORE_NAME.match(self.body).end()
        while self.body[at] != "}":
            name, at = JSON.raw_decode(self.body, at)
            start = BEFORE_VALUE.match(self.body, at).end()
            _, end = JSON.raw_decode(self.body, start)
            yield name, start, end
            at = BEFORE_NAME.match(self.body, end).end()


def plain(value, otherwise="unknown"):
    """A value that may stand in the log and in the name of a group (128 characters at most), or else another."""
    fine = isinstance(value, str) and re.fullmatch("[A-Za-z0-9-]{1,60}", value)
    return value if fine else otherwise
