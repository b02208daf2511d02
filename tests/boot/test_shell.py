"""The prompt: editing, history, completion; bad arguments; one JSON document a command."""

import time

import machine
import pytest


def test_editing(row):
    with machine.prompt(row) as m:
        up, left, home, delete = '\x1b[A', '\x1b[D', '\x1b[H', '\x1b[3~'
        assert m.type('hepl' + left + '\x7f' + 'l' + '\x05\x7fp' + ' mem').count('usage: mem')
        assert 'usage: mem' in m.type(up)
        assert 'usage: cpus' in m.type(up + '\x17' + 'cpus')
        assert 'usage: cpus' in m.type('xhelp cpus' + home + delete)
        assert 'usage: mem' in m.type('junk\x15help mem junk' + left * 5 + '\x0b')
        assert 'usage: mem' in m.type('\x1bhelp mem')       # Esc takes no other key along
        assert 'usage: uptime' in m.type('help upt\t')
        assert '"ok":true' in m.type('irq ch\t--json')
        assert 'irq 4095' in m.type('trace ir\t4095 --o\tupt\t')
        assert 'unknown command' in m.type('x' * 300)
        assert m.json('uptime')['ns'] > 0
        m.child.send('poweroff\r')
        assert m.status() == 0


def test_completion_lists(row):
    with machine.prompt(row) as m:
        m.child.send('trace \t\t')
        m.child.expect('irq')
        m.child.expect('show')
        m.child.send('\x03')
        m.child.expect_exact(machine.PROMPT)


BAD = ['affinity', 'affinity 0 0', 'affinity 4095 0', 'affinity x 0', 'irqs 99999', 'irqs 1 2',
       'irq', 'irq inject 0', 'irq shuffle', 'irq shuffle x uptime', 'trace', 'trace irq',
       'trace irq 4000 --once', 'trace irq 1', 'mem x', 'help nothing', 'cpus 1', 'msi',
       'msi 00:1f.7', 'msi zz', 'blk', 'blk sum', 'domains x', 'panic irq 0', 'poweroff now',
       'lspci x y z', '"', 'x' * 1000]


def test_bad_arguments(row, disk):
    """Each gives one error and nothing else happens."""
    line = '; '.join(command + ' --json' for command in BAD if command != '"')
    result = machine.run(row, line, disks=[disk], status=1)
    assert len(result.documents) == len(BAD) - 1
    for command, document in zip(BAD, result.documents):
        assert list(document) == ['error'], (command, document)
        assert document['error']
    text = machine.run(row, '; '.join(BAD), disks=[disk], status=1)
    assert sum(line.startswith('error: ') for line in text.lines) == len(BAD) - 1    # the quote takes the last


def test_forms_stand_one_below_the_other():
    lines = machine.run(machine.machines.rows()[0], 'help irq; irq', status=1).lines
    for head in ('usage: ', 'error: usage: '):
        at = lines.index(head + 'irq check [--json]')
        assert lines[at + 1] == ' ' * len(head) + 'irq doctor [IRQ] [--json]'


@pytest.mark.parametrize('cpus', ['0', '1-2', '0-3', '3'])
def test_affinity(row, disk, cpus):
    """A disk's line moves where it was asked to, and still works."""
    irqs = machine.run(row, 'irqs --json', disks=[disk]).documents[0]
    lines = [line for line in machine.lines_of(irqs, 'virtio') if 'managed' not in line['state']]
    if not lines:
        pytest.skip('every line is managed')
    irq = lines[-1]['irq']
    wanted = [n for n in range(4) if n in range(int(cpus[0]), int(cpus[-1]) + 1)]
    result = machine.run(row, 'affinity %d %s --json; irqs --json; blk stress 200; irq check'
                         % (irq, cpus), disks=[disk])
    answer, after = result.documents
    assert answer['irq'] == irq and answer['affinity'] == wanted
    assert answer['effective'] and set(answer['effective']) <= set(wanted)
    assert [line for line in after if line['irq'] == irq][0]['effective'] == answer['effective']


def test_s202_all_about_one_line(row, disk):
    """Every level of a line with its domain, hwirq, chip and the chip's flags; injected, it comes."""
    flags = {'GICv3': 'set-type-masked', 'GICv2': 'set-type-masked', 'PCI-MSIX': 'oneshot-safe',
             'PLIC': 'eoi-threaded affinity-pre-startup'}
    with machine.prompt(row, disks=[disk]) as m:
        lines = m.json('irqs')
        messages = [line for line in lines if line['flow'] == 'edge' and len(line['levels']) > 1]
        for line in messages[:1] + [line for line in lines if line['flow'] == 'fasteoi'][:1]:
            text = m.type('irqs %d' % line['irq']).split('\n')
            assert len(text) >= 4 + len(line['levels']), text
            for level, said in zip(line['levels'], text[4:]):
                assert said.startswith('  hwirq %d of %s, chip %s' % (
                    level['hwirq'], level['domain'], level['chip'])), text
                assert said.endswith(flags.get(level['chip'], '')), text
        for line in messages[:1]:
            m.type('irq inject %d' % line['irq'])
            until = time.monotonic() + machine.deadline(1)
            counts = line['counts']
            while counts == line['counts'] and time.monotonic() < until:
                counts = m.json('irqs %d' % line['irq'])[0]['counts']
            assert sum(counts) == sum(line['counts']) + 1
