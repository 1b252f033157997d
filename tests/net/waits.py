#!/usr/bin/env python3
"""waits: how long does quern wait before it tries again? All cases at the same time.

    waits.py               (BASE, LOG and QUERN as net.sh sets them)

A case is a URL that fails once and then succeeds, fetched by a quern of its own, so that no
gate of one holds up another. The server's log says when the two requests came.
"""
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time

SCALE = float(os.environ.get("TIME_SCALE", "1"))
# What the wait must be at least, and at most (seconds), for a first failure: without
# Retry-After half a second less up to a half; with it that time and up to a tenth more.
PLAIN = (0.25, 0.5)
CASES = {
    "status;code=503": PLAIN,
    "status;code=429": PLAIN,
    "reset": PLAIN,
    "status;code=429;after=2": (2.0, 2.2),
    "status;code=503;after=2": (2.0, 2.2),
    "status;code=429;after=0": PLAIN,
    "status;code=429;after=002": (2.0, 2.2),
    # The difference to the answer's Date, whatever our clock says.
    "status;code=429;after=imf+2": (2.0, 2.2),
    "status;code=429;after=rfc850+2": (2.0, 2.2),
    "status;code=429;after=asctime+2": (2.0, 2.2),
    "status;code=429;after=imf+2;skew=86400": (2.0, 2.2),
    "status;code=429;after=imf+2;skew=-86400": (2.0, 2.2),
    # Without a Date it is our clock, and dates have whole seconds.
    "status;code=429;after=imf+3;date=no": (1.9, 3.4),
    # What nobody can read, and what is over, is ignored.
    "status;code=429;after=soon": PLAIN,
    "status;code=429;after=-7": PLAIN,
    "status;code=429;after=1.5": PLAIN,
    "status;code=429;after=7 apples": PLAIN,
    "status;code=429;after=": PLAIN,
    "status;code=429;after=imf+-100": PLAIN,
    "status;code=429;after=Mon, 99 Foo 2026 25:61:61 GMT": PLAIN,
}
# A quern on a busy machine may be late; it may never be early.
LATE = 0.6 * SCALE


def main():
    base, running = os.environ["BASE"], []
    start = time.monotonic()
    for i, fault in enumerate(CASES):
        escaped = fault.replace(" ", "%20").replace(",", "%2c")
        url = f"{base}/flaky;times=1/{escaped}/ok/wait{i}"
        folder = tempfile.mkdtemp(dir=".")
        command = [*shlex.split(os.environ["QUERN"]), "fetch", "-q", "--globoff", "-O",
                   folder, "--deadline", str(20 * SCALE), url]
        running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE))
    failed = 0
    for i, (fault, process) in enumerate(zip(CASES, running)):
        try:
            process.communicate(timeout=30 * SCALE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if process.returncode != 0:
            print(f"- {fault}: status {process.returncode}")
            failed += 1
    print(f"# {len(CASES)} cases in {time.monotonic() - start:.1f} s")
    asked, answered = {}, {}
    with open(os.environ["LOG"], encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line["event"] == "request":
                asked.setdefault(line["target"].rpartition("/")[2], []).append(line)
            else:
                answered[line["n"]] = line["t"]
    for i, (fault, (least, most)) in enumerate(CASES.items()):
        tries = asked.get(f"wait{i}", [])
        if len(tries) != 2:
            print(f"- {fault}: {len(tries)} requests, expected 2")
            failed += 1
            continue
        gap = tries[1]["t"] - answered[tries[0]["n"]]
        # The answer was written a moment before it is logged.
        if not least - 0.02 <= gap <= most + LATE:
            print(f"- {fault}: waited {gap:.2f} s, expected {least} to {most}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
