/*
 * Configuration space: the registers used here, by their manuals' names. [PCI 6.1, 6.8], bridges
 * [PCI-to-PCI bridge 3.2], PCI Express [PCIE 7.5]
 */
#ifndef DRIVERS_PCI_PCI_REGS_H
#define DRIVERS_PCI_PCI_REGS_H

/* ---- The header ----------------------------------------------------------------------------- */

enum {
	PCI_VENDOR_ID		= 0x00,
	PCI_DEVICE_ID		= 0x02,
	PCI_COMMAND		= 0x04,
	PCI_COMMAND_IO		= 1 << 0,
	PCI_COMMAND_MEMORY	= 1 << 1,
	PCI_COMMAND_MASTER	= 1 << 2,
	PCI_COMMAND_INTX_DISABLE = 1 << 10,
	PCI_STATUS		= 0x06,
	PCI_STATUS_INTERRUPT	= 1 << 3,	/* would assert its pin, were it not off */
	PCI_STATUS_CAP_LIST	= 1 << 4,
	PCI_CLASS_REVISION	= 0x08,
	PCI_HEADER_TYPE		= 0x0e,
	PCI_HEADER_TYPE_MASK	= 0x7f,
	PCI_HEADER_TYPE_BRIDGE	= 1,
	PCI_HEADER_TYPE_MFD	= 0x80,
	PCI_BASE_ADDRESS_0	= 0x10,
	PCI_SUBSYSTEM_ID	= 0x2e,
	PCI_CAPABILITY_LIST	= 0x34,
	PCI_INTERRUPT_PIN	= 0x3d,
};

/* Of a bridge. The low four bits of a base say how wide it is. */
enum {
	PCI_PRIMARY_BUS		= 0x18,
	PCI_SECONDARY_BUS	= 0x19,
	PCI_SUBORDINATE_BUS	= 0x1a,
	PCI_IO_BASE		= 0x1c,		/* 8 bits, address bits 15:12 in the upper four */
	PCI_IO_LIMIT		= 0x1d,
	PCI_IO_RANGE_TYPE_32	= 1,
	PCI_MEMORY_BASE		= 0x20,		/* 16 bits, address bits 31:20 in the upper 12 */
	PCI_MEMORY_LIMIT	= 0x22,
	PCI_PREF_MEMORY_BASE	= 0x24,
	PCI_PREF_MEMORY_LIMIT	= 0x26,
	PCI_PREF_RANGE_TYPE_64	= 1,
	PCI_RANGE_TYPE_MASK	= 0xf,
	PCI_PREF_BASE_UPPER32	= 0x28,
	PCI_PREF_LIMIT_UPPER32	= 0x2c,
	PCI_IO_BASE_UPPER16	= 0x30,
	PCI_IO_LIMIT_UPPER16	= 0x32,
	PCI_BRIDGE_CONTROL	= 0x3e,
	PCI_BRIDGE_CTL_SERR	= 1 << 1,	/* error messages pass */
};

/* ---- Capabilities --------------------------------------------------------------------------- */

enum {
	PCI_CAP_ID_PM		= 0x01,
	PCI_CAP_ID_MSI		= 0x05,
	PCI_CAP_ID_VNDR		= 0x09,
	PCI_CAP_ID_EXP		= 0x10,
	PCI_CAP_ID_MSIX		= 0x11,

	PCI_PM_CTRL		= 4,
	PCI_PM_CTRL_STATE_MASK	= 3,

	PCI_MSI_FLAGS		= 2,
	PCI_MSI_FLAGS_ENABLE	= 1 << 0,
	PCI_MSI_FLAGS_QMASK	= 7 << 1,
	PCI_MSI_FLAGS_QSIZE	= 7 << 4,
	PCI_MSI_FLAGS_64BIT	= 1 << 7,
	PCI_MSI_FLAGS_MASKBIT	= 1 << 8,
	PCI_MSI_ADDRESS_LO	= 4,
	PCI_MSI_ADDRESS_HI	= 8,

	PCI_MSIX_FLAGS		= 2,
	PCI_MSIX_FLAGS_QSIZE	= 0x7ff,
	PCI_MSIX_FLAGS_MASKALL	= 1 << 14,
	PCI_MSIX_FLAGS_ENABLE	= 1 << 15,
	PCI_MSIX_TABLE		= 4,
	PCI_MSIX_PBA		= 8,
	PCI_MSIX_BIR		= 7,
	PCI_MSIX_ENTRY_SIZE	= 16,
	PCI_MSIX_ENTRY_LOWER_ADDR = 0,
	PCI_MSIX_ENTRY_UPPER_ADDR = 4,
	PCI_MSIX_ENTRY_DATA	= 8,
	PCI_MSIX_ENTRY_VECTOR_CTRL = 12,
	PCI_MSIX_ENTRY_CTRL_MASKBIT = 1 << 0,
};

/* PCI Express: what kind of port, its link and its slot. */
enum {
	PCI_EXP_FLAGS		= 0x02,
	PCI_EXP_FLAGS_TYPE	= 0xf0,
	PCI_EXP_TYPE_ROOT_PORT	= 4,
	PCI_EXP_TYPE_UPSTREAM	= 5,
	PCI_EXP_TYPE_DOWNSTREAM	= 6,
	PCI_EXP_TYPE_PCI_BRIDGE	= 7,		/* PCI behind it */
	PCI_EXP_TYPE_PCIE_BRIDGE = 8,		/* PCI Express behind it */
	PCI_EXP_FLAGS_SLOT	= 1 << 8,
	PCI_EXP_FLAGS_IRQ	= 31 << 9,	/* the message of slot events */
	PCI_EXP_FLAGS_IRQ_SHIFT	= 9,
	PCI_EXP_DEVCTL		= 0x08,
	PCI_EXP_DEVCTL_CERE	= 1 << 0,	/* sends error messages: correctable, … */
	PCI_EXP_DEVCTL_NFERE	= 1 << 1,	/* … non-fatal, … */
	PCI_EXP_DEVCTL_FERE	= 1 << 2,	/* … fatal */
	PCI_EXP_LNKCAP		= 0x0c,
	PCI_EXP_LNKCAP_DLLLARC	= 1 << 20,	/* the link tells whether it is active */
	PCI_EXP_LNKSTA		= 0x12,
	PCI_EXP_LNKSTA_DLLLA	= 1 << 13,	/* it is */

	PCI_EXP_SLTCAP		= 0x14,
	PCI_EXP_SLTCAP_ABP	= 1 << 0,	/* attention button */
	PCI_EXP_SLTCAP_PCP	= 1 << 1,	/* power controller */
	PCI_EXP_SLTCAP_AIP	= 1 << 3,	/* attention indicator */
	PCI_EXP_SLTCAP_PIP	= 1 << 4,	/* power indicator */
	PCI_EXP_SLTCAP_HPC	= 1 << 6,	/* hot-plug capable */
	PCI_EXP_SLTCAP_NCCS	= 1 << 18,	/* commands complete at once, unreported */

	PCI_EXP_SLTCTL		= 0x18,
	PCI_EXP_SLTCTL_ABPE	= 1 << 0,	/* enables: the events of the status register */
	PCI_EXP_SLTCTL_PFDE	= 1 << 1,
	PCI_EXP_SLTCTL_PDCE	= 1 << 3,
	PCI_EXP_SLTCTL_CCIE	= 1 << 4,
	PCI_EXP_SLTCTL_HPIE	= 1 << 5,	/* interrupt at all */
	PCI_EXP_SLTCTL_AIC	= 3 << 6,	/* indicators: 1 on, 2 blinks, 3 off */
	PCI_EXP_SLTCTL_AIC_ON	= 1 << 6,
	PCI_EXP_SLTCTL_AIC_OFF	= 3 << 6,
	PCI_EXP_SLTCTL_PIC	= 3 << 8,
	PCI_EXP_SLTCTL_PIC_ON	= 1 << 8,
	PCI_EXP_SLTCTL_PIC_BLINK = 2 << 8,
	PCI_EXP_SLTCTL_PIC_OFF	= 3 << 8,
	PCI_EXP_SLTCTL_PCC	= 1 << 10,	/* power off */
	PCI_EXP_SLTCTL_DLLSCE	= 1 << 12,

	PCI_EXP_SLTSTA		= 0x1a,
	PCI_EXP_SLTSTA_ABP	= 1 << 0,	/* attention button pressed */
	PCI_EXP_SLTSTA_PFD	= 1 << 1,	/* power fault */
	PCI_EXP_SLTSTA_MRLSC	= 1 << 2,
	PCI_EXP_SLTSTA_PDC	= 1 << 3,	/* presence changed */
	PCI_EXP_SLTSTA_CC	= 1 << 4,	/* command completed */
	PCI_EXP_SLTSTA_PDS	= 1 << 6,	/* a card is there */
	PCI_EXP_SLTSTA_DLLSC	= 1 << 8,	/* the link came up or went down */

	PCI_EXP_RTCTL		= 0x1c,
};

/* Extended capabilities: the first is at 0x100. [PCIE 7.6.3] */
enum {
	PCI_EXT_CAP_ID_ERR	= 0x01,

	/* Advanced error reporting. [PCIE 7.8.4] */
	PCI_ERR_UNCOR_STATUS	= 0x04,
	PCI_ERR_UNCOR_MASK	= 0x08,
	PCI_ERR_UNCOR_SEVER	= 0x0c,		/* ones: fatal */
	PCI_ERR_COR_STATUS	= 0x10,
	PCI_ERR_COR_MASK	= 0x14,
	PCI_ERR_ROOT_COMMAND	= 0x2c,		/* which kinds interrupt */
	PCI_ERR_ROOT_CMD_COR	= 1 << 0,
	PCI_ERR_ROOT_CMD_NONFATAL = 1 << 1,
	PCI_ERR_ROOT_CMD_FATAL	= 1 << 2,
	PCI_ERR_ROOT_STATUS	= 0x30,
	PCI_ERR_ROOT_COR_RCV	= 1 << 0,
	PCI_ERR_ROOT_MULTI_COR_RCV = 1 << 1,
	PCI_ERR_ROOT_UNCOR_RCV	= 1 << 2,
	PCI_ERR_ROOT_MULTI_UNCOR_RCV = 1 << 3,
	PCI_ERR_ROOT_FATAL_RCV	= 1 << 6,
	PCI_ERR_ROOT_IRQ_SHIFT	= 27,		/* the message of errors */
	PCI_ERR_ROOT_ERR_SRC	= 0x34,		/* correctable, the others << 16 */
};

#endif
