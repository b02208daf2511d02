"""Devices on wires: the real-time clock's alarm, and the machine's power key behind a GPIO controller."""

import contextlib
import re
import time

import machine
import pytest
import qemu

SECOND = 1000000000
CHANGE = 'pl061_input_change'
WITNESS = ['-trace', CHANGE, '-trace', 'pl061_write', '-D']
KEY = pytest.mark.rows(where=lambda row: row.arch == 'aarch64')     # only its `virt` has a power key


def handler(irqs, irq):
    return [line for line in irqs if line['irq'] == irq][0]


@pytest.mark.parametrize('seconds', [1, 3])
def test_alarm(row, seconds):
    """One interrupt at the time it was set for, and the thread that slept goes on."""
    alarm, irqs, check = machine.run(row, 'alarm %d --json; irqs --json; irq check --json' % seconds).documents
    assert set(alarm) == {'seconds', 'ns', 'irq'} and alarm['seconds'] == seconds
    assert 0.99 * seconds <= alarm['ns'] / SECOND < seconds + machine.deadline(1)
    line = handler(irqs, alarm['irq'])
    assert sum(line['counts']) == 1 and line['type'] in ('level-high', 'none')
    assert check == {'ok': True, 'errors': []}


def test_alarm_refused(row):
    words = ['', '0', '86401', '-1', 'soon', '1 2', '99999999999999999999']
    result = machine.run(row, '; '.join('alarm %s --json' % w for w in words), status=1)
    assert [list(document) for document in result.documents] == [['error']] * len(words)


def test_alarm_cancelled(row):
    """Ctrl-C ends the wait, and the alarm does not come into the next one."""
    with machine.prompt(row) as m:
        m.child.send('alarm 60\r')
        m.child.expect_exact('\n')
        m.child.send('\x03')
        m.child.expect_exact('interrupted')
        m.child.expect_exact(machine.PROMPT)
        alarm = m.json('alarm 1')
        assert alarm['ns'] >= 0.99 * SECOND
        assert sum(handler(m.json('irqs'), alarm['irq'])['counts']) == 1


def gpio_line(m):
    """The power key's."""
    line, = [line for line in m.json('gpio')['lines'] if line['irq'] is not None]
    return line


def edges_seen(trace):
    """How many interrupts the edges make that QEMU has traced. One that comes while the last is
    pending still, as no CPU had a turn to clear it in the 100 ms of a press, makes none."""
    edges, pending = 0, False
    for change, offset, value in re.findall(
            r'pl061_(?:(input_change)|write \S+ offset 0x(\w+) value 0x(\w+))', trace.read_text()):
        if change:
            edges += not pending
            pending = True
        elif offset == '41c' and int(value, 16):        # GPIOIC
            pending = False
    return edges


def wait_for_edges(m, trace):
    """The key's line when all have been counted that the device has seen."""
    until = time.monotonic() + machine.deadline(1)
    while (line := gpio_line(m))['edges'] != edges_seen(trace):
        assert time.monotonic() < until, (line, edges_seen(trace))
    return line


def press(monitor, trace):
    """A press of the power key, to its end: a pulse of 100 ms, two edges."""
    before = trace.read_text().count(CHANGE) if trace.exists() else 0
    until = time.monotonic() + machine.deadline(1)
    monitor('system_powerdown')
    while not trace.exists() or trace.read_text().count(CHANGE) < before + 2:
        assert time.monotonic() < until
        time.sleep(0.01)


@contextlib.contextmanager
def machine_with_key(row, extra=(), disks=()):
    with qemu.sockets('qmp') as (arguments, path):
        with machine.prompt(row, extra=arguments + list(extra), disks=disks) as m:
            yield m, qemu.Monitor(path['qmp'])


def power_off(m, monitor):
    with contextlib.suppress(OSError, ValueError):      # QEMU may be gone before it has answered
        monitor('system_powerdown')
    m.child.expect('power off')
    assert m.status() == 0


@KEY
def test_power_key_powers_off(row):
    with machine_with_key(row) as (m, monitor):
        power_off(m, monitor)


@KEY
def test_power_key_counted(row, tmp_path):
    """50 presses are 100 edges; the device's own trace counts the same."""
    trace = tmp_path / 'trace'
    presses = 50
    with machine_with_key(row, WITNESS + [str(trace)]) as (m, monitor):
        assert m.json('gpio watch')['watch'] is True
        for _ in range(presses):
            press(monitor, trace)
            line = wait_for_edges(m, trace)
            assert line['level'] == 0
        assert trace.read_text().count(CHANGE) == 2 * presses
        row_of_key = handler(m.json('irqs'), line['irq'])
        assert sum(row_of_key['counts']) == line['edges']
        assert (row_of_key['flow'], row_of_key['type']) == ('edge', 'edge-both')
        assert [level['hwirq'] for level in row_of_key['levels']] == [line['line']]
        domain = [d for d in m.json('domains') if d['name'] == row_of_key['levels'][0]['domain']][0]
        chained = handler(m.json('irqs --all'), domain['chained_on'])
        assert chained['flow'] == 'chained' and chained['type'] == 'level-high'
        assert m.json('irq check')['ok']
        assert m.json('gpio watch off')['watch'] is False
        power_off(m, monitor)


@KEY
def test_power_key_under_load(row, disk, tmp_path):
    """No edge that the device has seen is lost while every CPU reads from the disk."""
    trace = tmp_path / 'trace'
    with machine_with_key(row, WITNESS + [str(trace)], disks=[disk]) as (m, monitor):
        m.json('gpio watch')
        m.child.send('blk stress 100000000\r')
        m.child.expect_exact('\n')
        for _ in range(10):
            press(monitor, trace)
        m.child.send('\x03')
        m.child.expect_exact('interrupted')
        m.child.expect_exact(machine.PROMPT)
        assert m.json('irq check')['ok']
        assert wait_for_edges(m, trace)['edges'] > 0
