"""irq walk, walk-alloc, why and stuck on every machine: what they say, against what was said before
(tests/gdb/golden/*-walk.txt), against the kernel's trace ring, and against the shell's `irq doctor'.

docs/walk.md quotes these sessions; the last test here holds it to them."""

import difflib
import json
import os
import re

import pytest

import session
from session import GOLDEN, PROMPT, machines
from test_debug import FIRST
from test_gdb import DISK, IRQ, OFF, messages

PAGE = os.path.join(session.TREE, 'docs', 'walk.md')
CMD = '; '.join(['irq doctor 0000 --json'] * 2 + ['blk sum 0 8'] * 3 + ['alarm 1'] * 3 + ['blk sum 0 8'] * 2)
PATIENCE = '--patience %d' % session.SECONDS

WRECKS = os.path.join(session.TREE, 'tests', 'gdb', 'wrecks.py')
RTC = {'riscv64': '$irq_named("rtc")', 'aarch64': '$irq_named("pl031")'}

# What is broken on purpose: of the disk's line in its device, of the clock's in its controllers.
CORE = ['activated', 'started', 'depth', 'unmasked', 'flow', 'action']
DEVICE = {True: ['device', 'bus master', 'MSI-X enable', 'function mask', 'row unmasked', 'message'],
          False: ['device', 'decode', 'bus master', 'INTx']}
CLOCK = {'plic': ('PLIC', ['priority', 'enable', 'threshold']),
         'aplic': ('APLIC-DIRECT', ['source mode', 'enable', 'target', 'threshold', 'delivery']),
         'aia': ('APLIC-MSI', ['source mode', 'enable', 'target']),
         'gicv2': ('GICv2', ['enable', 'priority', 'route', 'active']),
         'gicv3': ('GICv3', ['enable', 'priority', 'route', 'active'])}
CLOCK.update(gicv2m=CLOCK['gicv2'], its=CLOCK['gicv3'])
DISK_PARTS = {'its': [('ITS', link) for link in ('ITS', 'translation', 'collection', 'property', 'redistributor')],
              'aia': [('IMSIC', link) for link in ('translation', 'cause')]}


# Besides what session.py masks: what else happens in the same trap, and how patient the test is.
MASKS = (
    (r' --patience %d' % session.SECONDS, ''),
    (r'(?m)^ *\d+ wake .*\n(?:      .*\n)*(?:   \[Enter.*\n)?', ''),
    (r'(?m)^ *\d+ (\w+ .*  \[cpu)', r' # \1'),
    (r'while in .*?  \[', 'while in #  ['),
    (r'\d+ stations(?:, \d+ of them of other lines)?; (.* the same) \d+', r'# stations; \1 #'),
    (r'sie of cpu (\d) is 0x[0-9a-f]+', r'sie of cpu \1 is #'),
    (r'\n(?:\[Switching to .*\n\n?)?Thread [^\n]*SIGINT, Interrupt\.\n(?:(?!irq ).*\n)*', ''),
)


def golden_text(answer):
    """As Answer.golden(), but columns stay, none being as wide as a count, and so does what is pending."""
    masks = [mask for mask in session.MASKS if not mask[0].startswith(('(?<=', '((?:pending'))] + list(MASKS)
    text = '\n'.join(session.MARK + command + '\n' + said.rstrip('\n') for command, said in answer.parts
                     if '--json' not in command and not command.startswith(('source',) + session.QUIET)) + '\n'
    for pattern, replacement in masks:
        text = re.sub(pattern, replacement, text)
    return '\n'.join(line.rstrip() for line in text.splitlines() if 'Inferior 1' not in line) + '\n'


def number(expression):
    return "int(gdb.parse_and_eval('%s'))" % expression


def beside_the_doctor(expression):
    """Stops where the shell's `irq doctor' begins, gives it the line, and asks gdb for the same."""
    return ['tbreak irq_doctor', 'continue', "python ask(%s)" % number(expression),
            "irq why '%s' --json" % expression]


def wrecks(row):
    """[(line, part, link)] of all that is broken, one after the other."""
    part, links = CLOCK[row.machine]
    return ([(IRQ, 'device', link) for link in DEVICE[messages(row)]] +
            [(IRQ, *pair) for pair in DISK_PARTS.get(row.machine, [])] +
            [(RTC[row.arch], part, link) for link in links] + [(IRQ, 'core', link) for link in CORE])


def broken(row):
    commands = []
    for expression, part, link in wrecks(row):
        commands += ["python wreck(%s, '%s', '%s')" % (number(expression), part, link),
                     "irq why '%s' --json" % expression, 'python mend()']
    return commands


def stuck(row):
    """In the handler: in progress; behind the core's back not; its lock held by nobody."""
    handler = 'vring_interrupt' if messages(row) else 'vp_intx'
    state = '$irq_desc(%s)->irq_common_data.state_use_accessors' % IRQ
    lines = ['tbreak %s if irq == %s' % (handler, IRQ), 'continue', 'irq stuck',
             'set var %s = %s & ~IRQD_IRQ_INPROGRESS' % (state, state),
             'set var $irq_desc(%s)->lock.locked = 1' % IRQ, 'irq stuck',
             'set var $irq_desc(%s)->lock.locked = 0' % IRQ,
             'set var %s = %s | IRQD_IRQ_INPROGRESS' % (state, state)]
    if row.arch == 'aarch64':       # whose controllers can be told that it is pending
        lines += ["python wreck(%s, '%s', 'enable')" % (number(RTC[row.arch]), CLOCK[row.machine][0]),
                  "irq inject '%s'" % RTC[row.arch], 'irq stuck', 'python mend()']
    return lines


def silent(row):
    """The device is told not to interrupt: a walk that ends in why."""
    return ["python wreck(%s, 'device', '%s')" % (number(IRQ), 'row unmasked' if messages(row) else 'INTx'),
            "irq walk '%s' --patience 2" % IRQ]


MISTAKES = ['irq walk 4095', 'irq walk x', 'irq walk 1 --count 0', 'irq walk 1 --patience 0', 'irq walk-alloc',
            'irq walk-alloc disk', 'irq walk-alloc 00:01.0 --patience 0', 'irq why', 'irq why 4095',
            'irq stuck --after -1']


@pytest.fixture(scope='module')
def answer(row):
    commands = ['irq walk', 'source ' + WRECKS, 'irq walk-alloc %s %s' % (DISK, PATIENCE)]
    commands += beside_the_doctor(IRQ) + beside_the_doctor(RTC[row.arch])
    commands += ['tbreak disk_command', 'continue', "irq why '%s'" % IRQ, 'irq stuck'] + broken(row) + MISTAKES
    commands += ["irq walk '%s' %s" % (IRQ, PATIENCE), "irq walk '%s' --story %s" % (IRQ, PATIENCE),
                 "irq walk '%s' --json %s" % (IRQ, PATIENCE),
                 "irq walk '%s' %s" % (RTC[row.arch], PATIENCE),
                 "irq walk '%s' --count 2 --json %s" % (RTC[row.arch], PATIENCE)]
    return session.run(row, CMD, commands + stuck(row) + silent(row))


def test_every_command_as_before(row, answer, request):
    session.check_golden('%s-%s-walk.txt' % (row.arch, row.machine), golden_text(answer), request.config)


def documents(answer, command):
    """What `COMMAND … --json' said each time."""
    return [json.loads(line) for asked, text in answer.parts if asked.startswith(command) and '--json' in asked
            for line in text.splitlines() if line.startswith('{')]


def test_walk_and_the_trace_ring_agree(row, answer):
    """Every station of the trap, with its values, and no other."""
    paths = [path for document in documents(answer, 'irq walk ') for path in document['paths']]
    assert len(paths) == 3
    for path in paths:
        assert path['ended'] and len(path['ring']) == len(path['hops']) > 6
        for hop, event in zip(path['hops'], path['ring']):
            assert {key: hop[key] for key in event} == event
            assert hop['doubt'] is None
        names = [hop['station'] for hop in path['hops'] if not hop['other']]
        assert names[0] == 'trap' and names[-1] == 'exit'
        for first, then in (('lookup', 'flow'), ('flow', 'handler'), ('handler', 'handled')):
            assert names.index(first) < names.index(then)
        own = [hop for hop in path['hops'] if not hop['other']]
        assert [hop['irq'] for hop in own if hop['station'] == 'handler'] == [path['irq']]
        assert not {hop['station'] for hop in path['hops'] if hop['other']} & {'trap', 'exit', 'chain', 'unchain'}


def same(ours, theirs):
    """Whether a link that gdb sees has the name, the verdict and the value that the shell tells."""
    return ours['link'] == theirs['link'] and (ours['ok'] is None or (
        ours['ok'] == theirs['ok'] and (ours['value'] == theirs['value'] or ours['link'] == 'CPU' or
        'shadow' in ours['value'])))


def test_why_and_the_doctor_agree(row, answer):
    shell = [json.loads(line) for line in answer.console.replace('\r', '').split('\n') if line.startswith('{"links"')]
    ours = documents(answer, 'irq why ')[:2]
    assert len(shell) == 2
    for mine, theirs in zip(ours, shell):
        assert (mine['irq'], mine['cpu'], mine['ok']) == (theirs['irq'], theirs['cpu'], True)
        assert len(mine['links']) == len(theirs['links'])
        assert all(map(same, mine['links'], theirs['links'])), (mine, theirs)


def test_why_names_each_broken_link(row, answer):
    told = documents(answer, 'irq why ')[2:]
    assert [document['broken'] for document in told] == [link for _, _, link in wrecks(row)]
    for document in told:
        assert document['value'] == document['links'][-1]['value'] and not document['ok']
        assert not [link for link in document['links'][:-1] if link['ok'] is False]


@pytest.mark.parametrize('row', FIRST, ids=[row.arch for row in FIRST])
def test_why_tells_of_a_cpu_that_takes_none_now(row):
    said = session.run(row, 'uptime', ['tbreak cmd_uptime', 'continue', OFF[row.arch], "irq why '%s'" % IRQ])
    text = said.of("irq why '%s'" % IRQ)
    assert re.search(r'\n  \?      CPU +cpu 0 is online, but has its interrupts off now, at cmd_uptime', text)
    assert 'nothing is broken that gdb can see (not: CPU)' in text


def test_a_walk_without_interrupt_ends_in_why(row, answer):
    text = answer.parts[-1][1]
    assert 'no station for 2 s' in text
    assert 'does not get past "%s"' % ('row unmasked' if messages(row) else 'INTx') in text


def test_stuck_names_what_does_not_end(row, answer):
    told = [text for asked, text in answer.parts if asked == 'irq stuck']
    assert told[0].strip() == 'nothing is stuck'
    assert re.search(r'in progress: cpu \d in \w+, now (vring_interrupt|vp_intx)', told[1])
    assert "its descriptor's lock is held" in told[2] and 'in progress' not in told[2]
    if row.machine in ('plic', 'gicv2', 'gicv2m', 'gicv3'):
        assert 'and not completed, and no handler of it runs' in told[2]
    if row.arch == 'aarch64':
        assert 'is pending and not enabled' in told[3]


@pytest.mark.parametrize('row', FIRST, ids=[row.arch for row in FIRST])
def test_a_walk_goes_on_into_the_thread(row, monkeypatch):
    """With threaded handlers it ends with the thread's, wherever that runs; stuck knows who is waited for."""
    plain = machines.bootargs
    monkeypatch.setattr(machines, 'bootargs', lambda *args, **more: 'threadirqs ' + plain(*args, **more))
    thread = '%s_irq' % {'riscv64': 'goldfish_rtc', 'aarch64': 'pl031'}[row.arch]
    said = session.run(row, 'uptime; alarm 1; alarm 1', [
        'tbreak cmd_uptime', 'continue', "irq walk '%s' --json %s" % (RTC[row.arch], PATIENCE),
        'tbreak ' + thread, 'continue', 'irq stuck'])
    path = documents(said, 'irq walk')[0]['paths'][0]
    hops = [hop for hop in path['hops'] if not hop['other']]
    assert path['ended']
    ends = {hop['station']: hop for hop in hops[-3:]}
    assert ends.keys() == {'exit', 'thread', 'threaded'}    # whose CPU is quicker
    assert ends['thread']['function'] == thread and ends['threaded']['a'] == '0x1'
    assert [event['station'] for event in path['ring']] == [hop['station'] for hop in path['hops']]
    assert re.search(r'in progress: (masked until its thread "irq/|cpu \d)', said.of('irq stuck'))


def test_a_walk_gives_up_where_somebody_else_stops():
    row = FIRST[0]
    said = session.run(row, 'uptime; mem; uptime', [
        'tbreak cmd_uptime', 'continue', 'break cmd_mem', "irq walk '%s' --json %s" % (RTC[row.arch], PATIENCE),
        'print cpus[0].trace_on', 'irq stuck --after 1'])
    path = documents(said, 'irq walk')[0]['paths'][0]
    assert path['stopped'] and not path['ended'] and not path['hops']
    assert said.of('print cpus[0].trace_on').endswith('= false')


def test_an_allocation_that_is_not_coming_is_told_at_once():
    """Past, without driver, absent: no waiting.  Where a card may be plugged in, there is."""
    row = FIRST[0]
    alloc = 'irq walk-alloc %s'
    said = session.run(row, 'uptime', ['tbreak pci_host_probe', alloc % DISK, alloc % '00:1e.0',
                                       'tbreak cmd_uptime', 'continue'] +
                       [alloc % bdf for bdf in (DISK, '00:00.0', '00:1f.0')])
    assert 'given up: the kernel stopped at pci_host_probe' in [
        text for asked, text in said.parts if asked == alloc % DISK][0]
    assert said.of(alloc % '00:1e.0') == 'There is no PCI device "00:1e.0"; there are: 00:00.0, 00:01.0.'
    assert said.of(alloc % DISK).startswith(DISK + ' has its interrupts already (msix)')
    assert said.of(alloc % '00:00.0') == '00:00.0 has no driver that could ask for its interrupts.'
    assert said.of(alloc % '00:1f.0').startswith('There is no PCI device "00:1f.0"; there are: 00:00.0, 00:01.0.')


def test_a_wait_is_told_and_can_be_given_up(tmp_path):
    with session.debug(tmp_path, 'ARCH=' + FIRST[0].arch, 'CMD=uptime',
                       'QEMU_ARGS=-device pcie-root-port,id=p,chassis=1') as child:
        for command in ('tbreak cmd_uptime', 'continue', 'irq walk-alloc 01:00.0'):
            child.expect(PROMPT)
            child.sendline(command)
        child.expect('no step for 5 s, of 60')
        child.sendintr()
        child.expect('01:00.0: given up: the kernel stopped at')
        child.expect(PROMPT)


def test_a_story_asks_and_answers(tmp_path):
    question = r'q: enough\] '
    with session.debug(tmp_path, 'ARCH=' + FIRST[0].arch, 'CMD=uptime; alarm 1', 'SMP=2') as child:
        child.expect(PROMPT)
        for command in ('tbreak cmd_uptime', 'continue', "irq walk '%s' --patience 60 --story" % RTC[FIRST[0].arch]):
            child.sendline(command)
            child.expect(question if 'story' in command else PROMPT)
        for key, answer in (('b', r'#\d+ .*do_irq'), ('l', r'trace_record'), ('', r'\d+ flow ')):
            child.sendline(key)
            child.expect(answer)
            child.expect(question)
        child.sendline('q')
        child.expect('left at the station "flow"')
        child.expect(PROMPT)


def said_in(text):
    """{command: [what it said, each time]} of a golden file, each with its command's line."""
    found = {}
    for part in re.findall(r'^\(gdb\) .*\n(?:(?!\(gdb\) ).*\n)*', text, re.M):
        found.setdefault(part.split('\n')[0], []).append(part)
    return found


def test_the_page_quotes_the_sessions(request):
    """docs/walk.md: each block of gdb's names a row, and is word for word what that session said."""
    def newest(block):
        with open(os.path.join(GOLDEN, block[1] + '-walk.txt'), encoding='utf-8') as file:
            said = said_in(file.read()).get(block[2].split('\n')[0], [''])
        return '```gdb %s\n%s```' % (block[1], max(said, key=lambda text: difflib.SequenceMatcher(
            None, text, block[2]).ratio()))

    with open(PAGE, encoding='utf-8') as file:
        page = file.read()
    assert {'walk', 'walk-alloc', 'why', 'stuck'} <= set(re.findall(r'irq ([-\w]+)', page))
    assert page.count('\n```gdb ') >= 8
    now = re.sub(r'^```gdb (\S+)\n(.*?)^```', newest, page, flags=re.M | re.S)
    if request.config.getoption('--golden'):
        with open(PAGE, 'w', encoding='utf-8') as file:
            file.write(now)
    else:
        assert now == page, 'pytest tests/gdb --golden'
