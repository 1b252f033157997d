#!/usr/bin/env python3
"""trace: whether a file is what Chrome's trace-event format says, and fits together.

    trace.py FILE [MOST]    prints 'ROLE ROWS EVENTS' for each kind of row; MOST: so many
                            events at the most

A JSON object whose traceEvents are complete events (X) and the names of processes and
threads (M). In each row the events come in the order of their beginnings, and each lies
behind the one before or within it, also to a reader who adds ts and dur in floating point.
"""
import collections
import json
import sys


def fail(what, event=None):
    sys.exit(f"{what}: {event}" if event is not None else what)


def check_metadata(event, names):
    if event["name"] not in ("process_name", "thread_name"):
        fail("metadata of an unknown name", event)
    key = (event["pid"], event["tid"] if event["name"] == "thread_name" else None)
    if key in names:
        fail("named twice", event)
    name = event["args"]["name"]
    if not isinstance(name, str) or not name:
        fail("no name", event)
    names[key] = name


def check_slice(event):
    for field in ("ts", "dur"):
        if type(event.get(field)) not in (int, float) or event[field] < 0:
            fail(f"{field} is no time", event)
    for key, value in event.get("args", {}).items():
        if type(value) not in (int, float, str) or (value != value):
            fail(f"{key} is neither text nor a number", event)


def check_row(events):
    open_ends, before = [], 0
    for event in events:
        start, end = event["ts"], event["ts"] + event["dur"]
        if start < before:
            fail("it begins before the one in front of it", event)
        before = start
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if open_ends and end > open_ends[-1]:
            fail("it overlaps the one in front of it", event)
        open_ends.append(end)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        doc = json.load(f)
    if not isinstance(doc, dict) or doc.get("displayTimeUnit") not in ("ms", "ns"):
        fail("no object with a displayTimeUnit")
    names, rows = {}, collections.defaultdict(list)
    for event in doc["traceEvents"]:
        for field in ("pid", "tid"):
            if type(event.get(field)) is not int or not 0 <= event[field] < 1 << 31:
                fail(f"{field} is no number of 31 bits", event)
        if not isinstance(event.get("name"), str):
            fail("no name", event)
        if event.get("ph") == "M":
            check_metadata(event, names)
        elif event.get("ph") == "X":
            check_slice(event)
            rows[event["pid"], event["tid"]].append(event)
        else:
            fail("no phase that is expected", event)
    most = int(sys.argv[2]) if len(sys.argv) > 2 else len(doc["traceEvents"])
    if len(doc["traceEvents"]) > most:
        fail(f"{len(doc['traceEvents'])} events are more than {most}")
    roles = collections.defaultdict(lambda: [0, 0])
    for (pid, tid), events in sorted(rows.items()):
        if (pid, None) not in names or (pid, tid) not in names:
            fail(f"row {pid} {tid} has no name")
        check_row(events)
        roles[names[pid, tid].split()[0]][0] += 1
        roles[names[pid, tid].split()[0]][1] += len(events)
    for role, (n, events) in sorted(roles.items()):
        print(role, n, events)


main()
