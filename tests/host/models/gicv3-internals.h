/* Between the files of the GICv3's model: see gicv3.h. Names as in [GIC3]. */
#ifndef TESTS_HOST_MODELS_GICV3_INTERNALS_H
#define TESTS_HOST_MODELS_GICV3_INTERNALS_H

#include <asm/csr.h>
#include <kernel/smp.h>
#include <lib/types.h>
#include <string.h>
#include "models/gicv3.h"

#define NOTHING		1023
#define ID_BITS		16		/* of an INTID */
#define MAX_CLAIMS	8
#define LOOKS		2		/* how often one must ask until it is done */

enum { PENDING = 1, ACTIVE = 2, ENABLED = 4 };

struct line {
	u8 state, priority;
	bool edge, wire, group1;
	bool leaving;			/* disabled, but RWP has not been seen as 0 */
	u64 route;
};

/* Memory that the kernel has given to the GIC: nobody else writes it. */
struct shadow {
	const char *what;
	u64 addr;
	size_t len;
	u8 *copy;
	bool gone;			/* the kernel has freed it; said */
};

struct redist {
	u64 hwid;
	u16 number;
	unsigned int rwp, waking;	/* looks that it takes yet */
	bool asleep, lpis;
	struct line own[32];
	u64 propbaser, pendbaser;
	struct shadow *pending;
	unsigned int nr_pending;
	/* The CPU interface. */
	bool sre, sre_is_fresh, on, eoimode1, has_dsb;
	u32 pmr;
	struct { u32 intid; bool dropped; } claim[MAX_CLAIMS];
	unsigned int nr_claims;
};

extern struct gicv3 {
	struct gicv3_setup setup;
	u64 hwid[GICV3_MAX];
	u32 ctlr;
	unsigned int rwp;
	struct line spi[GICV3_INTIDS];
	struct redist redist[GICV3_MAX];
	bool property_is_gone;
	u8 property[BIT(ID_BITS)];	/* of LPIs, as it is remembered */
} gicv3;

/* A violation. What follows does what does least. */
#define gicv3_bad(...)	model_violation("gicv3: " __VA_ARGS__)
void gicv3_note(const char *fmt, ...) __printf(1, 2);	/* a word of the trace */
void gicv3_lock(void);
void gicv3_unlock(void);
u32 gicv3_best(const struct redist *r);	/* or NOTHING */
void gicv3_update(void);		/* who is to be interrupted now */

struct redist *gicv3_redist_of(u64 hwid);	/* NULL: none */
struct redist *gicv3_me(void);
int gicv3_cpu_of(const struct redist *r);	/* -1: none */
static inline unsigned int gicv3_index(const struct redist *r)
{
	return r - gicv3.redist;
}

/* Distributor, and the frame of SGIs and PPIs: LINES are FIRST …, NR of them. */
struct bank {
	struct line *lines;
	u32 nr;
	unsigned int *rwp;
	struct redist *redist;		/* NULL: the distributor's */
};
bool gicv3_bank_read(const struct bank *b, u64 offset, unsigned int size, u64 *v);
bool gicv3_bank_write(const struct bank *b, u64 offset, u64 v, unsigned int size);
/* Whether it is; else a violation. */
bool gicv3_need_size(const char *what, u64 offset, unsigned int size, unsigned int want);
bool gicv3_need_memory(const char *what, u64 addr, size_t len);
void gicv3_need_zeros(const char *what, u64 v, u64 allowed);
bool gicv3_is_pending(const struct line *line);
void gicv3_settle(struct line *lines, u32 nr);	/* what was disabled is */

void gicv3_redist_model(void);
void gicv3_cpu_model(void);
void gicv3_its_model(void);
void gicv3_its_check(void);
bool gicv3_its_is_busy(void);		/* has commands to carry out yet */

/* LPIs. */
u8 gicv3_property(u32 lpi);		/* as remembered; violation: a byte that changed since */
void gicv3_reread(u32 lpi);
bool gicv3_lpi_pending(const struct redist *r, u32 lpi);
void gicv3_lpi_set_pending(struct redist *r, u32 lpi, bool pending);
unsigned int gicv3_lpi_bits(void);	/* LPIs are those below 2^it; 0: none */

/* Memory: [addr, addr + len) of one allocation, in no other table; zeros, where ZEROED. */
/* NULL: it is not, and that is a violation. */
struct shadow *gicv3_shadow(const char *what, u64 addr, size_t len, bool zeroed);
void gicv3_unshadow(struct shadow *s);
u64 gicv3_load(struct shadow *s, size_t offset, unsigned int size);
void gicv3_store(struct shadow *s, size_t offset, u64 v, unsigned int size);
void gicv3_shadows_check(void);
void gicv3_shadows_reset(void);

#endif
