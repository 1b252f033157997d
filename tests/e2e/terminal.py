#!/usr/bin/env python3
"""terminal.py: runs a command on a terminal and says what a person would have seen.

    terminal.py [columns=80] [to=FILE] [key=SECONDS:KEY] [columns=SECONDS:N] [frame=REGEX]
                -- COMMAND...

The terminal is a pty with an emulation just large enough for what quern may send: letters,
carriage return, newline, erase to the end of the screen, colours. Anything else is an error.
`to` is where standard output goes, instead of the terminal. KEY is sent as it is (^C is
Ctrl-C). When the command has ended, prints

    status N            as a shell says it
    frames N            different pictures of a line in progress
    pictures N          different first letters of them (the spinner)
    widest N            columns of the widest of them
    colours yes|no      whether colours were set
    ascii yes|no        whether all letters were ASCII
    frame ...           the last one, of those in which REGEX is found
    screen: ...         each line left on the screen
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

TOKEN = re.compile(r"\033\[(\d*(?:;\d+)*)([A-Za-z])|\r|\n|[^\x00-\x1f]")


class Screen:
    def __init__(self, columns):
        self.columns, self.rows = columns, [""]
        self.row = self.column = 0
        self.frames, self.colours, self.ascii = [], False, True

    def put(self, letter):
        self.ascii = self.ascii and ord(letter) < 128
        if self.column >= self.columns:  # the terminal breaks the line
            self.newline()
            self.column = 0
        line = self.rows[self.row].ljust(self.column)
        self.rows[self.row] = line[:self.column] + letter + line[self.column + 1:]
        self.column += 1

    def newline(self):
        self.row += 1
        while len(self.rows) <= self.row:
            self.rows.append("")

    def feed(self, text):
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                if text[at:].startswith("\033") and len(text) - at < 12:
                    return text[at:]  # half an escape: the rest comes
                raise SystemExit(f"terminal.py: what is {text[at:at + 10]!r}?")
            at = match.end()
            token = match.group(0)
            if token == "\r":
                if self.column > 0 and self.rows[self.row].strip():
                    self.frames.append(self.rows[self.row])
                self.column = 0
            elif token == "\n":
                self.newline()
            elif len(token) == 1:
                self.put(token)
            elif match.group(2) == "J":
                self.rows[self.row] = self.rows[self.row][:self.column]
                del self.rows[self.row + 1:]
            elif match.group(2) == "m":
                self.colours = True
            else:
                raise SystemExit(f"terminal.py: what is {token!r}?")
        return ""


def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def main():
    cut = sys.argv.index("--")
    columns, to, events, wanted = 80, None, [], ""
    for word in sys.argv[1:cut]:
        key, value = word.split("=", 1)
        if key == "to":
            to = value
        elif key == "frame":
            wanted = value
        elif ":" in value:
            when, what = value.split(":")
            events.append((float(when), key, what))
        else:
            columns = int(value)
    pid, fd = pty.fork()
    if pid == 0:
        if to:
            os.dup2(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 1)
        os.environ.setdefault("TERM", "xterm")
        time.sleep(0.1)  # until the size is set
        os.execvp(sys.argv[cut + 1], sys.argv[cut + 1:])
    resize(fd, columns)
    screen, rest, began = Screen(columns), "", time.monotonic()
    while True:
        now = time.monotonic() - began
        if now > 60:
            raise SystemExit("terminal.py: it does not end")
        for event in [e for e in events if e[0] <= now]:
            events.remove(event)
            if event[1] == "key":
                os.write(fd, bytes([ord(event[2][1]) & 31]) if event[2][0] == "^"
                         else event[2].encode())
            else:
                screen.columns = int(event[2])
                resize(fd, screen.columns)
        if not select.select([fd], [], [], 0.02)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        rest = screen.feed(rest + data.decode("utf-8", "surrogateescape"))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    frames = [f for f in screen.frames if re.match(r"[|/\\-] |[\u2800-\u28ff]", f)]
    print("status", status if status >= 0 else 128 - status)
    print("frames", len(set(frames)))
    print("pictures", len({f[0] for f in frames}))
    print("widest", max((len(f) for f in frames), default=0))
    print("colours", "yes" if screen.colours else "no")
    print("ascii", "yes" if screen.ascii else "no")
    print("frame", ([f for f in frames if re.search(wanted, f)] or [""])[-1])
    for row in screen.rows:
        if row.strip():
            print("screen:", row.rstrip())


main()
