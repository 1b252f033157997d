#!/usr/bin/env python3
"""cancel: how fast does a fetch stop, and what does it leave behind?

    cancel.py SIGNAL LIMIT_MS URL...   signal it once all URLs are under way; the best of
                                       five runs counts
    cancel.py twice URL...             a second signal ends it although it cannot stop

Prints what was measured; status 1 when something is wrong.
"""
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time


def under_way(count, before):
    """Waits until the server has had `count` requests more."""
    for _ in range(600):
        with open(os.environ["LOG"], encoding="utf-8") as file:
            seen = sum(1 for line in file if '"event": "request"' in line)
        if seen >= before + count:
            return
        time.sleep(0.05)
    raise SystemExit("the requests do not come")


def asked():
    with open(os.environ["LOG"], encoding="utf-8") as file:
        return sum(1 for line in file if '"event": "request"' in line)


def start(urls):
    shutil.rmtree("cancelled", ignore_errors=True)
    return subprocess.Popen(
        [*shlex.split(os.environ["QUERN"]), "fetch", "-O", "cancelled", "--report",
         "cancelled.report", "--workers", str(len(urls)), *urls],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def once(name, urls):
    before = asked()
    run = start(urls)
    under_way(len(urls), before)
    time.sleep(0.3)
    sent = time.monotonic()
    run.send_signal(getattr(signal, "SIG" + name))
    out, _ = run.communicate(timeout=60)
    took = (time.monotonic() - sent) * 1000
    if run.returncode != 75:
        raise SystemExit(f"status {run.returncode}, expected 75")
    with open("cancelled.report", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    classes = [line["class"] for line in lines]
    if len(lines) != len(urls) or "cancelled" not in classes:
        raise SystemExit(f"{len(lines)} outcomes for {len(urls)} URLs: {set(classes)}")
    if len(out.splitlines()) != len(urls):
        raise SystemExit(f"{len(out.splitlines())} lines on stdout")
    finals = [name for name in os.listdir("cancelled") if not name.startswith(".")]
    if len(finals) != classes.count("ok"):
        raise SystemExit(f"files {finals}, outcomes {classes}")
    return took


def main(args):
    if args[0] == "twice":
        before = asked()
        run = start(args[1:])
        under_way(len(args) - 1, before)
        run.send_signal(signal.SIGINT)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        print(f"# status {run.returncode}")
        return 0 if run.returncode in (75, 130, -2) else 1
    times = [once(args[0], args[2:]) for _ in range(5)]
    print(f"# stopped after {', '.join(f'{t:.0f}' for t in times)} ms")
    return 0 if min(times) <= float(args[1]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
