"""oracle: what the end-to-end tests compare quern with, written apart from it.

    oracle.py numbers KIND COUNT SEED     seeded integers, one a line
    oracle.py prime|factor|sumsq          canonical integers on stdin -> quern's text
    oracle.py json prime|sumsq            the same -> quern's jsonl
    oracle.py check-factors FILE          stdin is quern's factorization of FILE's integers
    oracle.py check-json-factors FILE     the same for jsonl
    oracle.py semiprime DIGITS SEED       p * q of two primes of half the digits
    oracle.py prime-of DIGITS SEED        a prime
    oracle.py total|fold                  sum of S(n), sum of n^2 over stdin

Primality is Miller-Rabin: exact with the first 13 primes as bases below PROVED (Sorenson
and Webster 2015), and above it with 40 bases, which no number in these tests passes by
chance. Python's own integers do the rest; the checks multiply back.
"""
import json
import math
import random
import sys

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)

PROVED = 3317044064679887385961981
PRIMES = [p for p in range(2, 174) if all(p % q for q in range(2, math.isqrt(p) + 1))]

# Composites made to fool: strong pseudoprimes to the first k prime bases (psi_1 .. psi_13,
# OEIS A014233), Carmichael numbers, squares of primes, p * (2p - 1).
PSI = [2047, 1373653, 25326001, 3215031751, 2152302898747, 3474749660383,
       341550071728321, 3825123056546413051, 318665857834031151167461, PROVED]
CARMICHAEL = [561, 1105, 1729, 2465, 2821, 6601, 8911, 10585, 825265, 321197185,
              9746347772161, 1436697831295441, 60977817398996785, 7156857700403137441]
MERSENNE = [2 ** e - 1 for e in (2, 3, 5, 7, 13, 17, 19, 31, 61, 89)]


def is_prime(n):
    if n < 2:
        return False
    for p in PRIMES:
        if n % p == 0:
            return n == p
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for a in PRIMES[:13] if n < PROVED else PRIMES:
        x = pow(a, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def divisor(n):
    """A proper divisor of a composite n: Pollard's rho."""
    for c in range(1, 1000):
        x = y = 2
        d = 1
        while d == 1:
            product, saved = 1, (x, y)
            for _ in range(64):
                x = (x * x + c) % n
                y = (y * y + c) % n
                y = (y * y + c) % n
                product = product * (x - y) % n
            d = math.gcd(product, n)
            if d == n:
                x, y = saved
                d = 1
                while d == 1:
                    x = (x * x + c) % n
                    y = (y * y + c) % n
                    y = (y * y + c) % n
                    d = math.gcd(x - y, n)
        if d != n:
            return d
    raise ValueError(n)


def factor(n):
    if n < 2:
        return []
    if is_prime(n):
        return [n]
    for p in PRIMES:
        if n % p == 0:
            return sorted([p] + factor(n // p))
    d = divisor(n)
    return sorted(factor(d) + factor(n // d))


def class_of(n):
    if n < 2:
        return "neither"
    if not is_prime(n):
        return "composite"
    return "prime" if n < PROVED else "probable"


def proof_of(n):
    """Of a prime."""
    if n < 2 ** 64:
        return "deterministic-64"
    return "mr13" if n < PROVED else "bpsw"


def sum_of_squares(n):
    return (n - 1) * n * (2 * n - 1) // 6 if n else 0


def random_prime(rng, digits):
    while True:
        p = rng.randrange(10 ** (digits - 1), 10 ** digits) | 1
        if is_prime(p):
            return p


def edges():
    numbers = list(range(0, 60)) + PSI + CARMICHAEL + MERSENNE
    for e in (8, 16, 31, 32, 33, 52, 53, 62, 63, 64, 65, 96, 127, 128, 129):
        numbers += [2 ** e + d for d in range(-3, 4)]
    for e in (18, 19, 20, 21, 38, 39):
        numbers += [10 ** e + d for d in range(-1, 2)]
    for p in (46337, 46349, 65521, 65537, 1000003, 2147483647, 4294967291, 4294967311):
        numbers += [p, p * p, p * (2 * p - 1), p * p * p]
    return numbers


def numbers(kind, count, seed):
    rng = random.Random(f"{kind} {seed}")
    if kind == "edges":
        return edges()
    make = {
        "u64": lambda: rng.randrange(2 ** 64),
        "bits": lambda: rng.randrange(2 ** rng.randrange(1, 65)),
        "small": lambda: rng.randrange(10 ** 6),
        "w3": lambda: rng.randint(40000000, 80000000),
        "u128": lambda: rng.randrange(2 ** 128),
        "digits30": lambda: rng.randrange(10 ** 30),
        "digits40": lambda: rng.randrange(10 ** 40),
        "semi64": lambda: random_prime(rng, 9) * random_prime(rng, 10),
        "big": lambda: rng.randrange(10 ** rng.randrange(1, 400)),
        "mixed": lambda: rng.randrange(10 ** rng.choice((1, 3, 6, 9, 12, 15, 19, 20, 24))),
    }[kind]
    return [make() for _ in range(count)]


def weakest(proofs):
    order = ["deterministic-64", "mr13", "bls", "aprcl", "bpsw"]
    return max(proofs, key=order.index) if proofs else ""


def dump(row):
    return json.dumps(row, separators=(",", ":"))


def json_prime(n):
    proof = proof_of(n) if is_prime(n) else ""
    return dump({"n": str(n), "class": class_of(n), "proof": proof, "error": ""})


def json_sumsq(n):
    return dump({"n": str(n), "sumsq": str(sum_of_squares(n)), "error": ""})


def check(n, factors, cofactor):
    """None, or what is wrong with a factorization of n."""
    if math.prod(factors) * cofactor != n and n > 1:
        return "the product differs"
    if n < 2 and factors:
        return "0 and 1 have no factors"
    if factors != sorted(factors):
        return "not ascending"
    if not all(is_prime(p) for p in set(factors)):
        return "a factor is not prime"
    if cofactor != 1 and (cofactor < 4 or is_prime(cofactor)):
        return "the cofactor is not composite"
    return None


def read_factor_line(line):
    head, _, tail = line.partition(":")
    words = tail.split()
    cofactor = 1
    if words and words[-1].startswith("("):
        cofactor = int(words.pop().strip("()"))
    factors = [int(w) for w in words]
    text = f"{head}:" + "".join(f" {p}" for p in factors)
    text += f" ({cofactor})" if cofactor != 1 else ""
    return head, factors, cofactor, text == line


def check_factors(path, lines, unfinished_allowed=False):
    with open(path, encoding="ascii") as file:
        wanted = [line.strip() for line in file]
    for number, (want, line) in enumerate(zip(wanted, lines), 1):
        head, factors, cofactor, canonical = read_factor_line(line)
        problem = "wrong format" if not canonical else None
        problem = problem or (head != want and f"expected the line of {want}")
        problem = problem or check(int(want), factors, cofactor)
        if cofactor != 1 and not unfinished_allowed:
            problem = problem or "unfinished"
        if problem:
            return f"line {number}: {problem}: {line[:200]}"
    if len(wanted) != len(lines):
        return f"{len(lines)} lines, expected {len(wanted)}"
    return None


def check_json_factors(path, lines):
    with open(path, encoding="ascii") as file:
        wanted = [line.strip() for line in file]
    for number, (want, line) in enumerate(zip(wanted, lines), 1):
        row = json.loads(line)
        factors = [int(p) for p in row["factors"]]
        want_row = {"n": want, "factors": [str(p) for p in factors], "cofactor": "",
                    "proof": weakest([proof_of(p) for p in factors]), "error": ""}
        if dump(want_row) != line:
            return f"line {number}: {line[:200]}\nexpected {dump(want_row)[:200]}"
        problem = check(int(want), factors, 1)
        if problem:
            return f"line {number}: {problem}: {line[:200]}"
    if len(wanted) != len(lines):
        return f"{len(lines)} lines, expected {len(wanted)}"
    return None


def main(args):
    command = args[0]
    if command == "numbers":
        print("\n".join(map(str, numbers(args[1], int(args[2]), args[3]))))
        return 0
    if command in ("semiprime", "prime-of"):
        digits, rng = int(args[1]), random.Random(f"{command} {args[2]}")
        if command == "prime-of":
            print(random_prime(rng, digits))
        else:
            half = digits // 2
            print(random_prime(rng, half) * random_prime(rng, digits - half))
        return 0
    lines = sys.stdin.read().splitlines()
    if command in ("check-factors", "check-json-factors"):
        checker = check_factors if command == "check-factors" else check_json_factors
        problem = checker(args[1], lines)
        if problem:
            print(problem, file=sys.stderr)
        return 1 if problem else 0
    values = [int(word) for line in lines for word in line.split()]
    if command == "total":
        print(sum(map(sum_of_squares, values)))
    elif command == "fold":
        print(sum(n * n for n in values))
    else:
        line_of = {
            "prime": lambda n: f"{n} {class_of(n)}",
            "factor": lambda n: f"{n}:" + "".join(f" {p}" for p in factor(n)),
            "sumsq": lambda n: f"{n} {sum_of_squares(n)}",
            "json prime": json_prime,
            "json sumsq": json_sumsq,
        }[" ".join(args)]
        sys.stdout.write("".join(line_of(n) + "\n" for n in values))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
