"""QEMU as the witness: each message and each rise of a wire that it saw at a controller is one
interrupt that the kernel has counted, on every machine, whatever the device."""

import collections
import re
import time

import machine
import pytest
from test_devices import nvme
from test_net import Peer

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


@pytest.mark.rows(where=lambda row: ('memory_region_ops_write', 'riscv.imsic') in row.witnesses)
@pytest.mark.parametrize('smp', [1, 4, 8])
def test_counts_equal_messages(row, smp, dice, tmp_path):
    """Sequential I/O: one request, one message, one count; and each IPI is a message too."""
    disk = machine.disk_image(tmp_path / 'disk.img', 4096)
    trace = tmp_path / 'trace.log'
    requests = dice.randrange(20, 100)
    work = ['blk sum %d %d' % (dice.randrange(4000), dice.randint(1, 96)) for _ in range(requests)]
    end = time.monotonic() + machine.deadline(10)
    with machine.prompt(row, smp, [disk], ['-trace', 'memory_region_ops_write', '-D', str(trace)]) as m:
        for n in range(0, len(work), 5):
            m.type('; '.join(work[n:n + 5]))
        hart = {cpu['cpu']: int(cpu['hwid'], 16) for cpu in m.json('cpus')}
        disks = {entry['irq']: ((int(entry['address'], 16) - S_FILES) // FILE_SIZE, entry['data'])
                 for entry in m.json('msi 00:01.0')['rows']}
        before, late = written(trace, 'riscv.imsic'), True
        while late and time.monotonic() < end:      # a CPU may not have had its turn yet
            irqs = m.json('irqs')
            kernel = {disks[line['irq']]: sum(line['counts']) for line in irqs if line['irq'] in disks}
            ipi, = [line['counts'] for line in irqs if line['levels'][-1]['chip'] == 'IMSIC-IPI']
            kernel.update({(hart[cpu], 1): count for cpu, count in enumerate(ipi)})
            late = [place for place in kernel if kernel[place] < before[place]]
        seen = written(trace, 'riscv.imsic')
    assert not late, (late, before, kernel)
    assert {place: seen[place] for place in disks.values()} == {
        place: kernel[place] for place in disks.values()}
    assert sum(kernel[place] for place in disks.values()) == requests
    # IPIs and the console went on after the kernel had counted.
    assert all(kernel[place] <= seen[place] for place in kernel), (kernel, seen)
    wired = sum(sum(line['counts']) for line in irqs if line['flow'] == 'fasteoi')
    assert sum(n for place, n in seen.items() if place not in kernel) >= wired


# ---- Any device on any machine -----------------------------------------------------------------

def pairs(pattern):
    return lambda text: collections.Counter((int(a, 16), int(b, 16))
                                            for a, b in re.findall(pattern, text))


def wires(pattern):
    return lambda text: collections.Counter(map(int, re.findall(pattern, text)))


def routes(text):
    """The root complex has one event for each rise and each fall; one that is high is a half."""
    changes = collections.Counter(re.findall(r'pci_route_irq .* -> IRQ (\d+) @root-complex', text))
    return collections.Counter({int(wire): count / 2 for wire, count in changes.items()})


def intid(bdf, line, message):
    return line['levels'][-1]['hwirq']


# By the row's witness: how often QEMU saw what, and what that is of a line and its message.
WITNESSES = {
    'memory_region_ops_write': (
        pairs(r"memory_region_ops_write .*addr 0x(\w+) value 0x(\w+) size 4 name 'riscv\.imsic'"),
        lambda bdf, line, message: (int(message['address'], 16), message['data'])),
    'gicv3_its_translation_write': (
        pairs(r'gicv3_its_translation_write .*data 0x(\w+) size 4 requester_id 0x(\w+)'),
        lambda bdf, line, message: (message['data'], int(bdf[3:5], 16) << 3)),
    'gic_set_irq': (wires(r'gic_set_irq irq (\d+) level 1 '), intid),
    'gicv3_dist_set_irq': (wires(r'gicv3_dist_set_irq .*interrupt (\d+) level changed to 1'), intid),
    'pci_route_irq': (routes, lambda *of: intid(*of) - 32),     # of the PLIC and the APLIC
}


def disk(dice, work, tmp_path):
    extra = ['-drive', 'if=none,id=d,format=raw,file=%s' % machine.disk_image(tmp_path / 'd', 2048),
             '-device', 'virtio-blk-pci,drive=d']
    return extra, ['blk sum %d %d' % (dice.randrange(1900), dice.randint(1, 96)) for _ in range(work)]


def controller(dice, work, tmp_path):
    extra = nvme(machine.disk_image(tmp_path / 'n', 2048))
    return extra, ['nvme sum %d %d' % (dice.randrange(1900), dice.randint(1, 96)) for _ in range(work)]


def network(dice, work, tmp_path):
    return Peer(str(tmp_path / 'net')).extra, ['net ping 10.0.2.2 %d' % work]


def tallies(m, trace, read, key):
    """By the device's lines: name, how often the kernel has counted it, how often it came."""
    irqs, msi = m.json('irqs'), m.json('msi 00:01.0')
    seen = read(trace.read_text())
    lines = [line for line in irqs if any(re.match('virtio0|nvme0', name) for name in line['actions'])]
    messages = {entry['irq']: entry for entry in msi['rows']} if msi['enabled'] else {}
    assert lines and (not messages or {line['irq'] for line in lines} <= messages.keys())
    return {line['irq']: (line['actions'][0], sum(line['counts']),
                          seen[key('00:01.0', line, messages.get(line['irq']))]) for line in lines}


@pytest.mark.parametrize('smp', [1, 4, 8])
@pytest.mark.parametrize('device', [disk, controller, network], ids=['disk', 'nvme', 'net'])
def test_counts_equal_witness(row, device, smp, dice, tmp_path):
    """Sequential traffic: each line of the device counts what came in at the controller for it."""
    if 'msi=poll' in row.bootargs:
        pytest.skip('a controller that QEMU knows nothing of')
    event, witness = next((e, WITNESSES[e]) for e, _ in row.witnesses if e in WITNESSES)
    trace, requests = tmp_path / 'trace.log', dice.randrange(20, 80)
    extra, work = device(dice, requests, tmp_path)
    end = time.monotonic() + machine.deadline(10)
    with machine.prompt(row, smp, extra=extra + ['-trace', event, '-D', str(trace)]) as m:
        before = tallies(m, trace, *witness)
        if not m.json('msi 00:01.0')['enabled']:
            # Where the shell is, which asks again when the handler is done. On another CPU the handler
            # that has woken it may find the next answer, too, and the rise of that is no news.
            for irq in before:
                m.type('affinity %d 0' % irq)
        for n in range(0, len(work), 5):
            m.type('; '.join(work[n:n + 5]))
        wrong = True
        while wrong and time.monotonic() < end:     # a CPU may not have had its turn yet
            grown = {name: (counted - before[irq][1], came - before[irq][2])
                     for irq, (name, counted, came) in tallies(m, trace, *witness).items()}
            # Of two frames in quick succession, the card's messages may have become one.
            wrong = {name: counts for name, counts in grown.items()
                     if counts[0] > counts[1] or counts[0] < counts[1] and '-tx.' not in name}
    assert not wrong, grown
    total = sum(came for _, came in grown.values())
    assert total == requests if device is disk else total >= requests
