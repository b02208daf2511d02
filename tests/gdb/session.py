"""One gdb session with Cascade under QEMU: a list of commands, and what gdb answered to each.

The guest's console is kept apart from gdb's output, and what may differ from run to run, or with
every edit of the kernel, is masked: addresses of RAM, line numbers, counts, where code was
interrupted."""

import contextlib
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import pexpect

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, 'tests', 'boot'))
import machine  # noqa: E402
from machine import machines  # noqa: E402

GOLDEN = os.path.join(TREE, 'tests', 'gdb', 'golden')
START = os.path.join(TREE, 'tools', 'gdb', 'start.py')
GDB = next((name for name in ('gdb-multiarch', 'gdb') if shutil.which(name)), 'gdb-multiarch')
SECONDS = 120               # for a session; scaled where the machine is slow
MARK = '(gdb) '
PROMPT = r'\(gdb\) '

# A fixed clock: so many instructions a nanosecond.  Not sleep=off: the disk takes real time, and
# the guest's clock would jump over its patience meanwhile.
ICOUNT = ['-icount', 'shift=4', '-seed', '1']


class Answer:
    """What a session left: [(command, text)], and the guest's console."""

    def __init__(self, output, console):
        self.output, self.console = output, console
        self.parts = []
        for part in ('\n' + output).split('\n' + MARK)[1:]:
            command, _, text = part.partition('\n')
            self.parts.append((command, text))

    def of(self, command):
        """The text that the only, or the last, command of that kind gave."""
        found = [text for asked, text in self.parts if asked == command]
        assert found, 'no %r in:\n%s' % (command, self.output[-3000:])
        return found[-1].rstrip('\n')

    def golden(self):
        return '\n'.join(MARK + command + '\n' + mask(text).rstrip('\n')
                         for command, text in self.parts if '--json' not in command
                         and not command.startswith(QUIET)) + '\n'


# Not in the golden files: about running, not about interrupts.
QUIET = ('set ', 'break', 'tbreak', 'delete', 'continue', 'finish', 'backtrace', 'python', 'thread')

MASKS = (
    (r'0x(?:8|4)[0-9a-f]{7}\b', '0xRAM'),                       # RAM of both ISAs
    (r'(\.[chS]):\d+', r'\1:N'),
    (r'(?m)^( *\d+)((?: +\d+){4})(?=  )', r'\1 # # # #'),       # the counts of `irq list'
    (r'(?m)(cpu \d): \d+(?=,|$)', r'\1: #'),                    # … of `irq show'
    (r'(?m)^\$\d+ =', '$ ='),
    (r'(written|read) 0x[0-9a-f]+', r'\1 #'),                   # the ITS's queue
    (r'(?m)^(  (?:sstatus|cpsr) ).*', r'\1#'),                  # registers of `irq trap'
    (r'(interrupted |from )\S+ \S+:N,', r'\1#,'),
    (r'((?:pending|claimed|active|wires high): )[^;\n]+', r'\1#'),  # `irq chip': timer, console
    (r'(IMSIC, cpu [1-9]: [^;\n]*; enabled: [-,\d]+).*', r'\1 #'),   # they sleep, mostly
    (r'(\((?:PPI|SPI)\): enabled), pending', r'\1'),
    (r'(thread "[^"]*", at \w+) \S+', r'\1'),
    (r'\(frame \d+\)', '(frame #)'),
    (r'(thread )"[^"]*"', r'\1"#"'),
    (r'(\w)\+0x[0-9a-f]+', r'\1+#'),
    (r'build id \w+, there \w+', 'build id #, there #'),
    (r'(not the build of )\S+', r'\1#'),
    (r'(?<=\S) {2,}', '  '),                                    # columns as wide as their counts
    (r'(?m)^ +(\d+ #)', r'\1'),
)


def mask(text):
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return '\n'.join(line.rstrip() for line in text.splitlines())


@contextlib.contextmanager
def halted(row, directory, cmd, smp=4, kernel=None):
    """QEMU before its first instruction; yields its socket and a function that gives the console."""
    disk = machine.disk_image(os.path.join(directory, 'disk.img'), 2048)
    socket, console = os.path.join(directory, 'gdb'), os.path.join(directory, 'console')
    line = machines.argv(row, kernel or machine.kernel(row), smp, [disk],
                         machines.bootargs(row, cmd, interactive=True),
                         ICOUNT + ['-S', '-gdb', 'unix:%s,server=on,wait=off' % socket])
    with open(console, 'wb') as out:
        qemu = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                preexec_fn=machine.limit)
    try:
        end = time.monotonic() + 60
        while not os.path.exists(socket):
            assert qemu.poll() is None and time.monotonic() < end, open(console).read()
            time.sleep(0.02)
        yield socket, lambda: open(console, encoding='utf-8', errors='replace').read()
    finally:
        qemu.kill()
        qemu.wait()


def gdb(commands, arguments=(), socket=None):
    """gdb's output for COMMANDS, each after a line that shows it."""
    line = [GDB, '-nx', '-q', '-batch', '-iex', 'set auto-load no', *arguments]
    for command in commands:
        line += ['-ex', 'echo \\n%s%s\\n' % (MARK, command.replace('\\', '\\\\').replace('"', '\\"')),
                 '-ex', command]
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE='1')
    environment.pop('CASCADE_GDB', None)
    if socket:
        environment['CASCADE_GDB'] = socket
    return subprocess.run(line, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS + machine.deadline(10)
                          ).stdout.decode('utf-8', 'replace')


def run(row, cmd, commands, smp=4):
    """Boots with CMD under gdb and gives it COMMANDS."""
    with tempfile.TemporaryDirectory(prefix='cascade-') as directory:
        with halted(row, directory, cmd, smp) as (socket, console):
            output = gdb(commands, [machine.kernel(row), '-x', START], socket)
            return Answer(output, console())


def check_golden(name, text, config):
    """TEXT is what golden/NAME says, or becomes it with --golden."""
    path = os.path.join(GOLDEN, name)
    if config.getoption('--golden'):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    with open(path, encoding='utf-8') as file:
        before = file.read()
    changes = list(difflib.unified_diff(before.splitlines(), text.splitlines(), 'before', 'now', lineterm='', n=1))
    assert not changes, '\n'.join(changes) + '\nIf that is wanted: pytest tests/gdb --golden'


@contextlib.contextmanager
def debug(directory, *words):
    """`make debug WORDS' at a terminal, its temporary files in DIRECTORY; quits in the end."""
    child = pexpect.spawn('make', ['-s', 'debug', *words], cwd=TREE, encoding='utf-8', codec_errors='replace',
                          timeout=machine.deadline(20), dimensions=(50, 160),
                          env=dict(os.environ, TMPDIR=str(directory), TERM='dumb'))
    try:
        yield child
        child.sendline('quit')
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0
    finally:
        machine.end(child)
