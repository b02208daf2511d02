/* An NVMe controller: see nvme.h. Commands are in nvme-commands.c. */
#include <stdlib.h>
#include <string.h>
#include "models/nvme-internals.h"

enum { CAP = 0, VS = 8, INTMS = 0xc, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30,
       DOORBELLS = 0x1000 };
enum { RDY = 1, CFS = 2, SHST_COMPLETE = 2 << 2 };

#define MASTER	4
#define STRIDE	8		/* CAP.DSTRD is 1 */

void *nm_dma(struct nvme_model *m, u64 addr, size_t len)
{
	if (!(pci_model_get16(&m->pci, 4) & MASTER))
		host_die("nvme model: access to memory without being a bus master");
	return host_dma("nvme model", addr, len);
}

/* ---- Interrupts --------------------------------------------------------------------------------- */

static void update_wire(struct nvme_model *m)
{
	bool level = false;

	if (m->pci.msix_rows && pci_model_msix_on(&m->pci))
		return;
	for (unsigned int i = 0; i < NM_MAX_QUEUES; i++)
		level |= m->queue[i].cq && m->queue[i].ien &&
			 m->queue[i].cq_head != m->queue[i].cq_tail;
	pci_model_intx(&m->pci, level);
}

void nm_post(struct nvme_model *m, u16 qid, u16 cid, u16 status, u32 result)
{
	struct nm_queue *q = &m->queue[qid];
	u32 entry[4] = { result, 0, q->sq_head | (u32)qid << 16,
			 cid | (u32)(status << 1 | q->phase) << 16 };

	if ((q->cq_tail + 1) % q->cq_size == q->cq_head)
		host_die("nvme model: completion queue %u overflows", qid);
	memcpy(nm_dma(m, q->cq_base + 16 * q->cq_tail, 16), entry, 16);
	if (++q->cq_tail == q->cq_size) {
		q->cq_tail = 0;
		q->phase ^= 1;
	}
	if (q->ien && m->pci.msix_rows)
		pci_model_send(&m->pci, q->vector);
	update_wire(m);
}

/* ---- Registers ---------------------------------------------------------------------------------- */

static void reset(struct nvme_model *m)
{
	memset(m->queue, 0, sizeof(m->queue));
	m->nr_flying = 0;
	m->csts &= ~(RDY | CFS);
	update_wire(m);
}

static void enable(struct nvme_model *m)
{
	struct nm_queue *q = &m->queue[0];

	if ((m->cc & 0xfffff1) != (4 << 20 | 6 << 16 | 1))
		host_die("nvme model: enabled with CC 0x%x", m->cc);
	*q = (struct nm_queue){ .sq = true, .cq = true, .ien = true, .phase = 1,
				.sq_base = m->asq, .cq_base = m->acq,
				.sq_size = (m->aqa & 0xfff) + 1,
				.cq_size = (m->aqa >> 16 & 0xfff) + 1 };
	if (q->sq_size < 2 || q->cq_size < 2 || m->asq % 4096 || m->acq % 4096)
		host_die("nvme model: admin queues at 0x%lx and 0x%lx of %u and %u entries",
			 (unsigned long)m->asq, (unsigned long)m->acq, q->sq_size, q->cq_size);
	m->patience = host_random(&m->random) % 5;
	if (m->fatal)
		m->csts |= CFS;
}

static void write_cc(struct nvme_model *m, u32 v)
{
	u32 before = m->cc;

	m->cc = v;
	if (!(before & 1) && v & 1) {
		if (m->csts & RDY)
			host_die("nvme model: enabled before it has stopped");
		enable(m);
	} else if (before & 1 && !(v & 1)) {
		reset(m);
	} else if ((before ^ v) & 0xfff3fff) {
		host_die("nvme model: CC from 0x%x to 0x%x", before, v);
	}
	if (v >> 14 & 3) {
		m->shut_down = true;
		for (unsigned int i = 1; i < NM_MAX_QUEUES; i++)
			m->shut_down &= !m->queue[i].sq && !m->queue[i].cq;
		m->csts |= SHST_COMPLETE;
	}
}

static u32 read_csts(struct nvme_model *m)
{
	if (m->cc & 1 && !(m->csts & (RDY | CFS)) && !m->never_ready && !m->patience--)
		m->csts |= RDY;
	return m->csts;
}

static u64 bar_read(struct pci_function *f, u64 offset, unsigned int size)
{
	struct nvme_model *m = f->priv;

	if (size != 4)
		host_die("nvme model: load of %u bytes at 0x%lx", size, (unsigned long)offset);
	switch (offset) {
	case CAP:	return (u32)m->cap;
	case CAP + 4:	return m->cap >> 32;
	case VS:	return 0x10400;
	case CC:	return m->cc;
	case CSTS:	return read_csts(m);
	default:	host_die("nvme model: load at 0x%lx", (unsigned long)offset);
	}
}

static void doorbell(struct nvme_model *m, u64 offset, u32 v)
{
	unsigned int n = offset / STRIDE;
	struct nm_queue *q = &m->queue[n / 2];

	if (offset % STRIDE || n / 2 >= NM_MAX_QUEUES || !(m->csts & RDY) ||
	    !(n % 2 ? q->cq : q->sq))
		host_die("nvme model: doorbell %u of no queue", n);
	if (v >= (n % 2 ? q->cq_size : q->sq_size))
		host_die("nvme model: doorbell %u is told %u", n, v);
	if (!(n % 2)) {
		q->sq_tail = v;
		return;
	}
	if ((v + q->cq_size - q->cq_head) % q->cq_size >
	    (0U + q->cq_tail + q->cq_size - q->cq_head) % q->cq_size)
		host_die("nvme model: completion queue %u: head %u is beyond what was written",
			 n / 2, v);
	q->cq_head = v;
	update_wire(m);
}

static void set_half(u64 *reg, u64 offset, u32 v)
{
	memcpy((u8 *)reg + offset % 8, &v, 4);
}

static void bar_write(struct pci_function *f, u64 offset, u64 v, unsigned int size)
{
	struct nvme_model *m = f->priv;

	if (size != 4)
		host_die("nvme model: store of %u bytes at 0x%lx", size, (unsigned long)offset);
	if (offset >= AQA && offset < ACQ + 8 && m->cc & 1)
		host_die("nvme model: admin queues changed while enabled");
	if (offset >= DOORBELLS)
		doorbell(m, offset - DOORBELLS, v);
	else if (offset == CC)
		write_cc(m, v);
	else if (offset == AQA)
		m->aqa = v;
	else if (offset >= ASQ && offset < ACQ)
		set_half(&m->asq, offset, v);
	else if (offset >= ACQ && offset < ACQ + 8)
		set_half(&m->acq, offset, v);
	else
		host_die("nvme model: store at 0x%lx", (unsigned long)offset);
}

/* ---- Its work ----------------------------------------------------------------------------------- */

static bool fetch(struct nvme_model *m, u16 qid)
{
	struct nm_queue *q = &m->queue[qid];
	struct nm_command cmd;

	if (!q->sq || q->sq_head == q->sq_tail || m->nr_flying == NM_IN_FLIGHT)
		return false;
	memcpy(&cmd, nm_dma(m, q->sq_base + 64 * q->sq_head, 64), 64);
	q->sq_head = (q->sq_head + 1) % q->sq_size;
	for (unsigned int i = 0; i < m->nr_flying; i++)
		if (m->flying[i].qid == qid && m->flying[i].cmd.cid == cmd.cid)
			host_die("nvme model: command id %u is out twice", cmd.cid);
	m->flying[m->nr_flying].qid = qid;
	m->flying[m->nr_flying++].cmd = cmd;
	return true;
}

bool nvme_model_step(void *arg)
{
	struct nvme_model *m = arg;
	struct nm_command cmd;
	bool any = false;
	unsigned int i;
	u16 qid;

	if (!(m->csts & RDY) || m->deaf)
		return false;
	for (u16 n = 0; n < NM_MAX_QUEUES; n++)
		while (fetch(m, n) && host_random(&m->random) % 4)
			any = true;
	if (!m->nr_flying)
		return any;
	i = host_random(&m->random) % m->nr_flying;
	cmd = m->flying[i].cmd;
	qid = m->flying[i].qid;
	m->flying[i] = m->flying[--m->nr_flying];
	nm_execute(m, qid, &cmd);
	return true;
}

/* ---- Making one --------------------------------------------------------------------------------- */

void nvme_model_init(struct nvme_model *m, u64 sectors, u64 seed)
{
	free(m->disk);
	memset(m, 0, sizeof(*m));
	m->disk = malloc(sectors * 512);
	m->sectors = sectors;
	m->random = seed;
	for (u64 i = 0; i < sectors * 64; i++)
		((u64 *)m->disk)[i] = i / 64 ^ seed;
	m->cap = 1UL << 37 | 1UL << 32 | 4 << 24 | 1 << 16 | 63;	/* 2 s, 64 entries */
	m->mdts = 5;
	m->lbads = 9;
	m->max_io = NM_MAX_QUEUES - 1;
	m->namespaces = 1;
}

void nvme_model_add(struct nvme_model *m, u8 slot, unsigned int rows)
{
	struct pci_function *f = &m->pci;

	memset(f, 0, sizeof(*f));
	f->devfn = slot << 3;
	f->vendor = 0x1b36;
	f->device = 0x10;
	f->class = 0x010802;
	f->pin = !m->no_wire;
	f->priv = m;
	f->bar[0] = (struct pci_model_bar){ .size = 0x4000, .mem64 = true, .read = bar_read,
					    .write = bar_write };
	f->msix_rows = rows;
	f->msix_bar = 4;
	if (rows)
		f->bar[4].size = 0x1000;
	pci_model_add(f);
	host_poll_add(nvme_model_step, m);
}
