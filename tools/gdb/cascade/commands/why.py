"""irq why: why a line's interrupt does not arrive."""

from . import Command, command, number
from .. import doctor, model


@command
class Why(Command):
    """Why a line does not arrive: the first broken link.
irq why N [--json]

Does line N get from its device to its handler?  Every link between them is read from outside, with the
names and the verdicts of the shell's `irq doctor N'; the first that lets nothing through is named with
its value.  With --json the document is that of `irq doctor N --json', but a link that gdb cannot see
has "ok": null."""

    name = 'why'

    def arguments(self, parser):
        parser.add_argument('irq', type=number)

    def collect(self, args):
        self._found = doctor.diagnose(model.irq(args.irq))
        return self._found.json()

    def show(self, document):
        return self._found.lines()
