"""Boots Cascade in QEMU for a test: in one go with commands in CMD, or with somebody at the prompt.

Every QEMU belongs to the test that started it and ends with it; what it may write is limited.
Whatever a test does, in the end the irq core is asked to check itself: run() puts that behind CMD
and takes its answer away again, prompt() asks when the test is done."""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zlib

import pexpect
import pytest

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, 'tools'))
sys.dont_write_bytecode = True
import machines  # noqa: E402  (tools/machines.py)

SOAK = os.environ.get('SOAK') == '1'
FILE_LIMIT = 256 << 20
PROMPT = '\n\rcascade> \x1b[K'       # on an empty line
SECTOR = 512


def kernel(row):
    return os.environ.get('KERNEL') or built(row)


def built(row):
    return os.path.join(TREE, 'build', row.arch, 'kernel.elf')


# QEMU starts these only where it knows an MSI controller; test_foreign holds it to that.
WANT_MSI = ('edu', 'ivshmem-doorbell', 'pcie-root-port', 'ioh3420', 'x3130-upstream',
            'xio3130-downstream')


def hides_messages(row):
    """QEMU knows no MSI controller there: its devices have neither MSI-X nor MSI."""
    return 'its=off' in ' '.join(row.args)


def takes_messages(row):
    """The machine has an MSI controller that the kernel uses."""
    return row.machine in ('aia', 'its', 'gicv2m')


def refuses(row, kind):
    return hides_messages(row) and kind in WANT_MSI


@contextlib.contextmanager
def watched(row, cmd, smp, disks, extra, interactive=False, noisy=False):
    """QEMU's command line. Whatever it runs, QEMU must see no wrong access, if it is not a test that
    makes one (NOISY) or that has QEMU's log for its trace. A test of a device that QEMU refuses on
    this machine ends here."""
    assert os.path.exists(kernel(row)), 'no %s; build it: make ARCH=%s' % (kernel(row), row.arch)
    for option, words in zip(extra, extra[1:]):
        if option == '-device' and refuses(row, words.split(',')[0]):
            pytest.skip('QEMU: %s is not supported by interrupt controller' % words.split(',')[0])
    append = machines.bootargs(row, cmd, interactive=interactive)
    line = machines.argv(row, kernel(row), smp, disks, append, extra)
    if noisy or '-trace' in extra:
        yield line
        return
    with tempfile.NamedTemporaryFile(prefix='cascade-') as log:
        yield line + ['-d', 'guest_errors,unimp', '-D', log.name]
        noted = log.read(2000).decode('utf-8', 'replace')
    assert noted == '', noted


def limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))


_boot_seconds = None


def deadline(boots):
    """Seconds for work that takes as long as so many bare boots, here and now; generously."""
    global _boot_seconds
    if _boot_seconds is None:
        row = machines.rows()[0]
        began = time.monotonic()
        # Not that of the environment, which may be for another ISA.
        line = machines.argv(row, built(row), 4, append=machines.bootargs(row, 'poweroff'))
        subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120)
        _boot_seconds = time.monotonic() - began
    return 15 + 10 * boots * _boot_seconds


class Result:
    """What one run left: its status, its output, the JSON documents in it in order."""

    def __init__(self, status, output):
        self.status = status
        self.output = output
        self.lines = output.replace('\r', '').split('\n')
        self.documents = [json.loads(line) for line in self.lines if line[:1] in ('[', '{')]

    def __repr__(self):
        return 'status %d, output:\n%s' % (self.status, self.output[-6000:])


CHECK = 'irq check --json'
SOUND = {'ok': True, 'errors': []}


def checked(cmd):
    """CMD, and behind it the check; not if the machine will have ended by then."""
    return '%s; %s' % (cmd, CHECK) if cmd and not re.search(r'(^|;)\s*poweroff\b', cmd) else cmd


def check_result(result, cmd):
    """Takes the answer of the check behind CMD away; a run that ended in order must have it."""
    if checked(cmd) == cmd or result.status not in (0, 1) or '\npanic: ' in result.output:
        return
    assert result.documents and set(result.documents[-1]) == set(SOUND), \
        'no answer of the last %r: %r' % (CHECK, result)
    verdict = result.documents.pop()
    assert verdict == SOUND, '%r: %r' % (verdict, result)
    at = max(n for n, line in enumerate(result.lines) if line[:1] == '{')
    del result.lines[at]
    result.output = '\r\n'.join(result.lines)


def run(row, cmd, smp=4, disks=(), extra=(), boots=10, status=0, noisy=False):
    """Boots with CMD and waits for the end; checks the status (None: any)."""
    with watched(row, checked(cmd), smp, disks, extra, noisy=noisy) as line:
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, preexec_fn=limit)
        try:
            output = process.communicate(timeout=deadline(boots))[0]
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0]
            raise AssertionError('no end of %r; output:\n%s'
                                 % (cmd, output.decode('utf-8', 'replace')[-6000:]))
    result = Result(process.returncode, output.decode('utf-8', 'replace'))
    check_result(result, cmd)
    assert status is None or result.status == status, result
    return result


def launch(env=None, timeout=None, terminal=False):
    """tools/run as `make run` calls it. Without a terminal a Result; with one, a pexpect child."""
    environment = {key: value for key, value in os.environ.items()
                   if key not in ('CMD', 'SMP', 'DISK', 'MACHINE', 'QEMU_ARGS', 'DEADLINE')}
    environment.update(env or {})
    cmd = environment.get('CMD')
    if cmd and not terminal:
        environment['CMD'] = checked(cmd)
    program = os.path.join(TREE, 'tools', 'run')
    if terminal:
        return pexpect.spawn(program, env=environment, encoding='utf-8', codec_errors='replace',
                             timeout=deadline(10), dimensions=(24, 80))
    done = subprocess.run([program], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout or deadline(30))
    result = Result(done.returncode, done.stdout.decode('utf-8', 'replace'))
    check_result(result, cmd)
    return result


def end(child):
    """Nothing is left of it. Its close(force=True) would give QEMU a tenth of a second to go."""
    if child.isalive():
        child.kill(signal.SIGKILL)
        child.wait()
    child.close()


class Prompt:
    """A machine with somebody at its prompt."""

    def __init__(self, line):
        self.child = pexpect.spawn(line[0], line[1:], encoding='utf-8', codec_errors='replace',
                                   timeout=deadline(10), preexec_fn=limit, dimensions=(24, 80),
                                   use_poll=True)
        self.child.delaybeforesend = None
        self.child.expect_exact(PROMPT)
        self.boot = self.child.before

    def type(self, line):
        """Types a line and waits for the next prompt; what was printed between."""
        self.child.send(line + '\r')
        self.child.expect_exact(PROMPT)
        text = self.child.before.replace('\r', '')
        return text.split('\n', 1)[1] if '\n' in text else text

    def ready(self):
        """Is the next prompt there? Waits for nothing."""
        return self.child.expect_exact([pexpect.TIMEOUT, PROMPT], timeout=0) == 1

    def json(self, line):
        found = [text for text in self.type(line + ' --json').split('\n') if text[:1] in ('[', '{')]
        assert len(found) == 1, (line, found)
        return json.loads(found[0])

    def check(self):
        """The irq core's check of itself, if the machine has not ended."""
        try:
            verdict = self.json('irq check') if self.child.isalive() else SOUND
        except (pexpect.EOF, OSError):
            return
        assert verdict == SOUND, verdict

    def status(self):
        """Waits for QEMU's end."""
        self.child.expect(pexpect.EOF)
        self.child.wait()
        return self.child.exitstatus


@contextlib.contextmanager
def prompt(row, smp=4, disks=(), extra=()):
    with watched(row, 'uptime', smp, disks, extra, interactive=True) as line:
        machine = Prompt(line)
        try:
            yield machine
            machine.check()
        finally:
            end(machine.child)


_irq_modes = {}


def irq_mode(row):
    """What a PCI device interrupts with on that machine: `msix' or `intx'."""
    name = row.arch, row.machine, row.bootargs
    if name not in _irq_modes:
        functions = run(row, 'lspci --json', extra=['-device', 'virtio-blk-pci,drive=n', '-blockdev',
                                                    'driver=null-co,node-name=n']).documents[0]
        _irq_modes[name], = [f['irq_mode'] for f in functions if f['vendor'] == '1af4']
    return _irq_modes[name]


def lines_of(irqs, word):
    """Of the lines that `irqs --json` lists, those of which an action's name has WORD in it."""
    return [line for line in irqs if any(word in action for action in line['actions'])]


def disk_image(path, sectors, random=None):
    """A raw image: random bytes, or each sector its number as `tools/run` makes them."""
    with open(path, 'wb') as image:
        if random:
            image.write(random.randbytes(sectors * SECTOR))
        else:
            image.write(b''.join(n.to_bytes(8, 'little') * (SECTOR // 8) for n in range(sectors)))
    return str(path)


def filled(lba, count, seed):
    """The bytes that `blk fill LBA COUNT SEED` writes."""
    return b''.join((n ^ seed).to_bytes(8, 'little') * (SECTOR // 8)
                    for n in range(lba, lba + count))


def crc(data):
    """As `blk sum` and `nvme sum` tell it."""
    return '%08x' % zlib.crc32(data)


def script(*commands):
    return '; '.join(command + ' --json' for command in commands)


def random_io(word, path, dice, most):
    """Reads and fills of the image by `WORD sum' and `WORD fill', of up to one of MOST sectors, and a
    read of all: the commands, what they answer, and what the image holds then."""
    with open(path, 'rb') as f:
        content = bytearray(f.read())
    sectors = len(content) // SECTOR
    commands, answers = [], []
    for _ in range(dice.randrange(3, 12)):
        lba = dice.randrange(sectors)
        count = dice.randint(1, min(sectors - lba, dice.choice(most)))
        part = slice(lba * SECTOR, (lba + count) * SECTOR)
        if dice.random() < 0.4:
            seed = dice.randrange(1 << 64)
            commands.append('%s fill %d %d %#x' % (word, lba, count, seed))
            content[part] = filled(lba, count, seed)
            answers.append({'lba': lba, 'count': count, 'seed': seed})
        else:
            commands.append('%s sum %d %d' % (word, lba, count))
            answers.append({'lba': lba, 'count': count, 'crc32': crc(content[part])})
    commands.append('%s sum 0 %d' % (word, sectors))
    answers.append({'lba': 0, 'count': sectors, 'crc32': crc(content)})
    return script(*commands), answers, content
