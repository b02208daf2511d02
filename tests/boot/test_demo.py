"""What `make run` shows, in order, and that it fits a terminal."""

import glob
import re

import machine

STORY = ['device', 'trap', 'root', 'lookup', 'flow', 'handler', 'handled', 'exit']


def demo(**settings):
    result = machine.launch({key.upper(): value for key, value in settings.items()})
    assert result.status == 0, result
    assert max(map(len, result.lines)) <= 100
    return result


def check_story(text):
    """The numbered lines of a narration: in order, each with its function."""
    stations = re.findall(r'^([ \d]\d) +(?:\+?\d+ +)?([a-z]+) +(\S+)', text, re.M)
    numbers = [int(number) for number, _, _ in stations]
    assert numbers == list(range(len(numbers))) and 8 <= len(numbers) <= 20, stations
    names = [name for _, name, _ in stations]
    positions = [names.index(name) for name in STORY]
    assert positions == sorted(positions), names
    assert '?' not in [function for _, _, function in stations]


def test_order():
    text = demo().output.replace('\r', '')
    order = ['> domains', '> lspci', '> msi 00:', '> blk sum 0 8', 'verified', '> trace irq']
    positions = [text.index(mark) for mark in order]
    assert positions == sorted(positions), text
    story = text[positions[-1]:]
    check_story(story)
    assert re.search(r'message \d+: writes 0x[0-9a-f]+ to', story), story


def test_without_a_disk():
    text = demo(disk='none').output
    assert 'There is no disk' in text
    assert '> lspci' in text


def test_with_a_foreign_disk(tmp_path, dice):
    path = machine.disk_image(tmp_path / 'disk.img', 3, dice)
    text = demo(disk=path).output
    assert 'two reads agree' in text


def test_trace(row, disk):
    """The path as JSON: one trap, and every station with its function; each is left once."""
    irqs = machine.run(row, 'irqs --json', disks=[disk]).documents[0]
    for line in [line for line in irqs if len(line['levels']) > 1][:2]:
        command = 'trace irq %d --once --json' % line['irq']
        trace = machine.run(row, command, disks=[disk]).documents[-1]
        assert trace['irq'] == line['irq']
        names = [event['station'] for event in trace['events']]
        # A message that is polled comes in a softirq, as a rule on the way out of a trap.
        polled = line['levels'][-1]['domain'] == 'msi-poll'
        assert names[0] == 'trap' or polled and names[0] == 'softirq'
        assert names[-1] == 'exit' and 'handler' in names
        assert names.count('trap') <= 1 and names.count('softirq') == polled
        assert names.count('exit') == names.count('trap') + names.count('softirq')
        assert all(event['symbol'] != '?' for event in trace['events'])
        for event in trace['events']:
            assert set(event) == {'station', 'symbol', 'phase', 'cycles', 'irq', 'detail'}
        handlers = [event['irq'] for event in trace['events'] if event['station'] == 'handler']
        assert handlers.count(line['irq']) == 1 or polled and line['irq'] in handlers


def test_readme_lists_the_boot_arguments():
    """Each that the kernel asks for, but for what tools/run itself gives it."""
    asked = set()
    for path in (p for top in ('arch', 'kernel', 'drivers')
                 for p in glob.glob('%s/%s/**/*.c' % (machine.TREE, top), recursive=True)):
        with open(path, encoding='utf-8') as file:
            asked |= set(re.findall(r'\bboot_arg(?:_u64)?\("([^"]+)"', file.read()))
    with open(machine.TREE + '/README.md', encoding='utf-8') as file:
        part = file.read().split('## Boot arguments')[1].split('\n## ')[0]
    listed = set(re.findall(r'^\| `([^`=]+)|, `([^`=]+)=', part, re.M))
    assert {a or b for a, b in listed} == asked - {'cmd', 'interactive', 'semihosting'}
