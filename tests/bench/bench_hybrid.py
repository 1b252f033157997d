#!/usr/bin/env python3
"""bench_hybrid: one machine, its cores as threads of a rank, as ranks, and as both.

    tests/bench/bench_hybrid.py BUILD         (the end of make bench-ranks)

`quern factor -o FILE` on 200,000 products of two primes of 32 bits, under each MPI that there
is and without a launcher, in turns; the least of three rounds, CPU time of all processes, the
launcher's included, and real time, which says little on a busy machine. Every output is
compared with the first. Then what a rank takes that has nothing to do: ten seconds at an
open pipe.
"""
import filecmp
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from bench import machine
from bench_rank0 import ENVIRONMENT, MPIS

ROUNDS = 3
IDLE_S = 10
WIDTHS = ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1))   # ranks, threads of each


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command, environment):
    cpu, begun = children(), time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=environment, timeout=300,
                   stderr=subprocess.DEVNULL)
    return children() - cpu, time.monotonic() - begun


def pids_below(pid):
    """Of processes named quern."""
    found = []
    for child in subprocess.run(["pgrep", "-P", str(pid)], text=True, check=False,
                                stdout=subprocess.PIPE).stdout.split():
        with open(f"/proc/{child}/comm", encoding="utf-8") as file:
            if file.read().strip() == "quern":
                found.append(child)
        found += pids_below(child)
    return found


def used(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(launcher, quern, environment):
    """Of each of three ranks, of a core."""
    reader, writer = os.pipe()
    with subprocess.Popen([launcher, "-n", "3", quern, "prime", "-j1"], stdin=reader,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=environment) as run:
        os.close(reader)
        os.write(writer, b"7\n")
        run.stdout.readline()
        pids = pids_below(run.pid)
        before, begun = [used(pid) for pid in pids], time.monotonic()
        time.sleep(IDLE_S)
        seconds = time.monotonic() - begun
        shares = [(used(pid) - was) / seconds for pid, was in zip(pids, before)]
        os.close(writer)
    return shares


def main():
    build = os.path.abspath(sys.argv[1])
    quern, data = f"{build}/quern", f"{build}/bench/data"
    os.makedirs(data, exist_ok=True)
    subprocess.run([f"{build}/tests/bench_data", data, "semi64"], check=True)
    files = [f"{data}/semi64.txt"] * 2
    mpis = [(name, launcher) for name, launcher, module in MPIS
            if shutil.which(launcher) and os.path.exists(f"{build}/libexec/{module}")]
    environment = {**os.environ, **ENVIRONMENT}
    runs = {("no launcher", 1, t): [quern] for t in (1, 2)}
    for name, launcher in mpis:
        for ranks, threads in WIDTHS:
            runs[name, ranks, threads] = [launcher, "-n", str(ranks), quern]
    least = {}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as box:
        for turn in range(ROUNDS):
            for (name, ranks, threads), command in runs.items():
                out = f"{box}/out" if turn or least else f"{box}/first"
                seen = timed([*command, "factor", "--restart", f"-j{threads}", "-o", out,
                              *files], environment)
                if not filecmp.cmp(out, f"{box}/first", shallow=False):
                    sys.exit(f"{name}, {ranks} x {threads}: another output")
                old = least.get((name, ranks, threads), seen)
                least[name, ranks, threads] = tuple(map(min, old, seen))
    print(f"machine: {machine()}, load {load:.1f}")
    print(f"{'':12} ranks x threads   CPU s   real s")
    for (name, ranks, threads), (cpu, real) in least.items():
        print(f"{name:12} {ranks:5} x {threads:<7} {cpu:9.2f} {real:8.2f}")
    for name, launcher in mpis:
        ratio = least[name, 2, 1][0] / least[name, 1, 2][0]
        shares = ", ".join(f"{share * 100:.1f} %" for share in idle(launcher, quern, environment))
        print(f"{name}: 2 ranks x 1 thread take {ratio:.2f} of the CPU time of 1 x 2; "
              f"idle ranks use {shares} of a core")


if __name__ == "__main__":
    main()
