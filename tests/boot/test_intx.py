"""Machines whose PCI devices have no messages but a wire, INTx, and the controllers it leads to."""

import re

import machine
import pytest
from machine import lines_of
from test_demo import check_story
from test_pci import find_property, patched_tree

ROUTE = re.compile(r'pci_route_irq IRQ \d+ @(\S+) -> IRQ (\d+) @root-complex')
SOFTWARE = re.compile(r'riscv_trap hart:(\d+), async:1, cause:1, ')


@pytest.fixture
def wire(row):
    """A row whose disk interrupts by a wire."""
    if machine.irq_mode(row) != 'intx':
        pytest.skip('its devices send messages')
    return row


SBI = pytest.mark.rows(where=lambda row: ('riscv_trap', 's_software') in row.witnesses)


@pytest.fixture
def sbi(row):
    """A row on which CPUs interrupt each other through the firmware; its devices use their wires."""
    return row._replace(bootargs=row.bootargs + ' pci=nomsi')


def disk_line(irqs):
    line, = lines_of(irqs, 'virtio')
    return line


# ---- QEMU as the witness -----------------------------------------------------------------------


@SBI
def test_ipis_equal_traps(sbi, disk, tmp_path):
    """Each software interrupt that a hart took is one that the kernel counted there."""
    trace = tmp_path / 'trace.log'
    irq = disk_line(machine.run(sbi, 'irqs --json', disks=[disk]).documents[0])['irq']
    # Each `trace on' asks every other CPU; a disk's IPI is not certain, as its reader may be awake still.
    work = ['affinity %d 3' % irq] + ['trace on', 'trace off'] * 7 + ['blk sum 0 8'] * 40
    result = machine.run(sbi, '; '.join(work + ['cpus --json; irqs --json', 'blk sum 0 8']),
                         disks=[disk], extra=['-trace', 'riscv_trap', '-trace', 'pci_route_irq',
                                              '-D', str(trace)])
    cpus, irqs = result.documents
    line, = lines_of(irqs, 'sbi-ipi')
    lines = trace.read_text().splitlines()
    changes = [n for n, text in enumerate(lines) if ROUTE.search(text)]
    # The kernel looked at its counts between the last change but two and the last but one.
    early, late = ([SOFTWARE.search(text) for text in lines[:changes[n]]] for n in (-3, -2))
    for cpu in cpus:
        low, high = (sum(bool(found) and int(found.group(1)) == int(cpu['hwid'], 16)
                         for found in traps) for traps in (early, late))
        assert low <= line['counts'][cpu['cpu']] <= high, (cpu, low, high, line)
    assert sum(line['counts']) >= 20
    assert line['counts'] == [sum(counts) for counts in
                              zip(*(ipi['counts'] for ipi in lines_of(irqs, 'ipi-')
                                    if ipi['levels'][0]['domain'] == 'ipi-mux'))]


# ---- Where it arrives --------------------------------------------------------------------------


def test_arrives_where_effective(wire, disk):
    """The line goes to each CPU in turn, and interrupts that one and no other."""
    irq = disk_line(machine.run(wire, 'irqs --json', disks=[disk]).documents[0])['irq']
    order = [2, 0, 3, 1]
    result = machine.run(wire, '; '.join('affinity %d %d --json; irqs --json; blk stress 200; irqs --json'
                                         % (irq, cpu) for cpu in order), disks=[disk])
    documents = result.documents
    for cpu, answer, before, after in zip(order, documents[::3], documents[1::3], documents[2::3]):
        line = disk_line(after)
        assert answer['effective'] == line['effective'] == [cpu]
        moved = [new - old for new, old in zip(line['counts'], disk_line(before)['counts'])]
        # What the last CPU had claimed before the move may be counted after it.
        assert moved[cpu] >= 200 and sum(moved) - moved[cpu] <= 1, (cpu, moved)


@SBI
def test_lines_are_spread(sbi, disk):
    """What may go anywhere goes where there is least."""
    irqs = machine.run(sbi, 'irqs --json', disks=[disk]).documents[0]
    wired = [line for line in irqs if line['flow'] == 'fasteoi']
    places = [line['effective'][0] for line in wired if line['state'] and line['depth'] == 0]
    assert len(places) >= 2 and max(map(places.count, places)) <= 2


@SBI
def test_two_sockets(sbi, disk):
    """Each socket has its own controller; both hang on the harts' one external interrupt."""
    extra = []
    for n in range(2):
        extra += ['-object', 'memory-backend-ram,id=m%d,size=128M' % n]
        extra += ['-numa', 'node,nodeid=%d,cpus=%d-%d,memdev=m%d' % (n, 2 * n, 2 * n + 1, n)]
    result = machine.run(sbi, 'domains --json; blk stress 500 --json; irqs --json; irq check --json',
                         disks=[disk], extra=extra)
    domains, stress, irqs, check = result.documents
    chained = [d['chained_on'] for d in domains if d['chained_on'] is not None]
    assert len(chained) == 2 and len(set(chained)) == 1
    assert stress['errors'] == 0 and sum(disk_line(irqs)['counts']) > 0
    assert check['ok']


# ---- What is told ------------------------------------------------------------------------------


def test_trace_of_a_wire(wire, disk):
    """The path as JSON: one trap, and every station with its function."""
    irq = disk_line(machine.run(wire, 'irqs --json', disks=[disk]).documents[0])['irq']
    trace = machine.run(wire, 'trace irq %d --once blk sum 0 8 --json' % irq,
                        disks=[disk]).documents[-1]
    assert trace['irq'] == irq
    names = [event['station'] for event in trace['events']]
    assert names[0] == 'trap' and names[-1] == 'exit'
    assert names.count('trap') == names.count('exit') == 1
    assert all(event['symbol'] != '?' for event in trace['events'])
    own = [event for event in trace['events'] if event['irq'] == irq]
    assert [event['station'] for event in own if event['station'] != 'wake'] == [
        'lookup', 'flow', 'handler', 'handled', 'chip'], 'the end of a level comes last'
    assert 'IRQ_HANDLED' in own[-2]['detail']


def test_trace_without_its_device(wire, disk):
    """Made to happen by the controller, replayed by the core, or refused with what to do."""
    irq = disk_line(machine.run(wire, 'irqs --json', disks=[disk]).documents[0])['irq']
    result = machine.run(wire, 'trace irq %d --once --json; irq check --json; blk stress 100 --json'
                         % irq, disks=[disk], status=None)
    trace, check, stress = result.documents
    if 'error' in trace:
        assert 'only its device' in trace['error'] and result.status == 1
    else:
        names = [event['station'] for event in trace['events']]
        assert names[0] in ('trap', 'softirq') and names[-1] == 'exit' and 'handler' in names
    assert check['ok'] and stress['errors'] == 0


def test_story_of_a_wire(wire):
    result = machine.launch({'ARCH': wire.arch, 'MACHINE': wire.machine})
    assert result.status == 0 and max(map(len, result.lines)) <= 100, result
    text = result.output.replace('\r', '')
    order = ['> domains', '> lspci', 'INTx', '> irqs', '> blk sum 0 8', 'verified', '> trace irq']
    positions = [text.index(mark) for mark in order]
    assert positions == sorted(positions), text
    check_story(text[positions[-1]:])
    assert 'raises' in text[positions[-1]:]


# ---- Trees that cannot be right ----------------------------------------------------------------


def cells(name, node, *values):
    """The property of the first such node begins with other cells."""
    def edit(tree):
        at, _ = find_property(tree, name, node)
        for n, value in enumerate(values):
            tree[at + 12 + 4 * n:at + 16 + 4 * n] = value.to_bytes(4, 'big')
    return edit


WRONG = {       # what OpenSBI does not stumble over first
    'plic': [('riscv,ndev', [0], 'riscv,ndev is 0'), ('riscv,ndev', [1024], 'riscv,ndev is 1024'),
             ('#interrupt-cells', [3], '#interrupt-cells is 3'),
             ('interrupts-extended', [0xdead], 'interrupts-extended')],
    'aplic': [('reg', [0, 0xd000000, 0, 0x1000], 'reg of 0x1000'),
              ('reg', [0, 0xd000000, 0, 0x4020], 'hart index 1'),
              ('interrupts-extended', [0xdead], 'interrupts-extended')],
}
NODE = {'plic': '/plic@', 'aplic': '/interrupt-controller@d'}


@SBI
@pytest.mark.parametrize('number', range(4))
def test_wrong_tree(sbi, number, disk, tmp_path):
    """The controller is named with the reason, and all that does without it works."""
    if number >= len(WRONG[sbi.machine]):
        pytest.skip('no more of them')
    name, values, words = WRONG[sbi.machine][number]
    tree = patched_tree(sbi, tmp_path / 'dtb', cells(name, NODE[sbi.machine], *values))
    result = machine.run(sbi, 'cpus --json; irq check --json; blk info --json', disks=[disk],
                         extra=tree, noisy=True)        # the firmware believes the tree
    cpus, check, disks = result.documents
    errors = [line for line in result.lines if line.startswith('error: ')]
    assert any(words in line and NODE[sbi.machine] in line for line in errors), result
    assert all(c['online'] for c in cpus) and check['ok'] and disks == []
