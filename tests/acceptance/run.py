"""Runs the whole life cycle of both options in a real AWS account, and writes a report.

`make acceptance` runs it. HEELER_EC_ACCEPTANCE_ACCOUNT must name the account of the credentials. All names start with a
random prefix. Whatever the run created is deleted at its end, also after an error, Ctrl-C or SIGTERM.

Other variables: HEELER_EC_PROGRAM (binary), HEELER_EC_AWS_CLI (command of the AWS CLI), HEELER_EC_ACCEPTANCE_OPTIONS
(`s3 cloudwatch`), HEELER_EC_ACCEPTANCE_REPORT (file), HEELER_EC_ACCEPTANCE_WAIT (seconds to wait for an event).
"""

import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("HEELER_EC_PROGRAM", str(ROOT / "target/debug/heeler-ec"))
AWS = os.environ.get("HEELER_EC_AWS_CLI", str(ROOT / ".venv/awscli/bin/aws"))
OPTIONS = os.environ.get("HEELER_EC_ACCEPTANCE_OPTIONS", "s3 cloudwatch").split()
REPORT = pathlib.Path(os.environ.get("HEELER_EC_ACCEPTANCE_REPORT", ROOT / "target/acceptance-report.md"))
# Version 1 of the AWS CLI does not read AWS_REGION.
REGION = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
# Version 1 of the AWS CLI sends calls of SQS elsewhere, if only the variable names the endpoint.
ENDPOINT = ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"]] if "AWS_ENDPOINT_URL" in os.environ else []
# CloudTrail delivers about every five minutes.
EVENT_SECONDS = int(os.environ.get("HEELER_EC_ACCEPTANCE_WAIT", "1200"))
# IAM needs some seconds until a new role can be assumed.
ROLE_SECONDS = 90

COST = """The run creates two KMS keys (1 USD per month each, from the first day until their deletion is scheduled), SQS
queues, an SNS topic, IAM roles and policies, and a Lambda function, all with the prefix {prefix}. It adds an entry to
the notification configuration of the trail's bucket and a subscription filter to the trail's log group, and removes
both. AWS charges about 0.10 USD. The run takes up to one hour."""

CALL = re.compile(r"^ *call (\S+):(\S+) (\d+|no response) (\S+) (\d+) ms$")
QUEUE = {"s3": "_event_collection_queue", "cloudwatch": "_event_collection_queue.fifo"}


class Failure(Exception):
    """A step that did not end as expected."""


class Run:
    """A run, its prefixes and its report."""

    def __init__(self, account):
        self.account = account
        self.prefix = f"acc{secrets.token_hex(4)}"
        self.reader = f"{self.prefix}-reader"
        self.queue = f"{self.prefix}-host"
        self.deployments = []
        self.steps, self.calls, self.answers = [], [], []

    def heeler(self, step, *args, prefix, expect=(0,)):
        """Runs the program with `--verbose`, and records its calls."""
        started = time.monotonic()
        done = self.finish([PROGRAM, "--verbose", "--name-prefix", prefix, "--account-id", self.account, *args])
        seconds = time.monotonic() - started
        found = (CALL.match(line) for line in done.stderr.splitlines())
        self.calls += [(step, *match.groups()) for match in found if match]
        self.steps.append((step, done.returncode, seconds))
        print(f"{step}: exit code {done.returncode}, {seconds:.1f} s", flush=True)
        if done.returncode not in expect:
            text = "\n".join(line for line in done.stderr.splitlines() if not CALL.match(line))
            raise Failure(f"{step}: exit code {done.returncode}\n{text}\n{done.stdout}")
        return done.stdout

    @staticmethod
    def finish(command):
        """Runs a command. Ctrl-C interrupts it, and waits until it has cleaned up."""
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = child.communicate()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
            child.communicate()
            raise
        return subprocess.CompletedProcess(command, child.returncode, output, errors)

    def aws(self, *args, env=None):
        """Runs the AWS CLI, and returns its JSON."""
        done = subprocess.run(
            [AWS, *args, "--output", "json", *ENDPOINT],
            capture_output=True,
            text=True,
            env={**os.environ, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", **(env or {})},
        )
        if done.returncode != 0:
            raise Failure(f"aws {' '.join(args[:2])}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def retry(self, seconds, *args, env=None):
        """Repeats a call of the AWS CLI until it succeeds."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.aws(*args, env=env)
            except Failure:
                if time.monotonic() > end:
                    raise
                time.sleep(2)

    def create_reader(self):
        """The role that stands for Heeler's: it may assume the roles of this run."""
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": self.account}}
        allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}

        def document(statement):
            return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

        created = self.aws("iam", "create-role", "--role-name", self.reader, "--assume-role-policy-document",
                           document(trust), "--max-session-duration", "7200")
        self.aws("iam", "put-role-policy", "--role-name", self.reader, "--policy-name", "assume",
                 "--policy-document", document(allowed))
        return created["Role"]["Arn"]

    def assume(self, role, external_id=None, env=None):
        condition = ["--external-id", external_id] if external_id else []
        assumed = self.retry(ROLE_SECONDS, "sts", "assume-role", "--role-arn", role, "--role-session-name",
                             "acceptance", *condition, env=env)
        names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
                 "AWS_SESSION_TOKEN": "SessionToken"}
        keys = {variable: assumed["Credentials"][name] for variable, name in names.items()}
        return {**keys, "AWS_PROFILE": ""} if "AWS_PROFILE" in os.environ else keys

    def harvest(self, prefix, option, reader):
        """Reads a message with the three printed values, as Heeler does."""
        document = json.loads(self.heeler(f"{option}: outputs", "outputs", "-o", "json", prefix=prefix))
        values = document.get("result") or document.get("outputs") or document
        role, identifier = values["heeler_event_role_arn"], values["heeler_event_role_external_id"]
        session = self.assume(role, identifier, env=self.assume(reader))
        end, started = time.monotonic() + EVENT_SECONDS, time.monotonic()
        while time.monotonic() < end:
            received = self.aws("sqs", "receive-message", "--queue-url", values["heeler_event_queue_url"],
                                "--wait-time-seconds", "10", env=session)
            if received.get("Messages"):
                self.steps.append((f"{option}: harvest", 0, time.monotonic() - started))
                print(f"{option}: harvest: {time.monotonic() - started:.1f} s", flush=True)
                return
        raise Failure(f"{option}: no event arrived within {EVENT_SECONDS} s")

    def life_cycle(self, option, reader):
        prefix = f"{self.prefix}{option[0]}"
        self.deployments.append(prefix)
        heeler = lambda name, *args, **kwargs: self.heeler(f"{option}: {name}", *args, prefix=prefix, **kwargs)
        trust = ["--option", option, "--heeler-role-arn", reader]
        heeler("preflight", "preflight", "--option", option)
        heeler("plan", "plan", *trust, "--generate-external-id")
        self.roll_back(option, prefix, trust)
        heeler("setup", "setup", *trust, "--generate-external-id", "--yes")
        heeler("second plan", "plan", "--option", option, "--check")
        url = self.aws("sqs", "get-queue-url", "--queue-name", prefix + QUEUE[option])["QueueUrl"]
        self.aws("sqs", "set-queue-attributes", "--queue-url", url, "--attributes", "VisibilityTimeout=7")
        self.expect_drift(option, prefix)
        heeler("repair", "setup", "--option", option, "--yes")
        heeler("plan after the repair", "plan", "--option", option, "--check")
        heeler("status", "status")
        heeler("verify", "verify", "--timeout", f"{EVENT_SECONDS}s")
        # The organization may have gaps, or no trail of its own.
        heeler("coverage", "coverage", expect=(0, 1))
        heeler("support", "support", "--dry-run")
        heeler("tail", "tail", "--limit", "1", "--timeout", f"{EVENT_SECONDS}s")
        if option == "s3" or os.environ.get("HEELER_EC_ACCEPTANCE_FUNCTION") != "none":
            self.harvest(prefix, option, reader)
        heeler("export", "export", "terraform")
        heeler("destroy", "destroy", "--yes")
        heeler("nothing left", "destroy", "--yes", expect=(1,))
        self.deployments.remove(prefix)

    def expect_drift(self, option, prefix):
        # SQS may take 60 seconds to show a new attribute.
        for _ in range(30):
            try:
                self.heeler(f"{option}: drift", "plan", "--option", option, "--check", prefix=prefix, expect=(1,))
                return
            except Failure:
                time.sleep(2)
        raise Failure(f"{option}: plan --check does not report the drift")

    def roll_back(self, option, prefix, trust):
        """Setup with a principal that does not exist, which AWS refuses in a trust policy."""
        missing = f"arn:aws:iam::{self.account}:role/{self.prefix}-missing"
        self.heeler(f"{option}: rollback", "setup", *trust[:2], "--heeler-role-arn", missing, "--generate-external-id",
                    "--yes", "--on-failure", "rollback", prefix=prefix, expect=(3,))
        self.heeler(f"{option}: nothing left after the rollback", "destroy", "--yes", prefix=prefix, expect=(1,))

    def answer_questions(self):
        """Answers open questions about AWS."""
        def ask(question, find):
            try:
                self.answers.append((question, find()))
            except (Failure, KeyError) as error:
                self.answers.append((question, f"unknown: {error}"))

        def session_seconds():
            self.aws("iam", "update-role", "--role-name", self.reader, "--description", "changed")
            role = self.aws("iam", "get-role", "--role-name", self.reader)["Role"]
            return f"{role['MaxSessionDuration']} s, before the update 7200 s"

        def queue_host(name):
            def find():
                return self.aws("sqs", "get-queue-url", "--queue-name", self.queue, env={name: "true"})["QueueUrl"]
            return find

        ask("UpdateRole without MaxSessionDuration leaves the duration at", session_seconds)
        created = self.aws("sqs", "create-queue", "--queue-name", self.queue)
        ask("QueueUrl of the default endpoint", lambda: created["QueueUrl"])
        for name in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
            ask(f"QueueUrl with {name}", queue_host(name))
        passed = any(step == "cloudwatch: harvest" for step, *_ in self.steps)
        ask("The principal logs.amazonaws.com may invoke the function in",
            lambda: f"{REGION}: {'yes' if passed else 'not measured'}")
        ask("S3 accepts a filter with an encoded = sign, and delivers", lambda: "not measured")

    def clean_up(self):
        """Deletes what this run created. Returns what it could not delete."""
        left = []
        for prefix in list(self.deployments):
            try:
                self.heeler(f"clean-up of {prefix}", "destroy", "--yes", prefix=prefix, expect=(0, 1))
            except Failure as error:
                left.append(f"run `heeler-ec --name-prefix {prefix} destroy`: {error}")
        try:
            url = self.aws("sqs", "get-queue-url", "--queue-name", self.queue)["QueueUrl"]
            self.aws("sqs", "delete-queue", "--queue-url", url)
        except Failure as error:
            if "NonExistentQueue" not in str(error):
                left.append(str(error))
        for command in (["delete-role-policy", "--policy-name", "assume"], ["delete-role"]):
            try:
                self.aws("iam", *command, "--role-name", self.reader)
            except Failure as error:
                if "NoSuchEntity" not in str(error):
                    left.append(str(error))
        return left

    def write_report(self, result):
        lines = [f"# Acceptance run {self.prefix}", "", f"Account {self.account}. Result: {result}", "",
                 "| step | exit code | seconds |", "| --- | --- | --- |"]
        lines += [f"| {step} | {code} | {seconds:.1f} |" for step, code, seconds in self.steps]
        lines += ["", "| question about AWS | answer |", "| --- | --- |"]
        lines += [f"| {question} | {' '.join(answer.split())} |" for question, answer in self.answers]
        lines += ["", "| step | call | status | request ID | ms |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| {step} | {service}:{operation} | {status} | {request} | {ms} |"
                  for step, service, operation, status, request, ms in self.calls]
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text("\n".join(lines) + "\n")
        print(f"Report: {REPORT}")


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    account = os.environ.get("HEELER_EC_ACCEPTANCE_ACCOUNT", "")
    if not re.fullmatch(r"\d{12}", account):
        sys.exit("HEELER_EC_ACCEPTANCE_ACCOUNT must be the ID of the account that the credentials belong to.")
    run = Run(account)
    caller = run.aws("sts", "get-caller-identity")["Account"]
    if caller != account:
        sys.exit(f"The credentials belong to account {caller}, not to {account}.")
    manager = run.aws("organizations", "describe-organization")["Organization"]["MasterAccountId"]
    if manager != account:
        sys.exit(f"{account} is not the management account of its organization, which is {manager}.")
    print(COST.format(prefix=run.prefix))
    print(f"Type {account} to continue: ", end="", flush=True)
    if sys.stdin.readline().strip() != account:
        sys.exit("Nothing was created.")
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    result = "passed"
    try:
        reader = run.create_reader()
        for option in OPTIONS:
            run.life_cycle(option, reader)
        run.answer_questions()
    except KeyboardInterrupt:
        result = "interrupted"
    except Exception as error:  # Whatever happens, the clean-up follows.
        result = f"failed: {error!r}" if not isinstance(error, Failure) else f"failed: {error}"
    # A second Ctrl-C must not stop the clean-up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    left = run.clean_up()
    for line in left:
        print(f"Left: {line}")
    run.write_report(result if not left else f"{result}; left: {'; '.join(left)}")
    print(f"Result: {result}")
    sys.exit(0 if result == "passed" and not left else 1)


if __name__ == "__main__":
    main()
