#!/usr/bin/env bash
# Guarantee 3: a run that is killed continues with --resume, on any number of threads, and
# ends with the bytes of an unbroken run; everything else is refused or said.
# RESUME_LOOPS=100 kills more often, RESUME_SIZE=8 makes longer runs, RESUME_SEED=N others.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export FAULTY=${FAULTY:-$ROOT/build/fault/quern}
if [ ! -x "$FAULTY" ]; then
    skip "resume" "$FAULTY is not there: make faulty"
    finish
fi
KILLS=${RESUME_LOOPS:-12} SEED=${RESUME_SEED:-1}

# A sanitized program makes no marks on demand: then only it is killed.
if [ -n "$SANITIZER" ]; then PROGRAMS='$QUERN'; else PROGRAMS='$FAULTY $QUERN'; fi
t "SIGKILL at random moments, then --resume" -T $((120 + KILLS * 10)) -m 'all with the bytes' \
    "python3 \$HERE/kill.py loop $KILLS $SEED $PROGRAMS"
t "SIGKILL between and inside writes, then --resume" -T $((120 + KILLS * 10)) \
    -m 'all with the bytes' "python3 \$HERE/kill.py fault $((2 * KILLS)) $SEED \$FAULTY \$QUERN"
t "the same, into a folder of shards" -T $((120 + KILLS * 10)) -m 'all with the bytes' \
    "KILL_OUTPUT=out/ python3 \$HERE/kill.py loop $KILLS $SEED $PROGRAMS &&
     KILL_OUTPUT=out/ python3 \$HERE/kill.py fault $KILLS $SEED \$FAULTY \$QUERN"

# --- one output that was left unfinished, and what is made of it ---

$ORACLE numbers u64 3000 1 >in
sed -i '7s/.*/x7/; 1500s/.*/-1/; 2999s/.*/1.5/' in
cp -p in in.kept
$QUERN factor in >want 2>said && exit 2
# left [COMMAND...]: out and out.quern as a kill behind the tenth mark leaves them
left() {
    rm -f out out.quern
    QUERN_MARK_MS=0 QUERN_FAULT=mark:10 $FAULTY "${@:-factor}" -o out --chunk=900 in 2>/dev/null
    [ $? -eq 137 ] && cp out.quern journal && cp out part && cp -p in.kept in
}
declare -fx left
resume='$QUERN factor -o out --resume in'
again="$resume 2>/dev/null; [ \$? -eq 1 ] && cmp out want"

t "an unfinished run is refused" -s 2 -o '' -e 'unfinished run .*--resume.*--restart' \
    'left; $QUERN factor -o out in; status=$?; cmp out part && cmp out.quern journal &&
     exit $status'
t "--resume goes on, the status is the whole run's" -s 1 \
    "left; $resume; status=\$?; cmp out want && exit \$status"
t "with other -j, --time-limit, -v and engine" \
    "left; \$QUERN factor -v -j3 -o out --time-limit 1h --engine=serial --resume in 2>said
     [ \$? -eq 1 ] && cmp out want && grep -q ' 3 bad' said"
t "a bad record before the kill is counted, not said again" \
    "left; $resume 2>said; [ \$? -eq 1 ] && ! grep -q in:7: said && grep -q in:2999: said"
t "--restart begins anew" -s 1 \
    'left; $QUERN factor -o out --restart in; status=$?; cmp out want && exit $status'
t "--resume and --restart exclude each other" -s 2 -e 'exclude' \
    'left; $QUERN factor -o out --restart --resume in'
t "--resume without -o" -s 2 -e 'needs -o' '$QUERN factor --resume in'
t "--resume without a journal starts from the beginning" -s 1 \
    "rm -f out out.quern; echo old >out; $resume; status=\$?; cmp out want && exit \$status"
t "another option" -s 2 -e "out.quern.*of another job.*'format = text'.*'format = csv'" \
    'left; $QUERN factor -o out --format=csv --resume in'
t "an added option is named, not its neighbour" -s 2 -e "of another job: this one has 'exponents = 1'" \
    'left; $QUERN factor -h -o out --resume in'
t "... changes nothing" "left; \$QUERN factor -h -o out --resume in 2>/dev/null
     cmp out part && cmp out.quern journal && { $again; }"
t "another command" -s 2 -e "'command = factor', this one 'command = prime'" \
    'left; $QUERN prime -o out --resume in'
t "another input" -s 2 -e "'file = in', this one 'file = in2'" \
    'left; cp in in2; $QUERN factor -o out --resume in2'
t "one input more" -s 2 -e "this one has 'literal = 7" 'left; $QUERN factor -o out --resume in 7'
t "the input has another size" -s 2 -e "input 1 = size" \
    "left; echo 7 >>in; touch -r in.kept in; $resume"
t "the input has another time" -s 2 -e "input 1 = size .* time" "left; touch in; $resume"
t "the input is gone" -s 3 -e 'in: No such file' "left; rm in; $resume"
cp -p in.kept in
t "output beyond the mark is cut" "left; printf 'garbage\n' >>out; $again"
t "a shorter output" -s 2 -e 'out is shorter than out.quern says: [1-9]' \
    "left; truncate -s 500 out; $resume"
t "an empty output" -s 2 -e 'shorter' "left; : >out; $resume"
t "no output" -s 2 -e 'out is gone, but out.quern is not' "left; rm out; $resume"
t "an edited output" -s 2 -e 'out has been changed' \
    "left; printf X | dd of=out bs=1 seek=400 conv=notrunc status=none; $resume"
t "a torn last line" "left; truncate -s -9 out.quern; $again"
t "... and half of it missing" "left; truncate -s -60 out.quern; $again"
t "a torn header" "left; head -c 90 journal >out.quern; $again"
t "an empty journal" "left; : >out.quern; $again"
t "a damaged journal" -s 2 -e 'out.quern is damaged in line 4' \
    "left; sed -i 4s/.// out.quern; $resume"
t "... is passed over by --restart" -s 1 \
    'left; sed -i 4s/.// out.quern; $QUERN factor -o out --restart in; status=$?
     cmp out want && exit $status'
t "something else in its place" -s 2 -e 'is not a journal of quern' \
    "left; seq 9 >out.quern; \$QUERN factor -o out in; status=\$?
     seq 9 | cmp - out.quern && exit \$status"
t "... also for --restart" -s 2 -e 'is not a journal of quern' \
    'left; seq 9 >out.quern; $QUERN factor -o out --restart in; status=$?
     seq 9 | cmp - out.quern && exit $status'
t "a journal of another version" -s 2 -e 'another version' \
    "left; sed -i '1s/.*/quern-journal 2 0123456789abcdef/' out.quern; $resume"
t "... is refused without --resume too" -s 2 -e 'another version.*--restart' \
    "left; sed -i '1s/.*/quern-journal 2 0123456789abcdef/' out.quern
     \$QUERN factor -o out in"
t "... and --restart takes its place" -s 1 \
    "left; echo 'quern-journal 2' >out.quern; \$QUERN factor -o out --restart in
     status=\$?; cmp out want && exit \$status"
# The version is a string in the program.
version=$($QUERN --version | sed -n '1s/^quern \([0-9.]*\).*/\1/p')
export other=${version%?}x version
t "another version of quern" -s 2 -e "'version = .*x', this one 'version = .*[0-9]'" \
    "sed 's/'\"\$version\"'/'\"\$other\"'/g' \$FAULTY >other && chmod +x other
     rm -f out out.quern
     QUERN_MARK_MS=0 QUERN_FAULT=mark:3 ./other factor -o out --chunk=900 in 2>/dev/null
     $resume"

# --- runs that have ended ---

t "--resume on a complete run: the former status, nothing written" -s 1 \
    "\$QUERN factor -o out --restart in 2>/dev/null; touch -d '2020-01-01' out out.quern
     $resume; status=\$?; cmp out want &&
     [ \$(date -r out +%Y) = 2020 ] && [ \$(date -r out.quern +%Y) = 2020 ] && exit \$status"
t "... status 0" -E -o 0 '$QUERN prime -o done 1..99; $QUERN prime -o done --resume 1..99; echo $?'
t "... and checks" -s 2 -e 'has been changed' \
    '$QUERN prime -o done --restart 1..99; sed -i 3s/prime/Prime/ done
     $QUERN prime -o done --resume 1..99'
t "... also what is behind it" -s 2 -e 'is longer than' \
    '$QUERN prime -o done --restart 1..99; echo more >>done; $QUERN prime -o done --resume 1..99'
t "... and the job" -s 2 -e 'of another job' \
    '$QUERN prime -o done --restart 1..99; $QUERN prime -o done --resume 1..98'
t "a complete output is overwritten" -E -o '7 prime' \
    '$QUERN prime -o done --restart 1..99; $QUERN prime -o done 7 && cat done'
t "--strict ends a run for good" -s 1 -e '^quern: in:7:' \
    '$QUERN factor --strict -o strict in; status=$?; head -n 6 want | cmp - strict &&
     $QUERN factor --strict -o strict --resume in; [ $? -eq $status ] && exit $status'

# --- two at once ---

t "two runs on one output" -o '2 2 2' -T 30 \
    '$QUERN prime -o busy 1..100000000000 2>/dev/null & run=$!
     while ! grep -qs "^b " busy.quern; do sleep 0.05; done
     for how in --verbose --resume --restart; do
         $QUERN prime -o busy $how 1..100000000000 2>said; echo -n "$? "
         grep -q "another run is writing busy" said || echo not said
     done | sed "s/ $//"; kill -KILL $run; wait $run 2>/dev/null; echo'
t "two begin at once: one does" -o '7 x 2, 1 x 75' -T 30 \
    'rm -f race race.quern; mkfifo gate
     for i in 1 2 3 4 5 6 7 8; do
         { read -r <gate; $QUERN prime --count -o race --time-limit 2s \
             1..100000000000 2>/dev/null; echo $?; } &
     done >statuses
     sleep 0.3; yes >gate & yes=$!; wait $(jobs -p | grep -v "^$yes$"); kill $yes
     sort -n statuses | uniq -c | awk "{print \$1 \" x \" \$2}" | paste -sd, | sed "s/,/, /g"'

# --- what cannot be resumed ---

t "stdin is said" -e 'cannot be resumed: its input is a stream' -o '7 prime' \
    'echo 7 | $QUERN prime -o s --resume && cat s && [ ! -e s.quern ]'
t "a FIFO is said" -e 'cannot be resumed: its input is a stream' -o '7 prime' \
    'mkfifo f; echo 7 >f & $QUERN prime -o s --resume f && cat s && [ ! -e s.quern ]'
t "--unordered is said" -e 'cannot be resumed: the order' -o '7 prime' \
    '$QUERN prime -o s --unordered --resume 7 && cat s && [ ! -e s.quern ]'
t "/dev/null is said" -e '/dev/null is not a regular file' -o '' \
    '$QUERN prime -o /dev/null --resume 7'
t "a FIFO as output has no journal" -E -o '7 prime' \
    'mkfifo o; cat o & $QUERN prime -o o 7; wait; [ ! -e o.quern ]'
t "/dev/stdout has no journal, whatever it is" -E -o '7 prime' \
    '[ -e /dev/stdout.quern ] && exec echo 7 prime
     $QUERN prime -o /dev/stdout 7 >file && cat file && [ ! -e /dev/stdout.quern ]'
t "a stream does not take the place of an unfinished run" -s 2 -e 'unfinished run' \
    'left; echo 7 | $QUERN factor -o out; status=$?; cmp out part && exit $status'
t "... and leaves no stale journal of a complete one" -E -o '7: 7' \
    '$QUERN factor -o s 9; echo 7 | $QUERN factor -o s && cat s && [ ! -e s.quern ]'

# --- no room ---

t "ulimit -f: status 3, a correct prefix, and on it goes" -s 3 -e 'write .*File too large' \
    '(ulimit -f 20; exec $QUERN prime -o big --restart 1..300000); status=$?
     $QUERN prime 1..300000 >big.want; cmp -n $(stat -c %s big) big big.want &&
     [ $(stat -c %s big) -eq 20480 ] &&
     $QUERN prime -o big --resume 1..300000 && cmp big big.want && exit $status'
t "... in the middle of the journal" \
    '(ulimit -f 1; QUERN_MARK_MS=0 exec $FAULTY prime --count --chunk=100 -o big --restart 1..300000)
     [ $? -eq 3 ] && $QUERN prime --count 1..300000 >big.want &&
     $QUERN prime --count -o big --resume 1..300000 && cmp big big.want'
if [ "$(id -u)" = 0 ] && mkdir tiny && mount -t tmpfs -o size=300k none tiny 2>/dev/null; then
    t "a full disk: status 3, a correct prefix, and on it goes" -s 3 -e 'No space left' \
        'QUERN_MARK_MS=0 $FAULTY prime --chunk=1000 -o tiny/big 1..300000; status=$?
         $QUERN prime 1..300000 >big.want; cmp -n $(stat -c %s tiny/big) tiny/big big.want &&
         mount -o remount,size=20m tiny && $QUERN prime -o tiny/big --resume 1..300000 &&
         cmp tiny/big big.want && exit $status'
    umount tiny
else
    exempt "a full disk: status 3, a correct prefix, and on it goes" "needs root and a tmpfs"
fi
finish
