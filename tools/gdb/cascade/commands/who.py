"""irq who: which handler runs for a source, a cause or a message; or why nobody's does."""

from . import Command, command, number
from .. import chips, isa, model
from ..model import Problem, function, source
from .lines import explain_depth


def follow(domain, hwirq):
    """(steps, line or None, why nobody): what an interrupt of that hwirq finds."""
    line = domain.resolve(hwirq)
    if line is None:
        return [], None, 'hwirq %d of %s is not mapped to an irq: no driver has asked for it' % (
            hwirq, domain.name)
    return [{'domain': domain.name, 'hwirq': hwirq, 'irq': line.irq}], line, None


def nobody(line):
    """Why no handler of LINE would run; None if one would."""
    if line.chained:
        feeds = line.feeds
        return 'irq %d feeds %s, which tells whose it is: ask for <hwirq>@%s' % (
            line.irq, feeds.name if feeds else '?', feeds.name if feeds else '?')
    if not line.has_action:
        return 'irq %d has no handler: nobody has requested it' % line.irq
    if line.depth and not line.setting('PER_CPU_DEVID'):
        return 'irq %d is disabled: %s' % (line.irq, explain_depth(line))
    return None


@command
class Who(Command):
    """Whose handler a source, a cause or a message runs; or why nobody's.
irq who HWIRQ@DOMAIN | --vector CAUSE | --addr ADDRESS --data DATA  [--json]

Which handler will run for that source of a controller, for that cause (riscv: scause; aarch64:
offset in the vector table), or when a device stores DATA to ADDRESS; or nobody's, and why."""

    name = 'who'

    def arguments(self, parser):
        parser.add_argument('source', nargs='?')
        parser.add_argument('--vector', type=number)
        parser.add_argument('--addr', type=number)
        parser.add_argument('--data', type=number)

    @staticmethod
    def _source(text):
        hwirq, at, name = text.partition('@')
        try:
            return follow(model.domain(name), int(hwirq, 0)) if at else None
        except ValueError:
            return None

    @staticmethod
    def _vector(vector):
        hwirq, why = isa.current().root_hwirq(vector)
        return follow(model.domains()[0], hwirq) if why is None else ([], None, why)

    @staticmethod
    def _message(address, data):
        """Who composed that message knows best; else the controller at that address is asked."""
        for line in model.irqs(True):
            message = line.msi
            if message and message.address == address and line.levels[0].chip:
                offset = line.irq - message.irq if message.count > 1 else 0
                if message.data + offset == data and not Who._shared(line, message):
                    top = line.levels[0]
                    return follow(top.domain, top.hwirq)
        found = chips.receiver(address, data)
        if found is None:
            return [], None, 'no interrupt controller takes messages at 0x%x' % address
        line, where = found
        if line is None:
            return [], None, where
        top = line.levels[0]
        return [{'domain': where, 'hwirq': data, 'irq': line.irq}] + follow(top.domain, top.hwirq)[0], \
            line, None

    @staticmethod
    def _shared(line, message):
        """Whether the same store means another line when another device makes it (the ITS)."""
        return any(other.irq != line.irq and other.msi and other.msi.address == message.address
                   and other.msi.data == message.data and other.msi.irq == other.irq
                   for other in model.irqs(True))

    def collect(self, args):
        ways = [args.source is not None, args.vector is not None, args.addr is not None]
        if sum(ways) != 1 or (args.addr is None) != (args.data is None):
            raise Problem('irq who: give one of <hwirq>@<domain>, --vector CAUSE, --addr A --data D.')
        if args.source is not None:
            asked, found = args.source, self._source(args.source)
            if found is None:
                raise Problem('irq who: \'%s\' is not <hwirq>@<domain>, as in 10@plic.' % args.source)
        elif args.vector is not None:
            asked, found = 'vector 0x%x' % args.vector, self._vector(args.vector)
        else:
            asked = 'a store of 0x%x to 0x%x' % (args.data, args.addr)
            found = self._message(args.addr, args.data)
        steps, line, why = found
        why = why or nobody(line)
        return {'asked': asked, 'steps': steps, 'irq': line.irq if line else None,
                'flow': function(line.handle_irq) if line else None,
                'handlers': [{**action.json(), 'source': source(action.handler)}
                             for action in (line.actions if line and not why else [])],
                'nobody': why}

    def show(self, who):
        yield who['asked']
        for step in who['steps']:
            yield '  %s: hwirq %d -> irq %d' % (step['domain'], step['hwirq'], step['irq'])
        if who['nobody']:
            yield '  nobody: ' + who['nobody']
            return
        yield '  %s runs' % who['flow']
        for action in who['handlers']:
            yield '    %s of "%s"  %s' % (action['handler'], action['name'], action['source'])
