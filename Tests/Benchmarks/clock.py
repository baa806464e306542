"""Runs programs and times them, in rounds, and prints what they took as one table."""

import os
import statistics
import subprocess
import sys
import time


def note(text):
    """Says what goes on, beside the table."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def refuse(text):
    """Ends the benchmark: something that it needs is missing or does not work."""
    note(text)
    sys.exit(2)


class Task:
    """A command to be timed on a trace of so many events; after it, the medians of its rounds."""

    def __init__(self, name, command, events):
        self.name = name
        self.command = [str(word) for word in command]
        self.events = events
        self.runs = []

    def run(self):
        """Runs it once: wall-clock seconds, user + system seconds, peak of memory in MiB."""
        start = time.monotonic()
        process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            refuse(f"{' '.join(self.command)} ended with {process.returncode}")
        self.runs.append((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))

    @property
    def wall(self):
        return statistics.median(run[0] for run in self.runs)

    @property
    def processor(self):
        return statistics.median(run[1] for run in self.runs)

    @property
    def memory(self):
        return max(run[2] for run in self.runs)

    @property
    def nanoseconds(self):
        """Wall-clock time for each event."""
        return self.wall / self.events * 1e9


def print_header():
    print(f"{'':<44} {'wall s':>8} {'user+sys s':>11} {'M events/s':>11} {'ns/event':>9} {'peak MiB':>9}", flush=True)


def timed(title, tasks, rounds):
    """Runs all tasks in turn, so many times, and adds a section to the table.

    Every round runs every task once: a busy neighbour disturbs all alike.
    """
    for number in range(rounds):
        note(f"{title}: round {number + 1} of {rounds}")
        for task in tasks:
            task.run()
    print(title)
    for task in tasks:
        print(f"  {task.name:<42} {task.wall:8.3f} {task.processor:11.3f} {task.events / task.wall / 1e6:11.2f}"
              f" {task.nanoseconds:9.1f} {task.memory:9.1f}", flush=True)


class Goals:
    """What is wanted of the figures, and what of it decides about the exit status."""

    def __init__(self):
        self._rows = []
        self.broken = []

    def at_least(self, name, value, wanted, held=None, processor=None):
        """A goal, with the figure below which the benchmark fails; None if only the table tells.

        `processor` is the same figure by user + system time.
        """
        self._add(name, value, processor, value >= wanted, f">= {wanted:g}", held, held is not None and value < held)

    def at_most(self, name, value, wanted, held=None):
        """A goal, with the figure above which the benchmark fails; None if only the table tells."""
        self._add(name, value, None, value <= wanted, f"<= {wanted:g}", held, held is not None and value > held)

    def faster(self, name, slow, fast, wanted, held=None):
        """A goal for how often one task takes the time of another."""
        value = slow.wall / fast.wall
        self._add(name, value, slow.processor / fast.processor, value >= wanted, f">= {wanted:g}", held,
                  held is not None and value < held)

    def slower(self, name, slow, fast, wanted, held=None):
        """A goal for how often one task may take the time of another."""
        value = slow.wall / fast.wall
        self._add(name, value, slow.processor / fast.processor, value <= wanted, f"<= {wanted:g}", held,
                  held is not None and value > held)

    def told(self, name, slow, fast):
        """How often one task takes the time of another, where nothing is wanted of it."""
        self._rows.append((name, slow.wall / fast.wall, slow.processor / fast.processor, "", None, ""))

    def _add(self, name, value, processor, is_met, wanted, held, is_broken):
        self._rows.append((name, value, processor, wanted, held, "met" if is_met else "MISSED"))
        if is_broken:
            self.broken.append(f"{name}: {value:.2f}, which is beyond {held:g}")

    def print_table(self):
        print(f"\n{'goals':<64} {'is':>8} {'user+sys':>9} {'wanted':>9} {'held':>6}")
        for name, value, processor, wanted, held, word in self._rows:
            processor = "" if processor is None else f"{processor:.2f}"
            held = "" if held is None else f"{held:g}"
            print(f"  {name:<62} {value:8.2f} {processor:>9} {wanted:>9} {held:>6}  {word}".rstrip())
