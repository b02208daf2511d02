"""QEMU as the witness: each message it saw written is one interrupt that the kernel counted."""

import collections
import re

import machine
import pytest

WRITE = re.compile(r"memory_region_ops_write .*addr (0x[0-9a-f]+) value (0x[0-9a-f]+) size 4 "
                   r"name '([^']*)'")
S_FILES = 0x28000000        # of `virt`; the M-mode files are OpenSBI's
FILE_SIZE = 0x1000


def written(path, name):
    """(hart, id) -> how often it was written, by devices and by CPUs."""
    count = collections.Counter()
    with open(path) as trace:
        for line in trace:
            found = WRITE.search(line)
            if not found or found.group(3) != name:
                continue
            address, value = int(found.group(1), 16), int(found.group(2), 16)
            if address >= S_FILES:
                count[(address - S_FILES) // FILE_SIZE, value] += 1
    return count


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_counts_equal_messages(row, smp, dice, tmp_path):
    """Sequential I/O: one request, one message, one count; and each IPI is a message too."""
    if ('memory_region_ops_write', 'riscv.imsic') not in row.witnesses:
        pytest.skip('no IMSIC here')
    disk = machine.disk_image(tmp_path / 'disk.img', 4096)
    trace = tmp_path / 'trace.log'
    requests = dice.randrange(20, 100)
    work = ['blk sum %d %d' % (dice.randrange(4000), dice.randint(1, 96)) for _ in range(requests)]
    survey = ['irqs --json', 'cpus --json', 'msi 00:01.0 --json']
    result = machine.run(row, '; '.join(work + survey), smp=smp, disks=[disk],
                         extra=['-trace', 'memory_region_ops_write,file=%s' % trace])
    irqs, cpus, msi = result.documents
    seen = written(trace, 'riscv.imsic')
    counted = {line['irq']: line['counts'] for line in irqs}
    kernel = collections.Counter()
    for entry in msi['rows']:
        place = (int(entry['address'], 16) - S_FILES) // FILE_SIZE, entry['data']
        kernel[place] += sum(counted[entry['irq']])
    assert sum(kernel.values()) == requests
    ipi = [line for line in irqs if line['levels'][-1]['chip'] == 'IMSIC-IPI'][0]
    for cpu in cpus:
        kernel[int(cpu['hwid'], 16), 1] += ipi['counts'][cpu['cpu']]
    # What is left is the console, which went on after the kernel had counted.
    wired = [line for line in irqs if line['flow'] == 'fasteoi']
    others = {place: n for place, n in seen.items() if place not in kernel}
    assert {place: n for place, n in seen.items() if place in kernel} == dict(+kernel)
    assert sum(others.values()) >= sum(sum(line['counts']) for line in wired)
