/*
 * NVMe namespaces as disks, and the shell's command for them.
 *
 * A controller lists the numbers of its active namespaces; each has a size in logical blocks and
 * one of up to 16 formats: how large a block is and how many bytes of metadata go with it. Disks of
 * ours have blocks of 512 bytes and nothing beside. Manual: [NVME 5.15, 6.1].
 */
#include <drivers/nvme/nvme.h>
#include <kernel/cmd-blk.h>
#include <kernel/shell.h>

#define CNS_NAMESPACE	0
#define CNS_ACTIVE_LIST	2
#define LIST_ENTRIES	1024
#define LBAF_MASK	0xf
#define WRITE_PROTECTED	1

/* What we use of Identify Namespace. [NVME 5.15, figure 245] */
struct id_namespace {
	le64 nsze, ncap, nuse;
	u8 nsfeat, nlbaf, flbas, skipped1[72], nsattr, skipped2[28];
	struct {
		le16 ms;		/* bytes of metadata */
		u8 lbads, rp;		/* a block is 2^lbads bytes */
	} lbaf[16];
};
_Static_assert(offsetof(struct id_namespace, nsattr) == 99 &&
	       offsetof(struct id_namespace, lbaf) == 128, "as the manual has it");

static int add_disk(struct nvme *ctrl, u32 nsid, const struct id_namespace *id)
{
	unsigned int format = id->flbas & LBAF_MASK, lbads = id->lbaf[format].lbads;
	unsigned int metadata = le16_to_cpu(id->lbaf[format].ms);
	struct nvme_disk *disk, **end = &ctrl->disks;

	if (lbads != SECTOR_SHIFT || metadata) {
		nvme_err(ctrl, "namespace %u has blocks of %llu + %u bytes, of which only 512 + 0 "
			 "can be driven; it is left out", nsid,
			 lbads < 64 ? 1ULL << lbads : 0ULL, metadata);
		return 0;
	}
	disk = kzalloc(sizeof(*disk));
	if (!disk)
		return -ENOMEM;
	disk->ctrl = ctrl;
	disk->nsid = nsid;
	disk->block = (struct block_device){
		.ops = &nvme_block_ops, .kind = "nvme", .bus_name = ctrl->pci->name,
		.queues = ctrl->nr_queues - 1, .sectors = le64_to_cpu(id->nsze),
		.max_sectors = ctrl->max_sectors, .read_only = id->nsattr & WRITE_PROTECTED,
	};
	while (*end)
		end = &(*end)->next;
	*end = disk;
	blk_register(&disk->block);
	return 0;
}

/* LIST and ID are a page each. */
static int add_listed(struct nvme *ctrl, le32 *list, struct id_namespace *id)
{
	int err = nvme_identify(ctrl, CNS_ACTIVE_LIST, 0, list);

	for (unsigned int i = 0; !err && i < LIST_ENTRIES && le32_to_cpu(list[i]); i++) {
		err = nvme_identify(ctrl, CNS_NAMESPACE, le32_to_cpu(list[i]), id);
		if (!err)
			err = add_disk(ctrl, le32_to_cpu(list[i]), id);
		else if (err == -EIO && !nvme_is_broken(ctrl))
			err = 0;		/* said; the others may do */
	}
	if (!err && !le32_to_cpu(list[0]))
		dev_warn(&ctrl->pci->dev, "nvme: the controller has no namespace");
	return err;
}

int nvme_add_disks(struct nvme *ctrl)
{
	void *list = kmalloc(PAGE_SIZE), *id = kmalloc(PAGE_SIZE);
	int err = list && id ? add_listed(ctrl, list, id) : -ENOMEM;

	kfree(list);
	kfree(id);
	return err;
}

void nvme_remove_disks(struct nvme *ctrl)
{
	while (ctrl->disks) {
		struct nvme_disk *disk = ctrl->disks;

		ctrl->disks = disk->next;
		blk_unregister(&disk->block);
		kfree(disk);
	}
}

static const struct shell_command nvme_command = {
	.name = "nvme",
	.usage = DISK_USAGE("nvme"),
	.help = "NVMe disks: the same as blk does with virtio disks",
	.run = disk_command,
};
SHELL_COMMAND(nvme_command);
