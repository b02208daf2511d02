"""tools/gdb on every machine: one session each, in which every command speaks.

What gdb says is compared with tests/gdb/golden; `pytest tests/gdb --golden' writes these files
anew, and `git diff' shows what has changed.  What the shell says at the same stop, the device's
own registers and the backtrace are compared with what they must be."""

import json

import pytest

import session

CMD = 'irqs --json; domains --json; irqs --all --json; blk sum 0 8; blk sum 0 8'
DISK = '00:01.0'
IRQ = '$irq_of("%s", 1)' % DISK     # the irq of the disk's first queue; of its wire, without messages

# With interrupts off and the other CPUs stopped, nothing changes while the shell prints.
OFF = {'riscv64': 'set $sstatus = $sstatus & ~2', 'aarch64': 'set $cpsr = $cpsr | 0x80'}
ON = {'riscv64': 'set $sstatus = $sstatus | 2', 'aarch64': 'set $cpsr = $cpsr & ~0x80'}

# Registers that must not be read just to look, by the expression of their address.
PRECIOUS = {'plic': 'plic_contexts[0].regs + 4', 'aplic': 'aplic_idcs[0].regs + 0x1c',
            'gicv2': 'gic2.cpu + 0xc', 'gicv2m': 'gic2.cpu + 0xc'}


# What a CPU of the guest must have back after it was borrowed to read a register.
STATE = 'python print([str(r) for n in gdb.selected_frame().architecture().registers("general") ' \
    'for r in [gdb.newest_frame().read_register(n)]], gdb.execute("x/4xw $pc", to_string=True))'


def beside_the_shell(row, function, command):
    """Stops in a shell command, asks gdb, and lets the command end with nothing in between."""
    return ['tbreak ' + function, 'continue', 'set scheduler-locking on', OFF[row.arch], command,
            'finish', ON[row.arch], 'set scheduler-locking off']


def tour(row):
    """Every command, with good input."""
    lines = ['irq list', 'irq list --all', 'irq domains', "irq show '%s'" % IRQ, 'irq show 1',
             'irq dev ' + DISK, 'irq dev 00:00.0', 'irq chip']
    lines += {'riscv64': ["irq show '$virq(\"riscv-intc\", 9)'", 'irq show 5', 'irq who --vector 9',
                          'irq who --vector 0x8000000000000005', 'irq who --vector 2'],
              'aarch64': ['irq who --vector 0x280', 'irq who --vector 0x200', 'irq who --vector 1',
                          'irq who 33@gic', 'irq show \'$virq("gic", 27)\'']}[row.arch]
    lines += {'aia': ['irq who 10@aplic', 'irq who --addr 0x28000000 --data 4', 'irq chip imsic',
                      'irq who --addr 0x28001000 --data 99'],
              'aplic': ['irq who 33@aplic'], 'plic': ['irq who 33@plic', 'irq chip plic'],
              'its': ['irq who 8193@its', 'irq who --addr 0x8090040 --data 1', 'irq chip its',
                      'irq who --addr 0x8090040 --data 77'],
              'gicv2m': ['irq who --addr 0x8020040 --data 81'], }.get(row.machine, [])
    lines += ['irq peek ' + {'plic': '0xc000028', 'aplic': '0xd000000', 'aia': '0xd000000'}.get(row.machine, '0x8000004')]
    lines += ['irq who 40@' + ('aplic' if row.machine == 'aia' else
                               'riscv-intc' if row.arch == 'riscv64' else 'gic'),
              'irq who --addr 0x1234 --data 1']
    lines += ['print *irq_to_desc(%s)' % IRQ, 'print *irq_get_irq_data(%s)' % IRQ,
              'print *$irq_desc(%s)->irq_data.chip' % IRQ, 'print *$irq_desc(%s)->irq_data.domain' % IRQ,
              'print *$irq_desc(%s)->action' % IRQ, 'print $irq_desc(%s)->irq_common_data' % IRQ,
              'print cpu_online_mask_', 'print $irq_desc(1)->lock', 'print *cpus[0].current',
              'print irq_domain_list', 'print $irq_count(1) < 1000', 'print $irq_data(%s, "foo")' % IRQ,
              'print $irq_data(%s) == &$irq_desc(%s)->irq_data' % (IRQ, IRQ)]
    return lines


def mistakes(row):
    """Bad input, each answered by one sentence."""
    lines = ['irq show 4095', 'irq show x', 'irq show', 'irq who foo', 'irq who 1@foo', 'irq who',
             'irq who --addr 1', 'irq dev 99:00.0', 'irq chip foo', 'irq foo', 'irq list --foo',
             'irq inject 4095', 'irq peek 1 --size 3', 'irq type', 'run']
    if row.machine in PRECIOUS:
        lines.append("irq peek '%s'" % PRECIOUS[row.machine])
    if not messages(row):
        lines.append(ISR)
    lines += {'riscv64': ['irq peek 0x10000000 --size 1', 'irq peek 0x10000002 --size 1'],
              'aarch64': ['irq peek 0x9000000']}[row.arch]
    return lines


ISR = "irq peek '((struct virtio_pci *)$irq_desc(%s)->action->dev_id)->isr.base'" % IRQ


def messages(row):
    return row.machine in ('aia', 'its', 'gicv2m')


def interrupt(row):
    """In the disk's handler; then another interrupt of it, made by gdb."""
    stop = 'vring_interrupt' if messages(row) else 'vp_intx'
    lines = ['break %s if irq == %s && $irq_count(irq) > 0' % (stop, IRQ), 'continue', STATE, 'irq trap', "irq show '%s'" % IRQ,
             'backtrace', 'print *$trap_regs()', 'irq chip', STATE]
    if messages(row):       # behind software's back
        lines += ['set $msi = $irq_desc(%s)->irq_common_data.msi_desc' % IRQ,
                  'set $pci = (struct pci_dev *)((char *)$msi->dev - (long)&((struct pci_dev *)0)->dev)',
                  'set $row = (unsigned *)$pci->msix_base + 4',
                  'set $row[3] = 1', 'set $row[2] = 0x55', 'irq dev ' + DISK,
                  'set $row[2] = $msi->msg.data',
                  'set $row[3] = 0', 'irq dev ' + DISK]
    lines += ["irq inject '%s'" % IRQ]
    if messages(row):
        lines += ['continue', 'print irq == %s' % IRQ]
    return lines


def running():
    return ['delete', 'continue &', 'irq list', 'set confirm off']


@pytest.fixture(scope='module')
def answer(row):
    commands = ['irq list', 'irq domains', 'irq trap']
    commands += beside_the_shell(row, 'cmd_irqs', 'irq list --json')
    commands += beside_the_shell(row, 'cmd_domains', 'irq domains --json')
    commands += beside_the_shell(row, 'cmd_irqs', 'irq list --all --json')
    commands += ['irq dev %s --json' % DISK] + tour(row) + mistakes(row) + interrupt(row) + running()
    return session.run(row, CMD, commands)


def test_every_command_as_before(row, answer, request):
    session.check_golden('%s-%s.txt' % (row.arch, row.machine), answer.golden(), request.config)


def test_conditions_of_breakpoints_can_be_told(row, answer):
    assert 'Error in testing' not in answer.output


@pytest.mark.parametrize('number, command', enumerate(
    ['irq list --json', 'irq domains --json', 'irq list --all --json']))
def test_gdb_and_the_shell_read_the_same(row, answer, number, command):
    shell = [line for line in answer.console.replace('\r', '').split('\n') if line[:1] in ('[', '{')]
    ours, theirs = json.loads(answer.of(command)), json.loads(shell[number])
    assert len(ours) > 1
    assert json.dumps(ours) == json.dumps(theirs)


def test_backtrace_names_every_step(row, answer):
    """handler, flow, dispatch, trap and what was interrupted, in this order, down to its thread."""
    frames = [line for line in answer.of('backtrace').splitlines() if line.startswith('#')]
    steps = ['vring_interrupt ' if messages(row) else 'vp_intx ',
             'handle_edge_irq ' if row.machine == 'aia' else 'handle_fasteoi_irq ',
             'generic_handle_', 'do_irq ', '<interrupt ']
    at = 0
    for step in steps:
        found = [n for n in range(at, len(frames)) if step in frames[n]]
        assert found, 'no %r below frame %d in\n%s' % (step, at, '\n'.join(frames))
        at = found[0]
    assert len(frames) > at + 1, 'it ends in the trap'
    assert any(word in frames[-1] for word in ('thread_trampoline', '_start', 'secondary_entry', 'boot')), frames[-1]


def test_looking_changes_nothing(row, answer):
    before, after = [text for command, text in answer.parts if command == STATE]
    assert before == after and len(before) > 300


def test_device_and_software_are_compared(row, answer):
    told = [text for command, text in answer.parts if command == 'irq dev ' + DISK]
    document = json.loads(answer.of('irq dev %s --json' % DISK))
    assert document['problems'] == [] and document['mode'] == ('msix' if messages(row) else 'intx')
    if messages(row):
        assert len([r for r in document['rows'] if r['irq']]) == 5
        assert '!! row 1: data differs' in told[1] and '!! row 1: masked differs' in told[1]
        assert '!!' not in told[0] + told[2]
