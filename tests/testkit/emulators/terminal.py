"""Runs a program on a pseudo-terminal with a simulated user.

Usage: terminal.py COLUMNS ANSWERS PROGRAM [ARGUMENT..]. ANSWERS is a JSON list of [text, input] pairs: when the terminal
shows the text, the input is typed. Standard output has everything that the terminal shows, and the exit status is that
of the program.
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
    """Starts the program; returns its process ID and the user's end of the terminal."""
    child, user = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        # Without this flag Ctrl-C discards output that is not read yet.
        modes = termios.tcgetattr(0)
        modes[3] |= termios.NOFLSH
        termios.tcsetattr(0, termios.TCSANOW, modes)
        os.execv(command[0], command)
    return child, user


def converse(user, answers):
    """Copies the output and types the answers, until the program closes the terminal."""
    unread = b""
    while shown := read(user):
        os.write(1, shown)
        unread += shown
        while answers and (position := unread.find(answers[0][0].encode())) >= 0:
            text, answer = answers.pop(0)
            unread = unread[position + len(text.encode()) :]
            os.write(user, answer.encode())


def read(user):
    try:
        return os.read(user, 4096)
    except OSError:
        # On Linux, reading from a closed terminal is an error.
        return b""


if __name__ == "__main__":
    child, user = start(int(sys.argv[1]), sys.argv[3:])
    converse(user, json.loads(sys.argv[2]))
    _, status = os.waitpid(child, 0)
    exit_status = os.waitstatus_to_exitcode(status)
    if exit_status < 0:
        os.kill(os.getpid(), -exit_status)
    sys.exit(exit_status)
