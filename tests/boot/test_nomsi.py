"""pci=nomsi: the wires of all machines, also those whose devices would send messages, and who
shares one.

QEMU is the witness: it tells of each rise and fall of a function's INTx, by the function."""

import collections
import json
import math
import re
import time

import machine
import pytest
import qemu
from machine import crc, lines_of, script
from test_devices import EDU
from test_pci import root_port, switch

BOOTARGS = 'pci=nomsi'

ROUTE = re.compile(r'pci_route_irq IRQ \d+ @(\S+) -> IRQ (\d+) @root-complex')
EDU_FACT, EDU_STATUS, EDU_ISR = 0x08, 0x20, 0x24
COMPUTING, INTERRUPT = 1, 0x80


def rises(trace):
    """How often each function's wire rose, and the input of the root complex that it is."""
    changes = ROUTE.findall(trace.read_text())
    assert all(count % 2 == 0 for count in collections.Counter(changes).values()), 'one is still high'
    return {who: (count // 2, wire) for (who, wire), count in collections.Counter(changes).items()}


def shared(image):
    """Two functions whose INTA# is the same input: a disk without MSI-X and edu."""
    return ['-drive', 'if=none,id=w,format=raw,file=%s' % image,
            '-device', 'virtio-blk-pci,id=disk,drive=w,vectors=0,addr=4',
            '-device', EDU[1] + ',id=edu,addr=8']


def shared_line(irqs):
    line, = lines_of(irqs, 'virtio0')
    assert sorted(line['actions']) == ['edu', 'virtio0'] and line['flow'] == 'fasteoi'
    assert line['type'] in ('level-high', 'none')       # none: the PLIC has no types
    return line


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_one_after_the_other(row, smp, disk, dice, tmp_path):
    """Each piece of work is one rise of the one wire, and one interrupt of the one line; but with
    several CPUs the next one may be done before the line's last handler has looked."""
    trace = tmp_path / 'trace.log'
    work, answers = [], []
    with open(disk, 'rb') as f:
        content = f.read()
    for _ in range(60):
        n, lba, count = dice.randrange(200), dice.randrange(1900), dice.randint(1, 96)
        work += ['edu fact %d' % n, 'blk sum %d %d' % (lba, count)]
        answers += [{'result': math.factorial(n) % (1 << 32), 'irqs': 1},
                    {'lba': lba, 'count': count, 'crc32': crc(content[lba * 512:(lba + count) * 512])}]
    result = machine.run(row, script(*work, 'edu dma', 'irqs', 'lspci', 'irq check'), smp=smp,
                         extra=shared(disk) + ['-trace', 'pci_route_irq,file=%s' % trace])
    *done, dma, irqs, functions, check = result.documents
    assert done == answers and dma == {'bytes': 2048, 'irqs': 2}
    assert {f['irq_mode'] for f in functions if f['driver']} == {'intx'}
    (edu, a), (blk, b) = (rises(trace)['/machine/peripheral/' + name] for name in ('edu', 'disk'))
    assert a == b and blk == 60 and edu == 63       # one more to see what its DMA reaches
    counted = sum(shared_line(irqs)['counts'])
    assert counted == edu + blk or smp > 1 and (edu + blk) / 2 <= counted < edu + blk
    assert check == {'ok': True, 'errors': []}


class Edu:
    """The card as somebody outside uses it while the guest, which answers its interrupts, is at
    other work."""

    def __init__(self, bus, address):
        self.bus, self.address = bus, address

    def factorial(self, n):
        self.bus.write(self.address + EDU_STATUS, 4, INTERRUPT)
        self.bus.write(self.address + EDU_FACT, 4, n)
        end = time.monotonic() + machine.deadline(10)
        while (self.bus.read(self.address + EDU_STATUS, 4) & COMPUTING
               or self.bus.read(self.address + EDU_ISR, 4)):
            assert time.monotonic() < end, 'nobody has acknowledged'
        return self.bus.read(self.address + EDU_FACT, 4)


@pytest.mark.parametrize('smp', [1, 4])
def test_at_once(row, smp, disk, dice, tmp_path):
    """The disk is read from all CPUs while edu computes: no request and no number hangs or is wrong,
    and the line counts no more than rose, and not less than the one that rose more often."""
    before, trace = open(disk, 'rb').read(), tmp_path / 'trace.log'
    with qemu.sockets('qtest') as (arguments, path):
        extra = arguments + shared(disk) + ['-trace', 'pci_route_irq,file=%s' % trace]
        with machine.prompt(row, smp=smp, extra=extra) as m:
            bar, = [f['bars'][0]['addr'] for f in m.json('lspci') if f['driver'] == 'edu']
            edu = Edu(qemu.Bus(path['qtest']), int(bar, 16))
            done = 0
            while done < (3000 if machine.SOAK else 100):
                m.child.send('blk stress 3000 --json\r')
                while not m.ready():
                    n = dice.randrange(1000)
                    assert edu.factorial(n) == math.factorial(n) % (1 << 32)
                    done += 1
                stress, = [json.loads(text) for text in m.child.before.split('\n') if text[:1] == '{']
                assert (stress['reads'], stress['errors']) == (3000, 0)
            # QEMU says that edu has computed before it raises: the last may be among these.
            assert m.json('edu dma') in [{'bytes': 2048, 'irqs': n} for n in (2, 3)]
            assert m.json('blk sum 0 2048')['crc32'] == crc(before)
            counted = sum(shared_line(m.json('irqs'))['counts'])
            assert m.json('irq check') == {'ok': True, 'errors': []}
            m.child.send('poweroff\r')
            assert m.status() == 0
    each = [count for count, _ in rises(trace).values()]
    assert len(each) == 2 and max(each) <= counted <= sum(each), (each, counted)


def test_unknown_word(row, disk):
    row = row._replace(bootargs=row.bootargs.replace('nomsi', 'nonsense'))
    result = machine.run(row, 'lspci --json', disks=[disk])
    assert 'error: boot argument pci=nonsense: only pci=nomsi is known' in result.output
    assert [f['irq_mode'] for f in result.documents[0] if f['driver']] == [
        'msix' if machine.takes_messages(row) else 'intx']


def test_port_without_any(row, disk):
    """The ports of this switch have no wire: they are looked at, now and then."""
    extra = root_port('a', 1) + switch('s', 'a', 10, 2)
    result = machine.run(row, 'lspci --json; blk stress 100 --json', disks=[disk], extra=extra)
    functions, stress = result.documents
    assert [f['driver'] for f in functions if f['device'] == '8233'] == ['pci-port'] * 2
    assert stress['errors'] == 0
    assert len([line for line in result.lines if 'looked at every second' in line]) == 2
