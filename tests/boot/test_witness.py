"""QEMU as the witness: each message it saw written is one interrupt that the kernel counted."""

import collections
import re

import machine
import pytest

WRITE = re.compile(r"memory_region_ops_write .*addr (0x[0-9a-f]+) value (0x[0-9a-f]+) size 4 name '([^']*)'")
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


def test_counts_equal_messages(row, disk, tmp_path):
    if ('memory_region_ops_write', 'riscv.imsic') not in row.witnesses:
        pytest.skip('no IMSIC here')
    trace = tmp_path / 'trace.log'
    reads = '; '.join('blk sum %d 1' % n for n in range(60))
    result = machine.run(row, reads + '; irqs --json; cpus --json; lspci --json', disks=[disk],
                         extra=['-trace', 'memory_region_ops_write,file=%s' % trace])
    irqs, cpus, pci = result.documents
    seen = written(trace, 'riscv.imsic')
    hart = {c['cpu']: int(c['hwid'], 16) for c in cpus}
    counted = {line['irq']: line['counts'] for line in irqs}
    bdf = [f['bdf'] for f in pci if f['irq_mode'] == 'msix'][0]
    rows = machine.run(row, 'msi %s --json' % bdf, disks=[disk]).documents[0]['rows']
    compared = 0
    for entry in rows:
        if entry['irq'] not in counted:
            continue
        place = (int(entry['address'], 16) - S_FILES) // FILE_SIZE, entry['data']
        assert sum(counted[entry['irq']]) == seen[place], (entry, seen)
        compared += seen[place]
    assert compared >= 60
    ipis = [line for line in irqs if line['levels'][-1]['chip'] == 'IMSIC-IPI']
    for cpu, count in enumerate(ipis[0]['counts'] if ipis else []):
        assert count == seen[hart[cpu], 1], (cpu, count, seen)
