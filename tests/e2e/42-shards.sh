#!/usr/bin/env bash
# -o DIR/ and `quern cat DIR/`: shards and a manifest give the bytes that -o FILE has.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export FAULTY=${FAULTY:-$ROOT/build/fault/quern}

$ORACLE numbers u64 $((20000 / DIV)) 3 >in
sed -i '7s/.*/x7/; 150s/.*/-1/' in
for format in text csv tsv jsonl; do
    t "$format: the bytes of a file" -s 1 \
        "\$QUERN factor --format $format -q -o want.$format in 2>/dev/null
         \$QUERN factor --format $format -j3 --chunk=900 -o d.$format/ in 2>/dev/null
         status=\$?; \$QUERN cat d.$format/ | cmp - want.$format && exit \$status"
done
t "the manifest is as documented" \
    'python3 - <<P
import subprocess
lines = open("d.text/manifest").read().split("\n")
assert lines[0] == "quern-manifest 1" and lines[-1] == ""
out, chunks = b"", 0
for line in lines[1:-2]:
    c, chunk, shard, offset, length, xxh3 = line.split()
    chunks += 1
    assert c == "c" and int(chunk) == chunks and len(xxh3) == 16
    piece = open("d.text/" + shard, "rb").read()[int(offset):int(offset) + int(length)]
    assert len(piece) == int(length)
    out += piece
assert lines[-2] == f"e {chunks} {len(out)}" and chunks > 10
assert out == open("want.text", "rb").read()
P'
t "its checksums are XXH3-64" \
    'command -v xxhsum >/dev/null || exit 0
     read -r _ _ shard at len sum < <(sed -n 3p d.text/manifest)
     tail -c +$((at + 1)) d.text/$shard | head -c $len | xxhsum -H3 - | grep -q "XXH3.*$sum"'
t "a result that is added up" -o '333833500' \
    '$QUERN sumsq --fold -o sum/ 1..1000 && $QUERN cat sum/'
t "nothing" -o '' '$QUERN prime -o none/ /dev/null && $QUERN cat none/'
t "standard input, which has no journal" -o '10' \
    'seq 1 10 | $QUERN prime -o pipe/ && [ ! -e pipe/.quern ] && $QUERN cat pipe/ | wc -l'
t "--unordered" -o '3000' \
    '$QUERN factor --unordered -o any/ 1..3000 && $QUERN cat any/ | sort -u | wc -l'
t "several folders, one after the other" -o '3010' '$QUERN cat any/ pipe | wc -l'
t "a new run takes the place of an old one" -o '5 prime' \
    '$QUERN prime -o pipe/ 5 && $QUERN cat pipe/'

# --- what is not whole ---

t "of an unfinished run its beginning is printed" -s 1 -e 'has not ended' \
    'QUERN_MARK_MS=0 QUERN_FAULT=mark:5 $FAULTY factor -q -o u/ --chunk=900 in 2>/dev/null
     $QUERN cat u/ >got; status=$?; [ -s got ] && cmp -n $(stat -c %s got) got want.text &&
     exit $status'
t "it is refused without --resume" -s 2 -e 'u/ belongs to an unfinished run' \
    '$QUERN factor -q -o u/ in'
t "--resume completes it, in another shard" \
    '$QUERN factor -q -o u/ --resume in 2>/dev/null; [ $? -eq 1 ] &&
     $QUERN cat u/ | cmp - want.text && [ -s u/1.0 ] && [ -s u/2.0 ]'
t "--resume of what is complete changes nothing" \
    'cp -r u v; $QUERN factor -q -o u/ --resume in 2>/dev/null; [ $? -eq 1 ] && diff -r u v'
t "--restart begins anew" '$QUERN factor -q -o u/ --restart in 2>/dev/null; [ $? -eq 1 ] &&
     [ ! -e u/2.0 ] && $QUERN cat u/ | cmp - want.text'
t "a shard that was changed" -s 3 -e 'v/1.0 has been changed' \
    'printf x | dd of=v/1.0 bs=1 conv=notrunc status=none; $QUERN cat v/ >/dev/null'
t "a shard that is gone" -s 3 -e 'v/1.0: No such file' 'rm v/1.0; $QUERN cat v/'
t "a resume that misses a shard is refused" -s 2 -e 'w/1.0 is gone' \
    'QUERN_MARK_MS=0 QUERN_FAULT=mark:5 $FAULTY factor -q -o w/ --chunk=900 in 2>/dev/null
     rm w/1.0; $QUERN factor -q -o w/ --resume in'
t "no such folder" -s 3 -e 'nowhere/manifest: No such file' '$QUERN cat nowhere/'
t "cat wants a folder" -s 2 -e 'cat wants a folder' '$QUERN cat </dev/null'
t "a database is no shards" -s 2 -o '' -e '--format sqlite is written to one file, not to q/' \
    '$QUERN factor --format sqlite -o q/ in; status=$?; [ ! -e q ] && exit $status'
t "a folder with other files is refused" -s 2 -e "holds other files \('mine'\)" \
    'mkdir m && touch m/mine && $QUERN factor -o m/ --restart 6'
t "a folder that cannot be made" -s 3 -e 'x/y/: No such file' '$QUERN factor -o x/y/ 6'
t "a full disk" -s 3 -e 'manifest|shard|full/' \
    'mkdir full; (ulimit -f 8; exec $QUERN factor -o full/ in 2>err); status=$?
     tail -n 1 err >&2; $QUERN cat full/ >got 2>/dev/null
     cmp -n $(stat -c %s got) got want.text && exit $status'
# More than a pipe holds, which quern makes a MiB.
t "cat into a closed pipe" -s 141 -E \
    '$QUERN cat $(for i in $(seq 30); do echo d.jsonl/; done) | head -n 1 >/dev/null'
finish
