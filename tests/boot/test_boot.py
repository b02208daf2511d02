"""A machine comes up with all its CPUs, and its tables agree with each other."""

import machine
import pytest
from machine import SOAK

SURVEY = '; '.join(name + ' --json' for name in
                   ('cpus', 'domains', 'irqs', 'irqs --all', 'lspci', 'mem', 'uptime', 'irq check'))
FLOWS = {'level', 'edge', 'fasteoi', 'simple', 'percpu', 'percpu_devid', 'chained', 'bad'}
TYPES = {'none', 'edge-rising', 'edge-falling', 'edge-both', 'level-high', 'level-low'}
STATES = {'activated', 'started', 'disabled', 'masked', 'pending', 'inprogress', 'managed',
          'oneshot'}


def check_domains(domains):
    names = [d['name'] for d in domains]
    assert len(set(names)) == len(names)
    assert any(d['parent'] is None and d['chained_on'] is None for d in domains), 'no root'
    for d in domains:
        assert set(d) == {'name', 'fwnode', 'parent', 'chained_on', 'map', 'size', 'mapped'}
        assert d['map'] in ('linear', 'tree', 'nomap')
        assert d['map'] != 'tree' or d['size'] == 0
        assert d['parent'] is None or d['parent'] in names


def check_irqs(irqs, domains, smp):
    parents = {d['name']: d['parent'] for d in domains}
    assert irqs, 'no line has a handler'
    for line in irqs:
        assert set(line) == {'irq', 'flow', 'type', 'actions', 'counts', 'depth', 'state',
                             'affinity', 'effective', 'levels'}
        assert line['irq'] > 0 and line['flow'] in FLOWS and line['type'] in TYPES
        assert set(line['state']) <= STATES
        assert len(line['counts']) == smp
        assert line['actions'] and line['flow'] != 'chained'
        for outer, inner in zip(line['levels'], line['levels'][1:]):
            assert parents[outer['domain']] == inner['domain']
        assert parents[line['levels'][-1]['domain']] is None


@pytest.mark.parametrize('smp', [1, 2, 4, 8])
def test_survey(row, smp, disk):
    result = machine.run(row, SURVEY, smp=smp, disks=[disk])
    cpus, domains, irqs, every, pci, mem, uptime, check = result.documents
    assert [c['cpu'] for c in cpus] == list(range(smp))
    assert all(c['online'] for c in cpus)
    assert len({c['hwid'] for c in cpus}) == smp
    check_domains(domains)
    check_irqs(irqs, domains, smp)
    assert {line['irq'] for line in irqs} < {line['irq'] for line in every}
    assert any(line['flow'] == 'chained' for line in every) or len(domains) == 1
    assert 0 < mem['free'] < mem['total']
    assert uptime['ns'] > 0
    assert check == {'ok': True, 'errors': []}
    assert any(f['driver'] for f in pci)


@pytest.mark.rows(where=machine.takes_messages)
def test_interrupts_arrive_everywhere(row, disk):
    """Every CPU reads, and its completions interrupt it and no other (a wire: test_intx.py)."""
    work = ['blk stress 500 --cpu %d' % cpu for cpu in range(4)]
    result = machine.run(row, '; '.join(work + ['irqs --json']), disks=[disk])
    irqs = result.documents[-1]
    messages = [line for line in machine.lines_of(irqs, 'virtio') if len(line['effective']) == 1]
    taken = [0] * 4
    for line in messages:
        for cpu, count in enumerate(line['counts']):
            assert count == 0 or [cpu] == line['effective'], line
            taken[cpu] += count
        if sum(line['counts']):
            assert 'started' in line['state'] and line['depth'] == 0, line
    assert all(taken), messages


@pytest.mark.parametrize('times', [100 if SOAK else 8])
def test_boots_in_a_row(row, times):
    for n in range(times):
        result = machine.run(row, 'cpus --json', smp=row.smp)
        assert sum(c['online'] for c in result.documents[0]) == row.smp, (n, result)


def test_no_line_is_lost(row):
    """A long answer is one line, whatever the log has to say."""
    result = machine.run(row, 'irqs --all --json; irqs --all; help --json')
    assert len(result.documents) == 2
    assert max(len(line) for line in result.lines if line[:1] not in ('[', '{')) <= 100


# CPUs with and without an instruction to clear a cache block, or with larger blocks.
CLEAR = {'riscv64': ['rv64', 'rv64,zicboz=off'], 'aarch64': ['max', 'a64fx']}
RAM = {'riscv64': 0x80000000, 'aarch64': 0x40000000}
MIB = 1 << 20


@pytest.mark.parametrize('cpu', [0, 1])
def test_ram_full_of_garbage(row, cpu, disk, tmp_path):
    """What RAM holds at power-on nobody is given: pages come zeroed, by whatever the CPU has for that.
    Only the kernel's surroundings and a tree that QEMU puts at 62 MiB are spared."""
    extra = ['-m', '64', '-cpu', CLEAR[row.arch][cpu]]
    for start, size in (16, 45), (62 + 1 / 16, 1 + 15 / 16):
        garbage = tmp_path / str(start)
        garbage.write_bytes(b'\xa5' * int(size * MIB))
        extra += ['-device', 'loader,file=%s,addr=%#x,force-raw=on'
                  % (garbage, RAM[row.arch] + int(start * MIB))]
    result = machine.run(row, 'blk stress 100; cpus --json; mem --json', disks=[disk], extra=extra)
    cpus, mem = result.documents
    assert all(c['online'] for c in cpus)
    assert 44 * MIB < mem['total'] < 64 * MIB
