"""The network card, with a peer at the other end of its cable: both ways, byte by byte.

The cable is a Unix socket to QEMU's `-netdev stream`: each frame with its length in front, in
order, none lost."""

import collections
import contextlib
import fcntl
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
import time

import machine
import pytest
import qemu
from machine import SOAK, machines

KERNEL_MAC = bytes.fromhex('52540012f00d')
KERNEL_IP = bytes([10, 0, 2, 15])
PEER_MAC = bytes.fromhex('02feedc0ffee')
PEER_IP = bytes([10, 0, 2, 2])
BROADCAST = b'\xff' * 6


def checksum(data):
    total = sum(struct.unpack('!%dH' % ((len(data) + 1) // 2), data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def arp(op, target_mac, to=KERNEL_MAC, target_ip=KERNEL_IP, sender_mac=PEER_MAC,
        sender_ip=PEER_IP):
    return (to + sender_mac + struct.pack('!HHHBBH', 0x0806, 1, 0x0800, 6, 4, op)
            + sender_mac + sender_ip + target_mac + target_ip)


def ipv4(payload, source=PEER_IP, to=KERNEL_IP, number=0, fragment=0x4000, protocol=1, ttl=64,
         options=b''):
    head = struct.pack('!BBHHHBBH', 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload),
                       number, fragment, ttl, protocol, 0) + source + to + options
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + payload


def icmp(kind, ident, seq, data):
    text = struct.pack('!BBHHH', kind, 0, 0, ident, seq) + data
    return text[:2] + struct.pack('!H', checksum(text)) + text[4:]


def ether(packet, to=KERNEL_MAC, source=PEER_MAC):
    return to + source + b'\x08\x00' + packet


def request(ident, seq, data, **ip):
    return ether(ipv4(icmp(8, ident, seq, data), **ip))


def reply(ident, seq, data):
    """What the kernel must answer to request(), padded as Ethernet demands."""
    frame = ether(ipv4(icmp(0, ident, seq, data), source=KERNEL_IP, to=PEER_IP), to=PEER_MAC,
                  source=KERNEL_MAC)
    return frame.ljust(60, b'\0')


ARP_ANSWER = arp(2, PEER_MAC, to=PEER_MAC, target_ip=PEER_IP, sender_mac=KERNEL_MAC,
                 sender_ip=KERNEL_IP).ljust(60, b'\0')


class Peer:
    """The host at the other end: answers as any host does, and keeps what it receives."""

    def __init__(self, path, devices='vectors=3', name='n0', mac=KERNEL_MAC):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(machine.deadline(10))
        self.frames = queue.Queue()
        self.seen = []
        self.answers = collections.deque()
        self.lock = threading.Lock()
        self.connection = None
        self.extra = ['-netdev',
                      'stream,id=%s,server=off,addr.type=unix,addr.path=%s' % (name, path),
                      '-device', 'virtio-net-pci,netdev=%s,romfile=,mac=%s%s'
                      % (name, mac.hex(':'), devices and ',' + devices)]
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.connection = self.listener.accept()[0]
            self.ready.set()
            while True:
                frame = self.exactly(struct.unpack('!I', self.exactly(4))[0])
                self.seen.append(frame)
                self.respond(frame)
                self.frames.put(frame)
        except OSError:
            pass

    def exactly(self, count):
        data = b''
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise OSError('the end')
            data += more
        return data

    def respond(self, frame):
        """To ARP for our address and to echo requests."""
        if frame[12:14] == b'\x08\x06' and frame[20:22] == b'\0\1' and frame[38:42] == PEER_IP:
            self.answers.append(arp(2, frame[22:28], to=frame[6:12], target_ip=frame[28:32]))
        elif frame[12:14] == b'\x08\0' and frame[23] == 1 and frame[34] == 8:
            ident, seq = struct.unpack('!HH', frame[38:42])
            length = struct.unpack('!H', frame[16:18])[0]
            data = icmp(0, ident, seq, frame[42:14 + length])
            self.answers.append(ether(ipv4(data), to=frame[6:12]))
        if self.answers:
            self.send()

    def send(self, *frames):
        """Any thread; the answers that wait go along, also in the middle of a flood."""
        with self.lock:
            while self.answers:
                frames += (self.answers.popleft(),)
            self.connection.sendall(b''.join(struct.pack('!I', len(f)) + f for f in frames))

    def flood(self, frames, count, enough=None):
        """Sends these frames so many times, and on until it is ENOUGH; a thread."""
        def run():
            self.flooded = 0
            while self.flooded < count or enough and not enough.is_set():
                self.send(*frames)
                self.flooded += 1
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def receive(self):
        return self.frames.get(timeout=machine.deadline(10))

    def close(self):
        self.listener.close()
        if self.connection:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
        self.thread.join(machine.deadline(10))


@contextlib.contextmanager
def network(row, tmp_path, smp=4, devices='vectors=3', disks=(), more=()):
    """A machine at its prompt and the peer."""
    peer = Peer(str(tmp_path / 'net'), devices)
    try:
        with machine.prompt(row, smp, disks, peer.extra + list(more)) as guest:
            assert peer.ready.wait(machine.deadline(10))
            yield guest, peer
    finally:
        peer.close()


def counters(guest):
    nic, = guest.json('net info')
    assert (nic['nic'], nic['mac'], nic['ip'], nic['pairs']) == (
        0, KERNEL_MAC.hex(':'), '10.0.2.15', 1)
    return nic


def counters_after(guest, sent):
    """The same, when SENT frames have left: the peer may have the last before its CPU has counted it."""
    end = time.monotonic() + machine.deadline(1)
    while (nic := counters(guest))['tx']['frames'] < sent and time.monotonic() < end:
        pass
    return nic


@pytest.mark.parametrize('smp,devices', [(1, ''), (4, 'mq=on,vectors=11'), (8, 'vectors=0')])
def test_both_ways(row, tmp_path, dice, smp, devices):
    """The peer asks the kernel, the kernel asks the peer; every byte of every frame is right."""
    with network(row, tmp_path, smp, devices) as (guest, peer):
        sent = [arp(1, bytes(6), to=BROADCAST)]
        expected = [ARP_ANSWER]
        for seq in range(50):
            data = dice.randbytes(dice.choice((0, 1, 17, 18, 19, 56, 333, 1471, 1472)))
            ident = dice.randrange(1 << 16)
            options = dice.choice((b'', b'', b'\1\1\1\0')) if len(data) < 1000 else b''
            sent.append(request(ident, seq, data, number=seq, options=options, ttl=1 + seq))
            expected.append(reply(ident, seq, data))
        for frame, answer in zip(sent, expected):
            peer.send(frame)
            assert peer.receive() == answer
        nic = counters_after(guest, 51)
        assert nic['rx'] == {'frames': 51, 'bytes': sum(map(len, sent)), 'dropped': 0}
        assert nic['tx'] == {'frames': 51, 'bytes': sum(map(len, expected)), 'dropped': 0}

        began = time.monotonic()
        result = guest.json('net ping 10.0.2.2 20')
        assert (result['address'], result['sent'], result['received']) == ('10.0.2.2', 20, 20)
        assert len(result['ns']) == 20 and min(result['ns']) > 0
        assert sum(result['ns']) < (time.monotonic() - began) * 10**9
        who_has = arp(1, bytes(6), to=BROADCAST, target_ip=PEER_IP, sender_mac=KERNEL_MAC,
                      sender_ip=KERNEL_IP).ljust(60, b'\0')
        asked = [peer.receive() for _ in range(21)]
        assert asked[0] == who_has
        while asked[1] == who_has:                  # the answer was late
            asked = asked[1:] + [peer.receive()]
        ident = struct.unpack('!H', asked[1][38:40])[0]
        for seq, frame in enumerate(asked[1:]):
            assert frame == ether(ipv4(icmp(8, ident, seq, bytes(range(56))), source=KERNEL_IP,
                                       to=PEER_IP), to=PEER_MAC, source=KERNEL_MAC)
        assert guest.json('irq check') == {'ok': True, 'errors': []}


def test_interrupts(row, tmp_path):
    """An interrupt or none for each frame, on the lines of the card's queues; its configuration
    never changes. How many need none, as they come before the poll of the last one has ended, is
    the host's affair; test_witness.py holds the counts to what QEMU sent."""
    with network(row, tmp_path) as (guest, peer):
        peer.send(request(1, 0, b''))
        peer.receive()
        before = lines(guest)
        for seq in range(100):
            peer.send(request(1, 1 + seq, b''))
            assert peer.receive() == reply(1, 1 + seq, b'')
        after = lines(guest)
        assert before.keys() == after.keys() and after
        grown = {name: after[name] - before[name] for name in after}
        if len(grown) > 1:
            assert grown.pop('virtio0') == 0
            assert sorted(grown) == ['virtio0-rx.0', 'virtio0-tx.1']
            # What was sent is often taken back before its interrupt is wanted.
            assert 0 < grown['virtio0-rx.0'] <= 101 and grown['virtio0-tx.1'] <= 101, grown
        else:
            assert 0 < grown['virtio0'] <= 202, grown


def lines(guest):
    """Counts of the card's lines by the names of their actions."""
    return {name: sum(line['counts']) for line in guest.json('irqs') for name in line['actions']
            if name.startswith('virtio0')}


def bad_frames(dice):
    """Frames of no use to anybody, each in another way."""
    good = request(7, 7, b'abcdefgh')
    spoiled = bytearray(good)
    spoiled[24] ^= 0x40
    icmp_spoiled = good[:-1] + b'x'
    yield from (dice.randbytes(n) for n in (1, 2, 6, 12, 13))                  # short
    yield from (KERNEL_MAC + PEER_MAC + bytes(n - 12) for n in (14, 15, 20, 33, 41))
    yield from (good.ljust(n, b'\0') for n in (1515, 1516, 1600, 2028))         # oversized
    yield bytes(spoiled)                                                        # header checksum
    yield icmp_spoiled
    yield request(7, 7, b'', fragment=0x2000)                                   # in pieces
    yield request(7, 7, b'', fragment=0x0001)
    yield request(7, 7, b'', to=bytes([10, 0, 2, 16]))                          # not for us
    yield request(7, 7, b'', source=bytes([224, 0, 0, 1]))
    yield request(7, 7, b'', source=bytes(4))
    yield ether(ipv4(icmp(8, 7, 7, b'')), to=PEER_MAC)
    yield ether(ipv4(icmp(8, 7, 7, b'')), to=BROADCAST)
    yield ether(ipv4(icmp(8, 7, 7, b'')), source=BROADCAST)
    yield ether(ipv4(icmp(0, 7, 7, b'unasked')))
    yield ether(ipv4(icmp(13, 7, 7, bytes(12))))
    yield ether(ipv4(b'\x08\0\xf7\xff'))                                        # short ICMP
    yield ether(ipv4(dice.randbytes(40), protocol=17))
    yield ether(ipv4(icmp(8, 7, 7, b'cut short'))[:-1])
    yield ether(b'\x4f' + ipv4(icmp(8, 7, 7, b''))[1:])                         # options beyond
    yield ether(b'\x44' + ipv4(icmp(8, 7, 7, b''))[1:])
    yield ether(b'\x65' + ipv4(icmp(8, 7, 7, b''))[1:])
    yield arp(1, bytes(6), to=BROADCAST)[:41]
    yield arp(1, bytes(6), to=BROADCAST, target_ip=bytes([10, 0, 2, 99]))
    yield arp(2, KERNEL_MAC)                                                    # unasked
    yield arp(3, KERNEL_MAC)
    yield arp(1, bytes(6), sender_mac=BROADCAST)
    for _ in range(200):
        yield KERNEL_MAC + PEER_MAC + dice.randbytes(dice.randrange(2, 1502))   # garbage


def test_bad_frames(row, tmp_path, dice):
    """What is short, too long, wrong or not for us is dropped and counted; the rest is answered."""
    frames = list(bad_frames(dice))
    dice.shuffle(frames)
    with network(row, tmp_path) as (guest, peer):
        for n, frame in enumerate(frames):
            peer.send(frame)
            if n % 16 == 0:
                peer.send(request(9, n, b'still there?'))
                assert peer.receive() == reply(9, n, b'still there?')
        peer.send(bytes(4000))                      # more than any buffer: QEMU drops it
        peer.send(request(9, 0, b'the end'))
        assert peer.receive() == reply(9, 0, b'the end')
        good = len(range(0, len(frames), 16)) + 1
        nic = counters_after(guest, good)
        assert nic['rx']['frames'] == len(frames) + good
        assert nic['rx']['dropped'] == len(frames)
        assert nic['tx']['frames'] == good and nic['tx']['dropped'] == 0
        assert peer.frames.empty()
        assert guest.json('irq check')['ok']


@pytest.mark.parametrize('smp', [1, 4])
def test_flood(row, tmp_path, smp, dice):
    """20,000 frames as fast as they go: all counted, the disk and the prompt go on, then peace."""
    disk = machine.disk_image(tmp_path / 'disk.img', 2048)
    with network(row, tmp_path, smp, disks=[disk]) as (guest, peer):
        kinds = [request(5, 5, dice.randbytes(56)), dice.randbytes(9),
                 KERNEL_MAC + PEER_MAC + dice.randbytes(1500), arp(1, bytes(6), to=BROADCAST)]
        batch = kinds * 25
        enough = threading.Event()
        flood = peer.flood(batch, 2000 if SOAK else 200, enough)
        for _ in range(5):
            stress = guest.json('blk stress 50')
            assert (stress['reads'], stress['errors']) == (50, 0)
            enough.set()
        flood.join(machine.deadline(100))
        assert not flood.is_alive()
        count = 100 * peer.flooded
        end = time.monotonic() + machine.deadline(100)
        while counters(guest)['rx']['frames'] < count:      # the rest is on its way still
            assert time.monotonic() < end
        # A queue that is full of answers to a slow peer takes no more: not before it is empty.
        while len(peer.seen) < counters(guest)['tx']['frames']:
            assert time.monotonic() < end
        peer.send(request(6, 6, b'last'))
        while peer.receive() != reply(6, 6, b'last'):
            pass
        nic = counters_after(guest, len(peer.seen))
        assert nic['rx']['frames'] == count + 1
        assert nic['rx']['bytes'] == sum(map(len, batch)) * peer.flooded + 46
        assert nic['rx']['dropped'] == count // 2
        assert nic['tx']['frames'] + nic['tx']['dropped'] == count // 2 + 1
        assert nic['tx']['frames'] == len(peer.seen)
        assert guest.json('net ping 10.0.2.2 3')['received'] == 3
        assert guest.json('irq check') == {'ok': True, 'errors': []}


def ask(guest, line):
    """Like guest.json(), while the kernel speaks by itself, after which comes another prompt."""
    guest.child.send(line + ' --json\r')
    guest.child.expect(r'\n([\[{].*[\]}])(?=\r*\n)')
    document = json.loads(guest.child.match.group(1))
    guest.child.expect_exact(machine.PROMPT)
    return document


def wait_until(guest, line, right):
    end = time.monotonic() + machine.deadline(10)
    while not right(ask(guest, line)):
        assert time.monotonic() < end, line


def test_unplug(row, tmp_path):
    """The card is pulled out in a flood and in the middle of a ping, and put back: it works."""
    peer = Peer(str(tmp_path / 'net'))
    driver, *options = peer.extra[-1].split(',')
    options = dict(option.split('=') for option in options)
    with contextlib.closing(peer), qemu.sockets('qmp') as (arguments, path):
        extra = peer.extra[:2] + arguments + ['-device', 'pcie-root-port,id=rp,chassis=1,slot=1']
        with machine.prompt(row, extra=extra) as guest:
            monitor = qemu.Monitor(path['qmp'])
            for _ in range(2):
                monitor('device_add', driver=driver, id='card', bus='rp',
                        **dict(options, vectors=3))
                wait_until(guest, 'net info', lambda cards: len(cards) == 1)
                assert ask(guest, 'net ping 10.0.2.2 3')['received'] == 3
                flood = peer.flood([request(1, 1, b'')] * 50, 100)
                guest.child.send('; '.join(['net ping 10.0.2.2 3'] + 6 * ['net ping 10.0.2.77']) + '\r')
                guest.child.expect('3 sent, [0-3] received')
                monitor('device_del', id='card')
                monitor.wait_deleted('card')
                guest.child.expect('error: nic 0: asking for 10.0.2.77 failed .ENODEV')
                flood.join(machine.deadline(10))
                assert not flood.is_alive()
                wait_until(guest, 'net info', lambda cards: not cards)
                wait_until(guest, 'irq check', lambda check: check['ok'])


def test_no_answer(row, tmp_path):
    """Waiting is bounded, and the error says for what; then all is well again."""
    with network(row, tmp_path) as (guest, peer):
        assert 'nobody has the address 10.0.2.77' in guest.json('net ping 10.0.2.77')['error']
        for wrong in ('10.0.2', '10.0.2.256', '1.2.3.4.5', 'x', '10.0.2.15', '10.1.1.1'):
            assert list(guest.json('net ping ' + wrong)) == ['error'], wrong
        for wrong in ('0', '1001', 'x'):
            assert list(guest.json('net ping 10.0.2.2 ' + wrong)) == ['error'], wrong
        peer.respond = lambda frame: (Peer.respond(peer, frame)
                                      if frame[12:14] == b'\x08\x06' or frame[41] % 2 else None)
        result = guest.json('net ping 10.0.2.2 4')
        assert (result['sent'], result['received'], len(result['ns'])) == (4, 2, 2)
        del peer.respond
        assert guest.json('net ping 10.0.2.2 4')['received'] == 4


def test_none(row):
    result = machine.run(row, 'net info --json; net info; net ping 10.0.2.2 --json', status=1)
    assert result.documents[0] == []
    assert 'no network card' in result.output
    assert 'no network card' in result.documents[1]['error']


# ---- Several queue pairs: only a tap has them. It lives in a network namespace of its own. ----

NAME = b'cascade0'


def can_tap():
    there = os.access('/dev/net/tun', os.R_OK | os.W_OK)
    return there and not subprocess.run(['unshare', '-rn', 'true'], stderr=subprocess.DEVNULL,
                                        check=False).returncode


@pytest.mark.parametrize('vectors,pairs', [(9, 4), (10, 4), (7, 3), (6, 2), (4, 1), (2, 1), (1, 1)])
def test_pairs(row, vectors, pairs):
    """A pair of queues and of vectors per CPU, as far as there are vectors; all of them work."""
    if not can_tap():
        pytest.skip('no permission for /dev/net/tun or for namespaces')
    done = subprocess.run(['unshare', '-rn', sys.executable, os.path.abspath(__file__), row.arch,
                           row.machine, str(vectors), str(pairs)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=machine.deadline(100), check=False)
    assert not done.returncode, done.stdout.decode()


def plug():
    """Takes the interface up and returns a socket on it."""
    cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    fcntl.ioctl(cable, 0x8914, struct.pack('16sh22x', NAME, 1))     # SIOCSIFFLAGS, IFF_UP
    cable.bind((NAME.decode(), 0))
    cable.settimeout(machine.deadline(10))
    return cable


def exchange(cable, frame, answer):
    cable.send(frame)
    while cable.recv(4096) != answer:
        pass


def run_pairs(row, vectors, pairs):
    extra = ['-netdev', 'tap,id=n0,ifname=%s,script=no,downscript=no,queues=4' % NAME.decode(),
             '-device', 'virtio-net-pci,netdev=n0,mq=on,vectors=%d,romfile=,mac=%s'
             % (vectors, KERNEL_MAC.hex(':'))]
    with machine.prompt(row, 4, [], extra) as guest, plug() as cable:
        for n in range(256):
            peer = bytes([10, 0, 2, 20 + n % 200])
            exchange(cable, request(3, n, b'x' * n, source=peer),
                     ether(ipv4(icmp(0, 3, n, b'x' * n), source=KERNEL_IP, to=peer), to=PEER_MAC,
                           source=KERNEL_MAC).ljust(60, b'\0'))
        end = time.monotonic() + machine.deadline(1)
        while (nic := guest.json('net info')[0])['tx']['frames'] < 256 and time.monotonic() < end:
            pass                                    # the last is here before its CPU has counted it
        counts = {line['actions'][0]: line['counts'] for line in guest.json('irqs')
                  if line['actions'] and line['actions'][0].startswith('virtio0')}
        print(nic, counts)
        if not any('-' in name for name in counts):
            pairs = 1                               # no MSI-X here, or too few vectors
        assert nic['pairs'] == pairs and nic['tx']['frames'] == 256
        receive = [line for name, line in counts.items() if '-rx.' in name]
        busy = [line for line in receive if sum(line)]
        if pairs > 1:
            assert len(receive) == pairs and len(busy) > 1
            cpus = [max(range(4), key=line.__getitem__) for line in busy]
            assert len(set(cpus)) == len(busy), counts
        assert guest.json('irq check')['ok']


if __name__ == '__main__':
    run_pairs(machines.find(*sys.argv[1:3]), *map(int, sys.argv[3:]))
