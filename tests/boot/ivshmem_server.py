#!/usr/bin/env python3
"""An ivshmem server that is a peer itself: it rings the guests' doorbells and hears its own.

QEMU connects to its socket (-chardev socket,path=S,id=c and
-device ivshmem-doorbell,vectors=N,chardev=c) and is sent 8-byte numbers, some with a file
descriptor:

    0                    the version of the protocol
    id                   the newcomer's number
    -1        + memory   what is shared
    peer      + eventfd  for each vector of each peer: write it to ring there
    id        + eventfd  for each vector of its own: it is rung when this counts up

Peers that come later are announced in the same way, a peer's number alone says that it has gone.
We are peer 0.  As a program: ivshmem_server.py SOCKET [VECTORS], then lines that say
`PEER VECTOR [TIMES]'."""

import contextlib
import os
import resource
import select
import socket
import struct
import sys
import threading

SELF = 0


def readable(fds, timeout=None):
    """Those that can be read, once there is one; select() knows no numbers above 1,023."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(None if timeout is None else 1000 * timeout)]


class Server:
    def __init__(self, path, vectors=4, memory=1 << 20):
        self.vectors = vectors
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 16 * vectors)), hard))
        self.memory = os.memfd_create('ivshmem')
        os.ftruncate(self.memory, memory)
        self.peers = {SELF: self.eventfds()}
        self.clients = {}
        self.changed = threading.Condition()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.wake = os.eventfd(0)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def eventfds(self):
        return [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(self.vectors)]

    # ---- The protocol (its own thread) ----

    @staticmethod
    def send(client, number, fd=None):
        socket.send_fds(client, [struct.pack('<q', number)], [] if fd is None else [fd])

    def announce(self, client, peer):
        for fd in self.peers[peer]:
            self.send(client, peer, fd)

    def welcome(self, client):
        peer = max(self.peers) + 1
        self.send(client, 0)
        self.send(client, peer)
        self.send(client, -1, self.memory)
        for other in self.peers:
            self.announce(client, other)
        self.peers[peer] = self.eventfds()
        self.announce(client, peer)
        for other in self.clients.values():
            self.announce(other, peer)
        self.clients[peer] = client

    def part(self, peer):
        self.clients.pop(peer).close()
        for fd in self.peers.pop(peer):
            os.close(fd)
        for other in self.clients.values():
            self.send(other, peer)

    def serve(self):
        while True:
            peer_of = {client.fileno(): peer for peer, client in self.clients.items()}
            ready = readable([self.listener.fileno(), self.wake, *peer_of])
            if self.wake in ready:
                return
            with self.changed:
                for client in peer_of.keys() & ready:
                    self.part(peer_of[client])      # nothing ever comes from it but its end
                if self.listener.fileno() in ready:
                    with contextlib.suppress(OSError):
                        self.welcome(self.listener.accept()[0])
                self.changed.notify_all()

    # ---- For tests ----

    def wait_peers(self, number, timeout=300):
        """Waits until so many guests are there; their numbers."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.clients) >= number, timeout)
            return sorted(self.clients)

    def ring(self, peer, vector, times=1):
        """So many doorbells at once: QEMU may see them as one."""
        os.eventfd_write(self.peers[peer][vector], times)

    def heard(self, vector, timeout=300):
        """How often guests rang our vector since the last call, once one has; 0: timeout."""
        fd = self.peers[SELF][vector]
        return os.eventfd_read(fd) if readable([fd], timeout) else 0

    def close(self):
        os.eventfd_write(self.wake, 1)
        self.thread.join()
        for client in [self.listener, *self.clients.values()]:
            client.close()
        for fd in [self.memory, self.wake, *(fd for peer in self.peers.values() for fd in peer)]:
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    with Server(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4) as server:
        for line in sys.stdin:
            words = [int(word) for word in line.split()]
            try:
                for _ in range(words[2] if len(words) > 2 else 1):
                    server.ring(*words[:2])
            except (KeyError, IndexError, TypeError):
                print('PEER VECTOR [TIMES], with PEER one of', sorted(server.clients))


if __name__ == '__main__':
    main()
