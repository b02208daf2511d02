"""What makes a machine take interrupts of one kind, a few hundred of them, none in a hurry.

Each is a function of (row, smp, vectors, counts, directory): boots with counts.arguments, powers the
machine off when the records are complete, and returns what it knows besides."""

import contextlib
import os
import time

from guest import Cannot, machine
from ivshmem_server import SELF, Server

INTERRUPTS = 400        # not each of them comes alone
PAUSE = 0.001           # seconds, for the guest to leave the interrupt that we have heard of


def free_memory(m):
    return m.json('mem')['free']


def poweroff(m):
    m.child.send('poweroff\r')
    m.status()


@contextlib.contextmanager
def doorbell_machine(row, smp, vectors, counts, directory):
    path = os.path.join(directory, 'doorbell')
    extra = ['-chardev', 'socket,path=%s,id=iv' % path,
             '-device', 'ivshmem-doorbell,chardev=iv,vectors=%d' % vectors]
    with Server(path, vectors) as server, \
            machine.prompt(row, smp, extra=extra + counts.arguments) as m:
        yield m, server, server.wait_peers(1)[0]
        poweroff(m)
    os.unlink(path)


def doorbell(row, smp, vectors, counts, directory):
    """MSI-X: another machine, which is us, rings; the guest's handler rings back, so that there is
    always one message on its way. The vectors take turns."""
    with doorbell_machine(row, smp, vectors, counts, directory) as (m, server, peer):
        have, free = m.json('ivshmem info')['vectors'], free_memory(m)
        m.type('ivshmem echo %d' % SELF)
        for n in range(INTERRUPTS):
            vector = n * have // INTERRUPTS
            server.ring(peer, vector)
            if not server.heard(vector):
                raise Cannot('%s %s: vector %d does not answer' % (row.arch, row.machine, vector))
            time.sleep(PAUSE)
    return {'vectors': have, 'free': free}


def wire(row, smp, _, counts, __):
    """A wire: a disk without MSI-X. Its interrupts go to the last CPU, and who waits for it is on
    the first, so that no thread is switched on the way out."""
    disk = ['-blockdev', 'driver=null-co,node-name=n,read-zeroes=on',
            '-device', 'virtio-blk-pci,drive=n,vectors=0']
    with machine.prompt(row, smp, extra=disk + counts.arguments) as m:
        irq = machine.lines_of(m.json('irqs'), 'virtio')[0]['irq']
        m.type('affinity %d %d' % (irq, smp - 1))
        for _ in range(INTERRUPTS // 10):
            m.type('; '.join(['blk sum 0 1'] * 10))
        poweroff(m)
    return {}


def boot(row, smp, _, counts, directory):
    """The machine of `make run`: reads its disk once."""
    disk = machine.disk_image(os.path.join(directory, 'disk'), 2048)
    machine.run(row, 'blk sum 0 8; poweroff', smp, [disk], counts.arguments)
    return {}
