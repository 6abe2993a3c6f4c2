#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A drawing of a report as a file of its own:  tools/figure.py RUN/report.html NUMBER FIGURE.svg

Without NUMBER and FIGURE.svg: the drawings of the report and their numbers.
"""

import pathlib
import re
import sys


def drawings(page):
    """Caption and <svg> of each figure."""
    return [(re.sub("<[^>]*>", "", figure[2]).strip(), figure[1])
            for figure in re.finditer(r"<figure>.*?(<svg.*?</svg>).*?<figcaption>(.*?)</figcaption>", page, re.S)]


def main():
    if len(sys.argv) not in (2, 4):
        sys.exit(__doc__)
    page = pathlib.Path(sys.argv[1]).read_text()
    found = drawings(page)
    if len(sys.argv) == 2:
        for number, (caption, _) in enumerate(found):
            print(number, caption)
        return
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    drawing = found[int(sys.argv[2])][1]
    if "xmlns=" not in drawing:
        drawing = drawing.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    # Text colours and fonts come from the page; the background is the reader's.
    drawing = drawing.replace(">", f"><style>{style}svg {{ font-family: sans-serif; }}</style>", 1)
    pathlib.Path(sys.argv[3]).write_text(drawing + "\n")


main()
