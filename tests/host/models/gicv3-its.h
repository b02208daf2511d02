/* Between the two files of the ITS's model: see gicv3.h. */
#ifndef TESTS_HOST_MODELS_GICV3_ITS_H
#define TESTS_HOST_MODELS_GICV3_ITS_H

#include "models/gicv3-internals.h"

#define ITS_DEVICES	64
#define ITS_PAGES	512
#define ITS_COMMAND	32U

struct its_itt {
	u32 device;
	unsigned int bits;
	u64 entry;			/* the device table's */
	struct shadow *memory;		/* NULL: free */
};

/* In an ITT, 12 bytes: the LPI, its collection, 0. */
struct its_event {
	u32 lpi, collection;
	struct redist *redist;
};

/* A violation; the command that is being carried out, if any, is skipped. */
#define its_bad(...)	(gicv3_bad(__VA_ARGS__), its_skip())
void its_skip(void);

extern struct its {
	bool enabled, held;
	unsigned int stopping, looks;
	u64 baser[8], cbaser;
	u32 cwriter, creadr;
	bool cwriter_is_stale;
	u8 handed[0x100000];		/* the queue, as it was when GITS_CWRITER was written */
	u32 unsynced;			/* redistributors, by bits */
	const char *unsynced_by;
	struct shadow *devices, *collections, *page[ITS_PAGES];
	struct its_itt itt[ITS_DEVICES];
	bool lpi_used[BIT(ID_BITS)];
	unsigned long lost, done[256];
} its;

u64 its_device(u32 id);
void its_set_device(u32 id, u64 v);
u64 its_collection(u32 id);	/* BIT(63): mapped, to the redistributor in 7:0 */
void its_set_collection(u32 id, u64 v);
struct its_itt *its_itt(u32 device);	/* NULL: not mapped */
bool its_event(u32 device, u32 event, struct its_event *e);	/* mapped? */
void its_deliver(const struct its_event *e);

/* The queue. */
static inline u64 its_queue(void) { return its.cbaser & GENMASK(51, 12); }
static inline size_t its_queue_size(void) { return ((its.cbaser & 0xff) + 1) * 4096; }
void its_advance(u64 cwriter);
u64 its_look(void);			/* GITS_CREADR */

#endif
