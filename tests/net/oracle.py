#!/usr/bin/env python3
"""oracle: what the jobs that fetch must come to, from the server's data and not by quern.

    oracle.py matrix                the lines of fx-matrix
    oracle.py fx-csv|fx-jsonl FILE  are the rates in the file right?
    oracle.py users FILE            are the users in the database, and who is missing?
    oracle.py integers N            the factors of the integers of N lists
    oracle.py files DIR SIZE        are these the server's files of that size?
"""
import csv
import json
import os
import random
import sqlite3
import subprocess
import sys

import pages

BASES = ("USD", "EUR", "PLN", "NOK", "CZK")


def matrix():
    for base in BASES:
        rates = pages.rates_of(base)
        print(f"1 {base} = " + ", ".join(f"{rates[to]:.3} {to}" for to in BASES))


def fx_rows(rows):
    """Rows of base and rates, out of csv or jsonl, against the exact rates."""
    rows = list(rows)
    good = [row["base"] for row in rows] == list(BASES)
    for row in rows:
        rates = pages.rates_of(row["base"])
        good = good and not row.get("error") and all(
            abs(float(row[to]) - rates[to]) <= 0.006 * rates[to] for to in BASES)
    print("right" if good else rows)


def users(path):
    have = sqlite3.connect(path).execute("SELECT id, name, email FROM users ORDER BY id")
    have = [(int(number), name, mail) for number, name, mail in have]
    ids = [row[0] for row in have]
    want = [tuple(pages.user_of(i)[k] for k in ("id", "name", "email")) for i in ids]
    print(len(ids), "users", "right" if have == want and len(set(ids)) == len(ids)
          else have[:3], *(i for i in range(1, max(ids, default=0) + 1) if i not in ids))


def integers(lists):
    text = ""
    for i in range(1, lists + 1):
        rng = random.Random(f"id.{i}")
        text += "".join(f"{rng.randint(1, 10**9)}\n" for _ in range(100))
    sys.stdout.write(subprocess.run(["factor"], input=text, capture_output=True, text=True,
                                    check=True).stdout)


def files(folder, size):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            good = file.read() == pages.content("rfc/" + name, size)
        print(name, "right" if good else "wrong")


what, *args = sys.argv[1:]
if what == "matrix":
    matrix()
elif what == "fx-csv":
    fx_rows(csv.DictReader(open(args[0], encoding="utf-8")))
elif what == "fx-jsonl":
    fx_rows(json.loads(line) for line in open(args[0], encoding="utf-8"))
elif what == "users":
    users(args[0])
elif what == "integers":
    integers(int(args[0]))
else:
    files(args[0], int(args[1]))
