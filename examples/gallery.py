"""Writes the gallery as C: gallery.py OUT DOCUMENT... (each with its page beside it)"""
import json
import os
import re
import sys


def text(value):
    """A C string; \\ooo for what is not plain."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in value.encode()) + '"'


def plain(markdown):
    return re.sub(r"\s*\*\*\[D\]\*\*|`", "", markdown).strip()


def rows(page):
    """Of the table "Fill in"."""
    part = page.split("## Fill in")[1].split("\n## ")[0]
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 2 and not cells[0].startswith(("---", "in place of")):
            yield cells


def main(out, *paths):
    entries = []
    with open(out, "w", encoding="ascii") as file:
        file.write('/* Written by gallery.py. */\n#include "casehook_gallery.h"\n\n')
        for number, path in enumerate(sorted(paths)):
            with open(path, encoding="utf-8") as document, open(path[:-5] + ".md", encoding="utf-8") as markdown:
                content, page = document.read(), markdown.read()
            json.loads(content)
            data = content.encode()
            file.write(f"static const char json_{number}[] = {{\n")
            for at in range(0, len(data), 24):
                file.write("    " + ", ".join(str(b) if b < 128 else str(b - 256) for b in data[at:at + 24]) + ",\n")
            file.write("};\nstatic const struct gallery_fill fill_%d[] = {\n" % number)
            for place, what in rows(page):
                words = " ".join(word for word in re.findall(r"`([^`]*)`", place) if word in content and " " not in word)
                file.write(f"    {{{text(words)}, {text(plain(place))}, {text(plain(what))}}},\n")
            file.write("};\n\n")
            name = os.path.basename(path)[:-5]
            title = re.match(r"# (.*)", page).group(1)
            entries.append(f"    {{{text(name)}, {text(title)}, json_{number}, sizeof json_{number}, fill_{number}, "
                           f"sizeof fill_{number} / sizeof *fill_{number}}},\n")
        file.write("const struct gallery_entry casehook_gallery[] = {\n" + "".join(entries) + "    {0},\n};\n")
        file.write(f"const size_t casehook_gallery_count = {len(entries)};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
