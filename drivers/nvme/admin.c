/*
 * NVMe admin commands: what is asked of the controller itself, on queue 0, one at a time.
 *
 *	nvme_admin(): mutex -> command into the ring -> sleep ... interrupt -> answer -> wake
 *
 * Manual: [NVME 5.3 … 5.6] queues, [NVME 5.15] Identify, [NVME 5.21] Set Features.
 */
#include <drivers/nvme/nvme.h>

#define ADMIN_TIMEOUT_S	10

enum {
	DELETE_IO_SQ	= 0x00,
	CREATE_IO_SQ	= 0x01,
	DELETE_IO_CQ	= 0x04,
	CREATE_IO_CQ	= 0x05,
	IDENTIFY	= 0x06,
	SET_FEATURES	= 0x09,
};

#define CNS_CONTROLLER		1
#define FEATURE_QUEUES		0x07
#define QUEUE_CONTIGUOUS	1U
#define QUEUE_IEN		2U

/* What we use of Identify Controller. [NVME 5.15, figure 247] */
struct id_controller {
	u8 skipped[77], mdts;
};

static const char *command_name(u8 opcode)
{
	switch (opcode) {
	case DELETE_IO_SQ:	return "Delete I/O Submission Queue";
	case CREATE_IO_SQ:	return "Create I/O Submission Queue";
	case DELETE_IO_CQ:	return "Delete I/O Completion Queue";
	case CREATE_IO_CQ:	return "Create I/O Completion Queue";
	case IDENTIFY:		return "Identify";
	default:		return "Set Features";
	}
}

/* ---- One command ---------------------------------------------------------------------------- */

bool nvme_drain_admin(struct nvme_queue *q)
{
	struct nvme *ctrl = q->ctrl;
	unsigned long flags = spin_lock_irqsave(&q->lock);
	struct nvme_completion entry;
	unsigned int n = 0;

	while (!nvme_is_broken(ctrl) && n < q->depth && nvme_queue_pop(q, &entry)) {
		n++;
		if (!ctrl->admin_busy || le16_to_cpu(entry.cid) != ctrl->admin_cid)
			continue;
		ctrl->admin_answer = entry;
		ctrl->admin_busy = false;
		complete(&ctrl->admin_answered);
	}
	if (n)
		nvme_queue_ack(q);
	spin_unlock_irqrestore(&q->lock, flags);
	return n;
}

void nvme_admin_abort(struct nvme *ctrl)
{
	unsigned long flags = spin_lock_irqsave(&ctrl->queue[0].lock);

	if (ctrl->admin_busy)
		complete(&ctrl->admin_answered);
	spin_unlock_irqrestore(&ctrl->queue[0].lock, flags);
}

/* False: the controller has been stopped. */
static bool start(struct nvme *ctrl, struct nvme_command *cmd)
{
	struct nvme_queue *q = &ctrl->queue[0];
	unsigned long flags = spin_lock_irqsave(&q->lock);
	bool broken = nvme_is_broken(ctrl);

	if (!broken) {
		cmd->cid = cpu_to_le16(++ctrl->admin_cid);
		init_completion(&ctrl->admin_answered);
		ctrl->admin_busy = true;
		nvme_queue_push(q, cmd);
		nvme_queue_ring(q);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return !broken;
}

/* After a timeout the device could still write to the command's memory, so it is stopped. */
static int wait(struct nvme *ctrl, const struct nvme_command *cmd, u32 *result)
{
	const struct nvme_completion *answer = &ctrl->admin_answer;

	if (wait_for_completion_timeout(&ctrl->admin_answered, ADMIN_TIMEOUT_S * NSEC_PER_SEC)) {
		nvme_err(ctrl, "no answer in %u s to: %s", ADMIN_TIMEOUT_S,
			 command_name(cmd->opcode));
		nvme_fail(ctrl);
		return -ETIMEDOUT;
	}
	if (ctrl->admin_busy)
		return -EIO;			/* aborted: why has been said */
	if (NVME_STATUS(answer)) {
		nvme_err(ctrl, "%s: %s (0x%03x)", command_name(cmd->opcode),
			 nvme_status_name(NVME_STATUS(answer)),
			 NVME_STATUS(answer) & NVME_STATUS_CODE);
		return -EIO;
	}
	if (result)
		*result = le32_to_cpu(answer->result);
	return 0;
}

static int nvme_admin(struct nvme *ctrl, struct nvme_command *cmd, u32 *result)
{
	int err = -EIO;

	mutex_lock(&ctrl->admin_lock);
	if (start(ctrl, cmd))
		err = wait(ctrl, cmd, result);
	mutex_unlock(&ctrl->admin_lock);
	return err;
}

/* ---- The commands --------------------------------------------------------------------------- */

/* PAGE is one, aligned, so that it needs a single PRP entry. */
int nvme_identify(struct nvme *ctrl, u32 cns, u32 nsid, void *page)
{
	struct nvme_command cmd = {
		.opcode = IDENTIFY,
		.nsid = cpu_to_le32(nsid),
		.prp1 = cpu_to_le64(dma_map(&ctrl->pci->dev, page, PAGE_SIZE)),
		.cdw10 = cpu_to_le32(cns),
	};

	return nvme_admin(ctrl, &cmd, NULL);
}

/* MDTS is a power of two of pages of the smallest size, 0 for no limit. */
int nvme_identify_controller(struct nvme *ctrl)
{
	struct id_controller *id = kmalloc(PAGE_SIZE);
	int err = id ? nvme_identify(ctrl, CNS_CONTROLLER, 0, id) : -ENOMEM;

	ctrl->max_sectors = NVME_MAX_TRANSFER / SECTOR_SIZE;
	if (!err && id->mdts && id->mdts < 16)
		ctrl->max_sectors = min(NVME_MAX_TRANSFER, (u32)PAGE_SIZE << id->mdts) /
				    SECTOR_SIZE;
	kfree(id);
	return err;
}

/* Numbers of queues are zero-based here, submission queues in the lower half. [NVME 5.21.1.7] */
int nvme_set_queue_count(struct nvme *ctrl, unsigned int n)
{
	struct nvme_command cmd = {
		.opcode = SET_FEATURES,
		.cdw10 = cpu_to_le32(FEATURE_QUEUES),
		.cdw11 = cpu_to_le32((n - 1) << 16 | (n - 1)),
	};
	u32 granted;
	int err = nvme_admin(ctrl, &cmd, &granted);

	return err ? err : (int)min(n, min(granted & 0xffff, granted >> 16) + 1);
}

static int queue_command(struct nvme_queue *q, u8 opcode, u64 ring, u32 cdw11)
{
	struct nvme_command cmd = {
		.opcode = opcode,
		.prp1 = cpu_to_le64(ring),
		.cdw10 = cpu_to_le32((ring ? q->depth - 1U : 0) << 16 | q->id),
		.cdw11 = cpu_to_le32(cdw11),
	};

	return nvme_admin(q->ctrl, &cmd, NULL);
}

/* The completion queue first, as the other one names it. [NVME 5.4] */
int nvme_create_io_queue(struct nvme_queue *q)
{
	int err = queue_command(q, CREATE_IO_CQ, q->cq_dma, nvme_vector(q->ctrl, q->id) << 16 |
							    QUEUE_IEN | QUEUE_CONTIGUOUS);

	return err ? err : queue_command(q, CREATE_IO_SQ, q->sq_dma,
					 (u32)q->id << 16 | QUEUE_CONTIGUOUS);
}

/* When the first one is answered, what the device had is finished or aborted [NVME 5.6]: a handler
 * that comes late must find nothing that it would ring a doorbell for which is no longer there. */
void nvme_delete_io_queue(struct nvme_queue *q)
{
	if (queue_command(q, DELETE_IO_SQ, 0, 0))
		return;
	nvme_drain_io(q);
	queue_command(q, DELETE_IO_CQ, 0, 0);
}
