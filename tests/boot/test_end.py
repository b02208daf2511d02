"""The ways a machine ends, as `make run` reports them, and the keys of the terminal."""

import re

import machine
import pexpect
import pytest
from machine import PROMPT


@pytest.mark.parametrize('cmd, status', [
    ('uptime', 0),
    ('uptime; poweroff', 0),
    ('poweroff; nonsense', 0),
    ('nonsense; uptime', 1),
    ('nonsense; poweroff', 1),
    ('blk sum 999999999 1', 1),
    ('echo "a; b" \'c\'', 1),
    ('panic', 2),
    ('nonsense; panic', 2),
    ('hang', 3),
])
def test_status(cmd, status):
    assert machine.launch({'CMD': cmd}).status == status


def test_later_commands_run():
    result = machine.launch({'CMD': 'nonsense; cpus --json; more nonsense; uptime --json'})
    assert result.status == 1
    assert len(result.documents) == 2


def test_quotes_survive():
    result = machine.launch({'CMD': 'help "a;b $HOME \\\\ \'c\'" --json'})
    assert result.documents == [{'error': "unknown command 'a;b $HOME \\ 'c''; 'help' lists them all"}]


def test_deadline():
    result = machine.launch({'CMD': 'hang', 'SMP': '1', 'DEADLINE': '3'})
    assert result.status in (3, 4), result


def test_panic_tells_the_path(row):
    """From inside a handler: the handler, the flow, the dispatch, the trap, and what it interrupted."""
    irqs = machine.run(row, 'irqs --json').documents[0]
    wired = [line for line in irqs if not line['flow'].startswith('percpu')]
    result = machine.run(row, 'panic irq %d; uptime; uptime' % wired[0]['irq'], status=2)
    text = result.output
    marks = ['panic_in_handler', 'handle_%s_irq' % wired[0]['flow'], 'generic_handle_domain_irq|_handle_irq',
             'do_irq|handle_arch_irq', 'interrupt']
    positions = []
    for mark in marks:
        found = re.search(mark, text[positions[-1] if positions else 0:])
        assert found, (mark, text[-3000:])
        positions.append(found.start() + (positions[-1] if positions else 0))


def test_ctrl_c_cancels(row, disk):
    with machine.prompt(row, disks=[disk]) as m:
        m.child.send('blk stress 100000000\r')
        m.child.expect_exact('\n')
        m.child.send('\x03')
        m.child.expect_exact(PROMPT)
        assert 'interrupted' in m.child.before
        m.child.send('half a line\x03')
        m.child.expect_exact(PROMPT)
        assert m.json('irq check')['ok']
        m.child.send('poweroff\r')
        assert m.status() == 0


def test_launcher_terminal():
    """Through tools/run with a terminal: demonstration, prompt, Ctrl-A x."""
    child = machine.launch({'DISK': 'none'}, terminal=True)
    try:
        child.expect_exact(PROMPT)
        child.send('cpus --json\r')
        child.expect(r'\[\{"cpu":0[^\r\n]*\]')
        child.expect_exact(PROMPT)
        child.send('\x01x')
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0
    finally:
        child.close(force=True)


def test_two_at_once(row, tmp_path):
    """Two machines of one clone do not meet."""
    disks = [machine.disk_image(tmp_path / name, 64) for name in 'ab']
    with machine.prompt(row, disks=disks[:1]) as a, machine.prompt(row, disks=disks[1:]) as b:
        a.type('blk fill 0 64 1')
        b.type('blk fill 0 64 2')
        for m in (a, b):
            m.child.send('poweroff\r')
            assert m.status() == 0
    assert open(disks[0], 'rb').read() == machine.filled(0, 64, 1)
    assert open(disks[1], 'rb').read() == machine.filled(0, 64, 2)
