/*
 * blk and its kin: disks from the shell. sum and fill work in pieces, so that Ctrl-C ends them
 * between two. The command's name is the kind of its disks.
 *
 *	fill writes to each sector its number XOR a seed, a 64-bit little-endian word over and over,
 *	so that any sector can be checked knowing nothing but the seed.
 */
#include <kernel/cmd-blk.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <lib/crc32.h>
#include <string.h>

#define PIECE		128		/* sectors: 64 KiB at a time */

static int io_error(const struct block_device *b, int err, const char *what, u64 lba)
{
	if (err == -EPERM)
		return shell_error(err, "disk %u (%s) is read-only", b->disk, b->bus_name);
	return shell_error(err, "disk %u (%s): %s at sector %llu failed (%s)", b->disk,
			   b->bus_name, what, (unsigned long long)lba, errname(err));
}

static int check_range(const struct block_device *b, u64 lba, u64 count)
{
	u64 sectors = blk_sectors(b);

	if (lba <= sectors && count <= sectors - lba)
		return 0;
	return shell_error(-EINVAL, "disk %u (%s) has %llu sectors; %llu from %llu on go past its "
			   "end", b->disk, b->bus_name, (unsigned long long)sectors,
			   (unsigned long long)count, (unsigned long long)lba);
}

/* Calls STEP for each piece of the range, until one fails or Ctrl-C. */
static int for_each_piece(struct block_device *b, u64 lba, u64 count, void *arg,
			  int (*step)(struct block_device *b, u64 lba, u64 n, void *buf, void *arg))
{
	void *buf = kmalloc(PIECE * SECTOR_SIZE);
	int err = buf ? 0 : -ENOMEM;

	while (count && !err) {
		u64 n = min(count, (u64)PIECE);

		err = step(b, lba, n, buf, arg);
		lba += n;
		count -= n;
		if (!err && count && console_interrupted())
			err = shell_error(-EINTR, "interrupted before sector %llu",
					  (unsigned long long)lba);
	}
	kfree(buf);
	return err;
}

/* ---- info ----------------------------------------------------------------------------------- */

static void show_disk(struct block_device *b)
{
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("disk %u: %s, %llu sectors (%llu KiB)%s, %u queue%s\n", b->disk,
			     b->bus_name, (unsigned long long)blk_sectors(b),
			     (unsigned long long)blk_sectors(b) / 2,
			     b->read_only ? ", read-only" : "", b->queues,
			     b->queues == 1 ? "" : "s");
		return;
	}
	json_open(j, "{");
	json_key(j, "disk"), json_uint(j, b->disk);
	json_key(j, "bdf"), json_string(j, b->bus_name);
	json_key(j, "sectors"), json_uint(j, blk_sectors(b));
	json_key(j, "queues"), json_uint(j, b->queues);
	json_close(j, "}");
}

static int blk_info(const char *kind)
{
	struct block_device *b = NULL;
	unsigned int n = 0;

	if (shell_wants_json())
		json_open(shell_json(), "[");
	for (; (b = blk_next(kind, b)); n++)
		show_disk(b);
	if (shell_wants_json())
		json_close(shell_json(), "]");
	else if (!n)
		shell_printf("no disks\n");
	return 0;
}

/* ---- sum ------------------------------------------------------------------------------------ */

static int sum_piece(struct block_device *b, u64 lba, u64 n, void *buf, void *arg)
{
	u32 *crc = arg;
	int err = blk_read(b, lba, buf, n);

	if (err)
		return io_error(b, err, "read", lba);
	*crc = crc32(*crc, buf, n * SECTOR_SIZE);
	return 0;
}

static int blk_sum(struct block_device *b, u64 lba, u64 count)
{
	struct json *j = shell_json();
	u32 crc = 0;
	int err = check_range(b, lba, count);

	if (!err)
		err = for_each_piece(b, lba, count, &crc, sum_piece);
	if (err)
		return err;
	if (!shell_wants_json()) {
		shell_printf("crc32 of %llu sectors from %llu on: %08x\n",
			     (unsigned long long)count, (unsigned long long)lba, crc);
		return 0;
	}
	json_open(j, "{");
	json_key(j, "lba"), json_uint(j, lba);
	json_key(j, "count"), json_uint(j, count);
	json_key(j, "crc32"), json_stringf(j, "%08x", crc);
	json_close(j, "}");
	return 0;
}

/* ---- fill ----------------------------------------------------------------------------------- */

static int fill_piece(struct block_device *b, u64 lba, u64 n, void *buf, void *arg)
{
	const u64 *seed = arg;
	le64 *word = buf;
	int err;

	for (u64 i = 0; i < n * SECTOR_SIZE / sizeof(*word); i++)
		word[i] = cpu_to_le64((lba + i / (SECTOR_SIZE / sizeof(*word))) ^ *seed);
	err = blk_write(b, lba, buf, n);
	return err ? io_error(b, err, "write", lba) : 0;
}

static int blk_fill(struct block_device *b, u64 lba, u64 count, u64 seed)
{
	struct json *j = shell_json();
	int err = check_range(b, lba, count), flush_err;

	if (err)
		return err;
	err = for_each_piece(b, lba, count, &seed, fill_piece);
	flush_err = err == -ETIMEDOUT ? 0 : blk_flush(b);
	if (!err && flush_err)
		err = io_error(b, flush_err, "flush", lba);
	if (err)
		return err;
	if (!shell_wants_json()) {
		shell_printf("%llu sectors from %llu on filled\n", (unsigned long long)count,
			     (unsigned long long)lba);
		return 0;
	}
	json_open(j, "{");
	json_key(j, "lba"), json_uint(j, lba);
	json_key(j, "count"), json_uint(j, count);
	json_key(j, "seed"), json_uint(j, seed);
	json_close(j, "}");
	return 0;
}

/* ---- The command ---------------------------------------------------------------------------- */

static int parse_numbers(char **argv, const char *const *names, unsigned int n, u64 *value)
{
	for (unsigned int i = 0; i < n; i++)
		if (shell_parse_u64(argv[i], names[i], &value[i]))
			return -EINVAL;
	return 0;
}

/* CPU: the one to read from; ~0: all that are online. */
static int stress(struct block_device *b, u64 reads, u64 seed, u64 cpu)
{
	struct cpumask on = cpu_online_mask_;

	if (cpu == ~0ULL)
		return blk_stress(b, reads, seed, &on);
	if (cpu >= nr_cpu_ids || !cpumask_test_cpu(cpu, &on))
		return shell_error(-EINVAL, "cpu %llu is not online", (unsigned long long)cpu);
	return blk_stress(b, reads, seed, cpumask_of(cpu));
}

static int run_on_disk(struct block_device *b, int argc, char **argv, u64 seed, u64 cpu)
{
	static const char *const names[] = { "LBA", "COUNT", "SEED" };
	static const char *const count[] = { "N" };
	u64 v[3];

	if (!strcmp(argv[1], "sum") && argc == 4)
		return parse_numbers(argv + 2, names, 2, v) ? -EINVAL : blk_sum(b, v[0], v[1]);
	if (!strcmp(argv[1], "fill") && argc == 5)
		return parse_numbers(argv + 2, names, 3, v) ? -EINVAL
							    : blk_fill(b, v[0], v[1], v[2]);
	if (!strcmp(argv[1], "stress") && argc == 3)
		return parse_numbers(argv + 2, count, 1, v) ? -EINVAL
							    : stress(b, v[0], seed, cpu);
	return shell_usage(argv[0]);
}

int disk_command(int argc, char **argv)
{
	u64 disk = 0, seed = 1, cpu = ~0ULL;
	struct block_device *b;
	int err;

	if (shell_take_option(&argc, argv, "--disk", &disk) < 0 ||
	    shell_take_option(&argc, argv, "--seed", &seed) < 0 ||
	    shell_take_option(&argc, argv, "--cpu", &cpu) < 0)
		return -EINVAL;
	if (argc == 2 && !strcmp(argv[1], "info"))
		return blk_info(argv[0]);
	if (argc < 2)
		return shell_usage(argv[0]);
	b = disk > ~0U ? NULL : blk_get(argv[0], disk);
	if (!b)
		return shell_error(-ENODEV, "there is no disk %llu; '%s info' lists them",
				   (unsigned long long)disk, argv[0]);
	err = run_on_disk(b, argc, argv, seed, cpu);
	blk_put(b);
	return err;
}

static const struct shell_command blk_command = {
	.name = "blk",
	.usage = DISK_USAGE("blk"),
	.help = "virtio disks: list, checksum, fill with a pattern; many verified reads at once",
	.run = disk_command,
};
SHELL_COMMAND(blk_command);
