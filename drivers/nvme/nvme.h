/*
 * NVMe: what the files of this folder share. Manual: [NVME], version 1.4.
 *
 *	nvme.c		finding a controller, starting and stopping it
 *	queue.c		the two rings of a queue
 *	irq.c		vectors and handlers
 *	admin.c		commands to the controller itself
 *	disk.c		its namespaces as disks
 *	io.c		reads, writes, flushes
 *	status.c	what status codes mean
 */
#ifndef DRIVERS_NVME_NVME_H
#define DRIVERS_NVME_NVME_H

#include <drivers/pci/pci.h>
#include <kernel/block.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

/* ---- Registers [NVME 3.1] ------------------------------------------------------------------- */

enum {
	NVME_CAP	= 0x00,
	NVME_CC		= 0x14,
	NVME_CC_EN	= 1 << 0,
	NVME_CC_SHN	= 1 << 14,		/* normal shutdown */
	NVME_CC_IOSQES	= 6 << 16,		/* entries of 2^6 bytes */
	NVME_CC_IOCQES	= 4 << 20,
	NVME_CSTS	= 0x1c,
	NVME_CSTS_RDY	= 1 << 0,
	NVME_CSTS_CFS	= 1 << 1,
	NVME_CSTS_SHST	= 3 << 2,
	NVME_CSTS_SHST_COMPLETE = 2 << 2,
	NVME_AQA	= 0x24,
	NVME_ASQ	= 0x28,
	NVME_ACQ	= 0x30,
	NVME_DOORBELLS	= 0x1000,
};

/* ---- In memory [NVME 4.2, 4.6] -------------------------------------------------------------- */

struct nvme_command {
	u8 opcode, flags;
	le16 cid;
	le32 nsid;
	le64 reserved, mptr;
	le64 prp1, prp2;
	le32 cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

struct nvme_completion {
	le32 result, reserved;
	le16 sq_head, sq_id;
	le16 cid, status;			/* bit 0 of the status is the phase */
};

_Static_assert(sizeof(struct nvme_command) == 64 && sizeof(struct nvme_completion) == 16,
	       "entries have the sizes that CC says");

#define NVME_STATUS(entry)	(le16_to_cpu((entry)->status) >> 1)
#define NVME_STATUS_CODE	0x7ff		/* type and code, without More and Do Not Retry */

/* ---- Objects -------------------------------------------------------------------------------- */

#define NVME_MAX_TRANSFER	(256 * 1024U)	/* of a command: no more gain beyond */
#define NVME_PRPS		(NVME_MAX_TRANSFER / PAGE_SIZE)

/* A pair of rings. The lock protects all that changes. */
struct nvme_queue {
	struct nvme *ctrl;
	spinlock_t lock;
	u16 id, depth;
	u16 sq_tail, cq_head;
	u16 phase;				/* that of new entries */
	struct nvme_command *sq;
	struct nvme_completion *cq;
	dma_addr_t sq_dma, cq_dma;
	void *sq_doorbell, *cq_doorbell;
	unsigned int irq;			/* 0: not requested */
	char *irq_name;

	/* Not for the admin queue: */
	struct blk_queue blk;
	struct blk_slot *slot;			/* by command id */
	le64 *prps;				/* NVME_PRPS for each slot */
	dma_addr_t prps_dma;
};

struct nvme_disk {
	struct block_device block;
	struct nvme *ctrl;
	u32 nsid;
	struct nvme_disk *next;
};

struct nvme {
	struct pci_dev *pci;
	unsigned int index;			/* of "nvme0" */
	char *regs;
	u64 cap;
	u32 max_sectors;			/* of a command */
	unsigned int nr_vectors;
	unsigned int nr_queues;			/* atomic; the admin queue is the first */
	struct nvme_queue *queue;
	u8 queue_of[NR_CPUS];
	struct nvme_disk *disks;
	u32 closed;				/* takes no more requests; atomic */
	u32 broken;				/* stopped for good; atomic */
	u32 errors;				/* that the device has reported; atomic */

	/* The one admin command that may be out; the admin queue's lock protects the rest */
	struct mutex admin_lock;
	struct completion admin_answered;
	bool admin_busy;
	u16 admin_cid;
	struct nvme_completion admin_answer;
};

#define nvme_err(ctrl, fmt, ...)	dev_err(&(ctrl)->pci->dev, "nvme: " fmt, ##__VA_ARGS__)

static inline bool nvme_is_broken(const struct nvme *ctrl)
{
	return __atomic_load_n(&ctrl->broken, __ATOMIC_ACQUIRE);
}
static inline bool nvme_is_open(const struct nvme *ctrl)
{
	return !__atomic_load_n(&ctrl->closed, __ATOMIC_ACQUIRE) && !nvme_is_broken(ctrl);
}

/* nvme.c: the controller takes no commands and writes no memory from now on. Any context. */
void nvme_halt(struct nvme *ctrl);

/* queue.c: 0 or -ENOMEM; thread context. */
int nvme_queue_create(struct nvme *ctrl, u16 id, u16 depth);
void nvme_queue_destroy(struct nvme_queue *q);
/* Locked: a command into the ring, which the caller knows to have room; and tells the device. */
void nvme_queue_push(struct nvme_queue *q, const struct nvme_command *cmd);
void nvme_queue_ring(struct nvme_queue *q);
/* Locked: the next new entry into *ENTRY, or false; and tells the device how far we have got. */
bool nvme_queue_pop(struct nvme_queue *q, struct nvme_completion *entry);
void nvme_queue_ack(struct nvme_queue *q);

/* irq.c: vectors for the admin queue and, as far as there are, for IO more queues, spread over the
 * CPUs; in place of any before; 0 or an errno, said. Thread context, as the others. */
int nvme_setup_vectors(struct nvme *ctrl, unsigned int io);
void nvme_free_vectors(struct nvme *ctrl);
/* The vector of queue ID. */
unsigned int nvme_vector(const struct nvme *ctrl, unsigned int id);
int nvme_request_irq(struct nvme_queue *q);

/* status.c: in words; "status" for a code we do not know. Any context. */
const char *nvme_status_name(unsigned int status);

/* admin.c: 0; -EIO or -ETIMEDOUT (said; after a timeout the controller is off). May sleep. */
int nvme_identify(struct nvme *ctrl, u32 cns, u32 nsid, void *page);
int nvme_identify_controller(struct nvme *ctrl);
/* Asks for N I/O queues: how many there are (at least 1, at most N), or an error as above. */
int nvme_set_queue_count(struct nvme *ctrl, unsigned int n);
int nvme_create_io_queue(struct nvme_queue *q);
void nvme_delete_io_queue(struct nvme_queue *q);
/* Takes what is new in the completion ring, and says whether there was anything. Any context. */
bool nvme_drain_admin(struct nvme_queue *q);
/* Lets go whoever waits. Any context. */
void nvme_admin_abort(struct nvme *ctrl);

/* disk.c: each usable namespace becomes a disk: 0 or an error, said. Forgets them. May sleep. */
int nvme_add_disks(struct nvme *ctrl);
void nvme_remove_disks(struct nvme *ctrl);

/* io.c */
extern const struct block_ops nvme_block_ops;
bool nvme_start_request(struct blk_queue *blk, struct blk_slot *slot, struct blk_request *req);
bool nvme_drain_io(struct nvme_queue *q);	/* as nvme_drain_admin() */
/* From now on requests fail at once, and none is on its way into a ring. Any context. */
void nvme_close(struct nvme *ctrl);
/* Stops the controller for good, then fails all that it had. Any context. */
void nvme_fail(struct nvme *ctrl);

#endif
