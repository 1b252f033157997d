#!/usr/bin/env python3
"""bench_rank0: what rank 0 pays for other ranks, and how many of them it can serve.

    tests/bench/bench_rank0.py BUILD           (make bench-ranks)

Under each MPI that there is, rank 0 among eight others that compute nothing: CPU time of its
main thread for a claim, a message, a byte that goes out and one that comes in, each from
two cases that differ in it alone; the least of five rounds, for the machine may be busy. Then
what one thread makes of a few workloads, and what the committer takes to write that, by
quern itself. From these the number of threads, in all ranks together, at which what is slowest
on rank 0 is full, and the one at which efficiency falls under 95 %.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from bench import machine, rate

ROUNDS = 5
OTHERS = 8
CLAIM_S = 0.0025        # src/engine/share.h, CLAIM_NS
LINK = 1.25e9           # bytes a second: a network of 10 Gbit/s
NEAR = 0.95
CLAIM_BYTES = 161       # of an answer without any
WORKLOADS = ((("prime", "--count"), "p64"), (("prime",), "p64"), (("factor",), "semi64"))

# name: (how the text travels, bytes of it, bytes of answer, microseconds, claims)
CASES = {
    "claims as places in a file": ("file", 64, 0, 2500, 100000),
    "... one or two a message": ("file", 64, 0, 100000, 20000),
    "claims as bytes, 64": ("bytes", 64, 0, 2500, 100000),
    "... 64 KiB": ("bytes", 65536, 0, 2500, 4000),
    "answers of 64 KiB": ("file", 65536, 65536, 2500, 4000),
    "no answers to 64 KiB": ("file", 65536, 0, 2500, 4000),
}
MPIS = (("Open MPI", "mpiexec.openmpi", "quern-mpi-openmpi.so"),
        ("MPICH", "mpiexec.mpich", "quern-mpi-mpich.so"))
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
               "OMPI_MCA_hwloc_base_binding_policy": "none", "OMP_NUM_THREADS": "1"}


def measure(build, launcher, module, case):
    """What rank 0 says: a dictionary of numbers, and `bytes`, which went in messages."""
    command = [launcher, "-n", str(OTHERS + 1), f"{build}/tests/bench_rank0", module]
    out = subprocess.run(command + [str(word) for word in case], check=True, text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120,
                         env={**os.environ, **ENVIRONMENT,
                              "QUERN_LIBEXEC": f"{build}/libexec"}).stdout.split()
    return {name: float(value) for name, value in zip(out[::2], out[1::2])}


def all_cases(build, launcher, module):
    seen = {}
    for _ in range(ROUNDS):
        for name, case in CASES.items():
            got = measure(build, launcher, module, case)
            if name not in seen or got["cpu"] < seen[name]["cpu"]:
                seen[name] = got
    return seen


def costs(seen):
    """Seconds of main for: a claim with its share of messages, a message (one there and one
    back), a byte out, a byte in."""
    each = {name: s["cpu"] / s["claims"] for name, s in seen.items()}
    per_claim = {name: s["sent"] / s["claims"] for name, s in seen.items()}
    many, few, bytes64, bytes64k, answers, none = CASES
    def difference(a, b, what):
        by = ((seen[a][what] / seen[a]["claims"]) - (seen[b][what] / seen[b]["claims"]))
        return max(0.0, (each[a] - each[b]) / by)
    return {"claim": each[many],
            "message": (each[few] - each[many]) / (per_claim[few] - per_claim[many]),
            "out": difference(bytes64k, none, "bytes_sent"),
            "in": difference(answers, none, "bytes_received"),
            "inline": each[bytes64]}


def run_stats(build, box, command, source):
    subprocess.run([f"{build}/quern", *command, "-q", "-j1", "--restart", "--stats",
                    f"{box}/stats", source], check=True)
    with open(f"{box}/stats", encoding="utf-8") as file:
        stats = json.load(file)
    return stats, {t["role"]: t for t in stats["ranks"][0]["threads"]}


def workload(build, box, source, command):
    """What one thread makes of it in a CPU second: records, bytes in and out."""
    best = None
    for _ in range(ROUNDS):
        stats, threads = run_stats(build, box, [*command, "-o", "/dev/null"], source)
        cpu = stats["totals"]["cpu_seconds"]
        got = {"records": threads["worker"]["records"] / cpu,
               "in": os.path.getsize(source) / cpu, "out": threads["worker"]["bytes"] / cpu}
        if best is None or got["records"] > best["records"]:
            best = got
    return best


def committer(build, box, source):
    """Seconds that the committer takes for a part, and for a byte of it, when it never
    waits; into a file on a memory disk."""
    def least(chunk):
        seen = []
        for _ in range(ROUNDS):
            command = ["prime", "-o", f"{box}/out", *chunk]
            commit = run_stats(build, box, command, source)[1]["committer"]
            seen.append((commit["busy"] / commit["tasks"], commit["bytes"] / commit["tasks"]))
        return min(seen)
    small, large = least(["--chunk=1700"]), least([])
    byte = (large[0] - small[0]) / (large[1] - small[1])
    return small[0] - byte * small[1], byte


def limits(cost, commit, load, inline):
    """Threads that main, the committer and the network of rank 0 can serve."""
    claims = 1 / CLAIM_S
    main = cost["claim"] * claims + load["out"] * cost["in"]
    if inline:
        main += load["in"] * cost["out"]
    return {"main": 1 / main,
            "committer": 1 / (commit[0] * claims + commit[1] * load["out"]),
            "network": LINK / max(load["out"] + claims * CLAIM_BYTES,
                                  load["in"] if inline else 0)}


def main():
    build = os.path.abspath(sys.argv[1])
    data = f"{build}/bench/data"
    os.makedirs(data, exist_ok=True)
    subprocess.run([f"{build}/tests/bench_data", data, "p64", "semi64"], check=True)
    print(f"machine: {machine()}, load {os.getloadavg()[0]:.1f}; rank 0 and {OTHERS} others")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as box:
        loads = {f"{' '.join(command)}, {numbers}":
                 workload(build, box, f"{data}/{numbers}.txt", command)
                 for command, numbers in WORKLOADS}
        commit = committer(build, box, f"{data}/p64.txt")
    print(f"committer: {commit[0] * 1e6:.2f} us a part, {commit[1] * 1e9:.2f} s a GB")
    for name, launcher, module in MPIS:
        if not shutil.which(launcher) or not os.path.exists(f"{build}/libexec/{module}"):
            print(f"{name}: not here")
            continue
        seen = all_cases(build, launcher, module)
        print(f"\n{name:28}  claims  messages   us/claim      claims/s    out MB/s   in MB/s")
        for case, s in seen.items():
            print(f"{case:28} {s['claims']:7.0f} {s['sent'] + s['received']:9.0f}"
                  f" {s['cpu'] / s['claims'] * 1e6:10.2f} {s['claims'] / s['cpu']:13.0f}"
                  f" {s['bytes_sent'] / s['cpu'] / 1e6:11.0f}"
                  f" {s['bytes_received'] / s['cpu'] / 1e6:9.0f}")
        cost = costs(seen)
        print(f"a claim {cost['claim'] * 1e6:.2f} us, with its text inline "
              f"{cost['inline'] * 1e6:.2f} us; a message there and back "
              f"{cost['message'] * 1e6:.1f} us ({2 / cost['message']:.0f} messages/s); "
              f"a GB out {cost['out'] * 1e9:.2f} s, in {cost['in'] * 1e9:.2f} s")
        for work, load in loads.items():
            for inline in (False, True):
                full = {k: v for k, v in limits(cost, commit, load, inline).items()}
                least = min(full, key=full.get)
                print(f"{work}, {'bytes' if inline else 'places'}: "
                      f"{rate(load['records'])} and {load['out'] / 1e6:.2f} MB/s a thread; "
                      + ", ".join(f"{k} full at {v:.0f}" for k, v in full.items())
                      + f"; under 95 % from {full[least] / NEAR:.0f} threads ({least})")


if __name__ == "__main__":
    main()
