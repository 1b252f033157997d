#!/usr/bin/env bash
# Compressed input: gzip and zstd, told by their first bytes, from files and pipes; what is
# damaged is an error that names the file, after what came before was used.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
for tool in gzip zstd; do
    need $tool "compressed input" || finish
done

$ORACLE numbers u64 $((30000 / DIV)) 27 >plain
gzip -c plain >by-gzip
zstd -qc plain >by-zstd
$QUERN factor plain >plain.out || exit 2
lines=$(wc -l <plain)
export lines

# The files' names say nothing, and their bytes everything.
for format in gzip zstd; do
    t "$format from a file" -E -O plain.out "\$QUERN factor by-$format"
    t "$format from stdin" -E -O plain.out "\$QUERN factor <by-$format"
    t "$format from a pipe" -E -O plain.out "cat by-$format | \$QUERN factor"
    t "$format from a pipe in small pieces" -E -O plain.out \
        "dd if=by-$format bs=97 status=none | \$QUERN factor -"
    t "$format by the serial engine" -E -O plain.out \
        "\$QUERN factor --engine=serial by-$format"
done
t "plain data by a compressed name" -E -o '7 prime' 'echo 7 >x.gz; $QUERN prime x.gz'
t "gzip of another level and name" -E -o '7 prime' \
    'echo 7 >f; gzip -1 -k f; mv f.gz f.txt; $QUERN prime f.txt'
t "zstd with a long window" -E -O plain.out 'zstd -q --ultra -22 --long=27 -c plain >f
    $QUERN factor f'
t "members of gzip, and zeros behind them" -E -o $'7 prime\n8 composite\n9 composite' \
    '(echo 7 | gzip; printf "8\n9" | gzip; head -c 1000 /dev/zero) >f; $QUERN prime f'
t "a number across members" -E -o '787 prime' \
    '(printf 78 | gzip; printf "7\n" | gzip) >f; $QUERN prime f'
t "frames of zstd" -E -o $'7 prime\n8 composite' \
    '(echo 7 | zstd -q; echo 8 | zstd -q) | $QUERN prime'
for name in xz bzip2 lz4 zip; do
    case $name in
    xz) magic='\375\067zXZ\000' ;;
    bzip2) magic='BZh91AY&SY' ;;
    lz4) magic='\004\042\115\030' ;;
    zip) magic='PK\003\004' ;;
    esac
    export magic
    t "$name is none of ours, and no text" -s 3 -o '' -e "^quern: f: it is compressed by $name; only gzip and zstd" \
        'printf "$magic\n7\n" >f; $QUERN prime f'
    t "... nor is it counted" -s 1 -m '^0.*total' -e "^quern: f: it is compressed by $name" \
        'printf "$magic error\n" >f; echo none >g; $QUERN count error f g'
done
t "nothing, compressed" -E -o '' '$QUERN prime <(gzip </dev/null) <(zstd -q </dev/null)'
t "less than a magic number" -s 1 -o '' -e '^quern: f:1: ' 'printf "\037" >f; $QUERN prime f'
t "several files, plain and compressed" -E -o $'5 prime\n6 composite\n7 prime' \
    'echo 5 | gzip >a; echo 6 >b; echo 7 | zstd -q >c; $QUERN prime a b c'
t "a byte order mark and comments" -E -o '7 prime' \
    'printf "\357\273\277# 5\n7 #6\r\n" | gzip | $QUERN prime'
t "line numbers are those of the text" -s 1 -e '^quern: f:3: .*x' \
    'printf "5\n6\nx\n7\n" | gzip >f; $QUERN prime f'
t "compressed twice is not undone twice" -s 1 -e '^quern: -:1: ' \
    'echo 7 | gzip | gzip | $QUERN prime'

# What is damaged. Whole lines that came before are used, and nothing else.
half='head -c $(($(wc -c <by-FORMAT) / 2)) by-FORMAT'
for format in gzip zstd; do
    cmd=${half//FORMAT/$format}
    t "$format that is cut off" -s 3 -o 'a part' \
        -e "^quern: f: the $format data ends too early$" \
        "$cmd >f; \$QUERN factor f >out; status=\$?
         n=\$(wc -l <out); [ \$n -lt \$lines ] && head -n \$n plain.out | cmp - out &&
             echo a part; exit \$status"
    t "$format from a pipe that is cut off" -s 3 \
        -e "^quern: -: the $format data ends too early$" "$cmd | \$QUERN factor >out"
    t "$format with a wrong byte" -s 3 -e "^quern: f: the $format data is damaged: " \
        "cp by-$format f; n=\$((\$(wc -c <f) - 3))
         printf '\\377\\376\\375' | dd of=f bs=1 seek=\$n conv=notrunc status=none
         \$QUERN factor f >out"
    t "$format and something behind it" -s 3 -O plain.out \
        -e "^quern: f: something else follows the $format data$" \
        "(cat by-$format; echo 7) >f; \$QUERN factor f"
    t "$format that is damaged ends the run" -s 3 -o '7 prime' -e 'too early' \
        "head -c 12 by-$format >f; echo 7 >a; echo 9 >b; \$QUERN prime a f b"
done
t "a zstd window beyond 128 MiB" -s 3 -o '' -e '^quern: f: the zstd data is damaged: ' \
    'printf "\x28\xb5\x2f\xfd\x00\x90\x09\x00\x00\x37" >f; $QUERN prime f'

# Bombs. A gigabyte is let through.
if [ -n "$SANITIZER" ]; then
    exempt "a bomb" "a sanitizer takes too long for gigabytes"
else
    t "a bomb" -s 3 -o '' -e '^quern: -: the zstd data is a decompression bomb' \
        'head -c 1200M /dev/zero | zstd -q -1 | $QUERN prime'
fi

# A pipe streams: the writer waits for the answer to what it has flushed.
t "an answer comes while the pipe is open" -o '7 prime' -T 20 \
    'python3 -c "
import os, subprocess, sys, zlib
p = subprocess.Popen([*os.environ[\"QUERN\"].split(), \"prime\"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE)
z = zlib.compressobj(wbits=31)
p.stdin.write(z.compress(b\"7\n\") + z.flush(zlib.Z_SYNC_FLUSH))
p.stdin.flush()
print(p.stdout.readline().decode(), end=\"\", flush=True)
p.stdin.write(z.flush())
p.stdin.close()
sys.exit(p.wait())"'

# Resume. --time-limit stops a run somewhere, if need be later and later until something
# was written before; then it goes on, with another number of threads.
if [ -n "$SANITIZER" ]; then
    exempt "compressed input goes on" "a sanitizer is too slow for the limits"
else
    seq 1000000000 1000200000 >plain
    gzip -c plain >by-gzip
    zstd -qc plain >by-zstd
    $QUERN factor plain >plain.out || exit 2
    for format in gzip zstd; do
        t "$format goes on" -o '200001' \
            "rm -f out out.quern
             for ms in 5 10 15 20 30 40 60 80; do
                 \$QUERN factor -j1 --restart --time-limit=\${ms}ms -o out by-$format 2>log
                 [ \$? -eq 75 ] || break
                 [ -s out ] && break
             done
             [ -s out ] && grep -q 'resume goes on' log && ! cmp -s out plain.out || exit 9
             \$QUERN factor --resume -j3 -o out by-$format && cmp out plain.out && wc -l <out"
    done
fi
t "a compressed file that changed is refused" -s 2 -e '^quern: .*input' \
    'echo 7 | gzip >f; $QUERN prime -o o f && echo 8 | gzip >f && $QUERN prime --resume -o o f'
finish
