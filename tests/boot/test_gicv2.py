"""GICv2 and v2m, with QEMU as the witness: each acknowledge is one count, and is ended as it began."""

import collections
import re

import machine
import pytest
from machine import lines_of
from test_pci import find_property, patched_tree

INTERFACE = re.compile(r'gic_cpu_(read|write) cpu (\d+) iface \w+ at 0x([0-9a-f]+):? 0x([0-9a-f]+)')
TAKEN = re.compile(r'gic_acknowledge_irq cpu (\d+) acknowledged irq (\d+)')
RISES = re.compile(r'gic_set_irq irq (\d+) level 1 ')
WRITES = re.compile(r'gic_dist_write dist write at 0x([0-9a-f]+) size (\d): 0x([0-9a-f]+)')
IAR, EOIR = 0xc, 0x10
FRAME = range(80, 144)          # the SPIs of the frame of `virt`
SMMU = range(106, 110)          # its wires, if there is one


pytestmark = pytest.mark.rows(where=lambda row: any('gic-version=2' in word for word in row.args))
V2M = pytest.mark.rows(where=lambda row: 'v2m=off' not in row.bootargs)


def intid(line):
    return line['levels'][-1]['hwirq']


def null_disks(count, vectors):
    extra = []
    for n in range(count):
        extra += ['-drive', 'if=none,id=null%d,driver=null-co,size=1M,read-zeroes=on' % n,
                  '-device', 'virtio-blk-pci,drive=null%d,num-queues=%d,vectors=%d'
                  % (n, vectors - 1, vectors)]
    return extra


# ---- QEMU as the witness -----------------------------------------------------------------------


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_counts_equal_claims(row, smp, dice, disk, tmp_path):
    """Per CPU and line. What works on by itself after the kernel has counted may only be more."""
    trace = tmp_path / 'trace.log'
    requests = dice.randrange(20, 100)
    work = ['blk sum %d %d' % (dice.randrange(1900), dice.randint(1, 96)) for _ in range(requests)]
    result = machine.run(row, '; '.join(work + ['blk stress 300; irqs --json']), smp=smp,
                         disks=[disk], extra=['-trace', 'gic_acknowledge_irq', '-trace',
                                              'gic_set_irq', '-D', str(trace)])
    text = trace.read_text()
    seen = collections.Counter((int(cpu), int(iar) & 1023) for cpu, iar in TAKEN.findall(text))
    rises = collections.Counter(map(int, RISES.findall(text)))
    irqs = result.documents[-1]
    disks = lines_of(irqs, 'virtio')
    assert sum(sum(line['counts']) for line in disks) >= requests
    for line in irqs:
        if line['levels'][-1]['domain'] != 'gic':
            continue
        for cpu, count in enumerate(line['counts']):
            assert seen[cpu, intid(line)] >= count, (cpu, line)
            assert line not in disks or seen[cpu, intid(line)] == count, (cpu, line)
        if line in disks and line['type'] == 'edge-rising':
            assert rises[intid(line)] >= sum(line['counts'])


def test_every_claim_ends(row, disk, tmp_path):
    """What EOIR is given is what IAR said, with the CPU that sent an SGI, before the next claim."""
    trace = tmp_path / 'trace.log'
    machine.run(row, 'irq shuffle 20 blk stress 500; irq check; cpu offline 1; cpu offline 2; cpu offline 3',
                disks=[disk], extra=['-trace', 'gic_cpu_read', '-trace', 'gic_cpu_write', '-D', str(trace)])
    active, senders, claims = {}, set(), 0
    for what, cpu, where, value in INTERFACE.findall(trace.read_text()):
        where, value = int(where, 16), int(value, 16)
        if (what, where) == ('read', IAR):
            assert cpu not in active
            if value & 1023 < 1020:
                active[cpu] = value
                claims += 1
            if value & 1023 < 16:
                senders.add(value >> 10 & 7)
        elif (what, where) == ('write', EOIR):
            assert active.pop(cpu) == value
    assert claims > 100 and set(active) <= {'0'}    # the one in which the machine was powered off
    assert len(senders) >= 2, 'IPIs of one CPU only'


@V2M
def test_s163_edge_before_enable(row, disk, tmp_path):
    """A frame's pulse means nothing to a level: each of its SPIs is an edge before it is enabled."""
    trace = tmp_path / 'trace.log'
    machine.run(row, 'blk sum 0 8', disks=[disk], extra=['-trace', 'gic_dist_write', '-D', str(trace)])
    edges, enabled = set(), set()
    for where, size, value in WRITES.findall(trace.read_text()):
        where, value = int(where, 16), int(value, 16)
        if 0xc00 <= where < 0xd00 and size == '4':
            first = (where - 0xc00) * 4
            edges -= set(range(first, first + 16))
            edges |= {first + n for n in range(16) if value >> 2 * n & 2}
        elif 0x100 <= where < 0x180 and size == '4':
            new = {(where - 0x100) * 8 + n for n in range(32) if value >> n & 1} & set(FRAME)
            assert new <= edges, new - edges
            enabled |= new
    assert len(enabled) >= 2


# ---- Messages ----------------------------------------------------------------------------------


@V2M
def test_s163_levels(row, disk):
    """A line is the same INTID at both controllers; the message is the frame's and that number."""
    irqs, msi = machine.run(row, 'irqs --json; msi 00:01.0 --json', disks=[disk]).documents
    rows = {entry['irq']: entry for entry in msi['rows']}
    disks = lines_of(irqs, 'virtio')
    assert len(disks) >= 5
    for line in disks:
        assert [level['domain'] for level in line['levels']][1:] == ['v2m', 'gic']
        numbers = {level['hwirq'] for level in line['levels'][1:]}
        assert numbers == {rows[line['irq']]['data']} and numbers < set(FRAME)
        assert rows[line['irq']]['address'] == '0x8020040'
        assert (line['flow'], line['type']) == ('fasteoi', 'edge-rising')


@V2M
def test_no_spi_left(row, disk):
    """Nine disks want 81 SPIs: what does not fit is named, takes less or a wire, and works."""
    result = machine.run(row, 'blk info --json; irqs --json; irq check --json; lspci; '
                         + '; '.join('blk sum 0 8 --disk %d --json' % n for n in range(9)),
                         smp=8, disks=[disk], extra=null_disks(8, 9))
    info, irqs, check = result.documents[:3]
    assert len(info) == 9 and check['ok']
    assert len(result.documents) == 12
    given = [level['hwirq'] for line in irqs for level in line['levels'] if level['domain'] == 'v2m']
    assert len(given) == len(set(given)) and set(given) <= set(FRAME) and len(given) > 56
    assert re.search(r'v2m@8020000: no .*SPI.* left.*: of 64, \d+ are given and 0 are wires', result.output)


@V2M
def test_wires_in_the_frame(row, disk):
    """An SMMU's wires lie in the frame's range: they stay its own."""
    row = row._replace(args=[word + ',iommu=smmuv3' if 'gic-version=2' in word else word
                             for word in row.args])
    result = machine.run(row, 'irqs --all --json; irq check --json; blk stress 100 --json', smp=8,
                         disks=[disk], extra=null_disks(8, 9))
    irqs, check, stress = result.documents
    assert check['ok'] and stress['errors'] == 0
    given = {level['hwirq'] for line in irqs for level in line['levels'] if level['domain'] == 'v2m'}
    assert given <= set(FRAME) - set(SMMU) and len(given) > 50
    for wire in SMMU:
        assert 'v2m@8020000: INTID %d is a wire of /smmuv3@9050000' % wire in result.output


def cells(name, node, at, value):
    """A cell of that property of the first such node becomes another one."""
    def edit(tree):
        where, _ = find_property(tree, name, node)
        tree[where + 12 + 4 * at:where + 16 + 4 * at] = value.to_bytes(4, 'big')
    return edit


@V2M
@pytest.mark.parametrize('edit, wire, owner', [
    (cells('interrupts', '/pl031@', 1, 50), 82, '/pl031@9010000'),
    (cells('interrupt-map', '/pcie@', 3 + 1 + 1 + 2 + 1, 51), 83, '/pcie@10000000'),
], ids=['device', 'bus'])
def test_tree_puts_a_wire_there(row, edit, wire, owner, disk, tmp_path):
    tree = patched_tree(row, tmp_path / 'dtb', edit)
    result = machine.run(row, 'irqs --json; irq check --json; blk stress 100 --json', disks=[disk],
                         extra=tree)
    irqs, check, stress = result.documents
    assert 'v2m@8020000: INTID %d is a wire of %s' % (wire, owner) in result.output
    assert wire not in {intid(line) for line in lines_of(irqs, 'virtio')}
    assert check['ok'] and stress['errors'] == 0


@V2M
def test_s163_no_frame_there(row, disk, tmp_path):
    """A frame that says it has no SPIs: named with the reason, and the disk takes a wire."""
    tree = patched_tree(row, tmp_path / 'dtb', cells('reg', '/v2m@', 1, 0x9030000))
    result = machine.run(row, 'irqs --json; blk stress 100 --json', disks=[disk], extra=tree)
    irqs, stress = result.documents
    assert re.search(r'error: /intc@8000000/v2m@\w+: .*0 INTIDs from 0 on', result.output), result
    line, = lines_of(irqs, 'virtio')
    assert line['type'] == 'level-high' and stress['errors'] == 0


@pytest.mark.parametrize('edit, words', [
    (cells('reg', '/intc@', 1, 0x9000000), 'no GICv2 distributor there, but version'),
    (cells('#interrupt-cells', '/intc@', 0, 2), '#interrupt-cells is 2'),
], ids=['reg', 'cells'])
def test_wrong_gic(row, edit, words, tmp_path):
    tree = patched_tree(row, tmp_path / 'dtb', edit)
    result = machine.run(row, 'uptime', extra=tree, status=2)
    assert re.search('error: /intc@8000000: .*' + re.escape(words), result.output), result
    assert 'panic: there is no root interrupt controller' in result.output
