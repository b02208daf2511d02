"""Loads Cascade's commands into gdb:  gdb-multiarch -nx -iex "set auto-load no" -x tools/gdb/start.py

`make debug' does that, and connects to a QEMU of its own.  `help irq' lists the commands."""

import os
import sys
import time

import gdb

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    version = gdb.VERSION.split('.')
    if not version[0].isdigit() or int(version[0]) < 12:
        raise gdb.GdbError('Cascade\'s commands need gdb 12 or later; this is %s.' % gdb.VERSION)
    sys.dont_write_bytecode = True
    sys.path.insert(0, HERE)
    from cascade import commands, frames, printers, values  # noqa: F401
    commands.register()
    printers.register()
    frames.register()
    gdb.execute('set confirm off')          # leaving is harmless: QEMU belongs to tools/run
    gdb.execute('set pagination off')
    if os.environ.get('CASCADE_GDB'):
        connect(os.environ['CASCADE_GDB'])


def connect(socket):
    """To the QEMU of tools/run --debug, which waits before its first instruction."""
    from cascade import model
    gdb.execute('set remotetimeout 120')    # it asks again otherwise, and is then one answer behind
    until = time.monotonic() + 30
    while True:
        try:
            gdb.execute('target remote ' + socket, to_string=True)
            break
        except gdb.error:                   # QEMU has made the socket and does not listen yet
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    model.check_target()
    gdb.write('Cascade is loaded and has not begun. `c\' starts it, Ctrl-C stops it, `help irq\' lists '
              'what\ncan be asked, `irq type LINE\' is its keyboard.  For example: break '
              'vring_interrupt\n')


try:
    main()
except gdb.GdbError as error:       # of a script, gdb would print where it was raised
    gdb.write('%s\n' % error, gdb.STDERR)
