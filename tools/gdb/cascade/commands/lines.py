"""irq list, irq show: the lines as the core sees them."""

from . import Command, command, number, table
from .. import chips, model
from ..model import function, ranges, source

LETTERS = (('disabled', 'D'), ('masked', 'M'), ('pending', 'P'), ('inprogress', 'I'))


@command
class List(Command):
    """The lines that have a handler, and how often they came.
irq list [--all] [--json]

--all: every descriptor.  With --json the document is that of the shell's `irqs --json'.
States: D disabled, M masked, P pending, I in progress."""

    name = 'list'

    def arguments(self, parser):
        parser.add_argument('--all', action='store_true')

    def collect(self, args):
        return [line.json() for line in model.irqs(args.all)]

    def show(self, document):
        cpus = model.possible_cpus()
        rows = [['irq', *('cpu%d' % cpu for cpu in cpus), 'chip', 'hwirq@domain', 'flow', 'trigger',
                 'state', 'actions']]
        for line in document:
            first = line['levels'][0] if line['levels'] else None
            rows.append([line['irq'], *line['counts'], first['chip'] or '-' if first else '-',
                         '%d@%s' % (first['hwirq'], first['domain']) if first else 'none',
                         line['flow'], line['type'],
                         ''.join(c for word, c in LETTERS if word in line['state']) or '-',
                         ', '.join(line['actions'])])
        return table(rows, right=range(len(cpus) + 1)) if document else ['no line yet']


def explain_depth(line):
    """Why the line is on or off, in words."""
    depth, started = line.depth, line.irqd_test('IRQ_STARTED')
    if line.setting('PER_CPU_DEVID'):
        on = model.cpus_of(line.value['percpu_enabled'])
        return 'each CPU enables it for itself; enabled on: %s' % (ranges(on) or 'none')
    if line.istate & model.const('IRQS_SPURIOUS_DISABLED'):
        return 'the spurious detector turned it off: too many interrupts that nobody handled'
    if not depth:
        return 'enabled: no disable_irq() is outstanding'
    if line.irqd_test('MANAGED_SHUTDOWN'):
        return 'managed, and none of its CPUs is online: it is back when one is'
    if not started and not line.has_action:
        return 'not requested: a fresh line has depth 1, request_irq() makes it 0'
    if not started and line.setting('NOAUTOEN'):
        return 'requested with IRQF_NO_AUTOEN: the first enable_irq() starts it'
    return '%d disable_irq() that no enable_irq() has undone' % depth


def explain_state(line):
    """What is peculiar about its state now: sentences."""
    disabled, masked = line.irqd_test('IRQ_DISABLED'), line.irqd_test('IRQ_MASKED')
    if line.irqd_test('IRQ_INPROGRESS'):
        yield 'in progress: a CPU runs its handler now'
    if disabled and not masked:
        yield 'disabled, but not masked at the chip yet: the next interrupt does that (lazy disable)'
    if masked and not disabled:
        oneshot = int(line.value['threads_oneshot'])
        yield ('masked until its thread has finished (oneshot)' if oneshot else
               'masked by its flow handler while it is handled')
    if line.istate & model.const('IRQS_PENDING'):
        yield 'pending: it came while it could not be handled, and will be replayed'
    if line.irqd_test('SETAFFINITY_PENDING'):
        yield 'a move to other CPUs waits for the next interrupt'
    if line.locked:
        yield 'its descriptor is locked: a CPU works on it now'


@command
class Show(Command):
    """All about one line.
irq show N [--json]

Its levels from the device's side to the root, through chained controllers too; flow, handlers, state
and depth explained."""

    name = 'show'

    def arguments(self, parser):
        parser.add_argument('irq', type=number)

    @staticmethod
    def _level(level):
        found = chips.of(level)
        return {**level.json(), 'irq': level.irq, 'where': found.where() if found else None,
                'enabled': found.enabled() if found else None,
                'pending': found.pending() if found else None}

    def collect(self, args):
        line = model.irq(args.irq)
        message = line.msi
        return {**line.json(), 'title': line.title,
                'route': [self._level(level) for level in line.route],
                'handler': {'function': function(line.handle_irq), 'source': source(line.handle_irq)},
                'handlers': [action.json() for action in line.actions],
                'message': message and {'device': message.device, 'index': message.index,
                                        'address': hex(message.address), 'data': message.data},
                'why_depth': explain_depth(line), 'why_state': list(explain_state(line))}

    def show(self, line):
        yield 'irq %d %s: %s flow, trigger %s' % (line['irq'], line['title'], line['flow'], line['type'])
        if line['message']:
            m = line['message']
            yield ('  message   %d of %s: writes 0x%x to %s'
                   % (m['index'], m['device'], m['data'], m['address']))
        for level in line['route']:
            seen = [word for word in ('enabled', 'pending') if level[word]]
            seen += ['not enabled'] if level['enabled'] is False else []
            at = ': '.join(filter(None, (level['where'], ', '.join(seen))))
            yield '  %-9s %-4s @%-24s chip %-12s %s' % (
                'level' if level['irq'] == line['irq'] else 'irq %d' % level['irq'], level['hwirq'],
                level['domain'], level['chip'], at)
        yield '  flow      %s  %s' % (line['handler']['function'], line['handler']['source'])
        for action in line['handlers']:
            thread = ', then in a thread %s' % action['thread_fn'] if action['thread_fn'] else ''
            yield '  action    %s: %s%s  %s' % (action['name'], action['handler'], thread,
                                                action['source'])
        yield '  affinity  asked %s, effective %s' % (ranges(line['affinity']) or 'none',
                                                      ranges(line['effective']) or 'none')
        yield '  counts    ' + ', '.join('cpu %d: %d' % pair for pair in zip(model.possible_cpus(),
                                                                           line['counts']))
        yield '  state     ' + (' '.join(line['state']) or 'none')
        yield '  depth %-3d %s' % (line['depth'], line['why_depth'])
        for sentence in line['why_state']:
            yield '            ' + sentence
