/*
 * Ethernet, ARP, IPv4 and ICMP echo: who has this address, and are you there?
 *
 *	Ethernet { to, from, type }  ARP  { …, op, sender's MAC and IP, target's MAC and IP }
 *	                             IPv4 { …, protocol, checksum, from, to }
 *	                                    ICMP { type, …, checksum, id, seq, data }
 *
 * An answer is made where the question is, in the received frame, and goes back to the MAC address
 * it came from; the only other frames are those of a ping, which asks for the MAC address first. So
 * there is no table of neighbours. Whatever is not understood, fragments included, is counted as
 * dropped. Manuals: RFC 826, 791, 792, 1071.
 */
#include <kernel/net.h>
#include <string.h>

/* Offsets in a frame; those of ICMP are from where it begins. */
enum {
	ETH_TO = 0, ETH_FROM = 6, ETH_TYPE = 12,

	ARP_HARDWARE = 14, ARP_PROTOCOL = 16, ARP_SIZES = 18, ARP_OP = 20, ARP_SENDER_MAC = 22,
	ARP_SENDER_IP = 28, ARP_TARGET_MAC = 32, ARP_TARGET_IP = 38, ARP_END = 42,

	IP = 14, IP_VERSION = 14, IP_LENGTH = 16, IP_ID = 18, IP_FRAGMENT = 20, IP_TTL = 22,
	IP_PROTOCOL = 23, IP_CHECKSUM = 24, IP_FROM = 26, IP_TO = 30, IP_END = 34,

	ICMP_TYPE = 0, ICMP_CODE = 1, ICMP_CHECKSUM = 2, ICMP_ID = 4, ICMP_SEQ = 6, ICMP_HLEN = 8,
};

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806 };
enum { ARP_ETHERNET = 1, ARP_6_AND_4 = 0x0604, ARP_REQUEST = 1, ARP_REPLY = 2 };
enum { PROTOCOL_ICMP = 1, DONT_FRAGMENT = 0x4000, IP_HLEN = 20 };
enum { ECHO_REPLY = 0, ECHO_REQUEST = 8 };

#define PING_BYTES	56		/* of data, as everywhere */
#define PING_ID		0xca5c

static const u8 broadcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Frames lie at any address: by bytes. */
static u16 get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
	return (u32)get16(p) << 16 | get16(p + 2);
}

static void put16(u8 *p, u16 value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static void put32(u8 *p, u32 value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

/* 0 over something that has its checksum in it and is right. [RFC1071] */
static u16 checksum(const u8 *p, size_t len)
{
	u32 sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	if (len % 2)
		sum += p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void count(u64 *counter, u64 n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* ---- Out ------------------------------------------------------------------------------------ */

static void put_ethernet(struct nic *nic, u8 *f, const u8 *to, u16 type)
{
	memcpy(f + ETH_TO, to, ETH_ALEN);
	memcpy(f + ETH_FROM, nic->mac, ETH_ALEN);
	put16(f + ETH_TYPE, type);
}

static int send_arp(struct nic *nic, u8 *f, u16 op, const u8 *mac, u32 ip)
{
	put_ethernet(nic, f, op == ARP_REQUEST ? broadcast : mac, TYPE_ARP);
	put16(f + ARP_HARDWARE, ARP_ETHERNET);
	put16(f + ARP_PROTOCOL, TYPE_IPV4);
	put16(f + ARP_SIZES, ARP_6_AND_4);
	put16(f + ARP_OP, op);
	memcpy(f + ARP_SENDER_MAC, nic->mac, ETH_ALEN);
	put32(f + ARP_SENDER_IP, nic->ip);
	memcpy(f + ARP_TARGET_MAC, mac, ETH_ALEN);
	put32(f + ARP_TARGET_IP, ip);
	return net_transmit(nic, f, ARP_END);
}

/* LEN bytes of ICMP are at IP_END already. */
static int send_icmp(struct nic *nic, u8 *f, const u8 *mac, u32 ip, size_t len)
{
	u8 *icmp = f + IP_END;

	put16(icmp + ICMP_CHECKSUM, 0);
	put16(icmp + ICMP_CHECKSUM, checksum(icmp, len));
	put_ethernet(nic, f, mac, TYPE_IPV4);
	put16(f + IP_VERSION, 0x4500);	/* version 4, 5 words, ordinary service */
	put16(f + IP_LENGTH, IP_HLEN + len);
	put16(f + IP_ID, 0);		/* never in pieces */
	put16(f + IP_FRAGMENT, DONT_FRAGMENT);
	f[IP_TTL] = 64;
	f[IP_PROTOCOL] = PROTOCOL_ICMP;
	put16(f + IP_CHECKSUM, 0);
	put32(f + IP_FROM, nic->ip);
	put32(f + IP_TO, ip);
	put16(f + IP_CHECKSUM, checksum(f + IP, IP_HLEN));
	return net_transmit(nic, f, IP_END + len);
}

/* ---- In: softirq context; true if the frame was of use --------------------------------------- */

/* Is it what the waiting thread waits for? Then it need not wait any more. */
static bool answers(struct nic *nic, enum net_answer what, u32 ip, u32 id_seq, const u8 *mac)
{
	struct net_wait *wait = &nic->wait;
	u64 now = ktime_get_ns();
	unsigned long flags = spin_lock_irqsave(&wait->lock);
	bool match = wait->what == what && wait->ip == ip &&
		     ((u32)wait->id << 16 | wait->seq) == id_seq;

	if (match) {
		memcpy(wait->mac, mac, ETH_ALEN);
		wait->when = now;
		wait->what = NET_NOTHING;
		complete(&wait->done);
	}
	spin_unlock_irqrestore(&wait->lock, flags);
	return match;
}

static bool receive_arp(struct nic *nic, u8 *f, size_t len)
{
	u8 sender[ETH_ALEN];
	u32 ip;

	if (len < ARP_END || get16(f + ARP_HARDWARE) != ARP_ETHERNET ||
	    get16(f + ARP_PROTOCOL) != TYPE_IPV4 || get16(f + ARP_SIZES) != ARP_6_AND_4 ||
	    get32(f + ARP_TARGET_IP) != nic->ip || f[ARP_SENDER_MAC] & 1)
		return false;
	memcpy(sender, f + ARP_SENDER_MAC, ETH_ALEN);
	ip = get32(f + ARP_SENDER_IP);
	if (get16(f + ARP_OP) == ARP_REPLY)
		return answers(nic, NET_ARP, ip, 0, sender);
	if (get16(f + ARP_OP) != ARP_REQUEST)
		return false;
	send_arp(nic, f, ARP_REPLY, sender, ip);
	return true;
}

static bool receive_icmp(struct nic *nic, u8 *f, const u8 *icmp, size_t len)
{
	u8 mac[ETH_ALEN];
	u32 ip = get32(f + IP_FROM);

	if (len < ICMP_HLEN || checksum(icmp, len) || icmp[ICMP_CODE])
		return false;
	memcpy(mac, f + ETH_FROM, ETH_ALEN);
	if (icmp[ICMP_TYPE] == ECHO_REPLY)
		return answers(nic, NET_ECHO, ip, get32(icmp + ICMP_ID), mac);
	if (icmp[ICMP_TYPE] != ECHO_REQUEST)
		return false;
	memmove(f + IP_END, icmp, len);	/* over the options that IP's header may have */
	f[IP_END + ICMP_TYPE] = ECHO_REPLY;
	send_icmp(nic, f, mac, ip, len);
	return true;
}

/* Only what a single host may have sent to us alone, in one piece. */
static bool receive_ipv4(struct nic *nic, u8 *f, size_t len)
{
	size_t header, total;
	u32 from;

	if (len < IP_END || f[IP_VERSION] >> 4 != 4)
		return false;
	header = (f[IP_VERSION] & 0xf) * 4;
	total = get16(f + IP_LENGTH);
	if (header < IP_HLEN || total < header || total > len - IP || checksum(f + IP, header))
		return false;
	from = get32(f + IP_FROM);
	if (get32(f + IP_TO) != nic->ip || get16(f + IP_FRAGMENT) & ~DONT_FRAGMENT ||
	    !(from >> 24) || from >> 24 >= 224 || f[ETH_TO] & 1)
		return false;
	return f[IP_PROTOCOL] == PROTOCOL_ICMP &&
	       receive_icmp(nic, f, f + IP + header, total - header);
}

static bool receive(struct nic *nic, u8 *f, size_t len)
{
	if (len < ETH_HLEN || len > ETH_FRAME_LEN || f[ETH_FROM] & 1)
		return false;
	if (memcmp(f + ETH_TO, nic->mac, ETH_ALEN) && memcmp(f + ETH_TO, broadcast, ETH_ALEN))
		return false;
	switch (get16(f + ETH_TYPE)) {
	case TYPE_ARP:	return receive_arp(nic, f, len);
	case TYPE_IPV4:	return receive_ipv4(nic, f, len);
	default:	return false;
	}
}

void net_receive(struct nic *nic, u8 *frame, size_t len)
{
	count(&nic->rx.frames, 1);
	count(&nic->rx.bytes, len);
	if (!receive(nic, frame, len))
		count(&nic->rx.dropped, 1);
}

/* ---- Questions of our own: thread context, under net_lock() --------------------------------- */

/* Before the question goes out. */
static void expect(struct nic *nic, enum net_answer what, u32 ip, u16 id, u16 seq)
{
	struct net_wait *wait = &nic->wait;
	unsigned long flags = spin_lock_irqsave(&wait->lock);

	init_completion(&wait->done);
	wait->what = what;
	wait->ip = ip;
	wait->id = id;
	wait->seq = seq;
	spin_unlock_irqrestore(&wait->lock, flags);
}

/* ERR is how sending went. */
static int await(struct nic *nic, int err, u64 ns)
{
	struct net_wait *wait = &nic->wait;
	unsigned long flags;

	if (!err && !__atomic_load_n(&nic->gone, __ATOMIC_ACQUIRE))
		wait_for_completion_timeout(&wait->done, ns);
	flags = spin_lock_irqsave(&wait->lock);
	if (!err && wait->what != NET_NOTHING)
		err = __atomic_load_n(&nic->gone, __ATOMIC_ACQUIRE) ? -ENODEV : -ETIMEDOUT;
	wait->what = NET_NOTHING;
	spin_unlock_irqrestore(&wait->lock, flags);
	return err;
}

int net_resolve(struct nic *nic, u32 ip, u8 *mac)
{
	static const u8 unknown[ETH_ALEN];
	u8 frame[ARP_END];
	int err;

	expect(nic, NET_ARP, ip, 0, 0);
	err = await(nic, send_arp(nic, frame, ARP_REQUEST, unknown, ip), ARP_TIMEOUT_NS);
	memcpy(mac, nic->wait.mac, ETH_ALEN);
	return err;
}

int net_ping(struct nic *nic, u32 ip, const u8 *mac, u16 seq, u64 *ns)
{
	u8 frame[IP_END + ICMP_HLEN + PING_BYTES], *icmp = frame + IP_END;
	u64 begin;
	int err;

	icmp[ICMP_TYPE] = ECHO_REQUEST;
	icmp[ICMP_CODE] = 0;
	put16(icmp + ICMP_ID, PING_ID);
	put16(icmp + ICMP_SEQ, seq);
	for (unsigned int i = 0; i < PING_BYTES; i++)
		icmp[ICMP_HLEN + i] = i;
	expect(nic, NET_ECHO, ip, PING_ID, seq);
	begin = ktime_get_ns();
	err = await(nic, send_icmp(nic, frame, mac, ip, ICMP_HLEN + PING_BYTES),
		    NET_TIMEOUT_NS);
	*ns = nic->wait.when - begin;
	return err;
}
