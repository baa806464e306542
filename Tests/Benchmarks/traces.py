"""The traces that the benchmark times: recorded here, or made of committed captures."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess

import repeat_pages
from clock import note, refuse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What is kept from one run to the next.
STORE = HERE / ".build"
# Of two CPUs, and without masks of CPUs, which can't be spread.
CAPTURE = ROOT / "fixtures/captures/host-6.18-2cpu.dat"
TRACEFS = pathlib.Path("/sys/kernel/tracing/instances")


def replayed(ipitrace, trace):
    """The result of a replay, as a value."""
    done = subprocess.run([ipitrace, "replay", trace, "--json", "-"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def events_in(ipitrace, trace):
    return replayed(ipitrace, trace)["trace"]["events"]["total"]


def apart(function, *arguments):
    """Calls it in another process: the memory that this one needs would count for every program that it starts."""
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except ValueError as error:
            refuse(f"{arguments[0]}: {error}")


# --- The trace of two CPUs.


def can_record():
    return os.geteuid() == 0 and os.access(TRACEFS, os.W_OK) and os.cpu_count() > 1 and shutil.which("gcc")


def record(ipitrace, seconds):
    """Records the lab's load on this machine, and keeps the recording; None if that can't be done."""
    trace, load = STORE / "recorded.dat", STORE / "ipiload"
    if trace.exists():
        note(f"{trace.relative_to(ROOT)} is of an earlier run")
        return trace
    subprocess.run(["gcc", "-O2", "-pthread", "-o", load, ROOT / "Tests/Lab/load/ipiload.c"], check=True)
    note(f"recording {seconds} s of load")
    command = [ipitrace, "record", "-o", trace, "-b", "64M", "--", load, "mixed", "-s", str(seconds)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        note(f"can't record here: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return trace


def of_two_cpus(ipitrace, least, may_record, scratch):
    """A trace with at least so many events: the recording, or else the committed capture, as often as is needed."""
    STORE.mkdir(exist_ok=True)
    source = may_record and can_record() and record(ipitrace, 15) or CAPTURE
    events = events_in(ipitrace, source)
    if events >= least:
        return source
    return repeated(source, -(-least // events), scratch / "two.dat")


# --- Traces made of others.


def repeated(source, times, target):
    """The pages of a trace so many times, each time later."""
    note(f"repeating {source.name} {times:,} times")
    apart(repeat_pages.repeat, source, target, times)
    return target


def of_events(ipitrace, least, target):
    """A trace of at least so many events, out of the committed capture."""
    return repeated(CAPTURE, -(-least // events_in(ipitrace, CAPTURE)), target)


def of_cpus(ipitrace, cpus, least, target):
    """A trace of so many CPUs, with at least so many events: the committed capture many times side by side."""
    wide = target.with_suffix(".wide")
    note(f"spreading {CAPTURE.name} over {cpus} CPUs")
    apart(repeat_pages.spread, CAPTURE, wide, cpus // 2)
    repeated(wide, -(-least // (events_in(ipitrace, CAPTURE) * (cpus // 2))), target)
    wide.unlink()
    return target


def packed(trace, target):
    """The trace as version 7, compressed with zstd."""
    note("compressing")
    subprocess.run(
        ["trace-cmd", "convert", "-i", trace, "-o", target, "--file-version", "7", "--compression", "zstd"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return target


def as_text(trace, target, *form):
    """The trace as `trace-cmd report` prints it, in this form."""
    note(f"writing text: {' '.join(['trace-cmd report', *form])}")
    with target.open("wb") as file:
        subprocess.run(["trace-cmd", "report", *form, trace], check=True, stdout=file, stderr=subprocess.DEVNULL)
    return target
