#!/usr/bin/env python3
"""Writes the tables of CONFIGURATION.md and LIMITS.md from what the programs say of themselves with --describe.

usage: docs/tables.py [--check] [BUILD_FOLDER]      (default: build)

--check changes nothing and fails if a page is stale. The text around the tables is written by hand. The settings of the
pages come from the comment in web/nginx/configure.
SPDX-License-Identifier: MIT"""
import json
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PROGRAMS = ["vote-api", "worker", "result-api", "scrutin-setup", "scrutin-audit"]
BEGIN, END = "<!-- begin: written by docs/tables.py -->", "<!-- end: written by docs/tables.py -->"
SECTIONS = ["Other parts and secrets", "Listening", "Polls", "Operation", "Limits for each client", "Limits of connections",
            "Limits of work in progress", "Limits of polls and ballots", "Limits of the stream", "Limits of the pages"]


def describe(program, build):
    path = build / program.removeprefix("scrutin-") / program
    rows = json.loads(subprocess.run([path, "--describe"], check=True, capture_output=True, text=True).stdout)
    return [row | {"of": program} for row in rows]


def describe_pages():
    text = re.sub(r"\n#       (?=\S)", " ", (ROOT / "web/nginx/configure").read_text())
    rows = re.findall(r"^#   (PAGE_\w+)=(\d+)  (.+)$", text, re.M)
    return [{"section": "Limits of the pages", "name": name, "type": "number", "default": value, "sentence": sentence, "of": "pages"}
            for name, value, sentence in rows]


def merge(rows):
    """Rows of several programs that say the same become one."""
    merged = {}
    for row in rows:
        key = (row["section"], row["name"], row["default"], row.get("min"), row["sentence"])
        merged.setdefault(key, row | {"of": []})["of"].append(row["of"])
    return list(merged.values())


def code(text, names):
    """Names of settings and options in a sentence, marked as code where they are not yet."""
    parts = text.split("`")
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"(?<![\w/-])(--[a-z-]+|/[a-z]+z|/metrics|[A-Z]+_[A-Z_]+)(?![\w*])",
                          lambda found: f"`{found[0]}`" if found[0] in names or found[0][0] in "-/" else found[0], parts[i])
    return "`".join(parts).replace("|", "\\|")


def default_of(row):
    return "required" if row["default"] is None else f"`{row['default']}`" if row["default"] else "(none)"


def configuration(rows, names):
    lines = []
    for section in SECTIONS:
        found = [row for row in rows if row["section"] == section and row["type"] != "constant"]
        if not found:
            continue
        lines += [f"## {section}", "", "| variable | default | program | meaning |", "| --- | --- | --- | --- |"]
        lines += [f"| `{row['name']}` | {default_of(row)} | {', '.join(row['of'])} | {code(row['sentence'], names)} |" for row in found]
        lines.append("")
    return lines


def in_words(row):
    """A limit with its unit, as people write it; names say the unit."""
    name, text = row["name"], row["default"] if row["type"] != "constant" else str(row["max"])
    quota = re.fullmatch(r"(\d+)/(\d+)", text)
    if quota:
        many, seconds = int(quota[1]), int(quota[2])
        pace = f"{many // seconds:,} a second" if many >= seconds else f"1 in {seconds // many} s"
        return f"{many:,} at once, {pace}"
    if not text.isdigit():
        return text
    number = int(text)
    if name.endswith("_MS"):
        return f"{number / 1000:,g} s"
    if name.endswith("_S"):
        days = number / 86400
        return f"{number:,} s" + (f" ({days:g} days)" if days > 1 else " (1 day)" if days == 1 else "")
    if name.endswith("_BYTES") or name.endswith("_BODY_MAX"):
        for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if number % size == 0:
                return f"{number // size:,} {unit}"
    if name == "HTTP_NETWORK_PERCENT":
        return f"{number} %"
    return f"{number:,}"


def limits(rows, names):
    lines = []
    for section in SECTIONS:
        found = [row for row in rows if row["section"] == section and row["type"] != "flag"]
        if not section.startswith("Limits") or not found:
            continue
        lines += [f"## {section}", "", "| name | default | program | what it limits, and why |", "| --- | --- | --- | --- |"]
        for row in found:
            name = f"`{row['name']}`" + (" (fixed)" if row["type"] == "constant" else "")
            lines.append(f"| {name} | {in_words(row)} | {', '.join(row['of'])} | {code(row['sentence'], names)} |")
        lines.append("")
    return lines


def update(page, lines, check):
    path = DOCS / page
    old = path.read_text()
    before, rest = old.split(BEGIN + "\n")
    after = rest.split(END, 1)[1]
    new = "\n".join([before + BEGIN, "", *lines]) + END + after
    if new == old:
        return False
    if check:
        print(f"docs/{page} is stale: run make docs", file=sys.stderr)
    else:
        path.write_text(new)
    return True


def main(arguments):
    check = "--check" in arguments
    folders = [argument for argument in arguments if argument != "--check"]
    build = Path(folders[0]) if folders else ROOT / "build"
    rows = [row for program in PROGRAMS for row in describe(program, build)] + describe_pages()
    unknown = {row["section"] for row in rows} - set(SECTIONS)
    if unknown:
        sys.exit(f"docs/tables.py: SECTIONS lacks {', '.join(sorted(unknown))}")
    names = {row["name"] for row in rows}
    rows = merge(rows)
    stale = [update("CONFIGURATION.md", configuration(rows, names), check), update("LIMITS.md", limits(rows, names), check)]
    return 1 if check and any(stale) else 0


sys.exit(main(sys.argv[1:]))
