"""Makes a long trace out of a short one: its pages again and again, each time later. And one of many CPUs out of one of
few: its pages again and again at nearly the same time, each time on other CPUs.

For files of version 6 as `ipitrace record` writes them: one buffer, not compressed. Where one repetition meets the
next, the first page of every CPU says that events were lost before it, which is the truth: calls are cut there.
"""

import re
import struct

PAGE = 4096
# Of the commit word in a page's header.
LENGTH_MASK = (1 << 20) - 1
EVENTS_WERE_LOST = 1 << 31
# Types of entries that are no events, and the shift of the absolute time's upper part.
PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
DELTA_BITS = 27


def regions(data):
    """Where the table of the CPUs' regions begins, and offset and size of each, in bytes."""
    if data[:11] != b"\x17\x08\x44tracing6":
        raise ValueError("not a trace file of version 6")
    options = data.find(b"options  \0")
    mark = data.find(b"flyrecord\0", options)
    if options < 4 or mark < 0:
        raise ValueError("no recorded pages in it")
    count = struct.unpack_from("<I", data, options - 4)[0]
    table = mark + len(b"flyrecord\0")
    found = [struct.unpack_from("<QQ", data, table + 16 * cpu) for cpu in range(count)]
    for offset, size in found:
        if size % PAGE or offset + size > len(data):
            raise ValueError("the table of the CPUs' pages is damaged")
    return table, found


def entries(page):
    """Offset, type and delta of every entry of a page."""
    at, end = 16, 16 + (struct.unpack_from("<Q", page, 8)[0] & LENGTH_MASK)
    while at + 4 <= min(end, PAGE):
        word = struct.unpack_from("<I", page, at)[0]
        kind, delta = word & 31, word >> 5
        if kind == PADDING and delta == 0:
            return
        yield at, kind, delta
        if kind in (TIME_EXTEND, TIME_STAMP):
            at += 8
        elif kind in (0, PADDING):
            at += 4 + struct.unpack_from("<I", page, at + 4)[0]
        else:
            at += 4 + 4 * kind


def end_of(page):
    """The time of a page's last entry, in nanoseconds, and the offsets of its absolute times."""
    now = struct.unpack_from("<Q", page, 0)[0]
    stamps = []
    for at, kind, delta in entries(page):
        if kind == TIME_STAMP:
            # The bits above those that the entry has room for are the page's.
            now = absolute(page, at, delta) | now >> 59 << 59
            stamps.append(at)
        elif kind == TIME_EXTEND:
            now += delta | struct.unpack_from("<I", page, at + 4)[0] << DELTA_BITS
        else:
            now += delta
    return now, stamps


def absolute(page, at, delta):
    return delta | struct.unpack_from("<I", page, at + 4)[0] << DELTA_BITS


def shifted(page, stamps, nanoseconds, lost):
    """The page, that much later."""
    page = bytearray(page)
    start, commit = struct.unpack_from("<QQ", page, 0)
    struct.pack_into("<QQ", page, 0, start + nanoseconds, commit | EVENTS_WERE_LOST if lost else commit)
    for at in stamps:
        word = struct.unpack_from("<I", page, at)[0]
        time = absolute(page, at, word >> 5) + nanoseconds
        struct.pack_into(
            "<II", page, at, word & 31 | (time & (1 << DELTA_BITS) - 1) << 5, time >> DELTA_BITS & 0xFFFFFFFF)
    return page


def repeat(source, target, times):
    """Writes `target`: the events of `source`, so many times one after the other.

    Raises ValueError if `source` is no trace file that can be repeated.
    """
    data = source.read_bytes()
    table, found = regions(data)
    cpus = [[data[at:at + PAGE] for at in range(offset, offset + size, PAGE)] for offset, size in found]
    ends = [[end_of(page) for page in pages] for pages in cpus]
    first = min(struct.unpack_from("<Q", pages[0], 0)[0] for pages in cpus if pages)
    # A millisecond between two repetitions.
    period = max(time for pages in ends for time, _ in pages) - first + 1_000_000

    header = bytearray(data[:min(offset for offset, size in found if size)])
    at = -(-len(header) // PAGE) * PAGE
    for cpu, (_, size) in enumerate(found):
        struct.pack_into("<QQ", header, table + 16 * cpu, at, size * times)
        at += size * times
    with target.open("wb") as file:
        file.write(header.ljust(-(-len(header) // PAGE) * PAGE, b"\0"))
        for pages, facts in zip(cpus, ends):
            for repetition in range(times):
                for index, (page, (_, stamps)) in enumerate(zip(pages, facts)):
                    lost = repetition > 0 and index == 0
                    file.write(shifted(page, stamps, repetition * period, lost))


# --- Many CPUs.

# How much later each copy is than the one before, so that the events of all of them alternate. A prime.
COPY_NANOSECONDS = 131
# The option that holds the number of CPUs.
CPU_COUNT = 8
# Fields that name a CPU, and such that name a csd, by event.
TARGETS = ["csd_queue_cpu", "ipi_send_cpu", "sched_wake_idle_without_ipi"]
CSDS = ["csd_queue_cpu", "csd_function_entry", "csd_function_exit"]


def described(data, event):
    """The id of an event and the offsets of its fields, as the file describes them; None if it doesn't."""
    format = re.search(rb"name: %s\nID: (\d+)\n(.*?)\n\nprint fmt" % event.encode(), data, re.DOTALL)
    if not format:
        return None
    fields = re.findall(rb"field:[^;]*?(\w+);\toffset:(\d+);", format[2])
    return int(format[1]), {name.decode(): int(offset) for name, offset in fields}


def places(data):
    """By event id: the offsets of the CPU and of the csd in the record; None where it has none."""
    found = {}
    for event in TARGETS + CSDS:
        format = described(data, event)
        if format:
            id, fields = format
            found[id] = (fields.get("cpu") if event in TARGETS else None, fields["csd"] if event in CSDS else None)
    return found


def spread(source, target, copies):
    """Writes `target`: the CPUs of `source` so many times side by side, each time others, with csds of their own.

    Raises ValueError if `source` is no trace file for which that can be done.
    """
    data = source.read_bytes()
    table, found = regions(data)
    of_event = places(data)
    masks = described(data, "ipi_send_cpumask")
    cpus = []
    for offset, size in found:
        pages = []
        for at in range(offset, offset + size, PAGE):
            page = data[at:at + PAGE]
            numbers, csds = [], []
            for entry, kind, _ in entries(page):
                if kind in (PADDING, TIME_EXTEND, TIME_STAMP):
                    continue
                record = entry + (8 if kind == 0 else 4)
                id = struct.unpack_from("<H", page, record)[0]
                if masks and id == masks[0]:
                    raise ValueError("masks of CPUs can't be spread")
                number, csd = of_event.get(id, (None, None))
                if number is not None:
                    numbers.append(record + number)
                if csd is not None and struct.unpack_from("<Q", page, record + csd)[0]:
                    csds.append(record + csd)
            pages.append((page, end_of(page)[1], numbers, csds))
        cpus.append(pages)

    count = len(cpus)
    # The number of CPUs stands before the options, and in one of them again.
    mark = data.find(b"options  \0")
    header = bytearray(data[:table])
    struct.pack_into("<I", header, mark - 4, count * copies)
    at = mark + len(b"options  \0")
    while (option := struct.unpack_from("<H", header, at)[0]) != 0:
        if option == CPU_COUNT:
            struct.pack_into("<I", header, at + 6, count * copies)
        at += 6 + struct.unpack_from("<I", header, at + 2)[0]
    new_table = len(header)
    header += bytes(16 * count * copies) + data[table + 16 * count:min(offset for offset, size in found if size)]
    at = -(-len(header) // PAGE) * PAGE
    for cpu in range(count * copies):
        size = found[cpu % count][1]
        struct.pack_into("<QQ", header, new_table + 16 * cpu, at, size)
        at += size
    with target.open("wb") as file:
        file.write(header.ljust(-(-len(header) // PAGE) * PAGE, b"\0"))
        for copy in range(copies):
            for pages in cpus:
                for page, stamps, numbers, csds in pages:
                    page = shifted(page, stamps, copy * COPY_NANOSECONDS, False)
                    for place in numbers:
                        struct.pack_into("<I", page, place, struct.unpack_from("<I", page, place)[0] + copy * count)
                    for place in csds:
                        struct.pack_into("<Q", page, place, struct.unpack_from("<Q", page, place)[0] ^ copy << 40)
                    file.write(page)
