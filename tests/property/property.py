#!/usr/bin/env python3
"""Quantities, times and durations against a second implementation: Python's exact arithmetic and its calendar.

    property.py QUANTITY_LINES [--count N] [--seed N]

The texts are drawn at random, more often than not near the edges of what is allowed. A difference is printed with both answers.
"""
import argparse
import datetime
import random
import re
import subprocess
import sys
from fractions import Fraction

INT64 = 2**63 - 1
NANO = Fraction(1, 10**9)
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
QUANTITY = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)((?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?)")


# ---- quantities ----------------------------------------------------------------------------------------------------------

def away_from_zero(f):
    """The next integer that is not nearer to zero."""
    n = -(-abs(f).numerator // abs(f).denominator)
    return -n if f < 0 else n


def clamp(n):
    return max(-INT64 - 1, min(INT64, n))


def parse(text):
    """Value and format ("d"ecimal, "b"inary, "e"xponent), or None."""
    m = QUANTITY.fullmatch(text)
    if not m:
        return None
    sign, number, suffix = m.groups()
    whole, _, fraction = number.partition(".")
    value = Fraction(int((whole + fraction) or "0"), 10 ** len(fraction))
    if suffix in BINARY:
        value, form = value * 2 ** BINARY[suffix], "b"
    elif suffix in DECIMAL:
        value, form = value * Fraction(10) ** DECIMAL[suffix], "d"
    else:
        value, form = value * Fraction(10) ** int(suffix[1:]), "e"
    # Nothing is finer than a nano; what is, is raised to the next. Binary quantities are cut to what int64 holds.
    value = away_from_zero(value / NANO) * NANO
    if form == "b":
        value = min(value, Fraction(INT64))
    if form == "b" and 0 < value < 1:
        form = "d"
    return (-value if sign == "-" else value), form


def canonical(value, form):
    """The text with the largest suffix that leaves an integer."""
    if value == 0:
        return "0"
    if form == "b" and (abs(value) < 1024 or value.denominator != 1):
        form = "d"
    if form == "b":
        for suffix, bits in reversed(BINARY.items()):
            if value.numerator % 2**bits == 0:
                return "%d%s" % (value.numerator // 2**bits, suffix)
        return str(value.numerator)
    for suffix, exp in reversed(DECIMAL.items()):
        mantissa = value / Fraction(10) ** exp
        if mantissa.denominator == 1:
            if form == "e":
                suffix = "e%d" % exp if exp else ""
            return "%d%s" % (mantissa.numerator, suffix)
    raise AssertionError(value)


def answer_quantity(text):
    got = parse(text)
    if got is None:
        return "error"
    value, form = got
    numbers = "%d %d %d" % (clamp(away_from_zero(value)), clamp(away_from_zero(value * 1000)), (value > 0) - (value < 0))
    # Beyond int64 and below a nano, texts are a matter of taste.
    return numbers + (" " + canonical(value, form) if abs(value) < INT64 else "")


def answer_pair(what, a, b):
    x, y = parse(a)[0], parse(b)[0]
    if what == "c":
        return str((x > y) - (x < y))
    return "%d %d" % (clamp(away_from_zero(x + y)), clamp(away_from_zero((x + y) * 1000)))


def digits(r, most):
    return "".join(r.choice("0000123456789999") for _ in range(r.randint(1, most)))


def draw_quantity(r):
    number = r.choice([
        lambda: digits(r, 4), lambda: digits(r, 19), lambda: digits(r, 3) + "." + digits(r, 3),
        lambda: digits(r, 9) + "." + digits(r, 12), lambda: "." + digits(r, 10), lambda: digits(r, 2) + ".",
        lambda: str(2 ** r.randint(0, 62) + r.randint(-1, 1)), lambda: str(10 ** r.randint(0, 18) + r.randint(-1, 1)),
        lambda: str(1024 ** r.randint(1, 5) * r.randint(1, 2000))])()
    suffix = r.choice(["", "", "m", "n", "u", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E3",
                       "e-3", "e+2", "e0", "e-9", "E-10", "e9"])
    return r.choice(["", "", "", "-", "+"]) + number + suffix


def spoil(r, text):
    """A text that is most often wrong."""
    at = r.randint(0, len(text))
    return text[:at] + r.choice(["x", " ", "-", "i", "e", ",", "K", "mm", "..", "0x"]) + text[at:]


def is_odd(text):
    """Kubernetes reads some texts that its grammar does not have ("", ".", "-Ki") as 0, and wraps exponents beyond 32 bits: not
    told apart here."""
    return re.search(r"[eE][+-]?\d{4}", text) or not re.search(r"\d", text.split("e")[0].split("E")[0])


# ---- times ---------------------------------------------------------------------------------------------------------------

TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))")
EPOCH = datetime.datetime(1970, 1, 1)


def answer_time(text):
    m = TIME.fullmatch(text)
    if not m:
        return "error"
    year, month, day, hour, minute, second = (int(m[i]) for i in range(1, 7))
    if m[9] and (int(m[10]) > 23 or int(m[11]) > 59):
        return "error"
    try:
        t = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:
        return "error"
    seconds = (t - EPOCH) // datetime.timedelta(seconds=1)
    if m[9]:
        seconds -= (1 if m[9] == "+" else -1) * (int(m[10]) * 3600 + int(m[11]) * 60)
    ns = seconds * 10**9 + int((m[7] or "0").ljust(9, "0"))
    if not -INT64 <= ns <= INT64:
        return "error"
    shown = EPOCH + datetime.timedelta(seconds=ns // 10**9)
    return "%d %s" % (ns, shown.strftime("%Y-%m-%dT%H:%M:%SZ"))


def draw_time(r):
    year = r.choice([r.randint(1970, 2100), r.randint(1600, 2300), 2000, 1900, 2262, 1678])
    text = "%04d-%02d-%02d%s%02d:%02d:%02d" % (year, r.choice([2, r.randint(0, 13)]), r.choice([28, 29, 30, r.randint(0, 32)]),
                                              r.choice("TTTt"), r.randint(0, 24), r.randint(0, 60), r.randint(0, 59))
    if r.random() < 0.4:
        text += "." + "".join(r.choice("0123456789") for _ in range(r.randint(1, 10)))
    zones = ["Z", "Z", "Z", "z", "+%02d:%02d" % (r.randint(0, 24), r.randint(0, 60)), "-%02d:30" % r.randint(0, 23), ""]
    return text + r.choice(zones)


# ---- durations -----------------------------------------------------------------------------------------------------------

UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def answer_duration(text):
    sign, rest = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if rest == "0":
        return "0 0s"
    total, at = Fraction(0), 0
    for m in PART.finditer(rest):
        if m.start() != at:
            return "error"
        total, at = total + Fraction(m[1].rstrip(".") if not m[1].startswith(".") else "0" + m[1]) * UNITS[m[2]], m.end()
    if at != len(rest) or not rest:
        return "error"
    ns = total.numerator // total.denominator
    ns = -ns if sign == "-" else ns
    if abs(ns) > INT64:
        return "error"
    return "%d %s" % (ns, show_duration(ns))


def show_duration(ns):
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    if ns == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if ns < size * 1000 and ns < 10**9:
            return sign + decimal(ns, size) + unit
    hours, ns = divmod(ns, 3600 * 10**9)
    minutes, ns = divmod(ns, 60 * 10**9)
    text = "%dh" % hours if hours else ""
    text += "%dm" % minutes if hours or minutes else ""
    return sign + text + decimal(ns, 10**9) + "s"


def decimal(n, size):
    whole, rest = divmod(n, size)
    fraction = str(rest).zfill(len(str(size)) - 1).rstrip("0") if rest else ""
    return "%d%s" % (whole, "." + fraction if fraction else "")


def draw_duration(r):
    parts = []
    for unit in r.sample(list(UNITS), r.randint(1, 3)):
        number = str(r.randint(0, r.choice([9, 100, 100000])))
        # Go counts fractions in floating point: only those that are whole nanoseconds are drawn.
        if unit in ("s", "ms") and r.random() < 0.4:
            number += "." + "".join(r.choice("0123456789") for _ in range(r.randint(1, 6)))
        parts.append(number + unit)
    return r.choice(["", "", "-", "+"]) + "".join(parts)


# ---- both ----------------------------------------------------------------------------------------------------------------

def cases(r, count):
    """Lines, and the answers wanted."""
    for i in range(count):
        kind = i % 6
        if kind in (0, 1):
            text = draw_quantity(r)
            if kind == 1 and r.random() < 0.3:
                text = spoil(r, text)
            if not is_odd(text):
                yield "q " + text, answer_quantity(text)
        elif kind == 2:
            a, b = draw_quantity(r), draw_quantity(r)
            what = r.choice("cs")
            yield "%s %s %s" % (what, a, b), answer_pair(what, a, b)
        elif kind in (3, 4):
            text = draw_time(r)
            yield "t " + text, answer_time(text)
        else:
            text = draw_duration(r)
            text = spoil(r, text) if r.random() < 0.2 else text
            yield "d " + text, answer_duration(text)


def agree(want, got):
    """The canonical text is compared where one is wanted."""
    return want == got or (len(want.split()) == 3 and got.split()[:3] == want.split())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--count", type=int, default=6000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    lines, wanted = zip(*cases(random.Random(a.seed), a.count))
    out = subprocess.run([a.program], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, check=True, text=True).stdout
    got = out.splitlines()
    if len(got) != len(lines):
        print("%d answers to %d questions" % (len(got), len(lines)))
        return 1
    bad = [(line, w, g) for line, w, g in zip(lines, wanted, got) if not agree(w, g)]
    for line, w, g in bad[:20]:
        print("%s: expected %s, got %s" % (line, w, g))
    print("%d passed, %d failed (seed %d)" % (len(lines) - len(bad), len(bad), a.seed))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
