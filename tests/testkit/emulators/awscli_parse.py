"""Reads command lines as the AWS CLI does, and stops before the first byte is sent.

Usage: awscli_parse.py < COMMANDS, a list of command lines as JSON. The answer is a list of the same length: for each
line {"calls": [..], "others": [..]}, or {"error": WHY}. Calls are what the AWS CLI would ask of AWS; others are the
parts of the line that are none of its business.
"""

import contextlib
import io
import json
import os
import re
import shlex
import sys

# What a line may say besides `aws`: our own program, the shell's variables, and two commands that ask the operator
# and no service (`aws sso login` is not in the first major version of the AWS CLI, which PyPI has).
OTHERS = re.compile(
    r"export [A-Z_]+=.+|unset [A-Z_]+|heeler-ec( .*)?|aws (configure( sso)?|sso login)( --profile \S+)?"
)

# Nothing of whoever runs this counts: no profile, no region, no credentials.
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


class Understood(BaseException):
    """Ends a command where it would call AWS; not an Exception, which the AWS CLI would report and forget."""


class Refused(Exception):
    """Why a line is not one that an operator can paste."""


def parts_of(line):
    """The commands of a line, each a list of words as a shell would split it."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = ""
    parts = [[]]
    for word in words:
        if word == "&&":
            parts.append([])
        elif word and not set(word) - set(words.punctuation_chars):
            raise Refused(f"the shell would not take {word} as a word")
        else:
            parts[-1].append(word)
    if not all(parts):
        raise Refused("a command is empty")
    return parts


def call_of(words):
    """What the AWS CLI would ask for, as it would be sent."""
    if "help" in words:
        raise Refused("it shows a manual and asks AWS for nothing")
    driver = create_clidriver()
    given = {}

    def built(params, **_):
        given.update(params)

    def sent(model, params, **_):
        values_of(model.input_shape, given)
        raise Understood(
            {
                "service": model.service_model.signing_name,
                "operation": model.name,
                "region": params["context"]["client_region"],
                "parameters": given,
            }
        )

    driver.session.register("provide-client-params.*.*", built)
    driver.session.register("before-call.*.*", sent)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            driver.main(words)
    except Understood as understood:
        return understood.args[0]
    except SystemExit:
        pass
    raise Refused(last_words(said.getvalue()))


def values_of(shape, value):
    """Refuses values that the model does not list; the AWS CLI leaves that to the service."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure":
        for name, member in value.items():
            values_of(shape.members[name], member)
    elif shape.type_name == "list":
        for member in value:
            values_of(shape.member, member)
    elif shape.type_name == "map":
        for key, member in value.items():
            values_of(shape.key, key)
            values_of(shape.value, member)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        raise Refused(f"{value!r} is not one of {', '.join(shape.enum)}")


def last_words(said):
    """The message without the usage before it and the list of every command there is."""
    lines = [line for line in said.splitlines() if line.strip() and " | " not in line]
    for start, line in enumerate(lines):
        if "error" in line.lower() or "unknown" in line.lower():
            return "\n".join(lines[start:][:4])
    return "\n".join(lines[-4:]) or "it ends without asking AWS for anything"


def understand(line):
    calls, others = [], []
    try:
        for words in parts_of(line):
            if OTHERS.fullmatch(" ".join(words)):
                others.append(shlex.join(words))
            elif words[0] == "aws":
                calls.append(call_of(words[1:]))
            else:
                raise Refused(f"{words[0]} is no command that is known here")
    except (Refused, ValueError) as why:
        return {"error": str(why)}
    return {"calls": calls, "others": others}


if __name__ == "__main__":
    json.dump([understand(line) for line in json.load(sys.stdin)], sys.stdout, default=str)
