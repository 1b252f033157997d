#!/usr/bin/env python3
"""resume: what quern makes of a part file, when the server is right, wrong or changed.

    resume.py              (BASE, LOG and QUERN as net.sh sets them)

For each case: a first run gets 30,000 of 100,000 bytes; then something may happen to the
file on the server; then a second run has --continue. What it must ask for, and what must be
there in the end, is in the table below.
"""
import dataclasses
import json
import os
import shlex
import subprocess
import sys
import urllib.request

import pages

SIZE, CUT = 100000, 30000
SCALE = float(os.environ.get("TIME_SCALE", "1"))


@dataclasses.dataclass
class Case:
    name: str
    args: str = ""            # of the server's file
    bump: bool = False        # another version is there at the second run
    range: bool = True        # the second run asks for a range
    good: bool = True         # it ends well
    version: int = 1          # of the file that is there then


CASES = (
    Case("plain"),
    Case("date", "validator=date"),
    Case("changed", bump=True, version=2),
    Case("changed-date", "validator=date", bump=True, version=2),
    # Without a validator that is strong nothing shows that both halves are of one file.
    Case("none", "validator=none", range=False),
    Case("weak", "validator=weak", range=False),
    Case("ignored", "mode=ignore"),
    # A part that is not the one that was asked for: the file may be fetched anew, or the
    # URL fails; a mixture never.
    Case("wrongstart", "mode=wrongstart", good=None),
    Case("wrongtotal", "mode=wrongtotal", good=None),
    Case("nocontentrange", "mode=nocontentrange", good=None),
    Case("multipart", "mode=multipart", good=None),
    Case("always416", "mode=always416", good=None),
    Case("wrong416", "mode=wrong416", good=None),
    # Right, and only a part of what is missing, with the total or without; all of it, and
    # the total unknown.
    Case("short", "mode=short", good=None),
    Case("shortunknown", "mode=shortunknown", good=None),
    Case("unknowntotal", "mode=unknowntotal", good=None),
)


class Failed(Exception):
    pass


def requests(name):
    with open(os.environ["LOG"], encoding="utf-8") as file:
        return [line for line in map(json.loads, file)
                if line["event"] == "request" and line["target"].startswith("/file")
                and line["target"].endswith("/" + name)]


def fetch(url, folder, *options):
    command = [*shlex.split(os.environ["QUERN"]), "fetch", "-q", "--tries", "1", "-O",
               folder, *options, url]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=30 * SCALE, check=False)
    return run.returncode, run.stdout


def check(case):
    folder = f"resume.{case.name}"
    path = os.path.join(folder, case.name)
    url = (f"{os.environ['BASE']}/file;size={SIZE};cut={CUT};times=1;{case.args}/"
           f"{case.name}")
    status, out = fetch(url, folder)
    if status != 1 or not out.startswith("truncated"):
        raise Failed(f"the first run: status {status}, {out!r}")
    if os.path.exists(path):
        raise Failed("half a file under its name")
    if case.bump:
        urllib.request.urlopen(f"{os.environ['BASE']}/bump/{case.name}").read()
    status, out = fetch(url, folder, "--continue")
    second = requests(case.name)[1]
    asked = second["headers"].get("range")
    if case.range and asked != f"bytes={CUT}-":
        raise Failed(f"the second run asked for the range {asked}")
    if not case.range and asked is not None:
        raise Failed(f"it asked for the range {asked} of what it cannot know")
    if asked and not second["headers"].get("if-range"):
        raise Failed("it asked for a range without If-Range")
    if asked and second["headers"].get("accept-encoding", "identity") != "identity":
        raise Failed("it asked for a range of a coding")
    if case.good and status != 0:
        raise Failed(f"the second run: status {status}, {out!r}")
    there = sorted(os.listdir(folder))
    if status == 0:
        with open(path, "rb") as file:
            body = file.read()
        if body != pages.content(case.name, SIZE, case.version):
            raise Failed(f"another file: {len(body)} bytes")
        if there != [case.name]:
            raise Failed(f"left over: {there}")
    elif os.path.exists(path):
        raise Failed(f"it failed, and left a file: {out!r}")
    else:
        # What is there must not spoil a third run with a server in its right mind.
        urllib.request.urlopen(f"{os.environ['BASE']}/mend/{case.name}").read()
        status, out = fetch(url, folder, "--continue")
        with open(path, "rb") as file:
            if status != 0 or file.read() != pages.content(case.name, SIZE):
                raise Failed(f"it does not recover: {status} {out!r}")


def main():
    failed = 0
    for case in CASES:
        try:
            check(case)
        except (Failed, OSError, IndexError) as problem:
            print(f"- {case.name}: {problem}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
