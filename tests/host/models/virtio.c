/* The registers of a virtio device over PCI [VIRTIO 4.1], in BAR 4 as QEMU lays them out. */
#include <string.h>
#include "models/virtio.h"

enum { COMMON = 0, ISR = 0x1000, CONFIG = 0x2000, NOTIFY = 0x3000, MULTIPLIER = 4 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64 };
#define NO_VECTOR	0xffff
#define VERSION_1	(1ULL << 32)
#define CONFIG_UNREAD	BIT(31)		/* in unread_vectors, which else has a bit a queue */

static struct virtio_model *vm_of(struct pci_function *f)
{
	return container_of(f, struct virtio_model, pci);
}

/* ---- Interrupts ----------------------------------------------------------------------------------- */

void virtio_model_interrupt(struct virtio_model *vm, struct vm_queue *q)
{
	u16 vector = q ? q->vector : vm->config_vector;

	if (vm->pci.msix_cap && pci_model_get16(&vm->pci, vm->pci.msix_cap + 2) & 0x8000) {
		if (vector != NO_VECTOR)
			pci_model_send(&vm->pci, vector);
		return;
	}
	vm->isr |= q ? 1 : 2;
	pci_model_intx(&vm->pci, true);
}

void virtio_model_config_changed(struct virtio_model *vm)
{
	vm->generation++;
	if (vm->status & DRIVER_OK)
		virtio_model_interrupt(vm, NULL);
}

void virtio_model_fail(struct virtio_model *vm)
{
	vm->status |= NEEDS_RESET;
	vm->dead = true;
	virtio_model_interrupt(vm, NULL);
}

/* ---- Status and features ------------------------------------------------------------------------------ */

static void reset(struct virtio_model *vm)
{
	if (vm->hangs_in_reset)
		return;
	vm->resets++;
	vm->status = 0;
	vm->features_seen = vm->torn = false;
	vm->unread_vectors = 0;
	vm->accepted = 0;
	vm->isr = 0;
	vm->config_vector = NO_VECTOR;
	for (unsigned int i = 0; i < vm->nr_queues; i++) {
		u16 max = vm->queue[i].max;

		vm->queue[i] = (struct vm_queue){ .max = max, .size = max, .vector = NO_VECTOR };
	}
	pci_model_intx(&vm->pci, false);
}

static void check_order(const struct virtio_model *vm, u8 added)
{
	u8 old = vm->status;

	if ((added & DRIVER && !(old & ACKNOWLEDGE)) || (added & FEATURES_OK && !(old & DRIVER)) ||
	    (added & DRIVER_OK && !(old & FEATURES_OK)))
		model_violation("virtio model: status 0x%x after 0x%x skips a step", old | added,
				old);
	else if (added & DRIVER_OK && !vm->features_seen)
		model_violation("virtio model: DRIVER_OK before FEATURES_OK was read back");
	else if (added & DRIVER_OK && vm->unread_vectors)
		model_violation("virtio model: DRIVER_OK, but a vector was not read back");
	else if (added & DRIVER_OK && vm->torn)
		model_violation("virtio model: DRIVER_OK, but a field of two words may be torn");
}

/* Whether the device likes them. */
static bool check_features(struct virtio_model *vm)
{
	if (vm->accepted & ~vm->offered)
		model_violation("virtio model: features 0x%lx accepted, 0x%lx offered",
				(unsigned long)vm->accepted, (unsigned long)vm->offered);
	if (!(vm->accepted & VERSION_1))
		model_violation("virtio model: VERSION_1 is not accepted");
	return !vm->refuses_features;
}

static void write_status(struct virtio_model *vm, u8 v)
{
	u8 old = vm->status;

	if (!v) {
		reset(vm);
		vm->resetting = true;
		return;
	}
	if (old & ~v & ~NEEDS_RESET)
		model_violation("virtio model: status bits cleared: 0x%x after 0x%x", v, old);
	check_order(vm, v & ~old);
	if (v & ~old & FEATURES_OK && !check_features(vm))
		v &= ~FEATURES_OK;
	vm->status = v;
}

/* Reading 0 ends a reset. [VIRTIO 4.1.4.3.2] */
static u8 read_status(struct virtio_model *vm)
{
	vm->features_seen |= vm->status & FEATURES_OK;
	vm->resetting &= vm->status != 0;
	return vm->status;
}

static void write_features(struct virtio_model *vm, u32 v)
{
	unsigned int shift = 32 * vm->driver_select;

	if (vm->status & FEATURES_OK || !(vm->status & DRIVER))
		model_violation("virtio model: features written at status 0x%x", vm->status);
	else if (vm->driver_select < 2)
		vm->accepted = (vm->accepted & ~(0xffffffffULL << shift)) | (u64)v << shift;
}

/* ---- The common structure [VIRTIO 4.1.4.3] -------------------------------------------------------------- */

/* Every field by accesses of its own width, the 64-bit ones by two of 32. */
static bool check_width(u64 offset, unsigned int size)
{
	unsigned int want = offset < 16 || offset >= 32 ? 4 : offset == 20 || offset == 21 ? 1 : 2;

	if (size == want && offset % want == 0)
		return true;
	model_violation("virtio model: common register 0x%lx accessed by %u bytes, not %u",
			(unsigned long)offset, size, want);
	return false;
}

static struct vm_queue *selected(struct virtio_model *vm)
{
	return vm->queue_select < vm->nr_queues ? &vm->queue[vm->queue_select] : NULL;
}

static u64 half(u64 value, u64 offset)
{
	return offset & 4 ? value >> 32 : (u32)value;
}

static u64 read_queue(struct virtio_model *vm, u64 offset)
{
	struct vm_queue *q = selected(vm);

	if (!q)
		return 0;
	switch (offset) {
	case 24:	return q->size;
	case 26:
		vm->unread_vectors &= ~BIT(vm->queue_select);
		return q->vector;
	case 28:	return q->enabled;
	case 30:	return q - vm->queue;
	case 32: case 36: return half(q->desc, offset);
	case 40: case 44: return half(q->driver, offset);
	case 48: case 52: return half(q->device, offset);
	}
	return 0;
}

static u32 offered_word(const struct virtio_model *vm)
{
	if (!(vm->status & DRIVER))
		model_violation("virtio model: features read at status 0x%x", vm->status);
	return vm->device_select < 2 ? vm->offered >> 32 * vm->device_select : 0;
}

static u64 read_common(struct virtio_model *vm, u64 offset)
{
	switch (offset) {
	case 0:		return vm->device_select;
	case 4:		return offered_word(vm);
	case 8:		return vm->driver_select;
	case 12:	return vm->driver_select < 2 ? vm->accepted >> 32 * vm->driver_select & 0xffffffff : 0;
	case 16:
		vm->unread_vectors &= ~CONFIG_UNREAD;
		return vm->config_vector;
	case 18:	return vm->nr_queues;
	case 20:	return read_status(vm);
	case 21:
		vm->generation_seen = true;
		vm->torn = false;
		return vm->generation;
	case 22:	return vm->queue_select;
	}
	return read_queue(vm, offset);
}

static u16 checked_vector(const struct virtio_model *vm, u16 v)
{
	return vm->takes_no_vector || v >= vm->pci.msix_rows ? NO_VECTOR : v;
}

static void set_half(u64 *value, u64 offset, u32 v)
{
	*value = offset & 4 ? (*value & 0xffffffff) | (u64)v << 32 : (*value & ~0xffffffffULL) | v;
}

static void enable_queue(struct virtio_model *vm, struct vm_queue *q, u32 v)
{
	if (v != 1)
		model_violation("virtio model: %u written to queue_enable, not 1", v);
	else if (vm->unread_vectors & BIT(vm->queue_select))
		model_violation("virtio model: queue %u enabled, but its vector was not read back",
				vm->queue_select);
	else
		vring_model_enable(vm, q);
}

static void write_queue(struct virtio_model *vm, u64 offset, u32 v)
{
	struct vm_queue *q = selected(vm);

	if (!q)
		model_violation("virtio model: queue %u, of %u, register 0x%lx written",
				vm->queue_select, vm->nr_queues, (unsigned long)offset);
	else if (q->enabled)
		model_violation("virtio model: queue %u, register 0x%lx written, but it is enabled",
				vm->queue_select, (unsigned long)offset);
	else if (!(vm->status & FEATURES_OK) || vm->status & DRIVER_OK)
		model_violation("virtio model: queue %u, register 0x%lx written at status 0x%x",
				vm->queue_select, (unsigned long)offset, vm->status);
	else if (offset == 24)
		q->size = v;
	else if (offset == 26)
		q->vector = checked_vector(vm, v), vm->unread_vectors |= BIT(vm->queue_select);
	else if (offset == 28)
		enable_queue(vm, q, v);
	else if (offset >= 48)
		set_half(&q->device, offset, v);
	else if (offset >= 40)
		set_half(&q->driver, offset, v);
	else if (offset >= 32)
		set_half(&q->desc, offset, v);
	else
		model_violation("virtio model: common register 0x%lx written, which is read-only",
				(unsigned long)offset);
}

static void write_common(struct virtio_model *vm, u64 offset, u64 v)
{
	if (vm->resetting && (offset != 20 || v)) {
		model_violation("virtio model: common register 0x%lx written before the status "
				"read as 0 after a reset", (unsigned long)offset);
		vm->resetting = false;
	}
	switch (offset) {
	case 0:		vm->device_select = v; break;
	case 8:		vm->driver_select = v; break;
	case 12:	write_features(vm, v); break;
	case 16:
		vm->config_vector = checked_vector(vm, v);
		vm->unread_vectors |= CONFIG_UNREAD;
		break;
	case 20:	write_status(vm, v); break;
	case 22:	vm->queue_select = v; break;
	case 4: case 18: case 21:
		model_violation("virtio model: common register 0x%lx written, which is read-only",
				(unsigned long)offset);
		break;
	default:	write_queue(vm, offset, v);
	}
}

/* ---- The device's configuration [VIRTIO 2.5.1, 4.1.3.1] ------------------------------------------- */

static const struct vm_field *field_at(const struct virtio_model *vm, u64 at, unsigned int size)
{
	for (const struct vm_field *f = vm->fields; f && f->size; f++) {
		if (at < f->offset || at >= (u64)f->offset + f->size)
			continue;
		if (size == min(f->size, (u8)4) && (at - f->offset) % size == 0)
			return f;
		model_violation("virtio model: configuration field 0x%x of %u bytes read by %u at "
				"0x%lx", f->offset, f->size, size, (unsigned long)at);
		return NULL;
	}
	return NULL;
}

static void check_field(struct virtio_model *vm, const struct vm_field *f, u64 at)
{
	u64 features = vm->status & FEATURES_OK ? vm->accepted : vm->offered;

	if (f->feature && !(features >> f->feature & 1))
		model_violation("virtio model: configuration field 0x%x read, which needs feature %u",
				f->offset, f->feature);
	if (vm->torn)
		model_violation("virtio model: a field of two words may be torn: the generation "
				"was not read after it");
	if (f->size == 8 && at == f->offset && !vm->generation_seen)
		model_violation("virtio model: a field of two words may be torn: the generation "
				"was not read before it");
	vm->torn = f->size == 8 && at != f->offset;
	vm->generation_seen &= f->size == 8 && !vm->torn;
}

static u64 read_config(struct virtio_model *vm, u64 at, unsigned int size)
{
	const struct vm_field *f = field_at(vm, at, size);
	u64 v = 0;

	if (at + size > vm->config_len || size > 4) {
		model_violation("virtio model: %u bytes of configuration read at 0x%lx, of %u", size,
				(unsigned long)at, vm->config_len);
		return 0;
	}
	if (f)
		check_field(vm, f, at);
	memcpy(&v, vm->config + at, size);
	return v;
}

/* ---- BAR 4 ------------------------------------------------------------------------------------------------ */

static u64 bar_read(struct pci_function *f, u64 offset, unsigned int size)
{
	struct virtio_model *vm = vm_of(f);
	u64 v = 0;

	if (offset < 56)
		return check_width(offset, size) ? read_common(vm, offset) : 0;
	if (offset >= CONFIG && offset < CONFIG + sizeof(vm->config))
		return read_config(vm, offset - CONFIG, size);
	if (offset != ISR || size != 1) {
		model_violation("virtio model: %u bytes read at 0x%lx, no register", size,
				(unsigned long)offset);
		return 0;
	}
	v = vm->isr;
	vm->isr = 0;
	pci_model_intx(f, false);
	return v;
}

static void notify(struct virtio_model *vm, u64 offset, u64 v, unsigned int size)
{
	struct vm_queue *q = &vm->queue[v];

	if (size != 2 || v >= vm->nr_queues || offset != v * MULTIPLIER) {
		model_violation("virtio model: notification of queue %lu, %u bytes at 0x%lx",
				(unsigned long)v, size, (unsigned long)offset);
		return;
	}
	if (!q->enabled || !(vm->status & DRIVER_OK)) {
		model_violation("virtio model: notification of queue %lu, %s at status 0x%x",
				(unsigned long)v, q->enabled ? "enabled" : "disabled", vm->status);
		return;
	}
	q->notifications++;
	q->unwanted += vring_model_unwanted(vm, q);
	__atomic_store_n(&q->notified, 1, __ATOMIC_SEQ_CST);
}

static void bar_write(struct pci_function *f, u64 offset, u64 v, unsigned int size)
{
	struct virtio_model *vm = vm_of(f);

	if (offset < 56) {
		if (check_width(offset, size))
			write_common(vm, offset, v);
	} else if (offset >= NOTIFY && offset < NOTIFY + VM_MAX_QUEUES * MULTIPLIER) {
		notify(vm, offset - NOTIFY, v, size);
	} else {
		model_violation("virtio model: %u bytes written at 0x%lx, no register", size,
				(unsigned long)offset);
	}
}

static void vendor_cap(struct virtio_model *vm, u8 type, u32 offset, u32 length)
{
	u8 body[18] = { type == 2 ? 20 : 16, type, 4 };
	u32 multiplier = MULTIPLIER;

	memcpy(body + 6, &offset, 4);
	memcpy(body + 10, &length, 4);
	memcpy(body + 14, &multiplier, 4);
	pci_model_capability(&vm->pci, 0x09, body, body[0], NULL);
}

void virtio_model_add(struct virtio_model *vm, u8 slot, unsigned int rows)
{
	struct pci_function *f = &vm->pci;

	memset(f, 0, sizeof(*f));
	f->devfn = slot << 3;
	f->vendor = 0x1af4;
	f->device = 0x1040 + vm->type;
	f->class = 0x010000;
	f->pin = 1;
	f->bar[1] = (struct pci_model_bar){ .size = 0x1000 };
	f->bar[4] = (struct pci_model_bar){ .size = 0x4000, .mem64 = true, .pref = true,
					    .read = bar_read, .write = bar_write };
	f->msix_bar = 1;
	f->msix_rows = rows;
	vm->offered |= VERSION_1;
	reset(vm);
	vendor_cap(vm, 1, COMMON, 56);
	vendor_cap(vm, 3, ISR, 1);
	if (vm->config_len)
		vendor_cap(vm, 4, CONFIG, vm->config_len);
	vendor_cap(vm, 2, NOTIFY, VM_MAX_QUEUES * MULTIPLIER);
	pci_model_add(f);
}
