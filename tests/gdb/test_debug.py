"""`make debug' as a person meets it: one window, Ctrl-C, everything gone afterwards; and what is said
where it cannot work."""

import glob
import os
import re
import signal
import subprocess
import tempfile
import time

import pexpect
import pytest

import session
from session import PROMPT, machine, machines

FIRST = [row for n, row in enumerate(machines.rows()) if row.arch not in [r.arch for r in machines.rows()[:n]]]


def launch(arguments, **environment):
    """tools/run --debug without a terminal: (status, output)."""
    done = subprocess.run([os.path.join(session.TREE, 'tools', 'run'), '--debug', *arguments],
                          env=dict(os.environ, DISK='none', **environment), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=machine.deadline(30))
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def gone(directory):
    """Whether no process has a file of DIRECTORY in its arguments."""
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        try:
            with open(path, 'rb') as file:
                if directory.encode() in file.read():
                    return False
        except OSError:
            pass
    return True


@pytest.mark.parametrize('row', FIRST, ids=[row.arch for row in FIRST])
def test_one_window_from_the_first_instruction_to_quit(row, tmp_path):
    with session.debug(tmp_path, 'ARCH=' + row.arch, 'CMD=uptime', 'SMP=2') as child:
        child.expect('Cascade is loaded')
        child.expect(PROMPT)
        child.sendline('continue')
        child.expect('cascade> ')
        child.sendintr()
        child.expect(['SIGINT', 'SIGTRAP'])
        child.expect(PROMPT)
        child.sendline('irq list')
        child.expect('timer')
        child.expect(PROMPT)
        child.sendline('irq type help uptime --json')
        child.expect(PROMPT)
        child.sendline('continue')
        child.expect(r'help uptime --json\s[\s\S]*cascade> ')
        child.sendintr()
        child.expect(PROMPT)
        assert glob.glob(str(tmp_path / 'cascade-*' / 'gdb'))
    assert not glob.glob(str(tmp_path / 'cascade-*')) and gone(str(tmp_path))


@pytest.mark.parametrize('command, end', [
    ('tools/run --debug', lambda child: child.kill(signal.SIGHUP)),
    ('make -s debug', lambda child: child.ptyproc.fileobj.close()),
    ('make -s run', lambda child: child.ptyproc.fileobj.close()),
], ids=['launcher', 'terminal of gdb', 'terminal of QEMU'])
def test_what_ends_takes_qemu_along(command, end, tmp_path):
    """Also while the guest runs, when gdb does not notice that its terminal has gone."""
    child = pexpect.spawn(command, cwd=session.TREE, timeout=machine.deadline(20),
                          env=dict(os.environ, TMPDIR=str(tmp_path), TERM='dumb'))
    if 'debug' in command:
        child.expect(PROMPT)
        child.sendline('continue')
    child.expect('cascade> ')
    assert not gone(str(tmp_path))
    end(child)
    patience = time.monotonic() + 20
    while not gone(str(tmp_path)) and time.monotonic() < patience:
        time.sleep(0.1)
    assert gone(str(tmp_path))


def test_no_symbols():
    assert 'No symbols of Cascade are loaded' in session.gdb(['irq list'], ['-x', session.START])


def test_help_tells_each_command_in_a_sentence():
    told = re.findall('^irq [-a-z]+ -- (.*)$', session.gdb(['help irq'], ['-x', session.START]), re.M)
    assert len(told) >= 14 and all(line.endswith('.') for line in told)


def test_no_kernel_is_attached():
    row = FIRST[0]
    output = session.gdb(['irq list', 'irq dev 00:01.0', 'run'], [machine.kernel(row), '-x', session.START])
    assert output.count('No kernel is attached') == 3


def test_another_build_than_the_one_that_runs():
    row = FIRST[0]
    with tempfile.TemporaryDirectory(prefix='cascade-') as directory:
        with open(machine.kernel(row), 'rb') as file:
            image = bytearray(file.read())
        at = image.index(b'GNU\0') + 4          # the note's build id
        image[at] ^= 0xff
        other = os.path.join(directory, 'kernel.elf')
        with open(other, 'wb') as file:
            file.write(image)
        with session.halted(row, directory, 'uptime') as (socket, _):
            output = session.gdb(['irq list'], [other, '-x', session.START], socket)
    assert output.count('The kernel that runs is not the build of ' + other) == 2
    assert 'Traceback' not in output


def test_a_gdb_without_python(tmp_path):
    fake = tmp_path / 'gdb-multiarch'
    fake.write_text('#!/bin/sh\necho "Python scripting is not supported in this copy of GDB."\n')
    for name in ('riscv64-elf-gdb', 'riscv64-linux-gnu-gdb', 'gdb'):
        (tmp_path / name).symlink_to(fake)
    fake.chmod(0o755)
    status, output = launch([], PATH='%s:%s' % (tmp_path, os.environ['PATH']))
    assert status == 5
    assert output.startswith('run: gdb-multiarch has no Python') and 'sh tools/setup debug' in output
    assert output.count('\n') == 1


def test_a_qemu_that_does_not_start():
    status, output = launch(['-batch'], QEMU_ARGS='-device no-such-device')
    assert status == 5 and 'no-such-device' in output and 'Traceback' not in output
