"""Loads Cascade's commands into gdb:  gdb-multiarch -nx -iex "set auto-load no" -x tools/gdb/start.py

`make debug' does that, and connects to a QEMU of its own.  By hand, after `target remote':
`irq check-image' compares the build with what runs.  `help irq' lists the commands."""

import os
import sys

import gdb

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    version = gdb.VERSION.split('.')
    if not version[0].isdigit() or int(version[0]) < 12:
        raise gdb.GdbError('Cascade\'s commands need gdb 12 or later; this is %s.' % gdb.VERSION)
    sys.dont_write_bytecode = True
    sys.path.insert(0, HERE)
    from cascade import commands, printers
    commands.register()
    printers.register()


main()
