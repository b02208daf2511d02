/*
 * NVMe status codes: a type in bits 10:8 (generic, of the command, of the medium), the code below.
 * Those that a driver like ours can meet. Manual: [NVME 4.6.1].
 */
#include <drivers/nvme/nvme.h>

const char *nvme_status_name(unsigned int status)
{
	static const struct {
		u16 code;
		const char *name;
	} names[] = {
		{ 0x001, "invalid command opcode" },
		{ 0x002, "invalid field in command" },
		{ 0x003, "command id conflict" },
		{ 0x004, "data transfer error" },
		{ 0x005, "aborted: power loss" },
		{ 0x006, "internal error" },
		{ 0x007, "aborted on request" },
		{ 0x008, "aborted: queue deleted" },
		{ 0x00b, "invalid namespace or format" },
		{ 0x013, "PRP offset invalid" },
		{ 0x020, "namespace is write protected" },
		{ 0x080, "LBA out of range" },
		{ 0x081, "capacity exceeded" },
		{ 0x082, "namespace not ready" },
		{ 0x100, "completion queue invalid" },
		{ 0x101, "invalid queue identifier" },
		{ 0x102, "invalid queue size" },
		{ 0x108, "invalid interrupt vector" },
		{ 0x280, "write fault" },
		{ 0x281, "unrecovered read error" },
		{ 0x286, "access denied" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == (status & NVME_STATUS_CODE))
			return names[i].name;
	return "status";
}
