"""Parses command lines with the AWS CLI, which is stopped before it sends a request.

Usage: awscli_parse.py < COMMANDS, a JSON list of command lines. The output is a list of the same length, with
{"calls": [..], "others": [..]} or {"error": MESSAGE} for each line. Calls are the requests that the AWS CLI would send;
others are the other commands of the line.
"""

import contextlib
import io
import json
import os
import re
import shlex
import sys

# Allowed commands that send no request: heeler-ec, shell variables, and two interactive commands of the AWS CLI
# (`aws sso login` is not in version 1 of the AWS CLI, which PyPI has).
OTHERS = re.compile(
    r"export [A-Z_]+=.+|unset [A-Z_]+|heeler-ec( .*)?|aws (configure( sso)?|sso login)( --profile \S+)?"
)

# The AWS configuration of the user who runs this must not be read.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(
    AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY="example",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)

from awscli.clidriver import create_clidriver


class RequestBuilt(BaseException):
    """Ends a command before its request; not an Exception, because the AWS CLI catches those."""


class Invalid(Exception):
    """The reason why a command line is invalid."""


def split_commands(line):
    """Splits a line into commands, and each command into words, as a shell does."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = ""
    parts = [[]]
    for word in words:
        if word == "&&":
            parts.append([])
        elif word and not set(word) - set(words.punctuation_chars):
            raise Invalid(f"the shell does not treat {word} as a word")
        else:
            parts[-1].append(word)
    if not all(parts):
        raise Invalid("a command is empty")
    return parts


def request_of(words):
    """Returns the request that the AWS CLI would send."""
    if "help" in words:
        raise Invalid("it shows a manual and sends no request")
    driver = create_clidriver()
    parameters = {}

    def record(params, **_):
        parameters.update(params)

    def stop(model, params, **_):
        check_enum_values(model.input_shape, parameters)
        raise RequestBuilt(
            {
                "service": model.service_model.signing_name,
                "operation": model.name,
                "region": params["context"]["client_region"],
                "parameters": parameters,
            }
        )

    driver.session.register("provide-client-params.*.*", record)
    driver.session.register("before-call.*.*", stop)
    output = io.StringIO()
    try:
        with contextlib.redirect_stderr(output), contextlib.redirect_stdout(output):
            driver.main(words)
    except RequestBuilt as built_request:
        return built_request.args[0]
    except SystemExit:
        pass
    raise Invalid(error_message(output.getvalue()))


def check_enum_values(shape, value):
    """Rejects enum values that are not in the model; the AWS CLI does not check them."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure":
        for name, member in value.items():
            check_enum_values(shape.members[name], member)
    elif shape.type_name == "list":
        for member in value:
            check_enum_values(shape.member, member)
    elif shape.type_name == "map":
        for key, member in value.items():
            check_enum_values(shape.key, key)
            check_enum_values(shape.value, member)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        raise Invalid(f"{value!r} is not one of {', '.join(shape.enum)}")


def error_message(output):
    """Returns the error message without the usage text and the list of commands."""
    lines = [line for line in output.splitlines() if line.strip() and " | " not in line]
    for start, line in enumerate(lines):
        if "error" in line.lower() or "unknown" in line.lower():
            return "\n".join(lines[start:][:4])
    return "\n".join(lines[-4:]) or "it sends no request"


def parse(line):
    calls, others = [], []
    try:
        for words in split_commands(line):
            if OTHERS.fullmatch(" ".join(words)):
                others.append(shlex.join(words))
            elif words[0] == "aws":
                calls.append(request_of(words[1:]))
            else:
                raise Invalid(f"{words[0]} is not an allowed command")
    except (Invalid, ValueError) as error:
        return {"error": str(error)}
    return {"calls": calls, "others": others}


if __name__ == "__main__":
    json.dump([parse(line) for line in json.load(sys.stdin)], sys.stdout, default=str)
