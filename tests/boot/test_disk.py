"""Real I/O by interrupts: what the kernel reads and writes is what the host has in the image."""

import re
import zlib

import machine
import pytest
from machine import SECTOR, SOAK


def crc(data):
    return '%08x' % zlib.crc32(data)


@pytest.mark.parametrize('image', range(20))
def test_random_images(row, image, dice, tmp_path):
    """Random reads and fills of a random image, on 1 to 8 CPUs."""
    sectors = dice.randrange(1, 4096)
    path = machine.disk_image(tmp_path / 'disk.img', sectors, dice)
    with open(path, 'rb') as f:
        expected = bytearray(f.read())
    commands, sums = [], []
    for _ in range(dice.randrange(3, 12)):
        lba = dice.randrange(sectors)
        count = dice.randint(1, min(sectors - lba, dice.choice((1, 8, 64, 600))))
        if dice.random() < 0.4:
            seed = dice.randrange(1 << 64)
            commands.append('blk fill %d %d %#x' % (lba, count, seed))
            expected[lba * SECTOR:(lba + count) * SECTOR] = machine.filled(lba, count, seed)
        else:
            commands.append('blk sum %d %d --json' % (lba, count))
            sums.append({'lba': lba, 'count': count,
                         'crc32': crc(expected[lba * SECTOR:(lba + count) * SECTOR])})
    commands.append('blk sum 0 %d --json' % sectors)
    sums.append({'lba': 0, 'count': sectors, 'crc32': crc(expected)})
    result = machine.run(row, '; '.join(commands), smp=[1, 2, 4, 8][image % 4], disks=[path])
    assert result.documents == sums
    with open(path, 'rb') as f:
        assert f.read() == expected


def test_two_disks(row, dice, tmp_path):
    paths = [machine.disk_image(tmp_path / name, 100 + n, dice) for n, name in enumerate('ab')]
    result = machine.run(row, 'blk info --json; blk sum 0 100 --json; blk sum 0 100 --disk 1 --json; '
                         'blk fill 0 1 7 --disk 1', disks=paths)
    info, first, second = result.documents
    assert [(d['disk'], d['sectors']) for d in info] == [(0, 100), (1, 101)]
    assert info[0]['bdf'] < info[1]['bdf']
    data = [open(path, 'rb').read() for path in paths]
    assert first['crc32'] == crc(data[0])
    assert data[1][:SECTOR] == machine.filled(0, 1, 7)
    assert second['crc32'] != first['crc32']


@pytest.mark.parametrize('what', ['blk sum 2048 1', 'blk sum 2047 2', 'blk fill 2048 1 0',
                                  'blk sum 18446744073709551615 1', 'blk sum 0 1 --disk 9', 'blk sum x 1', 'blk sum 1'])
def test_refused(row, what, disk):
    before = open(disk, 'rb').read()
    result = machine.run(row, what + '; ' + what + ' --json; blk sum 0 1 --json', disks=[disk], status=1)
    assert any(line.startswith('error: ') for line in result.lines), result
    assert list(result.documents[0]) == ['error']
    assert result.documents[1]['crc32'] == crc(before[:SECTOR])
    assert open(disk, 'rb').read() == before


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_stress(row, smp, disk):
    """Every completion once, no byte wrong, while the lines stay and while they move."""
    before = open(disk, 'rb').read()
    reads, moves = (100000, 1000) if SOAK else (5000, 200)
    result = machine.run(row, 'blk stress %d --json; irq shuffle %d blk stress %d; irq check --json'
                         % (reads, moves, reads), smp=smp, disks=[disk], boots=1000)
    assert result.documents == [dict(result.documents[0], reads=reads, errors=0),
                                {'ok': True, 'errors': []}]
    made = re.search(r'^(\d+) moves', result.output, re.M)
    assert int(made.group(1)) >= moves
    assert '%d reads' % reads in result.output
    assert open(disk, 'rb').read() == before
