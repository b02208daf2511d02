/*
 * NICs, and the softirq that empties their receive queues.
 *
 *	interrupt -> net_poll_schedule() -> this CPU's queue of polls -> NET_RX softirq
 *	                                          ^------------ 64 frames, not empty yet
 *
 * Under a flood a queue's interrupt stays off, and the softirq comes back again and again; it is
 * bounded in time (kernel/softirq.c) and then shares the CPU with other threads as ksoftirqd.
 */
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/net.h>
#include <kernel/printk.h>
#include <string.h>

static struct mutex nics_lock = MUTEX_INIT(nics_lock);
static struct nic *nics;

/* ---- Polls ---------------------------------------------------------------------------------- */

enum {
	POLL_SCHEDULED	= 1,		/* queued or running */
	POLL_MISSED	= 2,		/* scheduled once more meanwhile */
	POLL_STOPPED	= 4,
};

/* Used by their CPU alone, irqs off. */
static struct list_head polls[NR_CPUS];

static void enqueue(struct net_poll *poll)
{
	unsigned long flags = arch_local_irq_save();

	list_add_tail(&poll->link, &polls[smp_processor_id()]);
	raise_softirq_irqoff(NET_RX_SOFTIRQ);
	arch_local_irq_restore(flags);
}

void net_poll_schedule(struct net_poll *poll)
{
	u32 old = __atomic_load_n(&poll->state, __ATOMIC_RELAXED), new;

	do {
		if (old & POLL_STOPPED)
			return;
		new = old & POLL_SCHEDULED ? old | POLL_MISSED : POLL_SCHEDULED;
	} while (!__atomic_compare_exchange_n(&poll->state, &old, new, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (!(old & POLL_SCHEDULED))
		enqueue(poll);
}

/* True when there is nothing left to do: whoever schedules from now on queues it anew. */
static bool finished(struct net_poll *poll, unsigned int taken)
{
	u32 old = POLL_SCHEDULED;

	if (taken >= NET_BUDGET || !poll->enable(poll))
		return false;
	return __atomic_compare_exchange_n(&poll->state, &old, 0, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static void run_poll(struct net_poll *poll)
{
	u32 state = __atomic_fetch_and(&poll->state, ~POLL_MISSED, __ATOMIC_ACQ_REL);

	if (state & POLL_STOPPED)
		__atomic_store_n(&poll->state, POLL_STOPPED, __ATOMIC_RELEASE);
	else if (!finished(poll, poll->poll(poll, NET_BUDGET)))
		enqueue(poll);
}

/* Each poll that was there at the beginning once; the rest are for the next round. */
static void net_rx(void)
{
	struct list_head *queue = &polls[smp_processor_id()];
	unsigned int n = 0;

	arch_local_irq_disable();
	for (struct list_head *pos = queue->next; pos != queue; pos = pos->next)
		n++;
	while (n--) {
		struct net_poll *poll = list_first_entry(queue, struct net_poll, link);

		list_del_init(&poll->link);
		arch_local_irq_enable();
		run_poll(poll);
		arch_local_irq_disable();
	}
	arch_local_irq_enable();
}

void net_poll_init(struct net_poll *poll)
{
	mutex_lock(&nics_lock);
	if (!polls[0].next) {
		for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
			INIT_LIST_HEAD(&polls[cpu]);
		open_softirq(NET_RX_SOFTIRQ, net_rx);
	}
	mutex_unlock(&nics_lock);
	INIT_LIST_HEAD(&poll->link);
	poll->state = 0;
}

void net_poll_stop(struct net_poll *poll)
{
	__atomic_fetch_or(&poll->state, POLL_STOPPED, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&poll->state, __ATOMIC_ACQUIRE) & POLL_SCHEDULED)
		msleep(1);
}

/* ---- Addresses ------------------------------------------------------------------------------ */

const char *net_parse_ip(const char *text, u32 *ip)
{
	*ip = 0;
	for (int i = 0; i < 4; i++) {
		unsigned int digits = 0, byte = 0;

		for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
			byte = byte * 10 + *text - '0';
		if (!digits || byte > 255 || (i < 3 && *text++ != '.'))
			return NULL;
		*ip = *ip << 8 | byte;
	}
	return text;
}

/* "ADDRESS" or "ADDRESS/PREFIX", up to the end or a comma, of a host in a network. */
static bool parse_address(const char *text, u32 *ip, unsigned int *prefix)
{
	u32 host;

	*prefix = 24;
	text = net_parse_ip(text, ip);
	if (text && *text == '/') {
		*prefix = 0;
		for (text++; *text >= '0' && *text <= '9' && *prefix < 100; text++)
			*prefix = *prefix * 10 + *text - '0';
	}
	if (!text || (*text && *text != ',') || *prefix < 1 || *prefix > 30)
		return false;
	host = *ip & ~(~0U << (32 - *prefix));
	return host && host != ~(~0U << (32 - *prefix)) && *ip >> 24 && *ip >> 24 < 224;
}

static void assign_address(struct nic *nic)
{
	char list[160];
	const char *item = list;
	unsigned int prefix;
	u32 ip;

	nic->ip = 0x0a00020f + ((nic->nic & 0x7f) << 8);
	nic->prefix = 24;
	if (!boot_arg("ip", list, sizeof(list)))
		return;
	for (unsigned int n = nic->nic; n && item; n--) {
		item = strchr(item, ',');
		item = item ? item + 1 : NULL;
	}
	if (!item)
		return;
	if (parse_address(item, &ip, &prefix)) {
		nic->ip = ip;
		nic->prefix = prefix;
		return;
	}
	pr_err("net: boot argument ip=%s: '%s' is not the address of a host (A.B.C.D or "
	       "A.B.C.D/1…30); nic %u has its default", list, item, nic->nic);
}

/* ---- NICs ----------------------------------------------------------------------------------- */

void net_lock(void)
{
	mutex_lock(&nics_lock);
}

void net_unlock(void)
{
	mutex_unlock(&nics_lock);
}

struct nic *nic_next(struct nic *nic)
{
	return nic ? nic->next : nics;
}

void nic_register(struct nic *nic)
{
	struct nic **link = &nics;

	spin_lock_init(&nic->wait.lock);
	init_completion(&nic->wait.done);
	net_lock();
	for (nic->nic = 0; *link && (*link)->nic == nic->nic; link = &(*link)->next)
		nic->nic++;
	assign_address(nic);
	nic->next = *link;
	*link = nic;
	net_unlock();
}

void nic_unregister(struct nic *nic)
{
	struct nic **link = &nics;
	unsigned long flags;

	__atomic_store_n(&nic->gone, true, __ATOMIC_RELEASE);
	flags = spin_lock_irqsave(&nic->wait.lock);
	complete_all(&nic->wait.done);
	spin_unlock_irqrestore(&nic->wait.lock, flags);
	net_lock();			/* whoever waited has left */
	while (*link != nic)
		link = &(*link)->next;
	*link = nic->next;
	net_unlock();
}

static bool is_gone(const struct nic *nic)
{
	return __atomic_load_n(&nic->gone, __ATOMIC_ACQUIRE);
}

/* A thread waits for room; the softirq, which can only answer, does not. */
int net_transmit(struct nic *nic, const void *frame, size_t len)
{
	u64 end = ktime_get_ns() + NET_TIMEOUT_NS;
	int err = nic->ops->transmit(nic, frame, len);

	while (err == -ENOSPC && !in_interrupt() && !is_gone(nic) && ktime_get_ns() < end) {
		msleep(1);
		err = nic->ops->transmit(nic, frame, len);
	}
	if (err) {
		__atomic_fetch_add(&nic->tx.dropped, 1, __ATOMIC_RELAXED);
		return err;
	}
	__atomic_fetch_add(&nic->tx.bytes, max(len, (size_t)ETH_ZLEN), __ATOMIC_RELAXED);
	__atomic_fetch_add(&nic->tx.frames, 1, __ATOMIC_RELEASE);	/* with its bytes */
	return 0;
}
