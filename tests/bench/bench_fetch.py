#!/usr/bin/env python3
"""bench_fetch: quern fetch beside curl -Z, aria2c and wget2, and prints one table.

    tests/bench/bench_fetch.py BUILD [WORD...]      (make bench-fetch ROWS="WORD...")

Without WORDs all rows are measured, else those whose name has one of the WORDs. The servers
are on this machine: nginx, and for pages that take 100 ms a small one in this file. The
programs take turns; what each has fetched is counted and compared, and what is missing or
wrong makes the status 1. Files go to a memory disk.

Times are real ones, the best of the rounds, where waiting is what is measured (pages); CPU
times of the client (medians) everywhere else: a busy machine changes those little.

Environment: BENCH_SCALE multiplies how many URLs are fetched (default 1).
"""
import asyncio
import collections
import datetime
import math
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bench import HERE, SCALE, Wrong, machine, output_of, scaled, verdict

NET = os.path.join(HERE, "..", "net")
PEERS = ("curl", "aria2", "wget2", "nginx", "libcurl4")
ROUNDS = 3
SMALL_ROUNDS = 7   # of small bodies, where a busy machine counts most
PAGE_MS = 100
PAGE = (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"p" * 1000)
WORKERS = (1, 5, 10, 15, 20, 30)
CEILINGS = {20: 1.15, 30: 1.15}   # of the ideal time; 1.08 for the others


# --- a server whose pages take their time -------------------------------------------------

class Pages(asyncio.Protocol):
    """Answers any request (GET /MS/... waits that long), cheaply: it shares a machine with
    what it measures."""

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            delay = int(head.split(b"/", 2)[1]) / 1000
            asyncio.get_running_loop().call_later(delay, self.answer)

    def answer(self):
        if not self.transport.is_closing():
            self.transport.write(PAGE)


async def serve_pages():
    server = await asyncio.get_running_loop().create_server(
        Pages, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Servers:
    """All servers of the table, in a directory of their own."""

    def __init__(self, box):
        self.processes, self.box = [], box
        pages = self.start([sys.executable, os.path.abspath(__file__), "--pages"])
        self.pages = f"http://127.0.0.1:{pages.stdout.readline().strip()}"
        hostile = self.start([sys.executable, os.path.join(NET, "server.py")])
        ports = dict(word.split("=") for word in hostile.stdout.readline().split())
        self.hostile = f"http://127.0.0.1:{ports['http']}"
        self.start([sys.executable, os.path.join(NET, "nginx.py"), box])
        file = os.path.join(box, "nginx.ports")
        for _ in range(200):
            if os.path.exists(file):
                break
            time.sleep(0.05)
        with open(file, encoding="ascii") as ports:
            self.nginx = f"http://127.0.0.1:{ports.read().split()[0].split('=')[1]}"

    def start(self, command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()


# --- the programs -------------------------------------------------------------------------

Spent = collections.namedtuple("Spent", "real cpu rss status files bytes")


class Tools:
    """Each of the programs, on a list of URLs, into an empty directory."""

    def __init__(self, quern, box):
        self.quern, self.box = quern, box
        self.list = os.path.join(box, "list")

    def command(self, name, urls, workers, folder):
        n = str(workers)
        if name == "quern":
            self.write(f"{url}\t{i}" for i, url in enumerate(urls))
            return [self.quern, "fetch", "-q", "--workers", n, "-O", folder,
                    "@" + self.list]
        if name == "curl -Z":
            self.write(f'url = "{url}"\noutput = "{folder}/{i}"'
                       for i, url in enumerate(urls))
            return ["curl", "-sS", "-f", "-Z", "--parallel-max", n,
                    *(["--parallel-immediate"] if len(urls) < 1000 else []),
                    "--retry", "5", "-K", self.list]
        if name == "aria2c":
            self.write(f"{url}\n  out={i}" for i, url in enumerate(urls))
            return ["aria2c", "-q", "-j", n, "-x", "1", "--file-allocation=none",
                    "--no-conf", "-d", folder, "-i", self.list]
        self.write(urls)
        return ["wget2", "-q", "--no-config", "--max-threads", n, "-P", folder,
                "-i", self.list]

    def write(self, lines):
        with open(self.list, "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in lines)

    def run(self, name, urls, workers, check=True):
        """Times a run; with `check` it must have fetched everything."""
        folder = tempfile.mkdtemp(dir=self.box)
        command = self.command(name, urls, workers, folder)
        spent = spend(command)
        sizes = [entry.stat().st_size for entry in os.scandir(folder)
                 if not entry.name.endswith(".aria2")]
        shutil.rmtree(folder)
        spent = spent._replace(files=len(sizes), bytes=sum(sizes))
        if check and (spent.status != 0 or spent.files != len(urls)):
            raise Wrong(f"{name}: status {spent.status}, {spent.files} of {len(urls)} files")
        return spent


def spend(command):
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
               (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    real = time.perf_counter() - start
    return Spent(real, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024,
                 os.waitstatus_to_exitcode(status), 0, 0)


def in_turns(tools, names, urls, workers, rounds, check=True):
    """{name: [Spent of each round]}, or the text of what went wrong."""
    runs = collections.defaultdict(list)
    for _ in range(rounds):
        for name in names:
            if isinstance(runs[name], str):
                continue
            try:
                runs[name].append(tools.run(name, urls, workers, check))
            except Wrong as problem:
                if name == "quern":
                    raise
                runs[name] = str(problem)
    return runs


ALL = ("quern", "curl -Z", "aria2c", "wget2")


# --- rows: each prints lines; a bar is (value, limit) with value <= limit when it is met ---

class Table:
    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")
        self.met, self.missed, self.wrong = 0, [], []

    def line(self, text=""):
        print(text, flush=True)
        self.file.write(text + "\n")
        self.file.flush()

    def head(self, title):
        self.line()
        self.line(title)
        self.line(f"{'':24}" + "".join(f"{name:>12}" for name in ALL)
                  + "   held against bars")

    def row(self, name, cells, bars):
        words = []
        for text, value, limit in bars:
            word, met = verdict(value, ("most", limit))
            words.append(f"{text} {value:.2f}, {word}")
            self.met += met
            if not met:
                self.missed.append(f"{name}: {text}")
        self.line((f"{name:24}" + "".join(f"{cell:>12}" for cell in cells) + "   "
                   + "; ".join(words)).rstrip())


def figures(runs, pick, form):
    return ["failed" if isinstance(runs[name], str) else form(pick(runs[name]))
            for name in ALL]


def best_real(runs):
    return min(run.real for run in runs)


def median_cpu(runs):
    return statistics.median(run.cpu for run in runs)


def against(runs, pick):
    """The least of the peers' figures."""
    return min(pick(runs[name]) for name in ALL[1:] if not isinstance(runs[name], str))


def pages(table, servers, tools):
    table.head(f"160 pages of {PAGE_MS} ms from one host, into files: seconds")
    urls = [f"{servers.pages}/{PAGE_MS}/{i}" for i in range(scaled(160))]
    for workers in WORKERS:
        rounds = 1 if workers == 1 else ROUNDS
        runs = in_turns(tools, ALL, urls, workers, rounds)
        ideal = math.ceil(len(urls) / workers) * PAGE_MS / 1000
        ours = best_real(runs["quern"])
        table.row(f"{workers} workers, ideal {ideal:.2f}",
                  figures(runs, best_real, "{:.2f}".format),
                  [("of the ideal", ours / ideal, CEILINGS.get(workers, 1.08)),
                   # Two hundredths are what two runs of the same program differ by.
                   ("of the best peer", ours / against(runs, best_real), 1.02)])


def least_libcurl(box):
    """The program that does nothing but call libcurl, built here."""
    program = os.path.join(box, "least_libcurl")
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", program,
                    os.path.join(HERE, "least_libcurl.c"), "-lcurl"], check=True)
    return program


def small(table, servers, tools):
    count = scaled(10000)
    floor = least_libcurl(tools.box)
    table.head(f"{count} bodies of 1 KB, 16 at once: CPU microseconds a request "
               f"(medians of {SMALL_ROUNDS})")
    urls = [f"{servers.nginx}/k1/{i}" for i in range(count)]

    def micro(seconds):
        return f"{seconds * 1e6 / count:.0f}"
    runs = in_turns(tools, ALL, urls, 16, SMALL_ROUNDS)
    curl = median_cpu(runs["curl -Z"])
    table.row("into files", figures(runs, median_cpu, micro),
              [("of curl's", median_cpu(runs["quern"]) / curl, 0.5)])
    # Like with like: what is not kept beside curl into /dev/null.
    ours, theirs, least = [], [], []
    for _ in range(SMALL_ROUNDS):
        least.append(spend([floor, servers.nginx, str(count), "16"]))
        ours.append(spend([tools.quern, "fetch", "-q", "--discard", "--workers", "16",
                           f"{servers.nginx}/k1/[1-{count}]"]))
        theirs.append(spend(["curl", "-sS", "-f", "-Z", "--parallel-max", "16", "-o",
                             "/dev/null", f"{servers.nginx}/k1/[1-{count}]"]))
    if any(run.status for run in ours + theirs + least):
        raise Wrong(f"statuses {[run.status for run in ours + theirs + least]}")
    table.line(f"{'libcurl and nothing else':24}{micro(median_cpu(least)):>12}   "
               f"of curl's {median_cpu(least) / median_cpu(theirs):.2f}: the floor")
    table.row("--discard, curl: null",
              [micro(median_cpu(ours)), micro(median_cpu(theirs)), "", ""],
              [("of curl's", median_cpu(ours) / median_cpu(theirs), 0.5)])


def large(table, servers, tools):
    count = max(2, scaled(16))
    table.head(f"{count} bodies of 64 MiB, all at once, into files: seconds of CPU")
    urls = [f"{servers.nginx}/big/{i}" for i in range(count)]
    runs = in_turns(tools, ALL, urls, 16, ROUNDS)
    if any(run.bytes != count << 26 for run in runs["quern"]):
        raise Wrong("bytes are missing")
    for name, pick in (("CPU", median_cpu), ("real", best_real)):
        table.row(name, figures(runs, pick, "{:.2f}".format),
                  [("of the best peer", pick(runs["quern"]) / against(runs, pick), 1.0)])


def many(table, servers, tools):
    count = scaled(1000)
    table.head(f"{count} transfers in flight: MB of memory")
    urls = [f"{servers.pages}/2000/{i}" for i in range(count)]
    runs = in_turns(tools, ALL, urls, count, 1, check=False)
    peaks = [f"{max(run.rss for run in runs[name]):.0f}" for name in ALL]
    if runs["quern"][0].files != count:
        raise Wrong(f"{runs['quern'][0].files} of {count}")
    table.row("peak", peaks, [("MB", float(peaks[0]), 60)])
    table.row("seconds", [f"{best_real(runs[name]):.1f}" for name in ALL], [])


def limited(table, servers, tools):
    table.head("an API that allows 10 a second, bursts of 5; 40 URLs, 10 workers: fetched")
    cells, ours = [], 0
    for name in ALL:
        urls = [f"{servers.hostile}/limited;rate=10;burst=5;key={name[:3]}/{i}"
                for i in range(40)]
        run = tools.run(name, urls, 10, check=False)
        good = run.files if run.bytes else 0
        if name == "quern":
            ours = good
        cells.append(f"{good} ({run.status})")
    table.row("files (exit status)", cells, [("missing", 40 - ours, 0)])


ROWS = {"pages": pages, "small": small, "large": large, "many": many, "limited": limited}


def main(args):
    if args == ["--pages"]:
        asyncio.run(serve_pages())
        return 0
    if not args:
        raise SystemExit("usage: bench_fetch.py BUILD [WORD...]")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    build = os.path.abspath(args[0])
    rows = [row for row in ROWS if not args[1:] or row in args[1:]]
    if not rows:
        raise SystemExit(f"bench_fetch.py: the rows are {' '.join(ROWS)}")
    os.makedirs(os.path.join(build, "bench"), exist_ok=True)
    table = Table(os.path.join(build, "bench", "fetch.txt"))
    box = tempfile.mkdtemp(prefix="quern-bench.",
                           dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    servers = Servers(box)
    try:
        commit = output_of(["git", "-C", HERE, "describe", "--always", "--dirty"])
        table.line(f"quern {commit}; " + ", ".join(
            f"{name} " + output_of(["dpkg-query", "-W", "-f", "${Version}", name])
            for name in PEERS))
        table.line(f"machine: {machine()}, load {os.getloadavg()[0]:.1f} at the start, "
                   f"scale {SCALE:g}")
        for row in rows:
            try:
                ROWS[row](table, servers, Tools(os.path.join(build, "quern"), box))
            except (Wrong, OSError) as problem:
                table.wrong.append(row)
                table.line(f"{row}: {problem}")
    finally:
        servers.stop()
        shutil.rmtree(box)
    table.line()
    table.line(f"{table.met} met, {len(table.missed)} not met"
               + (": " + ", ".join(table.missed) if table.missed else ""))
    if table.wrong:
        table.line(f"WRONG OR NOT MEASURED: {', '.join(table.wrong)}")
    table.line(f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}, load "
               f"{os.getloadavg()[0]:.1f}")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
