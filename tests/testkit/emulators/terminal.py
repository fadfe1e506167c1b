"""Runs a program on a terminal of its own, as if a person sat before it.

Usage: terminal.py COLUMNS ANSWERS PROGRAM [ARGUMENT..]. ANSWERS is a list of [text, typed] as JSON: once the text is
shown, what is to be typed is typed, one after the other. Everything that the terminal shows is written to standard
output as it comes, and the status is that of the program.
"""

import fcntl
import json
import os
import pty
import struct
import sys
import termios

ROWS = 50


def start(columns, command):
    """The id of the program, and the side of the terminal where the person sits."""
    child, person = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        # Else Ctrl-C throws away what is not read yet, and may meet what the program has said since.
        modes = termios.tcgetattr(0)
        modes[3] |= termios.NOFLSH
        termios.tcsetattr(0, termios.TCSANOW, modes)
        os.execv(command[0], command)
    return child, person


def converse(person, answers):
    """Shows what comes, and answers what is asked, until nobody writes to the terminal any more."""
    unread = b""
    while shown := read(person):
        os.write(1, shown)
        unread += shown
        while answers and (place := unread.find(answers[0][0].encode())) >= 0:
            awaited, typed = answers.pop(0)
            unread = unread[place + len(awaited.encode()) :]
            os.write(person, typed.encode())


def read(person):
    try:
        return os.read(person, 4096)
    except OSError:
        # Linux's way to say that the program has closed the terminal.
        return b""


if __name__ == "__main__":
    child, person = start(int(sys.argv[1]), sys.argv[3:])
    converse(person, json.loads(sys.argv[2]))
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    if ended < 0:
        os.kill(os.getpid(), -ended)
    sys.exit(ended)
