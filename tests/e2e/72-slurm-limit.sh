#!/usr/bin/env bash
# Inside a Slurm job the time limit is the job's, unless another is given: what squeue (here
# one of our own) says, less a margin.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
LONG=1000000000000000000..1000000999999999999
export LONG

mkdir bin
cat >bin/squeue <<'S'
#!/bin/sh
echo "$*" >>asked
cat left
S
chmod +x bin/squeue
export PATH=$BOX/work/bin:$PATH
unset SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID

# With 3 s left the run takes 1.5 s.
export SLURM_JOB_ID=4711
echo 0:03 >left
t "it stops before the job does, and can be resumed" -s 75 \
    -e 'stopped before the Slurm job.s time limit; --resume goes on' \
    'timeout -k 1 $((20 * TIME_SCALE)) $QUERN prime -o out $LONG'
t "squeue was asked once, for this job" -o '-h -j 4711 -o %L' 'cat asked'
t "what cannot be resumed ends as with --time-limit" -s 124 \
    -e "stopped before the Slurm job's time limit$" \
    'timeout -k 1 $((20 * TIME_SCALE)) $QUERN prime $LONG >/dev/null'
t "--time-limit goes before it, and squeue is not asked" -s 75 -e 'stopped by --time-limit' \
    'rm asked; $QUERN prime -o other --time-limit 500ms $LONG; s=$?; [ ! -e asked ] && exit $s'
t "--resume goes on under another job" -s 75 \
    'SLURM_JOB_ID=4712 timeout -k 1 $((20 * TIME_SCALE)) $QUERN prime -o out --resume $LONG'
t "a short run does not ask" -E -o '7 prime' 'rm -f asked; $QUERN prime 7; [ ! -e asked ]'
echo UNLIMITED >left
t "a job without a limit" -s 75 -e 'has no time limit that squeue tells' \
    -e 'SIGUSR1' 'timeout -s USR1 $((2 * TIME_SCALE)) $QUERN prime -v -o out --resume $LONG
     s=$?; [ $s -eq 124 ] && exit 75; exit $s'
t "-v says what is left" -s 75 -e 'job 4711 of Slurm leaves this run 540 s' \
    'echo 10:00 >left
     timeout -s USR1 $((2 * TIME_SCALE)) $QUERN prime -v -o out --resume $LONG
     s=$?; [ $s -eq 124 ] && exit 75; exit $s'
printf '#!/bin/sh\nexec sleep 4711.5\n' >bin/squeue
t "a squeue that hangs holds up nothing, and is not left behind" -s 75 -e SIGUSR1 \
    'timeout -s USR1 $((2 * TIME_SCALE)) $QUERN prime -o out --resume $LONG
     s=$?; pgrep -f "^sleep 4711.5$" && exit 9; [ $s -eq 124 ] && exit 75; exit $s'
unset SLURM_JOB_ID
t "outside a job nobody is asked" -s 75 \
    'rm -f asked; $QUERN prime -o o2 --time-limit 600ms $LONG; s=$?; [ ! -e asked ] && exit $s'
finish
