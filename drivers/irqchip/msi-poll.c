/*
 * msi-poll, an MSI controller made of plain memory, for machines without one, and to show that an
 * MSI is only a memory write. A page of RAM holds a word for each line, its slot. The message of a
 * line is (address of its slot, its number); a CPU looks at the slots of its lines at every tick.
 *
 *   device --store n--> slot[n] <--exchange with 0-- tick of the line's CPU --> domain[n] --> flow
 *
 * A slot holds one message, so stores between two looks merge into one interrupt, and memory does
 * not count them. For the rest it is an MSI controller like any other (msi-poll-domain.c).
 *
 * Boot arguments: msi=poll turns it on, for devices for whose messages the tree names nobody;
 * msi-poll.us=N is the tick (1000). A CPU none of whose lines is started looks less often.
 */
#include <drivers/irqchip/msi-poll.h>
#include <kernel/driver.h>
#include <kernel/io.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/smp.h>
#include <kernel/trace.h>
#include <string.h>

#define COLD_NS		(10 * NSEC_PER_MSEC)
#define MIN_TICK_US	10
#define WAIT_US		5000000

struct msi_poll msi_poll;

/* ---- The poller ----------------------------------------------------------------------------- */

static void __attribute__((noinline)) msi_poll_stray(u32 n, u32 word)
{
	if (!__atomic_fetch_add(&msi_poll.stray, 1, __ATOMIC_RELAXED))
		pr_warn("msi-poll: somebody wrote %#x into slot %u, where only %u is a message",
			word, n, n);
}

/* Exchanged before the flow begins: what is stored from now on is another message. The barrier
 * puts what the device wrote before its message before what the handler reads. */
static void __attribute__((noinline)) msi_poll_deliver(u32 n)
{
	u32 word = __atomic_exchange_n(&msi_poll.slot[n], 0, __ATOMIC_ACQUIRE);

	if (!word)
		return;
	dma_rmb();
	station(ST_CLAIM, 0, &msi_poll_chip, n, 0);
	if (unlikely(word != n || generic_handle_domain_irq(msi_poll.domain, n)))
		msi_poll_stray(n, word);
	else
		msi_poll.line[n].delivered++;
}

static bool msi_poll_is_mine(u32 n, unsigned int cpu)
{
	return __atomic_load_n(&msi_poll.line[n].looker, __ATOMIC_SEQ_CST) == cpu + 1;
}

/* Whether any line is this CPU's. Busy first, then another look: see msi_poll_wait(). */
static bool msi_poll_look(unsigned int cpu)
{
	u32 *busy = &msi_poll.cpu[cpu].busy, end = __atomic_load_n(&msi_poll.end, __ATOMIC_RELAXED);
	bool hot = false;

	for (u32 n = 1; n < end; n++) {
		unsigned long flags;

		if (!msi_poll_is_mine(n, cpu))
			continue;
		hot = true;
		if (!__atomic_load_n(&msi_poll.slot[n], __ATOMIC_RELAXED))
			continue;
		flags = arch_local_irq_save();
		irq_enter();
		__atomic_store_n(busy, n, __ATOMIC_SEQ_CST);
		if (msi_poll_is_mine(n, cpu))
			msi_poll_deliver(n);
		__atomic_store_n(busy, 0, __ATOMIC_RELEASE);
		irq_exit();
		arch_local_irq_restore(flags);
	}
	return hot;
}

/* A softirq, in the interrupt of the CPU's clock. One that another CPU has inherited is no use. */
static void msi_poll_tick(struct timer *timer)
{
	unsigned int cpu = smp_processor_id();
	bool hot;

	if (timer != &msi_poll.cpu[cpu].timer)
		return;
	hot = msi_poll_look(cpu);
	timer_arm(timer, ktime_get_ns() + (hot ? msi_poll.tick_ns : COLD_NS));
}

static void msi_poll_cpu_start(unsigned int cpu)
{
	timer_arm(&msi_poll.cpu[cpu].timer, ktime_get_ns() + COLD_NS);
}

void msi_poll_wait(u32 n)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (poll_timeout(__atomic_load_n(&msi_poll.cpu[cpu].busy, __ATOMIC_SEQ_CST) != n,
				 WAIT_US))
			pr_err("msi-poll: slot %u: cpu %u still handles it", n, cpu);
}

/* ---- The shell command ---------------------------------------------------------------------- */

static void show_line(u32 n)
{
	const struct msi_poll_line *line = &msi_poll.line[n];
	unsigned int irq = irq_find_mapping(msi_poll.domain, n);
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("slot %u at %p: irq %u, cpu %u, %lu delivered, %lu merged\n", n,
			     (void *)&msi_poll.slot[n], irq, line->cpu, line->delivered,
			     line->merged);
		return;
	}
	json_open(j, "{");
	json_key(j, "slot"), json_uint(j, n);
	json_key(j, "address"), json_stringf(j, "%p", (void *)&msi_poll.slot[n]);
	json_key(j, "irq"), json_uint(j, irq);
	json_key(j, "cpu"), json_uint(j, line->cpu);
	json_key(j, "delivered"), json_uint(j, line->delivered);
	json_key(j, "merged"), json_uint(j, line->merged);
	json_close(j, "}");
}

static int cmd_msi_poll(int argc, char **argv)
{
	struct json *j = shell_json();
	unsigned int n;

	(void)argv;
	if (argc > 1)
		return shell_usage("msi-poll");
	if (!msi_poll.domain)
		return shell_error(-ENODEV, "it is off; the boot argument msi=poll turns it on");
	if (shell_wants_json()) {
		json_open(j, "{");
		json_key(j, "tick_ns"), json_uint(j, msi_poll.tick_ns);
		json_key(j, "stray"), json_uint(j, msi_poll.stray);
		json_key(j, "slots"), json_uint(j, MSI_POLL_SLOTS - 1);
		json_key(j, "lines"), json_open(j, "[");
	}
	mutex_lock(&msi_poll.domain->root->mutex);
	for_each_set_bit(n, msi_poll.given, MSI_POLL_SLOTS)
		show_line(n);
	mutex_unlock(&msi_poll.domain->root->mutex);
	if (shell_wants_json()) {
		json_close(j, "]");
		json_close(j, "}");
	} else {
		shell_printf("a look every %llu us; %lu stray words; merged are at least so many\n",
			     (unsigned long long)msi_poll.tick_ns / 1000, msi_poll.stray);
	}
	return 0;
}

static const struct shell_command msi_poll_command = {
	.name = "msi-poll",
	.usage = "msi-poll [--json]",
	.help = "the slots of the MSI controller that is made of memory",
	.run = cmd_msi_poll,
};
SHELL_COMMAND(msi_poll_command);

/* ---- Starting ------------------------------------------------------------------------------- */

static int msi_poll_create_domain(void)
{
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("msi-poll");

	if (!fwnode)
		return -ENOMEM;
	msi_poll.domain = irq_domain_create_hierarchy(NULL, IRQ_DOMAIN_FLAG_MSI_PARENT,
						      MSI_POLL_SLOTS, fwnode,
						      &msi_poll_domain_ops, NULL);
	if (!msi_poll.domain) {
		irq_domain_free_fwnode(fwnode);
		return -ENOMEM;
	}
	irq_domain_update_bus_token(msi_poll.domain, DOMAIN_BUS_NEXUS);
	msi_poll.domain->msi_parent_ops = &msi_poll_parent_ops;
	return 0;
}

static int msi_poll_init(struct device_node *node, struct device_node *parent)
{
	char text[8];
	int ret;

	(void)node, (void)parent;
	memset(&msi_poll, 0, sizeof(msi_poll));
	if (!boot_arg("msi", text, sizeof(text)))
		return 0;
	if (strcmp(text, "poll")) {
		pr_err("boot argument msi=%s: only msi=poll is known", text);
		return 0;
	}
	msi_poll.tick_ns = NSEC_PER_USEC * max(boot_arg_u64("msi-poll.us", 1000), (u64)MIN_TICK_US);
	msi_poll.slot = alloc_pages(0);
	if (!msi_poll.slot)
		return -ENOMEM;
	ret = msi_poll_create_domain();
	if (ret) {
		free_pages(msi_poll.slot, 0);
		return ret;
	}
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		timer_init(&msi_poll.cpu[cpu].timer, msi_poll_tick);
	cpu_hooks("msi-poll", msi_poll_cpu_start, NULL);
	msi_set_default_parent(msi_poll.domain);
	return 0;
}

IRQCHIP_DECLARE(msi_poll, NULL, msi_poll_init);
