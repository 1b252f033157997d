#!/usr/bin/env python3
"""bench: measures quern beside its peers and prints one table.

    tests/bench/bench.py BUILD [WORD...]       (make bench ROWS="WORD...")

Without WORDs all rows are measured, else those whose name has one of the WORDs. Every
figure is a ratio of CPU times within this run, on one core to which all is pinned,
quern and the peer in turns, the median of five each. The answers of both are compared;
a difference is said and makes the status 1. A bar that is not met does not: the machine
may be busy.

Environment: BENCH_SCALE multiplies how many numbers are measured (default 1).

Rows in memory are measured by the programs bench_*.c beside this file, whole programs
here. The inputs are made by bench_data.c and kept in BUILD/bench/data.
"""
import datetime
import hashlib
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time

ROUNDS = 5
HERE = os.path.dirname(os.path.abspath(__file__))
MEASURE = os.path.join(HERE, "..", "e2e", "measure.py")
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
LINE = re.compile(r"^(\S+)\.txt: (\d+) numbers, quern ([\d.]+) ns, "
                  r"(\S+) ([\d.]+) ns, ratio ([\d.]+)", re.M)

PEERS = ("coreutils", "pari-gp", "libpari-dev", "libflint-dev", "libgmp-dev",
         "primesieve-bin")


class Wrong(Exception):
    """The answers differ, or a program failed."""


def scaled(count):
    return max(1, int(count * SCALE))


def rate(per_second):
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if per_second >= limit:
            return f"{per_second / limit:.3g} {unit}/s"
    return f"{per_second:.3g}/s"


class Bench:
    """Where things are, and how to run them."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.quern = os.path.join(self.build, "quern")
        self.dir = os.path.join(self.build, "bench")
        self.data_dir = os.path.join(self.dir, "data")
        os.makedirs(self.data_dir, exist_ok=True)
        self.cpus = sorted(os.sched_getaffinity(0))
        self.pin(1)

    def pin(self, width):
        """All that is started from now on runs on the last `width` CPUs."""
        os.sched_setaffinity(0, self.cpus[-width:])

    def program(self, name):
        return os.path.join(self.build, "tests", name)

    def data(self, name, count=None):
        """The file of that name, or one with the first `count` of its numbers."""
        run([self.program("bench_data"), self.data_dir, name])
        path = os.path.join(self.data_dir, f"{name}.txt")
        if count is None:
            return path
        return self.slice(f"{name}.{count}", first_lines(path, count))

    def slice(self, name, lines):
        path = os.path.join(self.data_dir, f"{name}.txt")
        if not os.path.exists(path):
            with open(path + ".part", "wb") as file:
                file.writelines(lines)
            os.rename(path + ".part", path)
        return path


def first_lines(path, count):
    with open(path, "rb") as file:
        for _, line in zip(range(count), file):
            yield line


def run(command, **more):
    """The output of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise Wrong(f"{' '.join(command)}: status {done.returncode}: "
                    f"{(done.stdout + done.stderr)[-500:]}")
    return done.stdout


class Side:
    """A whole program and its input; `count` numbers in a run."""

    def __init__(self, command, count, stdin=os.devnull, env=os.environ):
        self.command, self.count, self.stdin, self.env = command, count, stdin, env

    def spent(self):
        """CPU seconds, its children's included, and real ones; output to /dev/null."""
        actions = [(os.POSIX_SPAWN_OPEN, 0, self.stdin, os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        start = time.perf_counter()
        pid = os.posix_spawnp(self.command[0], self.command, self.env,
                              file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            raise Wrong(f"{' '.join(self.command)}: status {status}")
        return usage.ru_utime + usage.ru_stime, time.perf_counter() - start

    def open(self):
        with open(self.stdin, "rb") as stdin:
            return subprocess.Popen(self.command, stdin=stdin, stdout=subprocess.PIPE,
                                    env=self.env)

    def lines(self, form):
        """Its lines of output, each through `form`."""
        with self.open() as process:
            got = [form(line) for line in process.stdout]
        if process.returncode != 0:
            raise Wrong(f"{' '.join(self.command)}: status {process.returncode}")
        return got

    def digest(self):
        value = hashlib.sha256()
        with self.open() as process:
            while block := process.stdout.read(1 << 20):
                value.update(block)
        if process.returncode != 0:
            raise Wrong(f"{' '.join(self.command)}: status {process.returncode}")
        return value.hexdigest()


def same_bytes(ours, theirs):
    return ours.digest() == theirs.digest()


def same_lines(our_form, their_form):
    def same(ours, theirs):
        mine, others = ours.lines(our_form), theirs.lines(their_form)
        return len(mine) > 0 and mine == others
    return same


def gp_verdict(line):
    return line.replace(b" 1\n", b" prime\n").replace(b" 0\n", b" composite\n")


def gp_factors(line):
    """'12 [2, 2; 3, 1]' as '12: 2 2 3'."""
    number, matrix = line.split(b" ", 1)
    words = []
    for prime, power in re.findall(rb"(\d+), (\d+)", matrix):
        words += [prime] * int(power)
    return number + b": " + b" ".join(words) + b"\n"


def gp(bench, path, function, count):
    """gp over a file of numbers, as its users would do it."""
    script = os.path.join(bench.dir, f"{os.path.basename(path)}.{function}.gp")
    with open(script, "w", encoding="ascii") as file:
        file.write(f'v=readvec("{path}");for(i=1,#v,print(v[i]," ",{function}(v[i])))\n')
    return Side(["gp", "-q", "-f", "-s", "256M"], count, stdin=script)


class Result:
    """A line of the table: what is held against the bars is `value`."""

    def __init__(self, quern, peer, value, unit=" x"):
        self.quern, self.peer, self.value, self.unit = quern, peer, value, unit


def compare(ours, theirs, peer):
    """Both in turns; the ratio of their rates."""
    mine, others = [], []
    for _ in range(ROUNDS):
        mine.append(ours.spent()[0] / ours.count)
        others.append(theirs.spent()[0] / theirs.count)
    a, b = statistics.median(mine), statistics.median(others)
    return Result(rate(1 / a), f"{peer} {rate(1 / b)}", b / a)


# --- rows: each function takes the Bench and what the table below adds ---------------

def in_memory(bench, program, name, count, *args):
    text = run([bench.program(program), *args, bench.data(name)],
               env={**os.environ, "LIM": str(scaled(count))})
    match = LINE.search(text)
    if not match:
        raise Wrong(f"{program}: cannot read '{text.strip()}'")
    ours, theirs = float(match[3]), float(match[5])
    return Result(rate(1e9 / ours), f"{match[4]} {rate(1e9 / theirs)}", theirs / ours)


def parse(bench, workload):
    text = run([bench.program("bench_text")])
    match = re.search(rf"^{workload} +memcpy +([\d.]+) GB/s +parse +([\d.]+) GB/s", text,
                      re.M)
    if not match:
        raise Wrong(f"bench_text: cannot read '{text.strip()}'")
    return Result(f"{match[2]} GB/s", f"memcpy {match[1]} GB/s", float(match[2]), " GB/s")


def sumsq_loop(bench):
    text = run([bench.program("bench_sumsq")])
    match = re.match(r"sumsq: ([\d.]+) squares a cycle, ([\d.]+) ns", text)
    if not match:
        raise Wrong(f"bench_sumsq: cannot read '{text.strip()}'")
    return Result(rate(1e9 / float(match[2])), "", float(match[1]), "/cycle")


def text_row(bench, command, name, count, peer, peer_count):
    """`quern COMMAND` over the first `count` numbers of a file, a peer over fewer."""
    count, peer_count = scaled(count), scaled(peer_count)
    few = bench.data(name, peer_count)

    def ours(path, numbers):
        return Side([bench.quern, command, "-q", "-j1"], numbers, stdin=path)
    if peer == "GNU factor":
        theirs, same = Side(["factor"], peer_count, stdin=few), same_bytes
    elif command == "prime":
        theirs = gp(bench, few, "isprime", peer_count)
        same = same_lines(bytes, gp_verdict)
    else:
        theirs = gp(bench, few, "factor", peer_count)
        same = same_lines(bytes, gp_factors)
    if not same(ours(few, peer_count), theirs):
        raise Wrong(f"{peer} and quern {command} give other answers for {few}")
    return compare(ours(bench.data(name, count), count), theirs, peer)


def range_row(bench, low, count, peer_count):
    """`quern factor A..B` beside GNU factor on a list of the first `peer_count`."""
    count, peer_count = scaled(count), scaled(peer_count)
    few = bench.slice(f"from{low}.{peer_count}",
                      (b"%d\n" % n for n in range(low, low + peer_count)))

    def ours(numbers):
        last = low + numbers - 1
        return Side([bench.quern, "factor", "-q", "-j1", f"{low}..{last}"], numbers)
    theirs = Side(["factor"], peer_count, stdin=few)
    if not same_bytes(ours(peer_count), theirs):
        raise Wrong(f"GNU factor and quern factor give other answers for {few}")
    return compare(ours(count), theirs, "GNU factor")


def count_row(bench, low, count, peer_count):
    """`quern prime --count --only=prime A..B` beside primesieve."""
    count, peer_count = scaled(count), scaled(peer_count)

    def ours(numbers):
        last = low + numbers - 1
        return Side([bench.quern, "prime", "--count", "--only=prime", "-q", "-j1",
                     f"{low}..{last}"], numbers)

    def theirs(numbers):
        last = low + numbers - 1
        return Side(["primesieve", str(low), str(last), "-t1", "-q"], numbers)
    if not same_bytes(ours(count), theirs(count)):
        raise Wrong("primesieve and quern prime --count give other answers")
    return compare(ours(count), theirs(peer_count), "primesieve")


def list_row(bench, low, count):
    """`quern prime --only=prime A..B` beside `primesieve --print`, both in text."""
    count = scaled(count)
    last = low + count - 1
    ours = Side([bench.quern, "prime", "--only=prime", "-q", "-j1", f"{low}..{last}"], count)
    theirs = Side(["primesieve", str(low), str(last), "-t1", "-q", "--print"], count)
    if not same_bytes(ours, theirs):
        raise Wrong("primesieve and quern prime --only=prime give other answers")
    return compare(ours, theirs, "primesieve")


def words_row(bench, megabytes):
    """`quern count error` on a log beside GNU grep -o -i -F and wc, which count the same."""
    rng, levels = random.Random(9), ["info"] * 80 + ["WARN"] * 15 + ["ERROR", "terror: error"]
    path = os.path.join(bench.dir, f"log.{megabytes}")
    lines = [f"2026-11-27 01:{i // 60 % 60:02}:{i % 60:02} host{i % 7} app[{rng.randrange(9999)}]: "
             f"{rng.choice(levels)} {rng.choice(['served', 'closed', 'retrying'])} {'x' * (i % 40)}\n"
             for i in range(16384)]
    block = "".join(lines).encode()
    with open(path, "wb") as file:
        for _ in range(max(1, scaled(megabytes) * 1000000 // len(block))):
            file.write(block)
    size = os.path.getsize(path)
    ours = Side([bench.quern, "count", "error", "-q", "-j1", path], size)
    theirs = Side(["sh", "-c", 'LC_ALL=C grep -o -i -F error "$1" | wc -l', "sh", path], size)
    if ours.lines(lambda line: line.split()[0]) != theirs.lines(lambda line: line.strip()):
        raise Wrong("grep -o -i -F | wc -l and quern count give other answers")
    return compare(ours, theirs, "grep | wc")


def start_up(bench):
    """On all CPUs, as users start it. The limit of measure.py itself is out of reach."""
    bench.pin(len(bench.cpus))
    try:
        text = run([sys.executable, MEASURE, "startup", "1000", bench.quern,
                    shutil.which("factor")], cwd=bench.dir)
    finally:
        bench.pin(1)
    match = re.search(r"quern factor ([\d.]+) ms, GNU factor ([\d.]+) ms", text)
    if not match:
        raise Wrong(f"measure.py: cannot read '{text.strip()}'")
    mine, other = float(match[1]), float(match[2])
    return Result(f"{mine:.2f} ms", f"GNU factor {other:.2f} ms", mine / other,
                  " x its time")


def two_wide(bench, one, two):
    """Real time: the best of the rounds, which others on the machine disturbed least. Two
    CPUs cannot do better than half of the CPU time, the last figure: one thread that
    computes has others beside it that read and write."""
    if len(bench.cpus) < 2:
        raise Wrong("not measured: one CPU here")
    bench.pin(2)
    try:
        if not same_bytes(one, two):
            raise Wrong("one and two give other answers")
        times = [(one.spent(), two.spent()) for _ in range(ROUNDS)]
    finally:
        bench.pin(1)
    one_cpu, two_cpu = (statistics.median(t[i][0] for t in times) for i in (0, 1))
    a, b = (min(t[i][1] for t in times) for i in (0, 1))
    return Result(rate(one.count / b), f"one {rate(one.count / a)}", a / b,
                  f" x, {100 * (two_cpu / one_cpu - 1):+.0f} % CPU, <= {a / two_cpu * 2:.2f}")


def two_threads(bench, command, name, count, times=1):
    """Over the first `count` numbers of a file, several times; or over a range."""
    count = scaled(count)
    inputs = ([f"1..{count}"] if name == "range" else [bench.data(name, count)] * times)
    one, two = (Side([bench.quern, command, "-q", f"-j{n}", *inputs], count * times)
                for n in (1, 2))
    return two_wide(bench, one, two)


def two_ranks(bench, name, count, times):
    """Under Open MPI, of one thread each, beside one such rank."""
    from bench_rank0 import ENVIRONMENT  # which imports this file
    count = scaled(count)
    inputs = [bench.data(name, count)] * times
    one, two = (Side(["mpirun", "-np", str(n), bench.quern, "factor", "-q", "-j1", *inputs],
                     count * times, env={**os.environ, **ENVIRONMENT}) for n in (1, 2))
    return two_wide(bench, one, two)


def fold_row(bench, name, times):
    """`sumsq --fold`, whose arithmetic is next to nothing, beside the parser alone."""
    path = bench.data(name)
    size = os.path.getsize(path) * times
    ours = Side([bench.quern, "sumsq", "--fold", "-q", "-j1", *[path] * times], size)
    with open(path, "rb") as file:
        want = times * sum(int(line) ** 2 for line in file)
    if ours.lines(int) != [want]:
        raise Wrong(f"quern sumsq --fold gives another sum for {path}")
    took = statistics.median(ours.spent()[0] for _ in range(ROUNDS))
    alone = parse(bench, "random 64 bits").value
    return Result(f"{size / took / 1e9:.3g} GB/s", f"parse alone {alone} GB/s",
                  size / took / 1e9 / alone)


# Name, function and arguments, the bar of this version, the goal. A bar is a least
# value; ("most", x) is a greatest. None: no bar. Rows in OPTIONAL only when asked for.
TABLE = (
    ("In memory, one core", (
        ("prime p64", in_memory, ("bench_prime64", "p64", 2000000), None, 8),
        ("prime odd64", in_memory, ("bench_prime64", "odd64", 500000), None, 8),
        ("prime primes64", in_memory, ("bench_prime64", "primes64", 200000), None, 7),
        ("prime small32", in_memory, ("bench_prime64", "small32", 5000000), None, 20),
        ("prime odd128", in_memory,
         ("bench_big", "odd128", 40000, "prime"), None, 4),
        ("prime primes128", in_memory,
         ("bench_big", "primes128", 10000, "prime"), None, 5),
        ("factor rand64f", in_memory,
         ("bench_factor64", "rand64f", 200000), None, 34),
        ("factor semi64", in_memory, ("bench_factor64", "semi64", 30000), None, 30),
        ("factor semi96", in_memory,
         ("bench_big", "semi96", 100, "factor"), None, 5),
        ("factor semi128", in_memory,
         ("bench_big", "semi128", 40, "factor"), None, 3.5),
        ("factor rand128", in_memory,
         ("bench_big", "rand128", 200, "factor"), None, 4),
        ("parse u64", parse, ("random 64 bits",), 1, 1),
        ("parse short", parse, ("0 to 999",), 1, 1),
        ("sumsq loop", sumsq_loop, (), None, 2),
    )),
    ("The whole program, text in, text out to /dev/null, one thread", (
        ("quern prime p64", text_row, ("prime", "p64", 8000000, "gp", 300000), 8, 50),
        ("quern factor rand64f", text_row,
         ("factor", "rand64f", 300000, "GNU factor", 10000), 1, 11),
        ("quern factor rand64f", text_row,
         ("factor", "rand64f", 300000, "gp", 5000), None, None),
        ("quern factor semi64", text_row,
         ("factor", "semi64", 40000, "GNU factor", 800), 1, None),
        ("quern factor semi64", text_row,
         ("factor", "semi64", 40000, "gp", 2000), None, 15),
        ("quern factor small32", text_row,
         ("factor", "small32", 2000000, "GNU factor", 500000), None, 6),
        ("quern factor 1..10^7", range_row, (1, 10000000, 10000000), None, 6),
        ("quern factor 10^7 from 10^15", range_row,
         (10**15, 10**7, 100000), None, 120),
        ("quern prime --count", count_row, (10**12, 10**9, 10**9), None, 1 / 1.1),
        ("... from 10^15", count_row, (10**15, 3 * 10**9, 3 * 10**9), None, 1 / 1.1),
        ("... from 10^16", count_row, (10**16, 3 * 10**9, 3 * 10**9), None, 1 / 1.1),
        ("... from 10^18", count_row, (10**18, 10**9, 10**9), None, 1 / 1.1),
        ("prime --only=prime", list_row, (2 * 10**16, 3 * 10**8), None, 1 / 1.1),
        ("quern factor c50", text_row, ("factor", "c50", 1, "gp", 1), None, None),
        ("quern factor c60", text_row, ("factor", "c60", 1, "gp", 1), 1 / 1.5, 1 / 1.5),
        ("quern factor c70", text_row, ("factor", "c70", 1, "gp", 1), None, None),
        ("quern count", words_row, (500,), 1, None),
        ("start-up", start_up, (), ("most", 4), ("most", 4)),
        ("quern sumsq --fold p64", fold_row, ("p64", 6), None, None),
        ("two threads factor semi64", two_threads, ("factor", "semi64", 100000), None, 1.9),
        ("two threads factor 1..10^8", two_threads, ("factor", "range", 100000000), None, 1.9),
        ("two threads prime p64", two_threads, ("prime", "p64", 8000000, 12), None, 1.9),
        ("two ranks factor semi64", two_ranks, ("semi64", 100000, 4), None, 1.9),
    )),
)
OPTIONAL = {"quern factor c70"}

NOTES = """\
bar: what this version must reach; goal: what quern is built to reach. Ratios are those
of the numbers answered in a second of CPU time, above 1 where quern is faster.
GNU factor and gp get fewer of the numbers, the first of the file: theirs is the rate
on these, and on these the answers are compared. So for '10^7 from 10^15': GNU factor
has the first 100000. 'prime --count' counts the primes in 10^9 integers from 10^12 on,
below 1 where quern needs more time than primesieve. 'two threads' and 'two ranks' are real
time, the best of 5 each, and need a machine that does nothing else; beside it the CPU time
that the second adds, and what two CPUs can give at most. 'start-up' is real time of `echo 360 | factor`, the
median of 100."""


def verdict(value, bar):
    """'8 met', 'at most 4 met', '8 NOT MET'; '-' without a bar."""
    if bar is None:
        return "-", None
    most = isinstance(bar, tuple)
    limit = bar[1] if most else bar
    met = value <= limit if most else value >= limit
    return f"{'at most ' if most else ''}{limit:.3g} {'met' if met else 'NOT MET'}", met


def output_of(command, line=0):
    try:
        return run(command).splitlines()[line].strip()
    except (OSError, Wrong, IndexError):
        return "unknown"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} CPUs, {os.uname().sysname} {os.uname().release}"


def versions():
    names = {}
    for package in PEERS:
        names[package] = output_of(["dpkg-query", "-W", "-f", "${Version}", package])
    return ", ".join(f"{name} {version}" for name, version in names.items())


def head(bench):
    info = dict(line.split(": ", 1) for line in run([bench.quern, "info"]).splitlines()
                if ": " in line)
    commit = output_of(["git", "-C", HERE, "describe", "--always", "--dirty"])
    return [
        f"quern {info.get('version')} ({commit}), {info.get('compiler')}, "
        f"{info.get('build')}, path {info.get('processor path')}",
        f"peers: {versions()}",
        f"machine: {machine()}",
        f"pinned to CPU {bench.cpus[-1]}, load {os.getloadavg()[0]:.1f} at the start, "
        f"medians of {ROUNDS} in turns, scale {SCALE:g}",
    ]


class Report:
    """Prints as it goes, and keeps a copy in BUILD/bench/table.txt."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")
        self.wrong, self.missed, self.met, self.rows = [], [], 0, 0

    def line(self, text=""):
        print(text, flush=True)
        self.file.write(text + "\n")
        self.file.flush()

    def row(self, name, result, bar, goal):
        self.rows += 1
        (now, now_met), (later, later_met) = (verdict(result.value, b)
                                              for b in (bar, goal))
        for what, met in (("bar", now_met), ("goal", later_met)):
            self.met += met is True
            if met is False:
                self.missed.append(f"{name} ({what})")
        value = f"{result.value:.2f}{result.unit}"
        self.line(f"{name:28} {result.quern:>11}  {result.peer:23} {value:17} "
                  f"{now:18} {later}".rstrip())

    def fault(self, name, problem):
        self.wrong.append(name)
        self.line(f"{name:28} {problem}")


def measure(bench, report, words):
    for title, rows in TABLE:
        chosen = [row for row in rows
                  if (set(words) & set(row[0].split()) if words
                      else row[0] not in OPTIONAL)]
        if not chosen:
            continue
        report.line()
        report.line(title)
        report.line(f"{'':28} {'quern':>11}  {'peer':23} {'ratio':17} {'bar':18} goal")
        for name, function, args, bar, goal in chosen:
            try:
                report.row(name, function(bench, *args), bar, goal)
            except (Wrong, OSError) as problem:
                report.fault(name, problem)


def main(args):
    if not args:
        raise SystemExit("usage: bench.py BUILD [WORD...]")
    bench = Bench(args[0])
    report = Report(os.path.join(bench.dir, "table.txt"))
    start = time.monotonic()
    for line in head(bench):
        report.line(line)
    measure(bench, report, args[1:])
    if report.rows + len(report.wrong) == 0:
        raise SystemExit(f"bench.py: no row has a word of: {' '.join(args[1:])}")
    report.line()
    report.line(NOTES)
    report.line(f"{report.met} met, {len(report.missed)} not met"
                + (": " + ", ".join(report.missed) if report.missed else ""))
    if report.wrong:
        report.line(f"WRONG OR NOT MEASURED: {', '.join(report.wrong)}")
    report.line(f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}, load "
                f"{os.getloadavg()[0]:.1f}, {time.monotonic() - start:.0f} s")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
