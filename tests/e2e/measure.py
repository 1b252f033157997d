"""measure: time and memory of the program under test.

    measure.py rss LIMIT_MB SIZE_MB KIND -- COMMAND...     stdin: SIZE_MB of KIND numbers
    measure.py stalled SECONDS LIMIT_MB FILE -- COMMAND... nobody reads its output
    measure.py peak LIMIT_MB FILE -- COMMAND...            stdin: FILE; its status is ours
    measure.py latency LIMIT_MS PATH|- -- COMMAND...       answers while the pipe is open
    measure.py startup RATIO PROGRAM PEER

Prints what was measured; status 1 if a limit was passed, with the reason.
"""
import os
import random
import resource
import select
import statistics
import subprocess
import sys
import threading
import time


def peak_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def block(kind):
    """About 1 MB of numbers, one a line."""
    rng = random.Random(kind)
    low, high = {"u64": (0, 2 ** 64), "small": (0, 10 ** 6)}[kind]
    lines, size = [], 0
    while size < 1000000:
        lines.append(f"{rng.randrange(low, high)}\n")
        size += len(lines[-1])
    return "".join(lines).encode(), len(lines)


def rss(limit, size, kind, command):
    data, lines = block(kind)
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    counted = [0]

    def drain():
        while chunk := run.stdout.read(1 << 20):
            counted[0] += chunk.count(b"\n")

    reader = threading.Thread(target=drain)
    reader.start()
    peak = 0.0
    for _ in range(size):
        run.stdin.write(data)
    run.stdin.flush()
    peak = peak_mb(run.pid)
    run.stdin.close()
    reader.join()
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    peak = max(peak, usage.ru_maxrss / 1024)
    print(f"# {size} MB of '{kind}': peak {peak:.0f} MiB, limit {limit}")
    if run.returncode != 0 or counted[0] != lines * size:
        return f"status {run.returncode}, {counted[0]} lines of {lines * size}"
    return f"peak of {peak:.0f} MiB" if peak >= limit else None


def stalled(seconds, limit, path, command):
    with open(path, "rb") as stdin:
        run = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE)
        try:
            time.sleep(seconds)
            peak = peak_mb(run.pid) if run.poll() is None else None
        finally:
            run.kill()
            run.wait()
    if peak is None:
        return f"it ended with status {run.returncode}, before anybody read its output"
    print(f"# unread for {seconds} s: peak {peak:.0f} MiB, limit {limit}")
    return f"peak of {peak:.0f} MiB" if peak >= limit else None


def peak(limit, path, command):
    with open(path, "rb") as stdin:
        run = subprocess.run(command, stdin=stdin, check=False)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print("small" if most < limit else f"{most:.0f} MiB")
    return run.returncode


def answer(run, want, limit):
    """Seconds until the line `want` has come."""
    start, got = time.monotonic(), b""
    while not got.endswith(b"\n"):
        left = start + limit - time.monotonic()
        if left <= 0 or not select.select([run.stdout], [], [], left)[0]:
            raise TimeoutError(f"no answer within {limit} s: {got!r}")
        piece = os.read(run.stdout.fileno(), 4096)
        if not piece:
            raise ValueError(f"it closed its output after {got!r}")
        got += piece
    if got != want:
        raise ValueError(f"got {got!r}, expected {want!r}")
    return time.monotonic() - start


def latency(limit_ms, path, command):
    """Asks one number at a time; half of them come in two pieces."""
    if path == "-":
        run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pipe = run.stdin
    else:
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        pipe = open(path, "wb")
    times = []
    try:
        for i in range(12):
            time.sleep(0.02)
            if i % 2:
                pipe.write(b"36")
                pipe.flush()
                time.sleep(0.05)
                pipe.write(b"0\n")
            else:
                pipe.write(b"360\n")
            pipe.flush()
            times.append(answer(run, b"360: 2 2 2 3 3 5\n", 30))
        pipe.write(b"49")
        pipe.close()
        answer(run, b"49: 7 7\n", 30)
        status = run.wait(30)
    except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    finally:
        run.kill()
        run.wait()
    middle = statistics.median(times) * 1000
    print(f"# answers: median {middle:.2f} ms, worst {max(times) * 1000:.2f} ms")
    if status != 0:
        return f"status {status}"
    return f"median of {middle:.1f} ms" if middle > limit_ms else None


def spawn_ms(command, stdin, sink):
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, sink, 1)])
    _, status = os.waitpid(pid, 0)
    took = (time.perf_counter() - start) * 1000
    if status != 0:
        raise SystemExit(f"{command[0]}: status {status}")
    return took


def startup(ratio, program, peer):
    """`echo 360 | program factor` against `echo 360 | peer`, in turns."""
    ours, theirs = [], []
    with open("number", "w+b") as number, open(os.devnull, "wb") as sink:
        number.write(b"360\n")
        number.flush()
        for turn in range(110):
            for command, times in (([program, "factor"], ours), ([peer], theirs)):
                number.seek(0)
                took = spawn_ms(command, number.fileno(), sink.fileno())
                if turn >= 10:
                    times.append(took)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"# quern factor {a:.2f} ms, GNU factor {b:.2f} ms, ratio {a / b:.2f}")
    return f"ratio {a / b:.2f}, at most {ratio}" if a > ratio * b else None


def main(args):
    command = args[args.index("--") + 1:] if "--" in args else []
    if args[0] == "rss":
        problem = rss(float(args[1]), int(args[2]), args[3], command)
    elif args[0] == "stalled":
        problem = stalled(float(args[1]), float(args[2]), args[3], command)
    elif args[0] == "peak":
        return peak(float(args[1]), args[2], command)
    elif args[0] == "latency":
        problem = latency(float(args[1]), args[2], command)
    else:
        problem = startup(float(args[1]), args[2], args[3])
    if problem:
        print(f"{args[0]}: {problem}", file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
