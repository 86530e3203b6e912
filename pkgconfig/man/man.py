"""A manual page out of a page of the documentation: man.py CONVERTER PAGE NAME SECTION VERSION PURPOSE OUTPUT

Tables become lists, which fit into 80 columns, and links become names of manual pages.  CONVERTER is lowdown or pandoc.
"""
import os
import re
import subprocess
import sys

PAGES = {"examples/README.md": "casehook(1)", "include/README.md": "libcasehook(3)",
         "examples/connectors/README.md": "casehook-connector(5)", "examples/casehookd/README.md": "casehookd(8)"}


def link(folder, own, text, target):
    path = os.path.normpath(os.path.join(folder, target.partition("#")[0])) if not target.startswith("#") else own
    return f"{text} (see {PAGES[path]})" if path in PAGES and path != own else text


def row(headings, cells):
    """A row as an entry: its first cell is the term."""
    rest = [(heading, cell) for heading, cell in zip(headings[1:], cells[1:]) if cell]
    if len(headings) == 2:
        words = rest[0][1] if rest else ""
    else:
        words = "; ".join(cell if heading in ("meaning", "for", "", "what it does") else f"{heading}: {cell}"
                          for heading, cell in rest)
    return f"{cells[0] or ' '}\n\n:   {words or '-'}\n\n"


def table(match):
    lines = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in match.group(0).splitlines()]
    return "".join(row(lines[0], cells) for cells in lines[2:])


def heading(match):
    level, text = match.groups()
    return f"# {text.upper()}" if level == "##" else f"## {text}"


def convert(text, own, name, purpose):
    folder = os.path.dirname(own)
    text = re.sub(r"\A# .*\n", "", text)
    text = re.sub(r"(?m)^- \[[^\n]*\]\(#[^\n]*\n(?:  .*\n)*", "", text)  # the list of contents
    parts = re.split(r"(?ms)(^```.*?^```$|(?<=\n\n)(?:    [^\n]*\n)+)", text)
    for i in range(1, len(parts), 2):  # code; indented it would belong to the list before
        if parts[i].startswith("    "):
            parts[i] = "```\n" + re.sub(r"(?m)^    ", "", parts[i]) + "```\n"
    for i in range(0, len(parts), 2):
        part = re.sub(r"\[([^\]]*)\]\(([^)\s]+)\)", lambda found: link(folder, own, *found.groups()), parts[i])
        part = re.sub(r"(?m)^\|.*\n\|[-|]+\|\n(?:\|.*\n)+", table, part)
        parts[i] = re.sub(r"(?m)^(#+) (.*)$", heading, part)
    others = ", ".join(page for path, page in PAGES.items() if path != own)
    return f"# NAME\n\n{name} - {purpose}\n\n# DESCRIPTION\n{''.join(parts)}\n# SEE ALSO\n\n{others}\n"


def main(converter, page, name, section, version, purpose, output):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(page, encoding="utf-8") as source:
        text = convert(source.read(), os.path.relpath(page, root), name, purpose)
    if os.path.basename(converter).startswith("pandoc"):
        command = [converter, "-s", "-f", "gfm+definition_lists", "-t", "man", "-V", "title=" + name.upper(), "-V",
                   "section=" + section, "-V", "footer=libcasehook " + version]
    else:
        command = [converter, "-s", "-Tman", "--out-no-smarty", "-M", "title=" + name.upper(), "-M", "section=" + section, "-M",
                   "source=libcasehook " + version]
    made = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    with open(output, "wb") as out:
        out.write(made)


main(*sys.argv[1:])
