/* An NVMe controller's commands: see nvme.h. */
#include <string.h>
#include "models/nvme-internals.h"

enum { DELETE_SQ = 0, CREATE_SQ = 1, DELETE_CQ = 4, CREATE_CQ = 5, IDENTIFY = 6, SET_FEATURES = 9 };
enum { FLUSH = 0, WRITE = 1, READ = 2 };
enum { INVALID_OPCODE = 1, INVALID_FIELD = 2, INVALID_NAMESPACE = 0xb, LBA_RANGE = 0x80,
       CQ_INVALID = 0x100, ABORTED_SQ_DELETION = 8, INVALID_QID = 0x101, INVALID_DELETION = 0x10c };

/* ---- Admin -------------------------------------------------------------------------------------- */

static u16 identify(struct nvme_model *m, const struct nm_command *cmd)
{
	u8 *page = nm_dma(m, cmd->prp1, 4096);

	if (cmd->prp1 % 4096)
		host_die("nvme model: Identify into 0x%lx", (unsigned long)cmd->prp1);
	memset(page, 0, 4096);
	switch (cmd->cdw[0] & 0xff) {
	case 0:
		if (!cmd->nsid || cmd->nsid > m->namespaces)
			return INVALID_NAMESPACE;
		memcpy(page, &m->sectors, 8);
		page[99] = m->nsattr;
		page[26] = 3;				/* the format in use */
		page[128 + 4 * 3] = m->ms;
		page[128 + 4 * 3 + 2] = m->lbads;
		return 0;
	case 1:
		page[77] = m->mdts;
		return 0;
	case 2:
		for (u32 n = 0; n < m->namespaces; n++)
			page[4 * n] = n + 1;
		return 0;
	default:
		return INVALID_FIELD;
	}
}

static u16 create_cq(struct nvme_model *m, struct nm_queue *q, const struct nm_command *cmd)
{
	if (q->cq)
		return INVALID_QID;
	q->cq = true;
	q->cq_base = cmd->prp1;
	q->cq_size = (cmd->cdw[0] >> 16) + 1;
	q->vector = cmd->cdw[1] >> 16;
	q->ien = cmd->cdw[1] & 2;
	q->cq_head = q->cq_tail = 0;
	q->phase = 1;
	if (!(cmd->cdw[1] & 1) || cmd->prp1 % 4096 || q->cq_size < 2 ||
	    q->cq_size > (m->cap & 0xffff) + 1)
		host_die("nvme model: completion queue of %u entries, flags 0x%x", q->cq_size,
			 cmd->cdw[1]);
	if (m->pci.msix_rows ? q->vector >= m->pci.msix_rows : q->vector)
		host_die("nvme model: completion queue with vector %u", q->vector);
	return 0;
}

static u16 create_sq(struct nvme_model *m, struct nm_queue *q, const struct nm_command *cmd)
{
	if (q->sq)
		return INVALID_QID;
	if (&m->queue[cmd->cdw[1] >> 16] != q || !q->cq)
		return CQ_INVALID;
	q->sq = true;
	q->sq_base = cmd->prp1;
	q->sq_size = (cmd->cdw[0] >> 16) + 1;
	q->sq_head = q->sq_tail = 0;
	if (!(cmd->cdw[1] & 1) || cmd->prp1 % 4096 || q->sq_size < 2)
		host_die("nvme model: submission queue of %u entries", q->sq_size);
	return 0;
}

/* What is under way when its queue is deleted ends with an error. [NVME 5.6] */
static void abort_flying(struct nvme_model *m, u16 qid)
{
	for (unsigned int i = m->nr_flying; i-- > 0;) {
		u16 cid = m->flying[i].cmd.cid;

		if (m->flying[i].qid != qid)
			continue;
		m->flying[i] = m->flying[--m->nr_flying];
		nm_post(m, qid, cid, ABORTED_SQ_DELETION, 0);
	}
}

static u16 queue_command(struct nvme_model *m, const struct nm_command *cmd)
{
	u16 qid = cmd->cdw[0];
	struct nm_queue *q = &m->queue[qid];

	if (!qid || qid > m->max_io || qid >= NM_MAX_QUEUES)
		return INVALID_QID;
	switch (cmd->opcode) {
	case CREATE_CQ:
		return create_cq(m, q, cmd);
	case CREATE_SQ:
		return create_sq(m, q, cmd);
	case DELETE_SQ:
		q->sq = false;
		abort_flying(m, q - m->queue);
		return 0;
	default:
		if (q->sq)
			return INVALID_DELETION;
		if (q->cq_head != q->cq_tail)
			host_die("nvme model: completion queue deleted with entries that nobody has "
				 "taken: a doorbell for them would be no queue's");
		q->cq = false;
		return 0;
	}
}

static u16 admin(struct nvme_model *m, const struct nm_command *cmd, u32 *result)
{
	switch (cmd->opcode) {
	case IDENTIFY:
		return identify(m, cmd);
	case SET_FEATURES:
		if (cmd->cdw[0] != 7)
			return INVALID_FIELD;
		*result = (m->max_io - 1U) << 16 | (m->max_io - 1U);
		return 0;
	case DELETE_SQ:
	case CREATE_SQ:
	case DELETE_CQ:
	case CREATE_CQ:
		return queue_command(m, cmd);
	default:
		host_die("nvme model: admin command 0x%x", cmd->opcode);
	}
}

/* ---- I/O ---------------------------------------------------------------------------------------- */

/* Where page N of the data is. The first may begin within a page, the others not; a second entry
 * for more than two pages leads to a list. [NVME 4.3] */
static u64 page_of(struct nvme_model *m, const struct nm_command *cmd, unsigned int n,
		   unsigned int pages)
{
	u64 page;

	if (!n)
		return cmd->prp1;
	if (pages == 2)
		page = cmd->prp2;
	else
		memcpy(&page, nm_dma(m, cmd->prp2 + 8 * (n - 1), 8), 8);
	if (pages > 2 && (cmd->prp2 % 8 || cmd->prp2 / 4096 != (cmd->prp2 + 8 * (pages - 2)) / 4096))
		host_die("nvme model: a list of %u PRPs at 0x%lx", pages - 1,
			 (unsigned long)cmd->prp2);
	if (page % 4096)
		host_die("nvme model: PRP %u is 0x%lx", n, (unsigned long)page);
	return page;
}

static u16 transfer(struct nvme_model *m, const struct nm_command *cmd)
{
	u64 lba = cmd->cdw[0] | (u64)cmd->cdw[1] << 32, len = ((cmd->cdw[2] & 0xffff) + 1) * 512;
	unsigned int pages = (cmd->prp1 % 4096 + len + 4095) / 4096;
	u8 *at = m->disk + lba * 512;

	if (len > 4096UL << m->mdts || cmd->prp1 % 4)
		host_die("nvme model: %lu bytes at 0x%lx", (unsigned long)len,
			 (unsigned long)cmd->prp1);
	if (lba > m->sectors || len / 512 > m->sectors - lba)
		return LBA_RANGE;
	for (unsigned int n = 0; n < pages; n++) {
		u64 addr = page_of(m, cmd, n, pages), part = min(4096 - addr % 4096, len);

		if (cmd->opcode == READ)
			memcpy(nm_dma(m, addr, part), at, part);
		else
			memcpy(at, nm_dma(m, addr, part), part);
		at += part;
		len -= part;
	}
	return 0;
}

static u16 io(struct nvme_model *m, const struct nm_command *cmd)
{
	u16 status = m->fail_next;

	m->fail_next = 0;
	m->served++;
	if (status)
		return status;
	if (!cmd->nsid || cmd->nsid > m->namespaces)
		return INVALID_NAMESPACE;
	if (cmd->opcode == FLUSH) {
		m->flushes++;
		return 0;
	}
	return cmd->opcode == READ || cmd->opcode == WRITE ? transfer(m, cmd) : INVALID_OPCODE;
}

void nm_execute(struct nvme_model *m, u16 qid, const struct nm_command *cmd)
{
	u32 result = 0;
	u16 status;

	if (cmd->flags || cmd->mptr || cmd->reserved)
		host_die("nvme model: reserved fields of a command are not 0");
	status = qid ? io(m, cmd) : admin(m, cmd, &result);
	nm_post(m, qid, cmd->cid ^ (qid && m->wrong_cid ? 0x8000 : 0), status, result);
}
