#!/usr/bin/env python3
"""Holds what ipitrace says of a capture against what truly happened.

check_truth.py CAPTURE [--truth FILE] [--least NAME:COUNT…] [--lossy] [--ipitrace FILE]

FILE is what /proc/ipitruth said in the guest: each call of the kernel module, written down around the call and in its
callback, without help of the kernel's tracing. A call here and a call there are the same when callback and source agree
and the first event lies between the begin and the end of the call: calls of one kind from one source never overlap.

Nothing was lost: every call is there, with the right kind, caller, targets and number of runs, each callback ran when
it is said to have run, and at least 99.5 % of what was queued is judged, but for what a dying CPU ran.
--lossy, events were lost: what is said must be right as well, the loss must be reported, and a call or a target may be
missing only where events of its source were lost.
Without a truth, only the verdict is checked. In all cases there must be no divergence.
--least NAME:COUNT: the truth has that many calls of a kind, or such as were `refused` (busy), `absent` (no such CPU, or
offline), stood `behind` another call of the module for sure, or ran on a CPU that was marked offline (`dying`). A
scenario says so what it is there for.

Exit status: 0 all is well, 1 something is not (one line each on standard output), 2 usage or ipitrace failed.
"""

import argparse
import bisect
import collections
import json
import os
import subprocess
import sys
import tempfile

LEAST_JUDGED = 0.995
MOST_LINES = 25
PREFIX = "ipitruth_"
EBUSY = -16
ENXIO = -6


class Call:
    """One call of the module, as it wrote it down."""

    def __init__(self, fields):
        self.number = int(fields["seq"])
        self.function = fields["func"]
        self.api = fields["api"]
        self.waits = fields["wait"] == "1"
        self.source = int(fields["source"])
        self.pid = int(fields["pid"])
        self.asked = cpus_in(int(fields["targets"], 16))
        self.condition = cpus_in(int(fields["condition"], 16))
        before, after = (cpus_in(int(mask, 16)) for mask in fields["online"].split(","))
        self.surely_online = before & after
        self.perhaps_online = before | after
        self.result = int(fields["ret"])
        self.began = int(fields["began"])
        self.ended = int(fields["ended"])
        self.place = fields["place"]
        # They were marked offline already when they ran it: there is no event of that.
        self.dying = cpus_in(int(fields.get("dying", "0"), 16))
        self.runs = {}
        for run in filter(None, fields["ran"].split(",")):
            cpu, rest = run.split(":")
            count, time = rest.split("@")
            self.runs[int(cpu)] = (int(count), int(time))
        self.found = 0

    def __str__(self):
        return f"call {self.number} ({self.function}, CPU {self.source}, at {self.began})"

    def may_have_run(self):
        """The CPUs that must have run the callback, and those that may have."""
        if self.result != 0:
            return set(), set()
        if self.api in ("single", "async", "irq_work"):
            return self.asked, self.asked
        wanted = {"many": self.asked - {self.source}, "each": self.perhaps_online | self.asked, "mask": self.asked,
                  "cond": self.asked & self.condition, "any": self.asked}[self.api]
        if self.api == "any":
            return set(), wanted & self.perhaps_online
        return wanted & self.surely_online, wanted & self.perhaps_online

    def in_trace(self):
        """The targets that a recording can show."""
        # An irq_work for the own CPU is queued elsewhere: no csd event tells of it.
        return set(self.runs) - {self.source} if self.api == "irq_work" else set(self.runs)

    def kind(self):
        remote = set(self.runs) - {self.source}
        if not remote:
            return "local"
        return {"single": "single", "async": "single", "any": "single", "irq_work": "irq_work"}.get(self.api, "many")


def cpus_in(mask):
    return {cpu for cpu in range(mask.bit_length()) if mask >> cpu & 1}


def pairs_in(line):
    return dict(field.split("=", 1) for field in line.split()[1:] if "=" in field)


class Checker:
    def __init__(self, calls, header, lossy):
        self.lossy = lossy
        self.calls = calls
        self.header = header
        self.wrong = []
        self.targets = 0
        self.dying = 0
        self.dying_judged = 0
        self.unjudged = collections.Counter()
        self.not_told = collections.Counter()
        self.absent = 0
        self.by_caller = collections.defaultdict(list)
        for call in calls:
            self.by_caller[call.function, call.source].append(call)
        self.begins = {}
        for caller, of_caller in self.by_caller.items():
            of_caller.sort(key=lambda call: call.began)
            self.begins[caller] = [call.began for call in of_caller]
            for one, other in zip(of_caller, of_caller[1:]):
                if one.ended > other.began:
                    self.fail(f"{one} and {other} overlap: the truth cannot be joined")

    def fail(self, text):
        self.wrong.append(text)

    # --- The truth itself: did the kernel do what it was asked to do?

    def check_truth(self):
        if int(self.header["full"]):
            self.fail("the module had more calls than it could write down")
        if int(self.header["strays"]):
            self.fail(f"{self.header['strays']} callbacks ran with another call's argument")
        if len(self.calls) != int(self.header["calls"]):
            self.fail(f"the truth has {len(self.calls)} calls, and says {self.header['calls']}")
        for call in self.calls:
            if call.result not in (0, EBUSY, ENXIO):
                self.fail(f"{call} returned {call.result}")
            must, may = call.may_have_run()
            ran = set(call.runs)
            if not must <= ran <= may or (call.api == "any" and call.result == 0 and len(ran) != 1):
                self.fail(f"{call} was to run on {sorted(may)} and ran on {sorted(ran)}: kernel or module is broken")
            for cpu, (count, _) in call.runs.items():
                if count != 1:
                    self.fail(f"{call} ran {count} times on CPU {cpu}: kernel or module is broken")

    def check_counts(self, expectations):
        counts = collections.Counter(call.function.removeprefix(PREFIX) for call in self.calls)
        counts["refused"] = sum(1 for call in self.calls if call.result == EBUSY)
        counts["absent"] = sum(1 for call in self.calls if call.result == ENXIO)
        counts["dying"] = sum(1 for call in self.calls if call.dying)
        counts["behind"] = sum(1 for call in self.calls if call.place == "behind")
        for expectation in expectations:
            name, least = expectation.split(":")
            if counts[name] < int(least):
                self.fail(f"the truth has {counts[name]} calls '{name}', expected at least {least}")

    # --- The recording.

    def check_line(self, line):
        name = line["callback"] or ""
        if not name.startswith(PREFIX):
            return
        times = [target["queuedNanoseconds"] or target["startedNanoseconds"] for target in line["targets"]]
        times = [time for time in times if time is not None]
        if not times or line["source"] is None:
            if not self.lossy:
                self.fail(f"{name}: a call without source or time: {json.dumps(line)}")
            return
        call = self.call_at(name, line["source"], min(times))
        if call is None:
            self.fail(f"{name} on CPU {line['source']} at {min(times)}: no such call was made")
            return
        call.found += 1
        if call.found > 1:
            self.fail(f"{call}: there are {call.found} calls in the place of it")
            return
        self.check_call(call, line)

    def call_at(self, name, source, time):
        begins = self.begins.get((name, source))
        if begins is None:
            return None
        index = bisect.bisect_right(begins, time) - 1
        if index < 0:
            return None
        call = self.by_caller[name, source][index]
        return call if call.began <= time <= call.ended else None

    def check_call(self, call, line):
        if line["kind"] != call.kind():
            if line["kind"] == "unknown" and self.lossy:
                self.not_told["kind"] += 1
            else:
                self.fail(f"{call}: kind {line['kind']}, in truth {call.kind()}")
        if line["pid"] != call.pid:
            self.fail(f"{call}: called by {line['pid']}, in truth by {call.pid}")
        if line["waits"] is None:
            self.not_told["waits"] += 1
        elif line["waits"] != call.waits and call.kind() != "local":
            self.fail(f"{call}: waits is {line['waits']}, in truth {call.waits}")
        expected = call.in_trace()
        seen = collections.Counter(target["cpu"] for target in line["targets"])
        for cpu, count in seen.items():
            if count > 1:
                self.fail(f"{call}: CPU {cpu} is {count} times among the targets")
            if cpu not in expected:
                self.fail(f"{call}: CPU {cpu} is a target, in truth {sorted(expected)}")
        for cpu in sorted(expected - set(seen)):
            self.missing(call, f"CPU {cpu} is missing among the targets")
        for target in line["targets"]:
            if target["cpu"] in expected:
                self.check_target(call, target)

    def check_target(self, call, target):
        cpu, outcome, reason = target["cpu"], target["outcome"], target["reason"]
        where = f"{call}: CPU {cpu}"
        _, ran_at = call.runs[cpu]
        judged = outcome != "undecided" and reason in (None, "inferredFromFlush")
        if cpu in call.dying:
            self.dying += 1
            self.dying_judged += judged
            if target["startedNanoseconds"] is not None or target["endedNanoseconds"] is not None:
                self.fail(f"{where}: has events of its run, in truth it ran when the CPU was marked offline")
        else:
            self.targets += 1
            if not judged:
                self.unjudged[reason or "undecided"] += 1
        if outcome == "pending":
            if reason == "lostCallback" or ran_at <= self.trace_end:
                self.fail(f"{where}: {reason or 'pending'}, in truth it ran at {ran_at}")
        started, ended = target["startedNanoseconds"], target["endedNanoseconds"]
        if started is not None and ran_at < started:
            self.fail(f"{where}: began at {started}, in truth it ran at {ran_at}")
        if ended is not None and ran_at > ended:
            self.fail(f"{where}: ended at {ended}, in truth it ran at {ran_at}")
        if target["kick"] == "unknown":
            self.not_told["kick"] += 1
        elif cpu == call.source:
            if target["kick"] != "none":
                self.fail(f"{where}: kick {target['kick']} for a local run")
        elif call.place == "behind" and target["kick"] != "coalesced":
            self.fail(f"{where}: kick {target['kick']}, in truth it stood behind another call")

    def missing(self, call, text):
        if self.lossy and any(begin <= call.ended and call.began <= end
                              for begin, end in self.loss_windows.get(call.source, [])):
            self.absent += 1
        else:
            self.fail(f"{call}: {text}")

    def check_all_found(self):
        for call in self.calls:
            if call.in_trace() and not call.found:
                self.missing(call, "it is missing")

    def check_result(self, result):
        verdict, trace = result["verdict"], result["trace"]
        for divergence in verdict["divergences"]:
            self.fail(f"divergence {divergence['rule']} at {divergence['timeNanoseconds']}"
                      f" on CPUs {divergence['cpus']}, {divergence['callback']}"
                      f" ({verdict['divergenceCount']} in all)")
        if verdict["divergenceCount"] and not verdict["divergences"]:
            self.fail(f"{verdict['divergenceCount']} divergences")
        damage = [entry["name"] for entry in result["health"] if entry["severity"] == "dataLoss"]
        if self.lossy:
            if not damage or not verdict["lossWindows"]:
                self.fail("events were lost, and the report does not say so")
        elif damage:
            self.fail(f"nothing was to be lost, and the report says: {', '.join(sorted(set(damage)))}")
        queued = verdict["accounting"]["queued"]
        # What a dying stage ran left no events: whether it can be judged depends on what came later.
        if not self.lossy and verdict["judged"] - self.dying_judged < LEAST_JUDGED * (queued - self.dying):
            reasons = {entry["reason"]: entry["count"] for entry in verdict["accounting"]["notJudged"]}
            self.fail(f"{verdict['judged']} of {queued} queued calls judged, not judged: {reasons}")
        return trace["events"]["total"], trace["events"]["lost"], verdict["judged"], queued

    def check_own_share(self):
        unjudged = sum(self.unjudged.values())
        if not self.lossy and self.targets - unjudged < LEAST_JUDGED * self.targets:
            self.fail(f"{self.targets - unjudged} of the module's {self.targets} targets judged,"
                      f" not judged: {dict(self.unjudged)}")

    def read_bounds(self, result):
        self.trace_end = result["trace"]["endNanoseconds"]
        self.loss_windows = collections.defaultdict(list)
        for window in result["verdict"]["lossWindows"]:
            self.loss_windows[window["cpu"]].append((window["startNanoseconds"], window["endNanoseconds"]))


def read_truth(path):
    with open(path, encoding="ascii") as file:
        first, *rest = file.read().splitlines()
    if not first.startswith("ipitruth 1 "):
        raise ValueError(f"{path}: not what /proc/ipitruth says")
    return pairs_in(first), [Call(pairs_in(line)) for line in rest if line.startswith("call ")]


def replay(ipitrace, capture, directory):
    calls, result = os.path.join(directory, "calls"), os.path.join(directory, "result")
    subprocess.run([ipitrace, "replay", capture, "--calls", calls, "--json", result], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with open(result, encoding="utf-8") as file:
        return calls, json.load(file)


def share(part, whole):
    return f"{part} of {whole}" + (f" ({100 * part / whole:.2f} %)" if whole else "")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[2])
    parser.add_argument("capture")
    parser.add_argument("--truth")
    parser.add_argument("--least", nargs="+", default=[])
    parser.add_argument("--lossy", action="store_true")
    parser.add_argument("--ipitrace", default="ipitrace")
    arguments = parser.parse_args()
    header, calls = {"full": 0, "strays": 0, "calls": 0}, []
    try:
        if arguments.truth:
            header, calls = read_truth(arguments.truth)
        checker = Checker(calls, header, arguments.lossy)
        with tempfile.TemporaryDirectory() as directory:
            lines, result = replay(arguments.ipitrace, arguments.capture, directory)
            checker.read_bounds(result)
            checker.check_truth()
            checker.check_counts(arguments.least)
            with open(lines, encoding="utf-8") as file:
                for line in file:
                    checker.check_line(json.loads(line))
    except subprocess.CalledProcessError as error:
        print(f"ipitrace replay {arguments.capture}: status {error.returncode}\n{error.stderr}", file=sys.stderr)
        return 2
    except (OSError, ValueError, KeyError, IndexError) as error:
        print(f"{arguments.truth or arguments.capture}: {error!r}", file=sys.stderr)
        return 2
    checker.check_all_found()
    checker.check_own_share()
    events, lost, judged, queued = checker.check_result(result)
    name = os.path.basename(arguments.capture)
    print(f"{name}: {events} events, {lost} known to be lost; judged {share(judged, queued)} queued calls")
    if arguments.truth:
        visible = [call for call in calls if call.in_trace()]
        found = sum(1 for call in visible if call.found)
        told = checker.targets - sum(checker.unjudged.values())
        if checker.dying:
            print(f"{name}: of {checker.dying} targets that ran on a CPU marked offline, {checker.dying_judged} judged")
        print(f"{name}: the module's {len(calls)} calls: {share(found, len(visible))} to be seen were found;"
              f" judged {share(told, checker.targets)} targets {dict(checker.unjudged) or ''}".rstrip())
    for text in checker.wrong[:MOST_LINES]:
        print(f"{name}: WRONG: {text}")
    if len(checker.wrong) > MOST_LINES:
        print(f"{name}: WRONG: and {len(checker.wrong) - MOST_LINES} more")
    return 1 if checker.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
