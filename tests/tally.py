# SPDX-License-Identifier: BSD-2-Clause
"""Adds up what the suites reported: tally.py KIND:SUITE:REPORT...

KIND is meson (the JSON log of "meson test"), junit (pytest's XML) or tap (a directory of logs in
TAP, NAME.log each, which must be complete). Names every test that failed
or was skipped, and ends with the line "N passed, N failed, N skipped". Exits with 1 if a test
failed, a report is missing or broken, or nothing ran.
"""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

# What a test program prints for each of its tests: TAP, and cmocka's own form.
TAP = re.compile(r"^(not )?ok \d+ *-? *([^#\n]*)(#\s*skip\S*\s*(.*))?$", re.IGNORECASE | re.MULTILINE)
CMOCKA = re.compile(r"^\[\s*(OK|FAILED|SKIPPED)\s*\] (?!\d+ test)([^\s,]+)", re.MULTILINE)


@dataclass
class Tally:
    passed: int = 0
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def count_output(name, text):
    """The tests that the program called name says it ran."""
    tally = Tally()
    for bad, test, skip, why in TAP.findall(text):
        if skip:
            tally.skipped.append(f"{name}: {test.strip()}: {why or 'no reason given'}")
        elif bad:
            tally.failed.append(f"{name}: {test.strip()}")
        else:
            tally.passed += 1
    results = {test: result for result, test in CMOCKA.findall(text)}
    for test, result in results.items():
        if result == "OK":
            tally.passed += 1
        elif result == "FAILED":
            tally.failed.append(f"{name}: {test}")
        else:
            tally.skipped.append(f"{name}: {test}: no reason given")
    return tally


def count_program(entry):
    """One line of meson's log: a program, which may be one test or many."""
    name, result = entry["name"], entry["result"]
    text = entry.get("stdout", "") + "\n" + entry.get("stderr", "")
    if result == "SKIP":
        lines = text.strip().splitlines()
        return Tally(skipped=[f"{name}: {lines[-1] if lines else 'no reason given'}"])
    tally = count_output(name, text)
    if result == "OK":
        if not tally.passed and not tally.skipped and not tally.failed:
            tally.passed = 1
    elif not tally.failed:
        tally.failed.append(f"{name}: {result}, exit status {entry.get('returncode')}")
    return tally


def count_meson(path):
    tally = Tally()
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            tally.add(count_program(json.loads(line)))
    return tally


def count_junit(path):
    tally = Tally()
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed.append(name)
        elif skipped is not None:
            tally.skipped.append(f"{name}: {skipped.get('message') or 'no reason given'}")
        else:
            tally.passed += 1
    return tally


def count_tap(path):
    tally = Tally()
    for log in sorted(pathlib.Path(path).glob("*.log")):
        text = log.read_text(encoding="utf-8", errors="replace")
        one = count_output(log.stem, text)
        plan = re.search(r"^1\.\.(\d+)$", text, re.MULTILINE)
        if not plan or int(plan[1]) != one.passed + len(one.failed) + len(one.skipped):
            last = (text.strip().splitlines() or ["nothing"])[-1]
            one.failed.append(f"{log.stem}: the tests did not come to their end: {last}")
        tally.add(one)
    return tally


def count_report(kind, suite, path):
    try:
        tally = {"meson": count_meson, "junit": count_junit, "tap": count_tap}[kind](path)
    except (OSError, ValueError, KeyError, ElementTree.ParseError) as error:
        return Tally(failed=[f"the suite left no report that can be read: {error}"])
    if not tally.passed and not tally.failed and not tally.skipped:
        tally.failed.append("the suite ran no test")
    return tally


def main(arguments):
    total = Tally()
    print()
    for argument in arguments:
        kind, suite, path = argument.split(":", 2)
        tally = count_report(kind, suite, path)
        print(f"{suite + ':':<13}{tally.passed} passed, {len(tally.failed)} failed, "
              f"{len(tally.skipped)} skipped")
        for name in tally.failed:
            print(f"    failed: {name}")
        for name in tally.skipped:
            print(f"    skipped: {name}")
        total.add(tally)
    print(f"{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped")
    return 1 if total.failed or not total.passed else 0


sys.exit(main(sys.argv[1:]))
