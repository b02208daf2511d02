"""The gdb commands with the prefix `irq': each module here brings some, by @command."""

import argparse
import importlib
import json
import pkgutil

import gdb

from .. import model
from ..model import Problem

_classes = []


def command(cls):
    """Class decorator: gdb gets it when everything is loaded."""
    _classes.append(cls)
    return cls


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one sentence, and nothing exits."""

    def error(self, message):
        raise Problem('%s: %s; `help %s\' tells more.' % (self.prog, message, self.prog))


def number(word):
    """An argument: decimal, or with 0x in front, or any C expression that gdb can evaluate."""
    try:
        return int(word, 0)
    except ValueError:
        pass
    try:
        return int(gdb.parse_and_eval(word))
    except gdb.error as error:
        raise argparse.ArgumentTypeError("'%s' is not a number (%s)" % (word, str(error).rstrip('.')))


class Command(gdb.Command):
    """A command gathers first and prints afterwards, so that --json and text tell the same.

    NAME is what follows `irq'; the docstring is gdb's help, its first line the one in `help irq'."""

    name = ''
    stopped = True              # needs the kernel, stopped

    def __init__(self):
        super().__init__('irq ' + self.name, gdb.COMMAND_DATA)
        self._parser = _Parser(prog='irq ' + self.name, add_help=False)
        self.arguments(self._parser)
        self._parser.add_argument('--json', action='store_true')

    def arguments(self, parser):
        """Adds what the command takes besides --json."""

    def collect(self, args):
        """The answer as JSON knows it: dicts, lists, numbers, strings."""
        raise NotImplementedError

    def show(self, document):
        """Yields the lines of text for what collect() gave."""
        raise NotImplementedError

    def invoke(self, line, from_tty):
        self.dont_repeat()
        try:
            args = self._parser.parse_args(gdb.string_to_argv(line))
            if self.stopped:
                model.check_target()
            document = self.collect(args)
        except Problem:
            raise
        except gdb.error as error:      # memory that cannot be read, a struct that has changed
            raise Problem('irq %s: the kernel\'s objects are not as tools/gdb knows them: %s'
                          % (self.name, error))
        if args.json:
            gdb.write(json.dumps(document) + '\n')
        else:
            gdb.write(''.join(text.rstrip() + '\n' for text in self.show(document)))


class Irq(gdb.Command):
    """Cascade's interrupts: lines, domains, devices, traps.  Each command takes --json."""

    def __init__(self):
        super().__init__('irq', gdb.COMMAND_DATA, prefix=True)

    def invoke(self, line, from_tty):
        self.dont_repeat()
        if line:
            raise Problem('Undefined irq command: "%s".  Try "help irq".' % line)
        gdb.execute('help irq')


def register():
    Irq()
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        importlib.import_module('%s.%s' % (__name__, module))
    for cls in _classes:
        cls()


def table(rows, right=()):
    """Lines with the columns of ROWS one under the other; RIGHT: columns flush right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [cell.rjust(width) if n in right else cell.ljust(width)
                 for n, (cell, width) in enumerate(zip(row, widths))]
        yield '  '.join(cells)
