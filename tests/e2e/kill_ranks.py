"""kill_ranks: runs of several ranks that are killed, and resumed with other numbers of them.

    kill_ranks.py KILLS SEED LAUNCHERS PROGRAM...

Kills, by SIGKILL and at random moments, rank 0, another rank, the launcher, or all of them
at once, until KILLS have been; goes on with --resume on another number of ranks and threads
until each job is done; and compares bytes, status and counts with an unbroken run of one
process. LAUNCHERS is a list of commands with commas between (mpiexec.openmpi,mpiexec.mpich).
"""
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import kill

PATIENCE = 20 * kill.SCALE
# Short ones among them would be over before the ranks have met.
CHOSEN = ["prime of a range", "factor of several", "factor jsonl, bad records",
          "factor beyond 64 bits", "sumsq --fold", "prime --count", "factor of gzip",
          "prime --max-errors"]


def ranks():
    """The processes of our runs that are quern: rank -> process id."""
    found = {}
    for pid in kill.families():
        try:
            with open(f"/proc/{pid}/comm", encoding="latin-1") as file:
                if file.read().strip() != "quern":
                    continue
            with open(f"/proc/{pid}/environ", "rb") as file:
                rank = re.search(rb"(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)", file.read())
        except OSError:
            continue
        found[int(rank.group(1)) if rank else 0] = pid
    return found


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def strike(target, run):
    """Kills it; what was hit."""
    there = ranks()
    if target == "rank 0" and 0 in there:
        end([there[0]])
    elif target == "another rank" and len(there) > 1:
        end([max(there.values()) if max(there) == 0 else there[max(there)]])
    elif target == "all at once":
        end([run.pid] + kill.families())
    else:
        target = "the launcher"
        end([run.pid])
    return target


def await_nobody():
    until = time.monotonic() + PATIENCE
    while left := kill.families():
        if time.monotonic() > until:
            end(left)
            sys.exit(f"processes are left: {left}")
        time.sleep(0.02)


def last_mark():
    """Its letter and its records; what a crash tore off does not count."""
    try:
        with open(kill.JOURNAL, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    whole = text[:text.rfind(b"\n") + 1]
    marks = re.findall(rb"^([me]) \d+ \d+ \d+ \d+ \d+ [0-9a-f]{32} (\d+) ", whole, re.M)
    return (marks[-1][0].decode(), int(marks[-1][1])) if marks else None


class Runs:
    def __init__(self, seed, launchers, programs):
        self.rng = random.Random(seed)
        self.launchers, self.programs = launchers, programs
        self.hits, self.kills, self.marked, self.runs, self.done = {}, 0, 0, 0, 0
        self.stuck = 0  # launchers that did not end although all ranks were gone
        self.env = dict(os.environ, QUERN_KILL_MARK=str(os.getpid()))

    def start(self, job, first):
        rng = self.rng
        env = dict(self.env, QUERN_MARK_MS=str(rng.choice([0, 5, 20, 100])))
        command = [*rng.choice(self.launchers).split(), "-n", str(rng.randint(1, 4)),
                   rng.choice(self.programs), *job, "-v", "-o", kill.OUT, f"-j{rng.randint(1, 2)}"]
        if not first:
            command.append("--resume")
        if rng.randrange(3) == 0:
            command.append(f"--chunk={rng.choice([200, 3000])}")
        self.runs += 1
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=open("said", "wb"), env=env)

    def watch(self, run, moment):
        """Lets it run, kills it at that moment (None: not at all); what was hit."""
        hit = None
        if moment is not None:
            time.sleep(moment)
            if run.poll() is None:
                target = self.rng.choice(["rank 0", "another rank", "the launcher",
                                          "all at once"])
                hit = strike(target, run)
        try:
            run.wait(PATIENCE if hit else 6 * PATIENCE)
        except subprocess.TimeoutExpired:
            # mpirun may hang by itself, without any rank, when one died as it began.
            if not hit or ranks():
                sys.exit(f"{run.args}: does not end; {hit} was hit, there are {ranks()}")
            self.stuck += 1
            end(kill.families())
            run.wait(PATIENCE)
        await_nobody()
        return hit

    def until_done(self, name, job, want):
        kill.fresh()
        strikes = self.rng.randint(1, 5)
        first = True
        while True:
            before = last_mark()
            run = self.start(job, first)
            # Half a second goes by until ranks have met.
            span = 0.2 + (0.6 + want[3]) * kill.SCALE
            hit = self.watch(run, self.rng.uniform(0.15, span) if strikes > 0 else None)
            strikes -= 1
            with open("said", encoding="latin-1") as file:
                said = file.read()
            goes_on = re.search(r"going on behind (\d+) records", said)
            if before and goes_on and int(goes_on.group(1)) != before[1]:
                sys.exit(f"{name}: it went on behind {goes_on.group(1)} records, not {before}")
            first = False
            if hit and not (run.returncode in (0, 1) and kill.counts(said)):
                self.kills += 1
                self.marked += last_mark() is not None
                self.hits[hit] = self.hits.get(hit, 0) + 1
                continue
            if run.returncode not in (0, 1) or not kill.counts(said):
                sys.exit(f"{name}: status {run.returncode}: {said}")
            kill.compare(self.programs[0], name, want, run.returncode, said)
            self.done += 1
            return

    def say(self):
        for target, kills in sorted(self.hits.items()):
            print(f"#   {kills:4} {target}")
        print(f"#   {self.stuck:4} launchers did not notice that their ranks were gone")
        print(f"ranks: {self.kills} kills, {self.marked} of them behind a mark, {self.done} "
              f"outputs completed in {self.runs} runs, all with the bytes, the status and the "
              "counts of an unbroken run")


def main(args):
    kills, seed = int(args[0]), int(args[1])
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        os.chdir(folder)
        made = kill.jobs(args[3], seed)
        names = [name for name in CHOSEN if name in made]
        wants = {name: kill.unbroken(args[3], made[name]) for name in names}
        runs = Runs(seed, args[2].split(","), args[3:])
        while runs.kills < kills:
            name = names[runs.done % len(names)]
            runs.until_done(name, made[name], wants[name])
        runs.say()


if __name__ == "__main__":
    main(sys.argv[1:])
