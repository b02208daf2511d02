"""QEMU from outside while the guest runs: its monitor, its view of the PCI bus, its bus itself."""

import contextlib
import json
import os
import socket
import tempfile
import time

import machine


def connect(path):
    seconds = machine.deadline(10)
    end = time.monotonic() + seconds
    while True:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(seconds)
        try:
            link.connect(path)
            return link
        except OSError:
            link.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Monitor:
    """QMP. Commands are called like functions: monitor('device_del', id='x')."""

    def __init__(self, path):
        self.file = connect(path).makefile('rw')
        self.events = []
        self.file.readline()
        self('qmp_capabilities')

    def _line(self):
        answer = json.loads(self.file.readline())
        if 'event' in answer:
            self.events.append(answer)
        return answer

    def __call__(self, command, **arguments):
        words = {name.replace('_', '-') if name in ('node_name',) else name: value
                 for name, value in arguments.items()}
        self.file.write(json.dumps({'execute': command, 'arguments': words}) + '\n')
        self.file.flush()
        while True:
            answer = self._line()
            if 'error' in answer:
                raise RuntimeError(answer['error']['desc'])
            if 'return' in answer:
                return answer['return']

    def human(self, line):
        """What the monitor for people answers, such as `info pci`."""
        return self('human-monitor-command', **{'command-line': line}).replace('\r', '')

    def wait_deleted(self, device):
        """Until QEMU has taken the device away; it may come back, and go again."""
        def done():
            return [e for e in self.events
                    if e['event'] == 'DEVICE_DELETED' and e['data'].get('device') == device]
        while not done():
            self._line()
        self.events.remove(done()[0])


class Bus:
    """qtest: reads and writes as no driver of the guest would, behind the guest's back."""

    def __init__(self, path):
        self.file = connect(path).makefile('rw')

    def _ask(self, line):
        self.file.write(line + '\n')
        self.file.flush()
        while True:
            words = self.file.readline().split()
            if words[0] != 'IRQ':
                assert words[0] == 'OK', words
                return words[1:]

    def read(self, address, size):
        return int(self._ask('read%s 0x%x' % ({1: 'b', 2: 'w', 4: 'l'}[size], address))[0], 0)

    def write(self, address, size, value):
        self._ask('write%s 0x%x 0x%x' % ({1: 'b', 2: 'w', 4: 'l'}[size], address, value))


@contextlib.contextmanager
def sockets(*names):
    """Arguments for QEMU, and a path for each of `qmp' and `qtest' asked for."""
    with tempfile.TemporaryDirectory(prefix='cascade-') as directory:
        paths = {name: os.path.join(directory, name) for name in names}
        arguments = []
        for name, path in paths.items():
            arguments += ['-' + name, 'unix:%s,server=on,wait=off' % path]
        if 'qtest' in names:
            arguments += ['-qtest-log', 'none']
        yield arguments, paths
