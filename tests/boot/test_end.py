"""The ways a machine ends, as `make run` reports them, and the keys of the terminal."""

import os
import re
import subprocess

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
    assert result.documents[0]['error'].startswith("unknown command 'a;b $HOME \\ 'c'';")


def test_deadline():
    result = machine.launch({'CMD': 'hang', 'SMP': '1', 'DEADLINE': '3'})
    assert result.status == 4 and 'run: not done after 3 seconds' in result.output, result


@pytest.mark.parametrize('setting, said', [
    ('ARCH=foo', "unknown ARCH 'foo'; there is: aarch64 riscv64"),
    ('MACHINE=foo', "unknown MACHINE 'foo' for riscv64; there is: aia aplic plic"),
    ("MACHINE=i't", "unknown MACHINE 'i't' for riscv64"),
    ('SMP=99', "SMP '99': riscv64 aia takes 1 to 8 CPUs"),
    ('DISK=/no/$$such', "DISK '/no/$$such': no such file"),
    ("QEMU_ARGS='a", 'QEMU_ARGS: No closing quotation'),
])
def test_what_cannot_be_is_refused_at_once(setting, said, tmp_path):
    """Before anything is set up or built for it."""
    for name in ('Makefile', 'arch', 'tests', 'tools'):
        (tmp_path / name).symlink_to(os.path.join(machine.TREE, name))
    env = {key: os.environ[key] for key in ('HOME', 'PATH') if key in os.environ}   # no MAKEFLAGS
    for goal in ('run', 'debug', 'tree', 'trace'):
        make = subprocess.run(['make', goal, setting], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert make.returncode == 2 and said in make.stdout and make.stdout.count('\n') == 1, make.stdout
    assert not (tmp_path / 'build').exists()


def test_panic_tells_the_path(row, disk):
    """From inside a handler: handler, flow, dispatch, trap, and the function it interrupted."""
    irqs = machine.run(row, 'irqs --json', disks=[disk]).documents[0]
    line = machine.lines_of(irqs, 'virtio')[-1]
    reads = 'blk stress 1000 --cpu %d' % line['affinity'][-1]       # whose queue it is
    result = machine.run(row, 'panic irq %d; %s' % (line['irq'], reads), disks=[disk], status=2)
    trace = result.output[result.output.index('backtrace'):]
    functions = re.findall(r'  [0-9a-f]{16}  (\w+)\+0x', trace)
    path = ['panic', 'panic_in_handler', 'handle_%s_irq' % line['flow'],
            'generic_handle_domain_irq']
    positions = [functions.index(name) for name in path]
    assert positions == sorted(positions), trace
    # Where messages are polled it is the softirq on the way out of the timer's trap.
    trap = 'irq_exit_work' if 'msi_poll_deliver' in functions else 'do_irq|handle_arch_irq'
    assert re.search(r'(%s)\S*\n.*\n(.*\n)?.*<- interrupted' % trap, trace), trace


def test_ctrl_c_cancels(row, disk):
    """However soon after Enter; and a line that is not finished."""
    with machine.prompt(row, disks=[disk]) as m:
        for _ in range(30):
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
        machine.end(child)


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
