#!/usr/bin/env python3
"""Lets calls of a GPU's driver fail, on a real card too, and looks at what `ingot run` makes of it.

    card_faults.py INGOT INTERPOSER PLAN|MODEL [--device cuda|hip] [--driver LIBRARY] [--foreign PLAN] [--most N] [-j N]

INGOT is the built command and INTERPOSER the folder of the interposing library (interposer.h): build/standin/
cuda_interposer or hip_interposer. A run without faults shows which calls there are. Then each kind of call fails at up
to N of its occurrences, evenly spread, one a run: what is asked for memory has none, everything else an unknown error.
Then the device is lost at the N-th of all calls; a kernel is launched with a null pointer, which a card finds itself;
and errors of the driver that have a meaning of their own come.

Each run has to end as README.md says: exit code 1, where a device does not start or a file is at fault 2; one line on
stderr, which names the device, the call at fault and the error; no text on stdout but the beginning of the right one;
everything given back. A table goes to stdout, what is wrong to stderr. Exit code 0: all right; 1: something is wrong;
2: it could not start. Needs Python 3.9, no packages.
"""
import argparse
import collections
import concurrent.futures
import ctypes
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# By device: the libraries that ingot looks for.
LIBRARIES = {"cuda": ["libcuda.so.1"],
             "hip": ["libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "/opt/rocm/lib/libamdhip64.so"]}
UNKNOWN, NO_MEMORY, NO_DEVICE, INVALID_IMAGE, NO_BINARY, NOT_FOUND, LAUNCH_FAILED = 999, 2, 100, 200, 209, 500, 719

# A fault: what an interposer calls it, the error, and the ends that are right: exit codes, each with the words that the
# line then has ({e}: the error).
FUNCTION = r"\b(cu|hip)[A-Z]\w+\b.*\(error {e}\)"
FAILED = {1: FUNCTION}
DOES_NOT_START = {2: r"does not start: .*\(error {e}\)"}
ENDS = {"init": DOES_NOT_START, "device_count": DOES_NOT_START, "version": {2: r"tells no version: .*\(error {e}\)"},
        "mem_alloc": {1: r"MiB don't fit"}, "host_alloc": {1: r"pinned memory"},
        "lost": {1: FUNCTION, 2: r"(does not start|tells no version): .*\(error {e}\)"},
        # Which error a card has for an address that is none is its own affair.
        "fault": {1: r"\b(cu|hip)[A-Z]\w+\b.*\(error \d+\)"}}
NO_CARD, BAD_CODE = {2: r"there is no \w+ card"}, {2: r"code can't be loaded.*\(error {e}\)"}
NO_KERNEL = {2: r"code lacks"}  # the plan's fault, whatever the device
OF_THEIR_OWN = [("init", NO_DEVICE, NO_CARD), ("device_count", NO_DEVICE, NO_CARD),
                ("module_load", INVALID_IMAGE, BAD_CODE), ("module_load", NO_BINARY, BAD_CODE),
                ("module_load", NO_MEMORY, FAILED), ("module_function", NOT_FOUND, NO_KERNEL),
                ("stream_create", NO_MEMORY, FAILED), ("launch", NO_MEMORY, FAILED),
                ("graph_instantiate", NO_MEMORY, FAILED), ("stream_synchronize", LAUNCH_FAILED, FAILED)]

# What may fail while a run ends well, and why.
GIVING_BACK = {"mem_free", "host_free", "stream_destroy", "event_destroy", "module_unload", "graph_destroy",
               "graph_exec_destroy", "context_release"}  # it is gone either way, and nobody can do anything about it
SETS_CONTEXT = "context_set"  # where the next call of its thread gives something back: the same
LAST_WAIT = "stream_synchronize"  # of a queue that is given back: whoever wanted a result has waited before


def survivable(calls, hit, name):
    """Whether nothing but an end is left from the failed call on."""
    if name in GIVING_BACK:
        return True
    thread, call = calls[hit]
    if name == SETS_CONTEXT and next((c for t, c in calls[hit + 1:] if t == thread), call) in GIVING_BACK:
        return True
    return [c for _, c in calls[hit:] if c not in GIVING_BACK and c != SETS_CONTEXT] in ([], [LAST_WAIT])


class Report:
    """What an interposer writes at the end of a process."""

    def __init__(self, path):
        head, *calls = path.read_text().splitlines()
        self.head = head
        counts = dict(word.split("=", 1) for word in head.split() if "=" in word)
        self.hit, self.live, self.misuse = (int(counts[n]) for n in ("hit", "live", "misuse"))
        self.calls = [(int(thread), name) for thread, name in (line.split() for line in calls)]


Ended = collections.namedtuple("Ended", "code out err report")
Fault = collections.namedtuple("Fault", "name at error ends")


class Runs:
    def __init__(self, options, folder):
        self.options, self.folder, self.right = options, folder, None

    def run(self, faults, number, model=None):
        report = self.folder / f"report.{number}"
        o = self.options
        folders = [str(pathlib.Path(o.interposer).resolve()), os.environ.get("LD_LIBRARY_PATH", "")]
        environment = dict(os.environ, LD_LIBRARY_PATH=":".join(filter(None, folders)), INGOT_INTERPOSER=faults,
                           INGOT_INTERPOSER_DRIVER=o.driver, INGOT_INTERPOSER_REPORT=str(report))
        # Four tokens: a prompt; a first step, which goes kernel by kernel; one that is recorded; one that is replayed.
        command = [o.ingot, "run", str(model or o.model), "-p", "The capital of France is", "-n", "4", "--temp", "0",
                   "--device", o.device]
        done = subprocess.run(command, capture_output=True, timeout=o.timeout, env=environment,
                              stdin=subprocess.DEVNULL)
        ended = Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace"),
                      Report(report) if report.exists() else None)
        report.unlink(missing_ok=True)
        return ended

    def wrongs_of(self, ended, ends, error):
        """What is wrong with a run that had to fail."""
        lines = ended.err.splitlines()
        wrongs = []
        if ended.code not in ends:
            wrongs.append(f"exit code {ended.code} instead of {' or '.join(map(str, ends))}")
        if len(lines) != 1 or not ended.err.startswith("ingot: error: ") or not ended.err.endswith("\n"):
            wrongs.append(f"{len(lines)} lines on stderr instead of one error")
        if ends is not NO_KERNEL and not re.search(rf"\b{self.options.device}\b", ended.err):
            wrongs.append(f"no word of {self.options.device}")
        words = ends.get(ended.code, "").format(e=error)
        if not re.search(words, ended.err):
            wrongs.append(f"the error is not like {words}")
        if self.right and (not self.right.startswith(ended.out) or ended.out == self.right):
            wrongs.append(f"{ended.out!r} on stdout, whose beginning has to be right and whose end missing")
        return wrongs

    def judge(self, number, fault):
        """How a run with this fault ended: "failed" as it had to, "survived" where it may, "missed", or wrong: why."""
        text = f"{fault.name}@{fault.at}" + (f"={fault.error}" if fault.error else "")
        try:
            ended = self.run(text, number)
        except subprocess.TimeoutExpired:
            return fault, "wrong", f"{text}: still running after {self.options.timeout} s"
        report, wrongs = ended.report, []
        if report is None:
            wrongs.append("no report" + (f", signal {-ended.code}" if ended.code < 0 else ""))
        else:
            if report.live or report.misuse:
                wrongs.append(f"not everything was given back, or wrongly: {report.head}")
            well = ended.code == 0 and ended.out == self.right and "ingot: error" not in ended.err
            outcome = "failed"
            if not report.hit:
                outcome = "missed"  # threads divide their work as it comes, so the last of some calls need not come
                if not well:
                    wrongs.append("it failed without a fault")
            elif well and survivable(report.calls, report.hit - 1, fault.name):
                outcome = "survived"
            else:
                wrongs += self.wrongs_of(ended, fault.ends, fault.error)
        if not wrongs:
            return fault, outcome, ""
        return fault, "wrong", f"{text}: {'; '.join(wrongs)}\n    {ended.err.strip()}"


def spread(total, most):
    """At most so many of 1..total, the first and the last among them."""
    if total <= most:
        return range(1, total + 1)
    return sorted({1 + i * (total - 1) // max(most - 1, 1) for i in range(most)})


def faults_of(report, most):
    counts = collections.Counter(name for _, name in report.calls)
    for name, count in counts.items():
        error = NO_MEMORY if name in ("mem_alloc", "host_alloc") else UNKNOWN
        for at in spread(count, most):
            yield Fault(name, at, error, ENDS.get(name, FAILED))
    for at in spread(len(report.calls), 2 * most):
        yield Fault("lost", at, LAUNCH_FAILED, ENDS["lost"])
    for at in spread(counts["launch"], most):
        yield Fault("fault", at, None, ENDS["fault"])
    for name, error, ends in OF_THEIR_OWN:
        if counts[name]:
            yield Fault(name, (counts[name] + 1) // 2, error, ends)


def note(text):
    print(f"card_faults: {text}", file=sys.stderr, flush=True)


def loaded_from(names):
    """Path of the first of these libraries that the loader finds, or None."""
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        base = pathlib.Path(name).name.split(".so")[0] + ".so"  # the file may have a longer name than the link to it
        for line in pathlib.Path("/proc/self/maps").read_text().splitlines():
            path = line.split(maxsplit=5)[-1]
            if pathlib.Path(path).name.startswith(base):
                return path
    return None


def check(options, folder):
    runs = Runs(options, folder)
    for _ in range(2):  # a model is compiled by the first
        clean = runs.run("", 0)
    if clean.code != 0 or clean.report is None or clean.report.live or clean.report.misuse:
        note("error: a run without faults does not end well: "
             + (clean.err.strip() if clean.code else clean.report.head if clean.report else "no report"))
        return 2
    runs.right = clean.out
    wrongs, table = [], collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        faults = list(faults_of(clean.report, options.most))
        for fault, outcome, why in pool.map(runs.judge, range(1, len(faults) + 1), faults):
            table[fault.name][outcome] += 1
            wrongs += [why] * (outcome == "wrong")
    if options.foreign:
        ended = runs.run("", 0, options.foreign)
        why = runs.wrongs_of(ended, {2: r"the plan is for .* compile the model with --target"}, None)
        table["foreign plan"]["wrong" if why else "failed"] += 1
        wrongs += [f"a foreign plan: {'; '.join(why)}\n    {ended.err.strip()}"] * bool(why)
    calls = collections.Counter(name for _, name in clean.report.calls)
    print(f"| {'call':20} | {'calls':>6} | {'faults':>6} | failed | survived | missed | wrong |")
    print(f"|{'-' * 22}|-------:|-------:|-------:|---------:|-------:|------:|")
    for name, of in table.items():
        if not of["failed"] + of["survived"] + of["wrong"]:
            wrongs.append(f"{name}: no fault came to pass")
        if name not in GIVING_BACK and not of["failed"] + of["wrong"]:
            wrongs.append(f"{name}: no run failed")
        print(f"| {name:20} | {calls.get(name, ''):>6} | {sum(of.values()):>6} | {of['failed']:>6} | "
              f"{of['survived']:>8} | {of['missed']:>6} | {of['wrong']:>5} |")
    print(f"{len(faults) + bool(options.foreign)} runs on {options.device} ({options.driver}), {len(wrongs)} wrong")
    for why in wrongs:
        note(why)
    return 1 if wrongs else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog="See the top of this file.")
    parser.add_argument("ingot", help="the built command")
    parser.add_argument("interposer", help="folder of the interposing library")
    parser.add_argument("model", help="a plan, or for cuda a model (hipRTC needs more of AMD's library than there is)")
    parser.add_argument("--device", choices=list(LIBRARIES), default="cuda")
    parser.add_argument("--driver", help="the real library (default: the one that the loader finds)")
    parser.add_argument("--foreign", help="a plan for another card, which has to be refused")
    parser.add_argument("--most", type=int, default=12, help="occurrences of a call (default: %(default)s)")
    parser.add_argument("-j", "--jobs", type=int, default=min(8, os.cpu_count() or 1),
                        help="runs at once (default: %(default)s)")
    parser.add_argument("--timeout", type=int, default=120, help="seconds of one run (default: %(default)s)")
    options = parser.parse_args()
    options.driver = options.driver or loaded_from(LIBRARIES[options.device])
    if not options.driver:
        note(f"error: there is no {' or '.join(LIBRARIES[options.device])}; give its path with --driver")
        return 2
    with tempfile.TemporaryDirectory(prefix="ingot-card-faults-") as folder:
        try:
            return check(options, pathlib.Path(folder))
        except (OSError, subprocess.TimeoutExpired) as e:
            note(f"error: {e}")
            return 2


if __name__ == "__main__":
    sys.exit(main())
