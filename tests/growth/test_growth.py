"""What outsiders feed costs what it is long: instructions for texts of n, 2n and 4n bytes.

test_growth.py PROGRAM      growth.c, built without sanitizers

Twice the text may take 2.2 times the instructions.  Nothing here depends on the speed of a machine.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

MOST = 2.2   # a sort of n keys needs a little more than twice as much for 2n
EQUAL = 1.2  # rows that are named "= ...": the second may cost as much as the first, and this


def count(program, folder):
    """[(size, name, instructions)] in the order of the program."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=measured",
         "--dump-after=measured", f"--callgrind-out-file={folder}/out", program],
        # Painting blocks, which meson asks malloc for, is not work of ours.
        capture_output=True, text=True, env={k: v for k, v in os.environ.items() if k != "MALLOC_PERTURB_"})
    if done.returncode:
        raise SystemExit(f"{program}: {done.returncode}\n{done.stdout[-500:]}{done.stderr[-2000:]}")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    files = sorted(glob.glob(folder + "/out.*"), key=lambda name: int(name.rsplit(".", 1)[1]))
    counts = [int(re.search(r"^(?:summary|totals): (\d+)", open(name, encoding="utf-8").read(), re.M).group(1))
              for name in files]
    if len(counts) < len(rows):
        raise SystemExit(f"{len(rows)} rows, {len(counts)} counts")
    return [(int(size), name, number) for (size, name), number in zip(rows, counts)]


def judge(rows):
    bad = []
    for (size, name, first), (_, next_name, second) in zip(rows, rows[1:]):
        if name != next_name:
            continue
        ratio, most = second / max(first, 1), EQUAL if name.startswith("=") else MOST
        print(f"{name:36} {size:7} {first:12} {second:12}  x {ratio:.2f}{'' if ratio <= most else '  TOO MUCH'}")
        if ratio > most:
            bad.append(name)
    return bad


def main():
    if not shutil.which("valgrind"):
        print("SKIP: valgrind, which counts instructions, is not installed")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        rows = count(sys.argv[1], folder)
    empty = [name for _, name, number in rows if number < 1000]
    bad = judge(rows)
    if empty:
        print("nothing was counted for:", ", ".join(dict.fromkeys(empty)))
    if bad:
        print("grows too fast:", ", ".join(dict.fromkeys(bad)))
    return 1 if bad or empty else 0


if __name__ == "__main__":
    sys.exit(main())
