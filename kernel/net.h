/*
 * The network: as much of it as answers a ping.
 *
 * A NIC's driver gives every frame it receives to net_receive(), in softirq context, and copies
 * the frames of transmit() to its device. NICs are numbered from 0 and have static addresses:
 * boot argument ip=10.0.2.15/24,… (the default: 10.0.2.15/24, 10.0.3.15/24, …).
 */
#ifndef KERNEL_NET_H
#define KERNEL_NET_H

#include <kernel/thread.h>
#include <lib/errno.h>
#include <lib/list.h>

#define ETH_ALEN	6
#define ETH_HLEN	14
#define ETH_ZLEN	60		/* the shortest to send; one without padding is taken too */
#define ETH_FRAME_LEN	1514		/* the longest: 1,500 bytes and the header */
#define NET_BUDGET	64		/* frames a poll may take before others have their turn */
#define ARP_TIMEOUT_NS	NSEC_PER_SEC	/* for an answer; who asks may ask again */
#define NET_TIMEOUT_NS	(3 * NSEC_PER_SEC)	/* for an echo, and for room to send it */

struct nic;
struct nic_ops {
	/* LEN is 14 … ETH_FRAME_LEN; copied before it returns. 0, or -ENOSPC (no room now), -EIO
	 * (it has failed). Any context. */
	int (*transmit)(struct nic *nic, const void *frame, size_t len);
};

struct nic_count {
	u64 frames, bytes, dropped;	/* atomic */
};

enum net_answer { NET_NOTHING, NET_ARP, NET_ECHO };

/* The answer that a thread waits for; one at a time. */
struct net_wait {
	spinlock_t lock;		/* protects the rest */
	enum net_answer what;
	u32 ip;				/* from whom */
	u16 id, seq;
	u8 mac[ETH_ALEN];		/* ARP: the answer */
	u64 when;			/* it came */
	struct completion done;
};

struct nic {
	const struct nic_ops *ops;
	const char *bus_name;		/* "00:01.0" */
	u8 mac[ETH_ALEN];
	unsigned int nic, pairs;
	u32 link;			/* is there a cable; atomic */
	u32 ip;				/* 10.0.2.15 is 0x0a00020f */
	unsigned int prefix;
	struct nic_count rx, tx;	/* dropped: of rx.frames; in addition to tx.frames */
	struct net_wait wait;
	u32 gone;			/* atomic */
	struct nic *next;		/* by number */
};

/* Numbers the NIC, gives it its address and makes it known. Thread context. */
void nic_register(struct nic *nic);
/* Forgets it; afterwards only its own driver uses it. Thread context. */
void nic_unregister(struct nic *nic);
/* The NIC after NIC (NULL: the first), or NULL, between net_lock() and net_unlock(). Thread. */
void net_lock(void);
void net_unlock(void);
struct nic *nic_next(struct nic *nic);

static inline u32 nic_netmask(const struct nic *nic)
{
	return ~0U << (32 - nic->prefix);
}

/* A received frame, which is overwritten. Counts it, and answers. Softirq context. */
void net_receive(struct nic *nic, u8 *frame, size_t len);
/* Counts, too; in a thread it waits for room, up to NET_TIMEOUT_NS. Any context. */
int net_transmit(struct nic *nic, const void *frame, size_t len);

/* Reads "10.0.2.15" at TEXT: where it ends, or NULL. */
const char *net_parse_ip(const char *text, u32 *ip);

/*
 * Asks for an address, then whether its owner is alive. 0, or -ETIMEDOUT after ARP_TIMEOUT_NS,
 * NET_TIMEOUT_NS, -ENODEV (the NIC was pulled out), or what transmit() said. Under net_lock().
 * Thread context.
 */
int net_resolve(struct nic *nic, u32 ip, u8 *mac);
int net_ping(struct nic *nic, u32 ip, const u8 *mac, u16 seq, u64 *ns);

/* ---- Polling instead of interrupts ---------------------------------------------------------- */

/*
 * A receive queue. Its interrupt's handler switches the interrupt off and calls
 * net_poll_schedule(); the softirq then polls the queue, NET_BUDGET frames at a time, in turn with
 * the others of the CPU, until it is empty and enable() has switched the interrupt on again.
 */
struct net_poll {
	/* How many it took. */
	unsigned int (*poll)(struct net_poll *poll, unsigned int budget);
	bool (*enable)(struct net_poll *poll);	/* false: more came meanwhile */
	struct list_head link;
	u32 state;			/* atomic */
};
void net_poll_init(struct net_poll *poll);	/* poll and enable are set. Thread context */
void net_poll_schedule(struct net_poll *poll);	/* any context */
/* Afterwards it is not polled, never again. Thread context. */
void net_poll_stop(struct net_poll *poll);

#endif
