"""irq domains: the tree of controllers, drawn as the shell draws it."""

from . import Command, command, table
from .. import model


@command
class Domains(Command):
    """The tree of interrupt controllers.
irq domains [--json]

With --json the document is that of the shell's `domains --json'."""

    name = 'domains'

    def collect(self, args):
        return [domain.json() for domain in model.domains()]

    def show(self, document):
        known = model.domains()
        upper = {domain: domain.upper for domain in known}

        def branch(parent, prefix):
            children = [domain for domain in known if upper[domain] == parent]
            for domain in children:
                last = domain == children[-1]
                if parent is None:
                    label, below = domain.name, ' '
                else:
                    edge = '==[irq %d]== ' % domain.chained_on if domain.chained_on else '-- '
                    label = prefix + ('`' if last else '|') + edge + domain.name
                    below = prefix + ('    ' if last else '|   ')
                yield [label, ('%s %s' % (domain.map, domain.size or '')).strip(),
                       '%d mapped' % domain.mapped, domain.origin]
                yield from branch(domain, below)

        yield '==  chained: that irq of the parent has a flow handler that asks the child'
        yield '--  hierarchy: each line has one irq_data more than at the parent'
        yield from table(list(branch(None, '')) or [['no domain yet']])
