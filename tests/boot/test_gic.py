"""GICv3 and ITS, with QEMU as the witness: what the kernel says it did is what the hardware saw."""

import collections
import re

import machine
import pytest
import qemu

COMMAND = re.compile(r'gicv3_its_cmd_(\w+) GICv3 ITS: command \w+ ?(.*)')
FIELD = re.compile(r'(\w+) (?:0x)?([0-9a-f]+)')
NAMES = {'DeviceID': 'device', 'EventID': 'event', 'ICID': 'collection', 'pINTID': 'lpi',
         'V': 'valid'}
ABOUT_EVENTS = {'mapti', 'movi', 'int', 'clear', 'inv', 'discard'}
CPU_INTERFACE = re.compile(r'gicv3_icc_(iar1_read|eoir_write|dir_write) .*cpu (?:0x)?([0-9a-f]+) '
                           r'value (?:0x)?([0-9a-f]+)')
GICD, ITS = 0x8000000, 0x8080000        # of `virt`
FIRST_LPI = 8192


def has_its(row):
    return any(event == 'gicv3_its_translation_write' for event, _ in row.witnesses)


ITS_ROWS = pytest.mark.rows(where=has_its)
GICV3_ROWS = pytest.mark.rows(where=lambda row: any('gic-version=3' in word for word in row.args))


def traced_commands(path):
    """The commands that QEMU has read, in order, as dictionaries."""
    with open(path) as trace:
        for name, rest in (found.groups() for found in map(COMMAND.match, trace) if found):
            yield dict({NAMES[key]: int(value, 16) for key, value in FIELD.findall(rest)
                        if key in NAMES}, command=name)


def check_order(commands):
    """What each command takes for granted was made by one before it."""
    devices, collections_, events = set(), set(), {}
    for number, c in enumerate(commands):
        name, key = c['command'], (c.get('device'), c.get('event'))
        if name == 'mapd' and c['valid']:
            assert c['device'] not in devices, c
            devices.add(c['device'])
        elif name == 'mapd':
            assert not [e for e in events if e[0] == c['device']], c
            devices.discard(c['device'])
        elif name == 'mapc':
            collections_.add(c['collection'])
        elif name == 'mapti':
            assert c['device'] in devices and key not in events, c
            assert c['lpi'] not in events.values(), c
            events[key] = c['lpi']
        elif name in ABOUT_EVENTS:
            assert key in events, c
        if 'collection' in c:
            assert c['collection'] in collections_, c
        if name == 'discard':
            del events[key]
        if name not in ('mapd', 'sync'):
            assert commands[number + 1]['command'] == 'sync', c


@ITS_ROWS
@pytest.mark.parametrize('smp', [1, 4, 8])
def test_s165_s166_commands(row, smp, disk, tmp_path):
    """The queue as the kernel remembers it is what QEMU read, command by command."""
    trace = tmp_path / 'trace.log'
    work = 'irq shuffle 20 blk stress 100; irq inject 21; its --json; its log 2047 --json; irq check'
    result = machine.run(row, work, smp=smp, disks=[disk],
                         extra=['-trace', 'gicv3_its_cmd_*', '-D', str(trace)])
    summary, log = result.documents
    seen = list(traced_commands(trace))
    check_order(seen)
    counts = collections.Counter(c['command'] for c in seen)
    assert dict(counts) == {name: n for name, n in summary['commands'].items() if n}
    told = [{key: value for key, value in c.items() if key not in ('bits', 'target')} for c in log]
    for c in seen:
        if c['command'] == 'invall':        # QEMU does not tell whose
            c['collection'] = None
    for c in told:
        if c['command'] == 'invall':
            c['collection'] = None
    assert told == seen[-len(told):]


@GICV3_ROWS
@pytest.mark.parametrize('eoimode', [0, 1])
def test_every_claim_ends(row, eoimode, disk, tmp_path):
    """Each acknowledged INTID is ended, by the CPU that took it, before that one's next; with split
    modes wires and IPIs are deactivated too, but LPIs, which have no active state, are not."""
    trace = tmp_path / 'trace.log'
    row = row._replace(bootargs=row.bootargs + ' gic.eoimode=%d' % eoimode)
    moves = 'irq shuffle 20 ' if has_its(row) else ''      # it moves messages
    machine.run(row, moves + 'blk stress 500; irq check', disks=[disk],
                extra=['-trace', 'gicv3_icc_*', '-D', str(trace)])
    active, dropped, claims = {}, {}, 0
    with open(trace) as log:
        for what, cpu, value in (f.groups() for f in map(CPU_INTERFACE.match, log) if f):
            intid = int(value, 16)
            if what == 'iar1_read':
                assert cpu not in active and cpu not in dropped
                if intid not in range(1020, 1024):
                    active[cpu] = intid
                    claims += 1
            elif what == 'eoir_write':
                assert active.pop(cpu) == intid
                if eoimode and intid < FIRST_LPI:
                    dropped[cpu] = intid
            else:
                assert dropped.pop(cpu) == intid
    assert claims > 100


@ITS_ROWS
def test_s173_fewer_lpis(row, disk):
    """A device gets half of what it wants, and half of that; the next one none and takes a wire."""
    row = row._replace(bootargs=row.bootargs + ' gic.lpis=3')
    second = ['-drive', 'if=none,id=more,driver=null-co,size=1M,read-zeroes=on',
              '-device', 'virtio-blk-pci,drive=more', '-drive',
              'if=none,id=last,driver=null-co,size=1M,read-zeroes=on', '-device',
              'virtio-blk-pci,drive=last']
    result = machine.run(row, 'blk stress 100; lspci; its --json; irq check', disks=[disk],
                         extra=second)
    assert 'device 0008: 2 LPIs instead of 8' in result.output, result
    assert re.search(r'its@\w+: device 0018: no LPI is left, all 3 are given', result.output), result
    assert result.documents[0]['lpis'] == {'size': 3, 'given': 3}
    assert '00:03.0' in result.output and 'intx: 1 vector' in result.output, result


@ITS_ROWS
@pytest.mark.parametrize('bridge', ['pcie-pci-bridge', 'pci-bridge,chassis_nr=1'])
def test_s167_s173_behind_a_bridge(row, bridge, tmp_path):
    """What is behind a bridge to PCI sends under one id: both disks are events of one device."""
    trace = tmp_path / 'trace.log'
    extra = ['-device', bridge + ',id=b,addr=7']
    for n in range(2):
        image = machine.disk_image(tmp_path / ('%d.img' % n), 64)
        extra += ['-blockdev', 'driver=raw,node-name=d%d,file.driver=file,file.filename=%s' % (n, image),
                  '-device', 'virtio-blk-pci,drive=d%d,bus=b,addr=%d' % (n, n + 1)]
    work = '; '.join('blk sum 0 64 --disk %d' % n for n in (0, 1, 0)) + '; its --json; irqs --json; irq check'
    result = machine.run(row, work, smp=2, extra=extra + ['-trace', 'gicv3_its_translation_write',
                                                         '-D', str(trace)])
    summary, irqs = result.documents
    device, = [d for one in summary['its'] for d in one['devices']]
    senders = set(re.findall(r'requester_id (?:0x)?([0-9a-f]+)', trace.read_text()))
    assert {int(sender, 16) for sender in senders} == {int(device['id'], 16)}
    lines = [line for line in irqs if line['levels'][-1]['hwirq'] >= FIRST_LPI]
    assert device['events'] >= len(lines) >= 4
    assert len({action[:7] for line in lines if sum(line['counts']) for action in line['actions']}) == 2


@GICV3_ROWS
def test_unmapped(row, disk):
    """An SPI that nobody has mapped is ended, turned off and told; and nothing else suffers."""
    with qemu.sockets('qtest') as (arguments, path), \
            machine.prompt(row, disks=[disk], extra=arguments) as m:
        bus = qemu.Bus(path['qtest'])
        bus.write(GICD + 0x100 + 4 * 3, 4, 1 << 4)      # GICD_ISENABLER: SPI 100
        bus.write(GICD + 0x200 + 4 * 3, 4, 1 << 4)      # GICD_ISPENDR
        m.child.expect_exact('took INTID 100, which nobody has mapped, and turned it off')
        for register in (0x100, 0x200, 0x300):           # enabled, pending, active
            assert not bus.read(GICD + register + 4 * 3, 4) & 1 << 4
        assert '100 reads' in m.type('blk stress 100')
        assert '0 violations' in m.type('irq check')


@ITS_ROWS
def test_s172_command_timeout(row, disk):
    """An ITS that stops reading commands: named, waited for once, usable again when it goes on."""
    with qemu.sockets('qtest') as (arguments, path), \
            machine.prompt(row, disks=[disk], extra=arguments) as m:
        bus = qemu.Bus(path['qtest'])
        vector = [line for line in m.json('irqs') if line['actions'] == ['virtio0-req.0']][0]
        bus.write(ITS, 4, 0)                            # GITS_CTLR
        text = m.type('affinity %d 3' % vector['irq'])
        assert re.search(r'its@\w+: command movi is not done after a second', text), text
        assert 'error' in m.type('affinity %d 2' % vector['irq'])
        bus.write(ITS, 4, 1)
        assert 'effective 1' in m.type('affinity %d 1' % vector['irq'])
        assert '100 reads' in m.type('irq shuffle 10 blk stress 100')
        assert '0 violations' in m.type('irq check')
