"""kill: runs that are stopped, by all means.

    kill.py loop KILLS SEED PROGRAM...  kills runs of PROGRAMs (alternating) at random
                                        moments and resumes them until they are done
    kill.py fault KILLS SEED FAULTY PROGRAM    the same, dying at chosen places
    kill.py stop SIGNAL STATUS [KEY=VALUE...] -- COMMAND...
                                        sends SIGNAL (a list: one after the other, 0.2 s
                                        apart; TIME: none) and checks status and time

Keys of stop: after=SECONDS until the signal (0.6), within=SECONDS to end (1.5),
in=idle|FILE, out=blocked|FILE|null, err=RE (a line of stderr), ignore=SIGNAL,
child=SECONDS (wait until it has a child process, at most so long), leaves=yes (files may
stay).
Prints what was measured; status 1, with the reason, when something is wrong.
"""
import gzip
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SCALE = float(os.environ.get("TIME_SCALE", "1"))
SMALL = 4 if os.environ.get("SANITIZER") else 1
# Where the runs of a loop write to: a file, or a folder of shards (out/).
OUT = os.environ.get("KILL_OUTPUT", "out")
JOURNAL = OUT + ".quern"


def restore():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)


# --- the jobs that are killed ---

def write(path, text):
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def numbers(rng, count, bits, bad=0):
    """A text of numbers, comments, odd line ends, and now and then a bad record."""
    words = []
    for i in range(count):
        word = str(rng.getrandbits(rng.randint(1, bits)))
        if bad and rng.randrange(bad) == 0:
            word = rng.choice(["x", "-7", "1.5", "0x10", "7/2"])
        words.append(word + rng.choice(["\n", "\n", "\n", " ", "\r\n", "\n# 7 and 8\n", "\t"]))
    return "".join(words)


def can_read(program, data):
    write("try", data)
    done = subprocess.run([program, "prime", "try"], capture_output=True, check=False)
    return done.stdout == b"7 prime\n"


def jobs(program, seed):
    rng = random.Random(seed)
    size = 40000 // SMALL * int(os.environ.get("RESUME_SIZE", "1"))
    write("a.in", numbers(rng, size // 2, 64))
    write("b.in", numbers(rng, size // 4, 64, 50).rstrip())
    write("c.in", numbers(rng, size // 4, 60))
    write("empty.in", "")
    write("big.in", numbers(rng, size // 40, 90, 20))
    write("long.in", "7 #" + " 8" * 700000 + "\n" + "9" * 1500000 + "\n" +
          numbers(rng, size // 4, 64) + "5" * 2000000 + " 11\n# " + "x" * 900000)
    low = 10 ** 18
    made = {
        "prime of a range": ["prime", f"{low}..{low + size * 5}"],
        "prime of a range beyond 2^64": ["prime", f"{2 ** 64 - size // 8}..{2 ** 64 + size // 8}"],
        "factor of a file": ["factor", "a.in"],
        "factor of several": ["factor", "a.in", "b.in", "empty.in", "7", "9", "1..5000", "c.in"],
        "factor jsonl, bad records": ["factor", "--format=jsonl", "b.in", "c.in"],
        "factor csv, bad records": ["factor", "--format=csv", "b.in", "a.in"],
        "factor beyond 64 bits": ["factor", "-h", "big.in"],
        "sumsq of a file": ["sumsq", "b.in", "c.in"],
        "sumsq --fold": ["sumsq", "--fold", "a.in", "b.in", f"1..{size}"],
        "sumsq --total jsonl": ["sumsq", "--total", "--format=jsonl", "b.in", f"1..{size}"],
        "prime --count": ["prime", "--count", "b.in", f"{low}..{low + size * 4}"],
        "prime --only of long tokens": ["prime", "--only=prime", "long.in"],
        "prime --max-errors": ["prime", "--max-errors=60", "b.in", "a.in", "b.in"],
    }
    for i in range(size // 40):
        lines = [str(rng.getrandbits(80)) for _ in range(20)]
        if i % 50 == 7:
            lines[16] = "x"
        write(f"doc{i}", "\n".join(lines))
    documents = [f"doc{i}" for i in range(size // 40)]
    made |= {
        "lineprod": ["lineprod", "3,17", *documents],
        "lineprod --fold csv": ["lineprod", "3,17", "--fold", "--format=csv", *documents],
        "count of a word": ["count", "11", "a.in", "empty.in", "b.in", "long.in", "a.in"],
        "count of one that overlaps itself": ["count", "99999", "long.in", "long.in", "a.in"],
    }
    with open("a.in", "rb") as file:
        data = file.read()
    if can_read(program, gzip.compress(b"7\n")):
        write("a.gz", gzip.compress(data[:len(data) // 2]) + gzip.compress(data[len(data) // 2:]))
        made["factor of gzip"] = ["factor", "a.gz", "b.in", "a.gz"]
        made["count in gzip"] = ["count", "7", "a.gz", "b.in", "a.gz"]
    zstd = shutil.which("zstd")
    if zstd:
        packed = subprocess.run([zstd, "-q", "-c"], input=b"7\n", capture_output=True, check=True)
        if can_read(program, packed.stdout):
            write("a.zst", subprocess.run([zstd, "-q", "-c", "a.in"], capture_output=True,
                                          check=True).stdout)
            made["prime of zstd"] = ["prime", "a.zst", "a.zst"]
    return made


def counts(text):
    """What the summary of -v says: records, bad, unfinished."""
    found = re.findall(r"(\d+) records in .* (\d+) bad, (\d+) unfinished", text)
    return found[-1] if found else None


def unbroken(program, job):
    start = time.monotonic()
    run = subprocess.run([program, *job, "-v", "-o", "want", "--restart"],
                         stderr=subprocess.PIPE, check=False)
    seconds = time.monotonic() - start
    with open("want", "rb") as file:
        return file.read(), run.returncode, counts(run.stderr.decode("latin-1")), seconds


def marks():
    try:
        with open(JOURNAL, "rb") as file:
            return len(re.findall(rb"^m ", file.read(), re.M))
    except FileNotFoundError:
        return 0


def fresh():
    shutil.rmtree("out", ignore_errors=True)
    for name in ("out", "out.quern"):
        if os.path.exists(name):
            os.unlink(name)


def output(program):
    if OUT.endswith("/"):
        return subprocess.run([program, "cat", OUT], stdout=subprocess.PIPE, check=True).stdout
    with open(OUT, "rb") as file:
        return file.read()


class Tally:
    def __init__(self):
        self.kills = self.marked = self.runs = self.done = 0
        self.by_job = {}

    def killed(self, name):
        self.kills += 1
        self.marked += marks() > 0
        self.by_job[name] = self.by_job.get(name, 0) + 1

    def say(self, what):
        for name, kills in sorted(self.by_job.items()):
            print(f"#   {kills:4} {name}")
        print(f"{what}: {self.kills} kills, {self.marked} of them behind a mark, {self.done} "
              f"outputs completed in {self.runs} runs, all with the bytes, the status and the "
              "counts of an unbroken run")


def options(rng, first):
    given = ["-v", "-o", OUT, f"-j{rng.randint(1, 4)}"]
    if not first or rng.randrange(4) == 0:
        given.append("--resume")
    if rng.randrange(3) == 0:
        given.append(f"--chunk={rng.choice([50, 1000, 30000])}")
    if rng.randrange(6) == 0:
        given.append("--engine=serial")
    return given


def compare(program, name, want, run_status, said):
    got = output(program)
    if got != want[0]:
        at = next((i for i, (a, b) in enumerate(zip(got, want[0])) if a != b),
                  min(len(got), len(want[0])))
        sys.exit(f"{name}: {len(got)} bytes, not {len(want[0])}; they differ at {at}: "
                 f"{got[at - 40:at + 40]!r} / {want[0][at - 40:at + 40]!r}")
    if run_status != want[1] or counts(said) != want[2]:
        sys.exit(f"{name}: status {run_status}, {counts(said)}; unbroken {want[1]}, {want[2]}\n"
                 f"{said}")


def until_done(program, name, job, want, tally, start):
    """start(first) starts the next run and says how it is killed (None: not at all)."""
    fresh()
    first = True
    while True:
        run, kill = start(first)
        tally.runs += 1
        if kill is not None:
            time.sleep(kill)
            run.kill()
        said = run.communicate()[1].decode("latin-1")
        first = False
        if run.returncode == -signal.SIGKILL:
            tally.killed(name)
            continue
        if run.returncode not in (0, 1):
            sys.exit(f"{name}: status {run.returncode}: {said}")
        break
    compare(program, name, want, run.returncode, said)
    tally.done += 1


def loop(kills, seed, programs):
    rng = random.Random(seed)
    tally = Tally()
    made = jobs(programs[0], seed)
    wants = {name: unbroken(programs[0], job) for name, job in made.items()}
    names = list(made)
    while tally.kills < kills:
        name = names[tally.done % len(names)]
        left = rng.randint(1, 5)

        def start(first, job=made[name], name=name):
            nonlocal left
            env = dict(os.environ, QUERN_MARK_MS=str(rng.choice([0, 1, 5, 20])))
            run = subprocess.Popen([rng.choice(programs), *job, *options(rng, first)],
                                   stderr=subprocess.PIPE, env=env)
            left -= 1
            return run, rng.random() * wants[name][3] * 0.8 if left >= 0 else None

        until_done(programs[0], name, made[name], wants[name], tally, start)
    tally.say("random moments")


def fault(kills, seed, faulty, program):
    rng = random.Random(seed)
    tally = Tally()
    made = jobs(program, seed)
    wants = {name: unbroken(program, job) for name, job in made.items()}
    names = list(made)
    while tally.kills < kills:
        name = names[tally.done % len(names)]
        left = rng.randint(1, 4)

        def start(first, job=made[name]):
            nonlocal left
            left -= 1
            # A resumed run meets its places soon, a first one also writes its header.
            place = rng.choice(["sync", "mark", "line", "write"])
            at = rng.randint(1, rng.choice([2, 12, 40]))
            env = dict(os.environ, QUERN_MARK_MS="0", QUERN_FAULT=f"{place}:{at}")
            command = [faulty if left >= 0 else program, *job, *options(rng, first)]
            return subprocess.Popen(command, stderr=subprocess.PIPE, env=env), None

        until_done(program, name, made[name], wants[name], tally, start)
    tally.say("chosen places")


# --- signals ---

def families():
    """The processes whose environment has our mark, and their temporary folders."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if MARK in file.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass
    return found


MARK = f"QUERN_KILL_MARK={os.getpid()}".encode()


def stop(names, status, keys, command):
    folder = tempfile.mkdtemp(dir=".")
    env = dict(os.environ, TMPDIR=os.path.abspath(folder), QUERN_KILL_MARK=str(os.getpid()))
    ends = []
    source, sink = subprocess.DEVNULL, subprocess.DEVNULL
    if keys.get("in") == "idle":
        source, write_end = os.pipe()
        ends.append(write_end)
    elif "in" in keys:
        source = open(keys["in"], "rb")
    if keys.get("out") == "blocked":
        read_end, sink = os.pipe()
        ends.append(read_end)
    elif keys.get("out", "null") != "null":
        sink = open(keys["out"], "wb")

    def prepare():
        restore()
        if "ignore" in keys:
            signal.signal(getattr(signal, "SIG" + keys["ignore"]), signal.SIG_IGN)

    with open("said", "wb") as err:
        run = subprocess.Popen(command, stdin=source, stdout=sink, stderr=err, env=env,
                               preexec_fn=prepare)
    start = time.monotonic()
    time.sleep(float(keys.get("after", "0.6")) * SCALE)
    patience = time.monotonic() + float(keys.get("child", "0")) * SCALE
    while (children := len(families()) - 1) < 1 and time.monotonic() < patience:
        time.sleep(0.1)
    time.sleep(0.2 if children > 0 else 0)
    if names != "TIME":
        if run.poll() is not None:
            with open("said", encoding="latin-1") as file:
                sys.exit(f"it ended before the signal: {run.returncode}: {file.read()}")
        start = time.monotonic()
    for i, name in enumerate(names.split(",") if names != "TIME" else []):
        if i > 0:
            time.sleep(0.2)
        run.send_signal(getattr(signal, "SIG" + name))
    try:
        run.wait(60 * SCALE)
    except subprocess.TimeoutExpired:
        run.kill()
        sys.exit("it did not end")
    seconds = time.monotonic() - start
    time.sleep(0.05)
    left = families()
    with open("said", encoding="latin-1") as file:
        said = file.read()
    got = run.returncode if run.returncode >= 0 else 128 - run.returncode
    print(f"{names}: status {got}, {seconds:.3f} s, {children} child processes")
    print("stderr:", said.strip()[-500:])
    if "child" in keys and children < 1:
        sys.exit("it had no child process")
    if got != status:
        sys.exit(f"status {got}, not {status}")
    if seconds > float(keys.get("within", "1.5")) * SCALE:
        sys.exit(f"it took {seconds:.3f} s")
    if left:
        sys.exit(f"processes are left: {left}")
    if os.listdir(folder) and "leaves" not in keys:
        sys.exit(f"temporary files are left: {os.listdir(folder)}")
    if "err" in keys and not re.search(keys["err"], said, re.M):
        sys.exit(f"no line of stderr matches {keys['err']}: {said}")


def main(args):
    if args[0] == "stop":
        gap = args.index("--")
        keys = dict(word.split("=", 1) for word in args[3:gap])
        stop(args[1], int(args[2]), keys, args[gap + 1:])
        return
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        os.chdir(folder)
        if args[0] == "loop":
            loop(int(args[1]), int(args[2]), args[3:])
        elif args[0] == "fault":
            fault(int(args[1]), int(args[2]), args[3], args[4])
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
