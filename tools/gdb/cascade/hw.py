"""Device registers, read through QEMU's gdb stub without disturbing the machine.

Some registers cannot be read just to look:
 - reading has an effect: a PLIC gives an interrupt away when its claim register is read, and the
   kernel never sees it.  chips.py and pci.py name such; `--really' reads one all the same.
 - a GICv2 looks at which CPU reads.  gdb is none, and QEMU (10.0) ends with a segmentation fault.
   There a CPU of the guest has to read: guest.py.
"""

import gdb

from . import guest
from .model import Problem

_guards = []            # functions that give [(first address, bytes, name, by a CPU only)]


def guard(function):
    """Registers a function that knows of registers that must not be read."""
    _guards.append(function)
    return function


_known = []             # what they gave at this stop


def _forget(event):
    _known.clear()


gdb.events.cont.connect(_forget)
gdb.events.new_objfile.connect(_forget)


def _touched(address, size):
    if not _known:
        _known.extend(entry for function in _guards for entry in function())
    for first, length, name, cpu_only in _known:
        if first < address + size and address < first + length:
            yield name, cpu_only


def check(address, size):
    """Raises Problem if reading there would disturb the machine."""
    for name, cpu_only in _touched(address, size):
        if not cpu_only:
            raise Problem('Reading %s (0x%x) has a side effect: the kernel would lose what it '
                          'takes away. --really reads it.' % (name, address))


def by_cpu_only(address, size):
    return size == 4 and any(cpu_only for _, cpu_only in _touched(address, size))


class physical:
    """Inside, addresses are physical, whatever the MMU maps on the selected CPU."""

    def _set(self, on):
        connection = gdb.selected_inferior().connection
        if connection is not None and hasattr(connection, 'send_packet'):
            connection.send_packet('Qqemu.PhyMemMode:%d' % on)

    def __enter__(self):
        self._set(1)

    def __exit__(self, *exception):
        self._set(0)


def read(address, size=4, really=False):
    """A device register (or SIZE bytes of them, little-endian)."""
    if not really:
        check(address, size)
    if by_cpu_only(address, size):
        return guest.load(address)
    try:
        with physical():
            data = gdb.selected_inferior().read_memory(address, size)
    except gdb.MemoryError:
        raise Problem('There is nothing at physical address 0x%x.' % address)
    return int.from_bytes(bytes(data), 'little')


def write(address, value, size=4):
    """Stores to a device or to memory; gdb then forgets what registers it has cached."""
    if by_cpu_only(address, size):
        guest.store(address, value)
        return
    with physical():
        gdb.selected_inferior().write_memory(address, value.to_bytes(size, 'little'))
    gdb.execute('maintenance flush register-cache', to_string=True)
