/*
 * The capability list: from a pointer in the header, each entry holds an id and the offset of the
 * next one, all within the 192 bytes behind the header.
 *
 *	[0x34] --> 0x40 [id|next] --> 0x50 [id|next] --> … --> 0
 *
 * Devices exist whose links lead into the header, to odd places or round in a circle, so every
 * link is checked, and no list is longer than there is room for. [PCI 6.7] The extended ones begin
 * behind all that, at 0x100, each with a word [id:16|version:4|next:12]. [PCIE 7.6.3]
 */
#include <drivers/pci/pci.h>
#include <kernel/printk.h>

#define FIRST_OFFSET	0x40
#define MAX_CAPS	48	/* (256 - 64) / 4 bytes each */

#define EXT_OFFSET	0x100
#define MAX_EXT_CAPS	960	/* (4096 - 256) / 4 */

static u8 bad_link(struct pci_dev *dev, u16 link, const char *what)
{
	if (!dev->bad_caps)
		dev_warn(&dev->dev, "capability list: the link 0x%02x %s; the list ends there",
			 link, what);
	dev->bad_caps = true;
	return 0;
}

/* The link stored at WHERE, or 0 at the end of the list. */
static u8 follow(struct pci_dev *dev, unsigned int where)
{
	u8 link = pci_read_config8(dev, where);

	if (!link)
		return 0;
	if (link < FIRST_OFFSET)
		return bad_link(dev, link, "points into the header");
	if (link & 3)
		return bad_link(dev, link, "is not a multiple of 4");
	return link;
}

/* Walks from the link at WHERE until capability ID. */
static u8 find(struct pci_dev *dev, unsigned int where, u8 id)
{
	for (int left = MAX_CAPS; left; left--) {
		u8 pos = follow(dev, where);

		if (!pos || pci_read_config8(dev, pos) == id)
			return pos;
		where = pos + 1;
	}
	return bad_link(dev, where - 1, "leads round in a circle");
}

u8 pci_find_capability(struct pci_dev *dev, u8 id)
{
	if (!(pci_read_config16(dev, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	return find(dev, PCI_CAPABILITY_LIST, id);
}

u8 pci_find_next_capability(struct pci_dev *dev, u8 pos, u8 id)
{
	return find(dev, pos + 1, id);
}

u16 pci_find_ext_capability(struct pci_dev *dev, u16 id)
{
	unsigned int where = EXT_OFFSET;

	if (!dev->pcie_cap)
		return 0;
	for (int left = MAX_EXT_CAPS; left; left--) {
		u32 head = pci_read_config32(dev, where);

		if (head == ~0U || !head)
			return 0;		/* gone, or has none */
		if ((u16)head == id)
			return where;
		where = head >> 20;
		if (!where)
			return 0;
		if (where < EXT_OFFSET || where & 3)
			return bad_link(dev, where, "is none to an extended capability");
	}
	return bad_link(dev, where, "leads round in a circle");
}
