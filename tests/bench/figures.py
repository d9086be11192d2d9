# SPDX-License-Identifier: BSD-2-Clause
"""Figures with their spread, and the table that they are printed in."""
import statistics
from dataclasses import dataclass


def spread(values, digits=0):
    """Median with the lower and upper quartile; just the values' range when there are few."""
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    if len(values) < 4:
        low, high = min(values), max(values)
    else:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{statistics.median(values):,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def percentile(values, share):
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratios(values, references):
    """Round by round, so that what disturbed a whole round cancels out."""
    return [a / b for a, b in zip(values, references, strict=True) if b > 0]


@dataclass
class Row:
    """A line of the table. Without figures it is a heading."""
    what: str
    netcapd: str = ""
    reference: str = ""
    tcpdump: str = ""
    ratio: str = ""
    target: str = ""


HEADING = Row("", "netcapd", "reference", "tcpdump", "ratio", "to reach")


def verdict(value, limit, text):
    """Is the value at most the limit? text says so in the table."""
    return f"{text}: {'reached' if value <= limit else 'NOT REACHED'}"


def verdict_least(value, limit, text):
    """Is the value at least the limit?"""
    return verdict(-value, -limit, text)


def cells(row):
    return [row.what, row.netcapd, row.reference, row.tcpdump, row.ratio, row.target]


def print_table(rows, heading=HEADING):
    lines = [cells(row) for row in [heading, *rows]]
    figures = [line for line in lines if any(line[1:])]
    widths = [max(len(line[i]) for line in figures) for i in range(len(lines[0]))]
    for line in lines:
        if not any(line[1:]):
            print(f"\n{line[0]}")
            continue
        text = [line[0].ljust(widths[0])]
        text += [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
        print("  ".join([*text, line[-1]]).rstrip())
