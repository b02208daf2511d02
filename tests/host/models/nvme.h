/*
 * A strict NVMe controller [NVME, version 1.4] with one namespace: registers, queues, PRPs. It does
 * things when it likes and in any order. Whatever a driver must not do ends the test.
 */
#ifndef TESTS_HOST_MODELS_NVME_H
#define TESTS_HOST_MODELS_NVME_H

#include "models/pci.h"

#define NM_MAX_QUEUES	9		/* the admin queue is one of them */
#define NM_IN_FLIGHT	256

struct nm_command {
	u8 opcode, flags;
	u16 cid;
	u32 nsid;
	u64 reserved, mptr, prp1, prp2;
	u32 cdw[6];			/* 10 … 15 */
};

struct nm_queue {
	bool sq, cq, ien;
	u64 sq_base, cq_base;
	u16 sq_size, cq_size, vector;
	u16 sq_head, sq_tail, cq_head, cq_tail;
	u16 phase;
};

struct nvme_model {
	struct pci_function pci;
	u64 cap, asq, acq;
	u32 cc, csts, aqa;
	struct nm_queue queue[NM_MAX_QUEUES];
	struct {
		u16 qid;
		struct nm_command cmd;
	} flying[NM_IN_FLIGHT];
	unsigned int nr_flying, patience;	/* looks at CSTS before it changes */
	u64 random;			/* its moods */
	u8 *disk;
	u64 sectors;
	unsigned long served, flushes;
	bool shut_down;			/* properly: no I/O queue was left */
	/* What it is like. */
	u8 mdts, lbads, nsattr, ms;
	u16 max_io;			/* I/O queues it grants */
	unsigned int namespaces;
	bool no_wire;
	/* How it misbehaves. */
	bool never_ready, fatal, deaf;	/* deaf: takes no commands any more */
	u16 fail_next;			/* status of the next I/O command */
	bool wrong_cid;
};

/* A disk of SECTORS whose words are (sector XOR SEED). */
void nvme_model_init(struct nvme_model *m, u64 sectors, u64 seed);
/* At SLOT with a table of ROWS vectors, 0: only a wire; from a function given to board_boot(). */
void nvme_model_add(struct nvme_model *m, u8 slot, unsigned int rows);
/* One step of its work; whether there was any. Registered as a poll by nvme_model_add(). */
bool nvme_model_step(void *m);

#endif
