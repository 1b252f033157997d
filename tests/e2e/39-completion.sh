#!/usr/bin/env bash
# Completion, in real shells: what Tab offers is what the option table has.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
mkdir bin && ln -s "$QUERN" bin/quern && export PATH=$PWD/bin:$PATH
touch numbers.txt

# bash: what it would offer for a line, sorted
cat >offer.sh <<'SH'
eval "$(quern completion bash)"
line=$1
COMP_WORDS=() word=
# readline breaks words at blanks and at '='
for ((i = 0; i < ${#line}; i++)); do
    c=${line:i:1}
    case $c in
    ' ') [[ $word ]] && COMP_WORDS+=("$word"); word= ;;
    '=') [[ $word ]] && COMP_WORDS+=("$word"); COMP_WORDS+=('='); word= ;;
    *) word+=$c ;;
    esac
done
[[ $word || $line == *' ' ]] && COMP_WORDS+=("$word")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
_quern
printf '%s\n' "${COMPREPLY[@]}" | sort
SH
offer() { t "bash: $1" -O "$2" 'bash offer.sh "'"$1"'"'; }
$QUERN --help | sed -n '/^Commands:/,/^Examples/s/^  \([a-z][a-z]*\)\( .*\)\{0,1\}$/\1/p' >commands
printf '%s\n' --help --version | cat - commands | sort >all
offer 'quern ' all
printf '%s\n' factor fetch >f
offer 'quern f' f
printf '%s\n' --stats-format= --stats= >stats
offer 'quern prime --stats' stats
printf '%s\n' json prom >formats
offer 'quern prime --stats-format=' formats
echo prom >prom
offer 'quern prime --stats-format=p' prom
offer 'quern prime --stats-format p' prom
echo numbers.txt >files
offer 'quern prime num' files
touch 'odd one *.txt' 'odd[1].txt' odd1.txt
printf '%s\n' 'odd one *.txt' odd1.txt 'odd[1].txt' | sort >names
offer 'quern prime odd' names
printf '%s\n' auto trial >methods
offer 'quern factor --method=' methods
printf '%s\n' closed loop >methods2
offer 'quern sumsq --method=' methods2
printf '%s\n' bash zsh >shells
offer 'quern completion ' shells
t "bash: every option of every command" 'for c in $(cat commands); do
         quern $c --help | grep -oE "^ {2,6}(-[a-z], )?--[a-z0-9-]+" | grep -oE -- "--[a-z0-9-]+" | sort -u >want
         bash offer.sh "quern $c --" | sed "s/=$//" | grep ^-- | sort -u >got
         [ -z "$(comm -23 want got)" ] || { comm -23 want got; exit 1; }
     done'
t "bash: sourced without a word" -E -o '' 'bash -c ". <(quern completion bash)"'
t "a shell it does not know" -s 2 -o '' -e 'bash or zsh' 'quern completion fish'
t "no shell" -s 2 -o '' -e 'bash or zsh' 'quern completion'

if need zsh "zsh: Tab in a real one"; then
    t "zsh: no complaint" -E 'quern completion zsh >_quern && zsh -f -n _quern'
    t "zsh: Tab in a real one" -m '^RAN sumsq --method=loop *$' -m '^RAN verify *$' -m '^RAN prime --stats-format=prom *$' \
        'python3 - <<PY
import os, pty, re, select, sys, time
os.environ["TERM"] = "xterm"
pid, fd = pty.fork()
if pid == 0:
    os.execvp("zsh", ["zsh", "-f", "-i"])
seen = ""
def read(until, seconds=20):
    global seen
    end, start = time.monotonic() + seconds, len(seen)
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                seen += os.read(fd, 65536).decode("utf-8", "replace")
            except OSError:
                break
        if re.search(until, seen[start:]):
            return
def send(text):
    os.write(fd, text.encode())
send("PS1=; unsetopt zle_bracketed_paste 2>/dev/null; fpath=(\$PWD \$fpath); autoload -Uz compinit; compinit -D -u; quern() { print -r -- RAN \$@ }; echo rea\"\"dy\n")
read("ready\r")
for line in "quern ver\t", "quern sumsq --met\tlo\t", "quern prime --stats-f\tpr\t":
    send(line)
    time.sleep(1.5)
    read("xxxx", 0.5)
    send("\n")
    read("RAN", 5)
send("exit\n")
read("xxxx", 1)
print(re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]|\x07|\x08", "", seen).replace("\r", "\n"))
PY'
fi
t "installed where the shells look" 'make -s -C "$ROOT" install DESTDIR=$PWD/tree PREFIX=/usr >/dev/null &&
     cmp tree/usr/share/bash-completion/completions/quern <(quern completion bash) &&
     cmp tree/usr/share/zsh/site-functions/_quern <(quern completion zsh)'
finish
