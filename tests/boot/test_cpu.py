"""CPUs that stop and come back: the disk goes on, nothing is lost, nothing goes where nobody is."""

import re
import zlib

import machine
import pytest
from machine import SECTOR, SOAK

SMP = 4


def lines_in_use(irqs):
    return [line for line in irqs if line['actions'] and 'started' in line['state']]


def test_each_cpu(row, disk):
    """Every CPU but the first in turn: I/O before, while and after; its counts stand still."""
    data = open(disk, 'rb').read()
    crc = '%08x' % zlib.crc32(data[:64 * SECTOR])
    commands = ['blk sum 0 64 --json']
    for cpu in range(1, SMP):
        commands += ['blk stress 100 --json', 'cpu offline %d --json' % cpu, 'irqs --json',
                     'blk sum 0 64 --json', 'blk stress 100 --json', 'irqs --json', 'cpus --json',
                     'irq check --json', 'cpu online %d --json' % cpu, 'blk stress 100 --json',
                     'cpus --json', 'irq check --json']
    result = machine.run(row, '; '.join(commands), smp=SMP, disks=[disk], boots=40)
    documents = iter(result.documents)
    assert next(documents)['crc32'] == crc
    for cpu in range(1, SMP):
        (stress, off, before, read, stressed, after, without, check, on, again, cpus,
         check_again) = (next(documents) for _ in range(12))
        assert not stress['errors'] + stressed['errors'] + again['errors']
        assert off == {'cpu': cpu, 'online': False}
        assert on == {'cpu': cpu, 'online': True}
        assert read['crc32'] == crc
        assert [c['cpu'] for c in without if not c['online']] == [cpu]
        assert all(c['online'] for c in cpus)
        assert check['ok'] and check_again['ok'], result
        assert [line['irq'] for line in before] == [line['irq'] for line in after]
        assert [line['counts'][cpu] for line in before] == [line['counts'][cpu] for line in after]
        assert sum(map(sum, (line['counts'] for line in after))) > \
            sum(map(sum, (line['counts'] for line in before)))
        for line in lines_in_use(before) + lines_in_use(after):
            assert cpu not in line['effective'], line


def test_lines_follow(row, disk):
    """Lines that sit on a CPU leave with it, down to the last one left, and may go back there."""
    result = machine.run(row, 'irqs --json', smp=SMP, disks=[disk])
    disk_lines = [line['irq'] for line in lines_in_use(result.documents[0])
                  if any('virtio' in name or ':' in name for name in line['actions'])]
    assert disk_lines, result
    commands = ['affinity %d 3' % irq for irq in disk_lines]
    commands += ['cpu offline 3', 'cpu offline 1', 'cpu offline 2', 'irqs --json',
                 'blk sum 0 64 --json', 'irq check --json', 'cpu online 3', 'blk stress 100 --json']
    commands += ['affinity %d 3' % irq for irq in disk_lines]
    commands += ['blk sum 0 64 --json', 'irqs --json', 'cpu online 1', 'cpu online 2',
                 'blk stress 200 --json', 'irq check --json']
    result = machine.run(row, '; '.join(commands), smp=SMP, disks=[disk], boots=20)
    alone, sum1, check1, stress1, sum2, back, stress2, check2 = result.documents
    assert all(line['effective'] == [0] for line in lines_in_use(alone) if line['effective'])
    assert {line['irq']: line['effective'] for line in back if line['irq'] in disk_lines} == \
        {irq: [3] for irq in disk_lines}
    assert sum1 == sum2 and check1['ok'] and check2['ok']
    assert not stress1['errors'] + stress2['errors']


def test_shuffle(row, disk):
    """CPUs come and go at random while the disk is read; with their lines moving as well."""
    before = open(disk, 'rb').read()
    changes, reads = (2000, 100000) if SOAK else (40, 2000)
    shuffle = 'cpu shuffle %d blk stress %d' % (changes, reads)
    result = machine.run(row, '; '.join([
        '%s --cpu 0' % shuffle, 'cpu shuffle %d irq shuffle %d blk stress %d --cpu 0'
        % (changes, changes, reads), shuffle, 'cpus --json', 'blk stress %d --json' % reads,
        'irq check --json']), smp=SMP, disks=[disk], boots=1000)
    made = [int(n) for n in re.findall(r'^(\d+) changes', result.output, re.M)]
    assert len(made) == 3 and min(made) >= changes, result
    cpus, stress, check = result.documents
    assert all(c['online'] for c in cpus) and not stress['errors'] and check['ok'], result
    assert open(disk, 'rb').read() == before



def test_watchdog(row):
    """Nobody misses the timer interrupts of a stopped CPU; those of one that is back, they see."""
    limit = 5 + int(machine.deadline(1)) // 10      # it is the boot's, too
    result = machine.launch({'ARCH': row.arch, 'MACHINE': row.machine, 'SMP': '4', 'DISK': 'none',
                             'BOOTARGS': 'watchdog=%d' % limit, 'CMD': 'cpu offline 1; cpu offline 3; '
                             'alarm {0}; cpu online 3; cpu online 1; alarm 1; irqs --json; alarm {0}; '
                             'irqs --json; irq check'.format(limit + 2)})
    assert result.status == 0, result
    first, second = ([line['counts'] for line in document if line['actions'] == ['timer']][0]
                     for document in result.documents)
    assert all(b > a for a, b in zip(first, second)), (first, second)


@pytest.mark.parametrize('what, why', [
    ('cpu offline 0', 'must stay'), ('cpu offline 4', 'there is no cpu 4'),
    ('cpu online 99', 'there is no cpu 99'), ('cpu offline x', "cpu"), ('cpu offline', 'usage'),
    ('cpu sideways 1', 'usage'), ('cpu shuffle 1', 'usage')])
def test_refused(row, what, why):
    result = machine.run(row, '%s; %s --json; cpus --json' % (what, what), smp=SMP, status=1)
    assert any(line.startswith('error: ') and why in line for line in result.lines), result
    assert 'error' in result.documents[0]
    assert all(cpu['online'] for cpu in result.documents[1])


def test_already(row):
    """What a CPU is already is no error; the last one stays whatever its number."""
    result = machine.run(row, 'cpu online 1 --json; cpu offline 1 --json; cpu offline 1 --json',
                         smp=2)
    assert [d['online'] for d in result.documents] == [True, False, False]
    machine.run(row, 'cpu offline 0; cpus', smp=1, status=1)
