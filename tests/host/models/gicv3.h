/*
 * A GICv3 [GIC3] with an ITS: a distributor, a redistributor and a CPU interface for each CPU, and
 * a translation service whose tables and queue are the kernel's memory. Strict: what the manual
 * calls UNPREDICTABLE or leaves to the implementation's mercy ends the test, and host_die() names
 * the caller. What is deferred in hardware is deferred here for as long as nobody asks:
 *
 *   disabling	a line may still come until RWP has been read as 0
 *   properties	bytes of LPIs are cached; one that has changed without INV ends the test when used
 *   commands	what a redistributor has been told needs a SYNC to it
 *   memory	the GIC's tables are compared with what it wrote there, each time it looks
 */
#ifndef TESTS_HOST_MODELS_GICV3_H
#define TESTS_HOST_MODELS_GICV3_H

#include "model.h"

#define GICV3_DIST	0x8000000
#define GICV3_ITS	0x8080000
#define GICV3_REDIST	0x80a0000
#define GICV3_INTIDS	288
#define GICV3_MAX	8	/* redistributors */
#define GICV3_LPI	8192
#define GICV3_FIXED_SPI	200	/* its trigger is wired in: level */
#define GICV3_FIXED_PPI	27
#define GICV3_DEVICE_BITS	16
#define GICV3_EVENT_BITS	8
#define GICV3_ITE_SIZE		12

struct gicv3_setup {
	unsigned int nr;
	const u64 *hwid;		/* of each frame, in their order; may be of no CPU */
	bool pta;			/* the ITS calls a redistributor by its address */
	bool no_indirect;		/* its tables have one level */
	unsigned int page;		/* 1 + the only GITS_BASER.Page_Size it knows; 0: all */
	bool uncached;			/* nothing that it reads can be shared */
	bool lpis_on;			/* firmware has left them on, with tables of its own */
	bool lpis_stuck;		/* … and they cannot be turned off */
	bool no_lpis;			/* the redistributors know none */
	bool never_wakes, never_settles, never_quiet;
	bool no_routing;		/* firmware has left GICD_CTLR.ARE 0 */
	bool no_sre;			/* firmware keeps the system registers off */
	u32 requester_mask, requester_offset;	/* how the host bridge makes a DeviceID */
	unsigned int slow;		/* a command is done at every n-th look at GITS_CREADR */
};

/* Firmware has left its traces. */
void gicv3_model(const struct gicv3_setup *setup);

/* ---- What comes from outside ---------------------------------------------------------------- */

void gicv3_wire(unsigned int intid, bool level);			/* an SPI's */
void gicv3_ppi(unsigned int cpu, unsigned int intid, bool level);
/* A device's store to GITS_TRANSLATER; false: nobody has mapped that, and it is lost. */
bool gicv3_message(u32 device, u32 event);
/* As if somebody had enabled that SPI, for that CPU, and made it pending. */
void gicv3_intrude(unsigned int cpu, unsigned int intid);
void gicv3_hold_commands(bool hold);		/* the ITS reads none meanwhile */

/* ---- What is to be seen --------------------------------------------------------------------- */

bool gicv3_enabled(unsigned int cpu, unsigned int intid);	/* CPU: of SGIs and PPIs only */
bool gicv3_pending(unsigned int cpu, unsigned int intid);	/* … and of LPIs */
bool gicv3_active(unsigned int cpu, unsigned int intid);
bool gicv3_edge(unsigned int intid);
int gicv3_route(unsigned int intid);		/* CPU */
/* Messages that nobody had mapped. */
unsigned long gicv3_lost(void);
/* A command of that opcode was read, since the start. */
unsigned long gicv3_commands(unsigned int opcode);

/*
 * What happened since the last call, words by one space: on(INTID) off(INTID) route(INTID,CPU)
 * trigger(INTID,edge) ack(CPU,INTID) eoi(CPU,INTID) dir(CPU,INTID) sgi(CPU,INTID)
 * propbaser(CPU) pendbaser(CPU) lpis(CPU,on), and the ITS's commands as it carries them out:
 * mapd(device,entries's log2 or 0) mapc(collection,CPU) mapti(device,event,LPI,collection)
 * movi(device,event,collection) inv(device,event) … invall(collection) sync(CPU)
 */
const char *gicv3_trace(void);

/* Nothing is claimed, in flight, stale or overwritten, else ends the test. */
void gicv3_check(void);

#endif
