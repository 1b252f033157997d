"""sqlite: runs into a database that are killed.

    sqlite.py loop KILLS SEED PROGRAM    at random moments
    sqlite.py fault KILLS SEED FAULTY    at chosen places: rows, transactions, marks
    sqlite.py dump DB SQL                what a statement answers, cells with '|' between

Each run is killed and resumed until it is done; the rows must then be those of an unbroken
run, none missing, none twice: there is no key that would hide it.
"""
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time


def ask(path, sql):
    with sqlite3.connect(path) as db:
        return db.execute(sql).fetchall()


def fresh(name):
    for end in ("", ".quern", "-journal", "-wal"):
        if os.path.exists(name + end):
            os.unlink(name + end)


def inputs(rng):
    for i in range(60):
        users = [{"id": rng.getrandbits(70), "name": "u%d" % rng.getrandbits(30)}
                 for _ in range(rng.randrange(400))]
        if i % 9 == 4 and users:
            del users[len(users) // 2]["name"]
        with open(f"users{i}.json", "w", encoding="ascii") as file:
            json.dump(users, file)
    with open("n.txt", "w", encoding="ascii") as file:
        file.write("\n".join(str(rng.getrandbits(rng.randint(1, 62))) if rng.randrange(99)
                             else "x" for _ in range(20000)))


JOBS = [
    ["extract", "--each", ".", "--columns", "id=/id,name=/name",
     *[f"users{i}.json" for i in range(60)]],
    ["factor", "n.txt", "10000..16000"],
    ["prime", "--only=prime", "n.txt", "1..40000"],
]


def run(program, job, name, more=(), **kinds):
    return subprocess.Popen(
        [program, *job, "--format=sqlite", "--table=t", "-o", name, *more],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kinds)


def main():
    if sys.argv[1] == "dump":
        for row in ask(sys.argv[2], sys.argv[3]):
            print("|".join("NULL" if cell is None else str(cell) for cell in row))
        return
    mode, kills, seed, program = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    rng = random.Random(seed)
    scale = float(os.environ.get("TIME_SCALE", "1"))
    inputs(rng)
    killed = runs = done = 0
    while killed < kills or done < len(JOBS):
        job = JOBS[done % len(JOBS)]
        fresh("want.db")
        start = time.monotonic()
        want_status = run(program, job, "want.db").wait()
        seconds = time.monotonic() - start
        want = ask("want.db", "SELECT * FROM t ORDER BY rowid")
        fresh("out.db")
        for turn in range(1000):
            env = dict(os.environ, QUERN_MARK_MS=str(rng.choice([0, 3, 20])))
            if mode == "fault":
                place = rng.choice(["row", "transaction", "sync", "mark", "line"])
                most = 3000 if place == "row" else 12
                env["QUERN_FAULT"] = f"{place}:{rng.randint(1, most)}"
            more = [f"-j{rng.randint(1, 3)}", f"--chunk={rng.choice([20, 200, 1000, 30000])}"]
            if turn > 0:
                more.append("--resume")
            this = run(program, job, "out.db", more, env=env)
            runs += 1
            if mode == "loop" and turn < 8:
                time.sleep(rng.random() * seconds * scale)
                this.send_signal(signal.SIGKILL)
            if this.wait() >= 0:
                break
            killed += 1
        status = this.returncode
        got = ask("out.db", "SELECT * FROM t ORDER BY rowid")
        if status != want_status or got != want:
            sys.exit(f"{job[0]}: status {status}, {len(got)} rows; unbroken {want_status}, "
                     f"{len(want)}")
        done += 1
    print(f"{killed} kills, {done} databases completed in {runs} runs, all with the rows")


main()
