# SPDX-License-Identifier: GPL-2.0
"""Compare the results of the same random calls on the two HSMs.

`tests/system/differential` generates sequences of calls from a seed. It runs here to
list them, and in a Service VM on each HSM to carry them out.
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
    """The value of an argument: a number, or the name of a place in memory."""
    return int(text, 0) if re.fullmatch(r"0x[0-9a-f]+|\d+", text) else text


def parse_call(text):
    """Parse a call as the program lists it."""
    file, kind, *words = text.split()
    values = dict(word.split("=", 1) for word in words)
    arg = values.pop("arg")
    return Call(int(file), kind, arg,
                {name: parse_value(value) for name, value in values.items()}, text)


def list_calls(seed, count):
    """Map the number of each sequence to its calls."""
    listing = subprocess.run([PROGRAM, str(seed), str(count)], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    calls = defaultdict(list)
    for line in listing.splitlines():
        number, text = line.split(" ", 1)
        calls[int(number)].append(parse_call(text))
    return calls


def parse_result(text):
    """Parse the result of a call as the program prints it."""
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
    """Map the number of each sequence to its results, the last being that of its end."""
    results = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if line.startswith("result "):
                _, number, *texts = line.split()
                results[int(number)] = [parse_result(text) for text in texts]
    return results


class Comparison:
    """Comparison of the sequences of one seed.

    Of all calls (`total`) those were `compared` that come before the HSMs' states
    differ in a sequence. `applied` counts how often each rule explained a difference,
    `unexplained` has the differences for which there is no rule.
    """

    def __init__(self):
        self.compared = 0
        self.total = 0
        self.applied = Counter()
        self.unexplained = []

    def notes(self, seed):
        """A summary of the comparison, as a list of lines."""
        rules = ", ".join(f"{name} {count}" for name, count in self.applied.most_common())
        return [f"seed {seed}: {self.compared} of {self.total} calls compared, "
                f"{sum(self.applied.values())} documented differences:",
                *textwrap.wrap(rules, 76, break_on_hyphens=False)]

    def explain(self, number, position, step):
        """Find the rule that explains a difference. Returns ALIKE or APART."""
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
        """Compare a sequence, up to a difference after which the HSMs' states differ."""
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
    """Compare the sequences `numbers` of two runs. Returns the comparison and the problems."""
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
    """A list of lines: each call of one sequence and its results on both HSMs."""
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
