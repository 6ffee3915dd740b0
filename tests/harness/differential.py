# SPDX-License-Identifier: GPL-2.0
"""Compare what the two HSMs made of the same random calls.

`tests/system/differential` generates sequences of calls from a seed, here to
list them, and in a Service VM to carry them out.
"""

import os
import re
import subprocess
import textwrap
from collections import Counter, defaultdict

from rules import APART, RULES, Call, History, Hypercall, Result, Step
from vm import BUILD

PROGRAM = os.path.join(BUILD, "tests", "service-vm", "differential")
END = Call(0, "END", text="the end of the sequence")


def parse_value(text):
    """A number, or the name of a place."""
    return int(text, 0) if re.fullmatch(r"0x[0-9a-f]+|\d+", text) else text


def parse_call(text):
    """A call as the program lists it."""
    file, kind, *words = text.split()
    values = dict(word.split("=", 1) for word in words)
    arg = values.pop("arg")
    return Call(int(file), kind, arg,
                {name: parse_value(value) for name, value in values.items()}, text)


def list_calls(seed, count):
    """The calls of each sequence."""
    listing = subprocess.run([PROGRAM, str(seed), str(count)], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    calls = defaultdict(list)
    for line in listing.splitlines():
        number, text = line.split(" ", 1)
        calls[int(number)].append(parse_call(text))
    return calls


def parse_result(text):
    """What came of a call."""
    match = re.fullmatch(r"(\d+)(?:=(\w+))?(?:@([^:]+))?((?::[^:]+)*)", text)
    if not match:
        raise ValueError(f"no result: {text}")
    errno, value, request, hypercalls = match.groups()
    parsed = []
    for hypercall in hypercalls.split(":")[1:]:
        number, vmid, result, args = hypercall.split(".")
        parsed.append(Hypercall(int(number, 16), int(vmid), int(result), args))
    return Result(int(errno), value or "", request or "", tuple(parsed), text)


def parse_results(path):
    """The results of each sequence, the last being that of its end."""
    results = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if line.startswith("result "):
                _, number, *texts = line.split()
                results[int(number)] = [parse_result(text) for text in texts]
    return results


class Comparison:
    """All sequences of one seed.

    `compared` of the `total` calls were: those before the HSMs went different
    ways, as the rules that `applied` allow.
    """

    def __init__(self):
        self.compared = 0
        self.total = 0
        self.applied = Counter()
        self.unexplained = []

    def notes(self, seed):
        """What was done, in a few lines."""
        rules = ", ".join(f"{name} {count}" for name, count in self.applied.most_common())
        return [f"seed {seed}: {self.compared} of {self.total} calls compared, "
                f"{sum(self.applied.values())} documented differences:",
                *textwrap.wrap(rules, 76, break_on_hyphens=False)]

    def explain(self, number, position, step):
        """Which rule explains a difference, and what is left alike."""
        for name, applies in RULES.items():
            outcome = applies(step)
            if outcome:
                self.applied[name] += 1
                return outcome
        self.unexplained.append(
            f"sequence {number}, call {position}: {step.call.text}\n"
            f"        ours:    {step.ours.text}\n        in-tree: {step.theirs.text}")
        return APART

    def sequence(self, number, calls, ours, theirs):
        """Compare a sequence up to where the HSMs go different ways."""
        history = History()
        self.total += len(calls)
        for position, call in enumerate(calls):
            step = Step(call, ours[position], theirs[position], history)
            self.compared += 1
            if (step.ours != step.theirs
                    and self.explain(number, position, step) == APART):
                return
            history.note(call, step.ours.errno)


def compare(seed, numbers, ours_log, theirs_log):
    """Compare those sequences of two runs; the comparison and what is wrong."""
    calls = list_calls(seed, numbers[-1] + 1)
    ours, theirs = parse_results(ours_log), parse_results(theirs_log)
    comparison = Comparison()
    for number in numbers:
        sequence = calls[number] + [END]
        if not len(sequence) == len(ours.get(number, ())) == len(theirs.get(number, ())):
            return comparison, [f"sequence {number} was not carried out"]
        comparison.sequence(number, sequence, ours[number], theirs[number])
    return comparison, comparison.unexplained


def show(seed, number, ours_log, theirs_log):
    """The calls of one sequence and what became of them, a line each."""
    calls = list_calls(seed, number + 1)[number] + [END]
    ours = parse_results(ours_log).get(number, [])
    theirs = parse_results(theirs_log).get(number, [])
    lines = []
    for call, our, their in zip(calls, ours, theirs):
        lines.append(call.text)
        if our == their:
            lines.append(f"        both:    {our.text}")
        else:
            lines += [f"        ours:    {our.text}", f"        in-tree: {their.text}"]
    return lines
