#!/usr/bin/env python3
"""load: what did a run ask of the server? Reads the server's log.

    load.py MARK window RATE BURST   no window of L seconds has more than BURST + RATE * L
                                     requests (and one or two that the network delayed)
    load.py MARK most N              never more than N at the same time on a port
    load.py MARK count               how many requests, how many connections
    load.py MARK tries               how many requests for each URL, sorted: 1x40 2x3

Only requests whose target has MARK in it count. Prints what it found; status 1 if more was
asked than allowed.
"""
import collections
import json
import os
import sys

# Requests that come late and together because the server was not given its turn.
DELAYED = 2 * float(os.environ.get("TIME_SCALE", "1"))


def lines(mark):
    requests, ends = [], {}
    with open(os.environ["LOG"], encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line["event"] == "request":
                if mark in line["target"]:
                    requests.append(line)
            else:
                ends[line["n"]] = line["t"]
    return requests, ends


def window(requests, rate, burst):
    times = sorted(line["t"] for line in requests)
    worst = 0.0
    for i, start in enumerate(times):
        for j in range(i, len(times)):
            allowed = burst + rate * (times[j] - start)
            worst = max(worst, j - i + 1 - allowed)
    print(f"{len(times)} requests, at worst {worst:+.2f} of what is allowed")
    return worst <= DELAYED


def most(requests, ends, limit):
    events, now, peak = [], collections.Counter(), collections.Counter()
    for line in requests:
        events.append((line["t"], 1, line["port"]))
        events.append((ends.get(line["n"], float("inf")), -1, line["port"]))
    for _, step, port in sorted(events):
        now[port] += step
        peak[port] = max(peak[port], now[port])
    print(f"at most {max(peak.values())} at the same time, {len(peak)} ports")
    return max(peak.values()) <= limit


def main(args):
    requests, ends = lines(args[0])
    good = bool(requests)
    if args[1] == "window":
        good = good and window(requests, float(args[2]), float(args[3]))
    elif args[1] == "most":
        good = good and most(requests, ends, int(args[2]))
    elif args[1] == "tries":
        urls = collections.Counter(line["target"] for line in requests)
        print(*(f"{tries}x{urls}" for tries, urls
                in sorted(collections.Counter(urls.values()).items())))
    else:
        print(f"{len(requests)} requests, "
              f"{len({line['connection'] for line in requests})} connections")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
