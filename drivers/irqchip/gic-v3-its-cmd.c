/*
 * ITS, the command queue: a ring of 32-byte commands in memory, through which alone the ITS's
 * tables can be changed. Manual: GICv3 architecture, 5.3.
 *
 *   ring | MAPD | MAPTI | SYNC | INV | SYNC |      |
 *          ^ GITS_CREADR: done so far        ^ GITS_CWRITER: written so far
 *
 *   MAPD   device -> table of its events (ITT)      MAPC   collection -> CPU
 *   MAPTI  device, event -> LPI, collection         MOVI   … to another collection
 *   DISCARD forgets an event    INT, CLEAR its pending bit    INV, INVALL reread property bytes
 *   SYNC   all that came before has reached that CPU's redistributor
 *
 * Whoever sends waits, under the lock, until the ITS has read all: so the ring is never full, and
 * GITS_CREADR meeting our write position is the end, wherever the ring wraps. (S-172)
 */
#include <drivers/irqchip/gic-v3.h>
#include <drivers/irqchip/gic-v3-its.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

#define WAIT_US		1000000

#define CBASER_PAGES	(ITS_QUEUE_SIZE / 4096 - 1)

static const char *const its_opcodes[ITS_NR_OPCODES] = {
	[ITS_MOVI] = "movi", [ITS_INT] = "int", [ITS_CLEAR] = "clear", [ITS_SYNC] = "sync",
	[ITS_MAPD] = "mapd", [ITS_MAPC] = "mapc", [ITS_MAPTI] = "mapti", [ITS_INV] = "inv",
	[ITS_INVALL] = "invall", [ITS_DISCARD] = "discard",
};

const char *its_opcode_name(unsigned int opcode)
{
	return opcode < ITS_NR_OPCODES ? its_opcodes[opcode] : NULL;
}

int its_queue_init(struct its *its)
{
	its->queue = alloc_pages(get_order(ITS_QUEUE_SIZE));
	if (!its->queue)
		return -ENOMEM;
	/* Setting the ring resets its read position. [GIC3 GITS_CBASER] */
	writeq(GITS_BASER_Valid | GITS_BASER_CACHED | (uintptr_t)its->queue | CBASER_PAGES,
	       its->regs + GITS_CBASER);
	writeq(0, its->regs + GITS_CWRITER);
	if (readq(its->regs + GITS_CBASER) & GIC_BASER_Shareability)
		return 0;
	pr_err("%s: reads its command queue past the caches, which is not supported", its->name);
	its_queue_free(its);
	return -ENODEV;
}

void its_queue_free(struct its *its)
{
	writeq(0, its->regs + GITS_CBASER);
	free_pages(its->queue, get_order(ITS_QUEUE_SIZE));
}

/* ---- Sending -------------------------------------------------------------------------------- */

static bool its_is_idle(const struct its *its)
{
	return (readq(its->regs + GITS_CREADR) & GITS_CREADR_Offset) == its->write;
}

/* Into the ring at offset AT; returns the offset behind it. Of no command is word 3 anything but
 * zero, as the ring is from the start. */
static u32 its_put(struct its *its, u32 at, u64 word0, u64 word1, u64 word2)
{
	struct its_command *command = (struct its_command *)((char *)its->queue + at);

	command->word[0] = cpu_to_le64(word0);
	command->word[1] = cpu_to_le64(word1);
	command->word[2] = cpu_to_le64(word2);
	its->sent[word0 & 0xff]++;
	return (at + sizeof(*command)) % ITS_QUEUE_SIZE;
}

/* A command that is late may still be carried out, so nothing is put behind it until it has. */
static int __attribute__((noinline)) its_wait(struct its *its, unsigned int opcode)
{
	u64 read;

	if (!poll_timeout(its_is_idle(its), WAIT_US))
		return 0;
	read = readq(its->regs + GITS_CREADR);
	its->stuck = true;
	pr_err("%s: command %s is not done after a second (GITS_CTLR %#x, GITS_CREADR %#llx%s, "
	       "GITS_CWRITER %#x); it gets no more until it is", its->name,
	       its_opcode_name(opcode), readl(its->regs + GITS_CTLR), (unsigned long long)read,
	       read & GITS_CREADR_Stalled ? ": stalled" : "", its->write);
	return -ETIMEDOUT;
}

static bool its_has_recovered(struct its *its)
{
	if (!its_is_idle(its))
		return false;
	its->stuck = false;
	pr_info("%s: has caught up with its commands", its->name);
	return true;
}

#define NO_SYNC	NR_CPUS

/* Sends a command, and unless SYNC_CPU is NO_SYNC waits that it has taken effect there. */
static int its_send(struct its *its, u64 word0, u64 word1, u64 word2, unsigned int sync_cpu)
{
	unsigned long flags = spin_lock_irqsave(&its->lock);
	int ret = -EBUSY;

	if (likely(!its->stuck) || its_has_recovered(its)) {
		u32 end = its_put(its, its->write, word0, word1, word2);

		if (sync_cpu != NO_SYNC)
			end = its_put(its, end, ITS_SYNC, 0, its->target[sync_cpu]);
		its->write = end;
		writeq(end, its->regs + GITS_CWRITER);
		ret = its_is_idle(its) ? 0 : its_wait(its, word0 & 0xff);
	}
	spin_unlock_irqrestore(&its->lock, flags);
	return ret;
}

/* A command about one event, which takes effect at the redistributor that the event goes to. */
static int its_send_event(const struct its_device *dev, enum its_opcode opcode,
			  unsigned int event)
{
	return its_send(dev->its, (u64)dev->id << 32 | opcode, event, 0, dev->event[event].cpu);
}

/* ---- The commands --------------------------------------------------------------------------- */

/* Of no redistributor, so without SYNC. (S-165) */
int its_send_mapd(struct its_device *dev, bool valid)
{
	u64 word2 = valid ? BIT(63) | (uintptr_t)dev->itt : 0;
	int ret = its_send(dev->its, (u64)dev->id << 32 | ITS_MAPD,
			   valid ? dev->itt_bits - 1 : 0, word2, NO_SYNC);

	if (ret != -EBUSY)
		dev->mapped = valid;
	return ret;
}

int its_send_mapc(struct its *its, unsigned int cpu, bool valid)
{
	its->target[cpu] = its->pta ? gic.redist[cpu].phys : (u64)gic.redist[cpu].number << 16;
	return its_send(its, ITS_MAPC, 0, (valid ? BIT(63) : 0) | its->target[cpu] | cpu, cpu);
}

int its_send_mapti(struct its_device *dev, unsigned int event, unsigned int cpu)
{
	u64 lpi = dev->first_lpi + event;
	int ret = its_send(dev->its, (u64)dev->id << 32 | ITS_MAPTI, lpi << 32 | event, cpu, cpu);

	if (ret != -EBUSY)
		dev->event[event] = (struct its_event){ .cpu = cpu, .present = true };
	return ret;
}

/* What was pending must have left the old CPU, so the SYNC is that one's. (S-169) */
int its_send_movi(struct its_device *dev, unsigned int event, unsigned int cpu)
{
	int ret = its_send(dev->its, (u64)dev->id << 32 | ITS_MOVI, event, cpu,
			   dev->event[event].cpu);

	if (ret != -EBUSY)
		dev->event[event].cpu = cpu;
	return ret;
}

int its_send_discard(struct its_device *dev, unsigned int event)
{
	int ret = its_send_event(dev, ITS_DISCARD, event);

	if (ret != -EBUSY)
		dev->event[event].present = false;
	return ret;
}

int its_send_inv(const struct its_device *dev, unsigned int event)
{
	return its_send_event(dev, ITS_INV, event);
}

int its_send_int(const struct its_device *dev, unsigned int event)
{
	return its_send_event(dev, ITS_INT, event);
}

int its_send_clear(const struct its_device *dev, unsigned int event)
{
	return its_send_event(dev, ITS_CLEAR, event);
}

int its_send_invall(struct its *its, unsigned int cpu)
{
	return its_send(its, ITS_INVALL, 0, cpu, cpu);
}
