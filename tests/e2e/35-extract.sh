#!/usr/bin/env bash
# quern extract: values are Python's (json with Decimal for numbers); W4's matrix from five
# documents; bad documents of all kinds.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export SAME="bash $HERE/same.sh" MEASURE="python3 $HERE/measure.py"

# --- W4: five bases, five columns, as the workload prints them
python3 - <<'PY'
import json, random
from decimal import Decimal, Context, ROUND_HALF_EVEN
rng = random.Random(4)
bases = ["USD", "EUR", "PLN", "NOK", "CZK"]
value = {"USD": 1, "EUR": Decimal("1.0964912"), "PLN": Decimal("0.2531"),
         "NOK": Decimal("0.0957"), "CZK": Decimal("0.04341")}

def three(number):
    text = format(Context(prec=3, rounding=ROUND_HALF_EVEN).create_decimal(number), "f")
    if "." in text:
        text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text if "." in text else text + ".0"

with open("want", "w") as want, open("want.csv", "w", newline="") as csv, \
        open("want.jsonl", "w") as jsonl:
    csv.write(",".join(["base", *bases, "error"]) + "\r\n")
    for base in bases:
        rates = {c: 1 if c == base else str(Context(prec=rng.randint(3, 25)).divide(
            value[base], value[c])) for c in bases + ["XXX"][:0]}
        with open(base + ".json", "w") as file:
            file.write('{"base": "%s", "date": "2026-11-27",\n "rates": {%s}}' % (
                base, ", ".join(f'"{c}": {r}' for c, r in rates.items())))
        shown = [three(Decimal(r)) for r in rates.values()]
        want.write(f"1 {base} = " + ", ".join(f"{s} {c}" for s, c in zip(shown, bases)) + "\n")
        csv.write(",".join([base, *shown, ""]) + "\r\n")
        row = {"base": base, **dict(zip(bases, shown)), "error": ""}
        jsonl.write(json.dumps(row, separators=(",", ":")) + "\n")
PY
export MATRIX='1 {/base} = {/rates/USD:.3} USD, {/rates/EUR:.3} EUR, {/rates/PLN:.3} PLN, {/rates/NOK:.3} NOK, {/rates/CZK:.3} CZK'
export FIVE="USD.json EUR.json PLN.json NOK.json CZK.json"
t "the matrix begins as it is told" -m '^1 USD = 1\.0 USD, 0\.912 EUR, ' 'cat want'
t "the matrix" -E -O want '$QUERN extract --template "$MATRIX" $FIVE'
t "... as csv" -E -O want.csv '$QUERN extract --template "$MATRIX" --format csv $FIVE'
t "... as jsonl" -E -O want.jsonl '$QUERN extract --template "$MATRIX" --format jsonl $FIVE'
t "... one base is missing: an item of its own, at the end status 1" -s 1 \
    -e "^quern: bad.json: '/rates/USD' is not there\$" -O want \
    'echo "{\"base\":\"XXX\",\"rates\":{}}" >bad.json
     $QUERN extract --template "$MATRIX" USD.json bad.json ${FIVE#* }'

# --- values
cat >v.json <<'J'
{"i": 12345678901234567890123, "d": 0.10, "e": 1E400, "n": null, "t": true, "s": "a,b\"\n\té",
 "h": "#1", "k~/": {"0": [10, 20, 30]}, "neg": -0.00}
J
t "text: tabs between, one line" -E -o $'12345678901234567890123\t0.10\t1E400\t\ttrue\ta,b"\\n\\té\t#1\t20\t-0.00' \
    '$QUERN extract --columns /i,/d,/e,/n,/t,/s,/h,x=/k~0~1/0/1,/neg v.json'
t "csv" -E -o $'i,s,error\r\n12345678901234567890123,"a,b""\n\té",\r' \
    '$QUERN extract --columns i=/i,s=/s --format csv v.json'
t "tsv" -E -o $'i\ts\terror\n12345678901234567890123\ta,b"\\n\\té\t' \
    '$QUERN extract --columns i=/i,s=/s --format tsv v.json'
t "jsonl" -E -o '{"i":"12345678901234567890123","s":"a,b\"\n\t\u00E9","error":""}' \
    '$QUERN extract --columns i=/i,s=/s --format jsonl v.json'
t "stdin, compressed" -E -o 0.10 'gzip <v.json | $QUERN extract --columns /d'

# --- arrays, against Python
python3 - $((30000 / DIV)) <<'PY'
import json, random, sys
rng, n = random.Random(5), int(sys.argv[1])
users = [{"id": rng.getrandbits(rng.choice([8, 60, 80])), "name": "".join(
    rng.choice("aé#$\\\"\t,") for _ in range(rng.randint(0, 9)))} for _ in range(n)]
for i in range(500, n, 997):
    del users[i]["name"]
with open("users.json", "w") as file:
    json.dump({"page": 1, "users": users}, file)
with open("rows.jsonl", "w") as file:
    for i, user in enumerate(users):
        row = {"id": str(user["id"]), "name": user["name"], "error": ""} if "name" in user else \
            {"id": "", "name": "", "error": f"users.json: '/users/{i}/name' is not there"}
        file.write(json.dumps(row, separators=(",", ":")).replace("\\u00e9", "\\u00E9") + "\n")
PY
export EACH="--each /users --columns id=/id,name=/name"
# More than are named one by one, but where a sanitizer makes the list short.
[ -n "$SANITIZER" ] && more="is not there" || more='^quern: [0-9]+ more bad records$'
t "a row for each element" -s 1 -O rows.jsonl -e "$more" \
    '$QUERN extract $EACH --format jsonl users.json'
t "the same bytes" -T 120 "\$SAME '' extract $EACH --format jsonl users.json v.json users.json"
t "many documents, the same bytes" -T 120 \
    "\$SAME 'cat v.json' extract --columns /i,/d \$(for i in \$(seq 50); do echo v.json; done) - users.json v.json"

# --- what is wrong
for bad in '{' '[1,]' '{"a":1}}' '{"a":01}' '{1.5:2}' $'"\xff"' '{"a":1,"a":2}' '[NaN]' ''; do
    printf %s "$bad" >x.json
    t "no JSON: $(printf %s "$bad" | tr -c '[:print:]' '?')" -s 1 -o 0.10 -e '^quern: x.json:1: ' \
        '$QUERN extract --columns /d x.json v.json'
done
t "deep" -s 1 -o 0.10 -e '^quern: x.json:1: maximum parsing depth' \
    'head -c 3000000 /dev/zero | tr "\0" "[" >x.json; $QUERN extract --columns /d x.json v.json'
t "huge" -s 1 -o 0.10 -e '^quern: x.json: longer than --max-document' \
    'head -c 3000000 /dev/zero | tr "\0" 1 >x.json
     $QUERN extract --columns /d --max-document 1M x.json v.json'
t "an array for a value, as a row" -s 1 -o $'x,error\r\n,v.json: \'/k~0~1/0\' is an array\r' \
    '$QUERN extract --columns x=/k~0~1/0 --format csv v.json 2>/dev/null'
t "--strict" -s 1 -o 0.10 '$QUERN extract --strict --columns /d v.json x.json v.json'
t "no columns" -s 2 -o '' -e 'needs --columns or --template' '$QUERN extract v.json'
t "no pointer" -s 2 -o '' -e "'d' is not NAME=POINTER" '$QUERN extract --columns d v.json'
t "a brace" -s 2 -o '' -e 'without the other brace' '$QUERN extract --template "{/d" v.json'
t "a missing file" -s 3 -o '' -e 'none.json: No such file' '$QUERN extract --columns /d v.json none.json'
if [ -z "$SANITIZER" ]; then
    t "a document of 16 MB in bounded memory" -m '^[0-9]*$' \
        'python3 -c "print(\"[\" + \",\".join(\"%d\" % (i % 10) for i in range(8000000)) + \"]\")" >x.json
         $MEASURE peak 700 v.json -- $QUERN extract -j2 --columns /5 x.json; status=$?; rm x.json; exit $status'
else
    exempt "a document of 16 MB in bounded memory" "a sanitizer needs memory of its own"
fi
finish
