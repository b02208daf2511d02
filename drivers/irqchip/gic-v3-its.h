/*
 * Between the files of the ITS: gic-v3-its.c (lines, start), gic-v3-its-device.c (who has which
 * events), gic-v3-its-cmd.c (command queue), gic-v3-its-table.c (tables of devices and
 * collections), gic-v3-its-info.c (what it tells about itself).
 */
#ifndef DRIVERS_IRQCHIP_GIC_V3_ITS_H
#define DRIVERS_IRQCHIP_GIC_V3_ITS_H

#include <kernel/irqdomain.h>
#include <lib/list.h>

#define GITS_CTLR		0x0000
#define  GITS_CTLR_Enabled	BIT(0)
#define  GITS_CTLR_Quiescent	BIT(31)
#define GITS_TYPER		0x0008
#define GITS_CBASER		0x0080
#define GITS_CWRITER		0x0088
#define GITS_CREADR		0x0090
#define  GITS_CREADR_Stalled	BIT(0)
#define  GITS_CREADR_Offset	0xfffe0UL
#define GITS_BASER(n)		(0x0100 + 8 * (n))
#define GITS_NR_BASER		8
#define GITS_TRANSLATER		0x10040

/* GITS_BASER and GITS_CBASER: valid, cached write-back inside, outside the same. */
#define GITS_BASER_Valid	BIT(63)
#define GITS_BASER_Indirect	BIT(62)
#define GITS_BASER_CACHED	(GIC_BASER_WRITE_BACK << 59 | GIC_BASER_InnerShareable)

#define ITS_QUEUE_SIZE		0x10000U
#define ITS_NR_OPCODES		16

/* Their bytes 0. [GIC3 5.3] */
enum its_opcode {
	ITS_MOVI = 0x01, ITS_INT = 0x03, ITS_CLEAR = 0x04, ITS_SYNC = 0x05, ITS_MAPD = 0x08,
	ITS_MAPC = 0x09, ITS_MAPTI = 0x0a, ITS_INV = 0x0c, ITS_INVALL = 0x0d, ITS_DISCARD = 0x0f,
};

struct its_command {
	le64 word[4];
};

struct its {
	struct its *next;
	const char *name;		/* "its@8080000" */
	char *regs;
	phys_addr_t translater;
	struct irq_domain *domain;
	unsigned int event_bits, device_bits, itt_entry_size;
	bool pta;			/* a CPU is called by its frame's address, not its number */
	struct cpumask mapped;		/* CPUs that have a collection; its number is theirs */
	u64 target[NR_CPUS];		/* bits 51:16 name their redistributor [GIC3 5.3 MAPC] */
	u32 lines[NR_CPUS];		/* active events of each CPU; atomic */

	struct list_head devices;	/* and their events: the mutex of the domain's root */

	struct {
		void *base;
		unsigned int order;
	} table[GITS_NR_BASER];
	/* The device table's first level, if it has two: entries of 8 bytes, each a page. */
	le64 *level1;
	unsigned int level1_page;	/* bytes of a page behind it */
	unsigned int device_entry_size;

	spinlock_t lock;		/* the queue and what follows */
	struct its_command *queue;
	u32 write;			/* our GITS_CWRITER */
	bool stuck;			/* a command was not done in time */
	u64 sent[ITS_NR_OPCODES];
};

/* Everything behind one DeviceID: usually one PCI function, several behind an old bridge. */
struct its_device {
	struct list_head link;
	struct its *its;
	u32 id;
	bool mapped;			/* the ITS has the ITT, or will, if it is late */
	unsigned int nr_events;		/* as many LPIs: event n is LPI first_lpi + n */
	unsigned int first_lpi;
	unsigned long *used;		/* events that belong to a line */
	unsigned int lowest;		/* events below do */
	struct its_event {
		u8 cpu;			/* the collection it is mapped to */
		bool present;		/* the ITT has it, or will */
	} *event;
	struct cpumask former;		/* CPUs that may hold a claim of a moved line; its->lock */
	void *itt;			/* the ITS's own table of its events */
	unsigned int itt_bits;
};

extern const struct irq_chip its_chip;

static inline unsigned int its_event(const struct irq_data *d)
{
	const struct its_device *dev = d->chip_data;

	return d->hwirq - dev->first_lpi;
}

/* ---- gic-v3-its-device.c: under the mutex of the domain's root ------------------------------- */

/*
 * NR consecutive events of device ID, the first a multiple of NR as multi-message MSI needs it, NR
 * being a power of two then. A device that is new gets room for WISH of them, or as many as there
 * are LPIs. The first event, or -ENOSPC, -ERANGE, -ENOMEM, or an error of MAPD.
 */
int its_events_take(struct its *its, u32 id, unsigned int wish, unsigned int nr,
		    struct its_device **out);
/* The device goes with its last event. */
void its_events_give(struct its_device *dev, unsigned int first, unsigned int nr);

/* ---- gic-v3-its-cmd.c: 0, -ETIMEDOUT (said), -EBUSY while the ITS is stuck. Any context. ---- */

/* A command that has timed out is still carried out, before any other: what it changes counts as
 * changed. One that is refused with -EBUSY never is. */

int its_queue_init(struct its *its);
void its_queue_free(struct its *its);
int its_send_mapd(struct its_device *dev, bool valid);
int its_send_mapc(struct its *its, unsigned int cpu, bool valid);
int its_send_mapti(struct its_device *dev, unsigned int event, unsigned int cpu);
int its_send_movi(struct its_device *dev, unsigned int event, unsigned int cpu);
int its_send_discard(struct its_device *dev, unsigned int event);
int its_send_inv(const struct its_device *dev, unsigned int event);
int its_send_invall(struct its *its, unsigned int cpu);
int its_send_int(const struct its_device *dev, unsigned int event);
int its_send_clear(const struct its_device *dev, unsigned int event);
const char *its_opcode_name(unsigned int opcode);	/* "mapd"; NULL: none of ours */

/* ---- gic-v3-its-table.c: threads ------------------------------------------------------------ */

/* Gives the ITS the tables it asks for. 0 or errno (said). */
int its_tables_init(struct its *its);
void its_tables_free(struct its *its);	/* before any device */
/* Makes sure that the device table reaches that far: 0, -ERANGE (said), -ENOMEM. */
int its_table_reach(struct its *its, u32 device_id);

/* ---- gic-v3-doctor.c: irq doctor. Thread ----------------------------------------------------- */

void its_diagnose(struct irq_data *d, struct diagnosis *dx);

/* ---- gic-v3-its-info.c: thread -------------------------------------------------------------- */

u64 its_commands_sent(const struct its *its);
unsigned int its_check(void (*report)(void *arg, const char *text), void *arg);

#endif
