/*
 * A strict PCI host behind the board's ECAM and windows: functions with configuration space, BARs,
 * a capability list and MSI-X or MSI. What a real bus would answer with silence or chance is a
 * violation, which is named with its caller and fails the test.
 */
#ifndef TESTS_HOST_MODELS_PCI_H
#define TESTS_HOST_MODELS_PCI_H

#include "model.h"

#define PCI_MODEL_MAX_ROWS	64

struct pci_function;

struct pci_model_bar {
	u64 size;			/* 0: none */
	bool io, mem64, pref;
	/* NULL: plain memory that reads as zero. OFFSET in the BAR. */
	u64 (*read)(struct pci_function *f, u64 offset, unsigned int size);
	void (*write)(struct pci_function *f, u64 offset, u64 v, unsigned int size);
};

struct pci_function {
	u8 bus, devfn;
	u16 vendor, device, subsystem;
	u32 class;			/* 24 bits */
	u8 header_type;			/* 0x80: more functions */
	u8 pin;				/* 1 … 4, 0: none */
	struct pci_model_bar bar[6];
	unsigned int msix_rows;		/* 0: no MSI-X; else the table is at 0 of that BAR */
	unsigned int msix_bar;
	unsigned int msi_log2;		/* with .has_msi: messages it can send */
	bool has_msi, msi_maskable;
	bool msi_32;			/* with .has_msi: its address has 32 bits; no masks */
	void *priv;

	/* The model's. Tests may look, and change config[] before pci_model_add(). */
	u8 config[4096], writable[4096];
	u8 caps_end;			/* where the next capability goes; last link there */
	u8 msix_cap, msi_cap;
	struct pci_model_row {
		u32 lo, hi, data, ctrl;
	} row[PCI_MODEL_MAX_ROWS];
	u64 pending;			/* bit n: row or message n */
	u8 written[PCI_MODEL_MAX_ROWS], msi_written;	/* bits: parts of a message */
	bool asleep;			/* registers behind BARs are not to be touched */
	unsigned long sent;		/* messages that went out */
	unsigned long reads;		/* of the table, which flush writes */
	void (*on_event)(struct pci_function *f, const char *what);	/* may be NULL */
};

/* A bus of nothing at the board's addresses; before any function. */
void pci_model(void);
/* Fills in the header and the capabilities that the fields ask for. */
void pci_model_add(struct pci_function *f);
/* Adds a capability of LEN bytes, all writable where MASK (may be NULL) says; its offset. */
u8 pci_model_capability(struct pci_function *f, u8 id, const void *body, unsigned int len,
			const u8 *mask);
/* The device wants to send vector N: it goes out, becomes pending, or is lost, by the rules.
 * Returns whether it went out. */
bool pci_model_send(struct pci_function *f, unsigned int n);
/* INTx, at the board's interrupt-map. */
void pci_model_intx(struct pci_function *f, bool level);

u16 pci_model_get16(const struct pci_function *f, unsigned int where);
u32 pci_model_get32(const struct pci_function *f, unsigned int where);
void pci_model_put16(struct pci_function *f, unsigned int where, u16 v);
void pci_model_put32(struct pci_function *f, unsigned int where, u32 v);
bool pci_model_msix_on(const struct pci_function *f);	/* enabled, not masked as a whole */

#endif
