"""What values cut is never cut inside what a reader sees as one character: another program's word for it.

test_cuts.py PROGRAM GRAPHEMES       the program that cuts; 1: with grapheme clusters, else between code points

Intl.Segmenter of Node is ICU's.  Without Node only what the program itself checks is tested.
"""
import shutil
import subprocess
import sys

COUNT = 100_000

SCRIPT = r"""
const segmenter = new Intl.Segmenter("en", {granularity: "grapheme"});
const decoder = new TextDecoder();
const size = [text => [...text].length, text => text.length, text => Buffer.byteLength(text)];
const hex = text => decoder.decode(Buffer.from(text, "hex"));
let cut = 0, seen = 0;
for (const line of require("fs").readFileSync(0, "latin1").split("\n")) {
  if (!line) continue;
  const [most, unit, single, given, made] = line.split("\t");
  seen++;
  if (single === "1") continue;
  const text = hex(given), result = hex(made), count = size[unit];
  const fail = what => { console.log(`${what}: ${line}`); process.exit(1); };
  if (count(text) <= +most) {
    if (result !== text) fail("cut although it fits");
    continue;
  }
  cut++;
  if (!result.endsWith("\u2026")) fail("cut without a sign");
  let best = "", left = +most - count("\u2026");
  for (const {segment} of segmenter.segment(text)) {
    left -= count(segment);
    if (left < 0) break;
    best += segment;
  }
  if (result !== best + "\u2026") fail("cut elsewhere");
}
console.log(`${seen} texts, ${cut} cut where Intl.Segmenter would`);
"""


def main():
    program, graphemes = sys.argv[1:]
    made = subprocess.run([program, str(COUNT)], stdout=subprocess.PIPE, check=True).stdout
    lines = made.count(b"\n")
    if lines != COUNT:
        sys.exit(f"{lines} lines instead of {COUNT}")
    node = shutil.which("node")
    reason = "node is not installed" if not node else "built without utf8proc" if graphemes != "1" else ""
    if reason:
        print(f"SKIP: {reason}, so nobody compares with Intl.Segmenter")
        sys.exit(77)
    sys.exit(subprocess.run([node, "-e", SCRIPT], input=made).returncode)


main()
