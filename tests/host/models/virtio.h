/*
 * A strict virtio 1.x device over PCI: registers, split rings and a disk behind them. Violations:
 * whatever the manual says that a driver must or must not do. A queue that the driver has broken
 * does nothing more.
 */
#ifndef TESTS_HOST_MODELS_VIRTIO_H
#define TESTS_HOST_MODELS_VIRTIO_H

#include "models/pci.h"

#define VM_MAX_QUEUES	8
#define VM_MAX_SIZE	256
#define VM_MAX_BUFS	8

struct virtio_model;

struct vm_queue {
	u16 max, size, vector;
	bool enabled, broken;
	u64 desc, driver, device;	/* addresses of the three parts */
	u16 last_avail, used_idx;
	u16 signalled;			/* used_idx at the last decision about an interrupt */
	u32 take;			/* counts chains; */
	u32 owned[VM_MAX_SIZE];		/* of which the device has a descriptor now; 0: of none */
	u32 sum[VM_MAX_SIZE];		/* of a chain, by its head: must not change */
	bool awake;			/* looks by itself; else waits for a notification */
	u32 notified;			/* atomic */
	unsigned long notifications, interrupts;
	unsigned long unwanted;		/* notifications after a plain "do not" */
};

struct vm_chain {
	u16 head;
	unsigned int n;
	struct {
		u8 *p;
		u32 len;
		bool write;
	} buf[VM_MAX_BUFS];
};

/* One of the device's configuration; it exists only with a feature, if that is not 0. */
struct vm_field {
	u8 offset, size, feature;
};

struct virtio_model {
	struct pci_function pci;
	u32 type;
	u64 offered, accepted;
	u32 device_select, driver_select;
	u8 status, generation, isr;
	u16 config_vector, queue_select;
	unsigned int nr_queues;
	struct vm_queue queue[VM_MAX_QUEUES];
	u8 config[64];
	unsigned int config_len;
	const struct vm_field *fields;	/* up to one of no size; NULL: nothing is known of them */
	unsigned int resets;
	/* What the driver still has to do. */
	bool features_seen;		/* FEATURES_OK was read back */
	bool resetting;			/* status was not yet read as 0 */
	bool generation_seen, torn;	/* before, and after, a field of two words */
	u32 unread_vectors;
	/* How it misbehaves. */
	bool hangs_in_reset, refuses_features, takes_no_vector, dead;
};

/* Sets up vm->pci at SLOT with a table of ROWS vectors; from a function given to board_boot(). */
void virtio_model_add(struct virtio_model *vm, u8 slot, unsigned int rows);
/* The device changes its configuration, or says that it has failed. */
void virtio_model_config_changed(struct virtio_model *vm);
void virtio_model_fail(struct virtio_model *vm);
/* An interrupt: queue Q's, or NULL for the configuration. */
void virtio_model_interrupt(struct virtio_model *vm, struct vm_queue *q);

/* ---- vring.c: the device's side of a queue ---------------------------------------------------- */

void vring_model_enable(struct virtio_model *vm, struct vm_queue *q);
/* The next chain the driver has made available, checked; false: none. */
bool vring_model_pop(struct virtio_model *vm, struct vm_queue *q, struct vm_chain *c);
/* Gives a chain back with LEN bytes written, and interrupts if the driver wants that. */
void vring_model_push(struct virtio_model *vm, struct vm_queue *q, const struct vm_chain *c,
		      u32 len);
/* Whatever the device likes to put there. */
void vring_model_push_raw(struct virtio_model *vm, struct vm_queue *q, u32 id, u32 len);
/* Stops looking by itself; true if something has come meanwhile, and then it has not stopped. */
bool vring_model_sleep(struct virtio_model *vm, struct vm_queue *q);

/* The ring says that a notification is not wanted. */
bool vring_model_unwanted(struct virtio_model *vm, struct vm_queue *q);

/* ---- vblk.c ----------------------------------------------------------------------------------------- */

#define VBLK_IN_FLIGHT	128

struct vblk_model {
	struct virtio_model vm;
	u8 *disk;
	u64 sectors;
	u64 random;			/* its moods: order, delay, sleep */
	bool read_only;
	unsigned int fail_next;		/* so many requests get VIRTIO_BLK_S_IOERR */
	struct {
		struct vm_queue *q;
		struct vm_chain c;
	} flying[VBLK_IN_FLIGHT];
	unsigned int nr_flying, resets;
	unsigned long served, flushes;
};

/* A disk of SECTORS on NR_QUEUES queues of SIZE. OFFERED besides VERSION_1 and the disk's own. */
void vblk_model_init(struct vblk_model *b, u64 sectors, unsigned int nr_queues, u16 size,
		     u64 offered, u64 seed);
void vblk_model_add(struct vblk_model *b, u8 slot, unsigned int rows);
/* One step of its work; whether there was any. Registered as a poll by vblk_model_add(). */
bool vblk_model_step(void *b);

#endif
