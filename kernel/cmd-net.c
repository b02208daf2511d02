/* net: NICs and ping from the shell. */
#include <kernel/net.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <stdio.h>
#include <string.h>

#define MAX_PINGS	1000		/* all times are printed */
#define ARP_TRIES	3

#define IP_TEXT		16
static const char *ip_text(char *buf, u32 ip)
{
	snprintf(buf, IP_TEXT, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
	return buf;
}

/* ---- info ----------------------------------------------------------------------------------- */

static u64 load(const u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void show_count(const char *name, const struct nic_count *c)
{
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("  %s %llu frames, %llu bytes, %llu dropped\n", name,
			     (unsigned long long)load(&c->frames),
			     (unsigned long long)load(&c->bytes),
			     (unsigned long long)load(&c->dropped));
		return;
	}
	json_key(j, name), json_open(j, "{");
	json_key(j, "frames"), json_uint(j, load(&c->frames));
	json_key(j, "bytes"), json_uint(j, load(&c->bytes));
	json_key(j, "dropped"), json_uint(j, load(&c->dropped));
	json_close(j, "}");
}

static void show_nic(struct nic *nic)
{
	struct json *j = shell_json();
	const u8 *mac = nic->mac;
	char ip[IP_TEXT], text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	ip_text(ip, nic->ip);
	if (shell_wants_json()) {
		json_open(j, "{");
		json_key(j, "nic"), json_uint(j, nic->nic);
		json_key(j, "bdf"), json_string(j, nic->bus_name);
		json_key(j, "mac"), json_string(j, text);
		json_key(j, "ip"), json_string(j, ip);
		json_key(j, "pairs"), json_uint(j, nic->pairs);
	} else {
		shell_printf("nic %u: %s, %s, %s/%u, %u queue pair%s%s\n", nic->nic, nic->bus_name,
			     text, ip, nic->prefix, nic->pairs, nic->pairs == 1 ? "" : "s",
			     __atomic_load_n(&nic->link, __ATOMIC_RELAXED) ? "" : ", no link");
	}
	show_count("rx", &nic->rx);
	show_count("tx", &nic->tx);
	if (shell_wants_json())
		json_close(j, "}");
}

static int net_info(void)
{
	unsigned int n = 0;

	if (shell_wants_json())
		json_open(shell_json(), "[");
	net_lock();
	for (struct nic *nic = nic_next(NULL); nic; nic = nic_next(nic), n++)
		show_nic(nic);
	net_unlock();
	if (shell_wants_json())
		json_close(shell_json(), "]");
	else if (!n)
		shell_printf("no network card\n");
	return 0;
}

/* ---- ping ----------------------------------------------------------------------------------- */

struct ping {
	struct nic *nic;
	u32 ip;
	char text[IP_TEXT];
	u8 mac[ETH_ALEN];
	unsigned int sent, received;
	u64 ns[MAX_PINGS];
};

static int find_nic(struct ping *p)
{
	struct nic *nic = nic_next(NULL);

	if (!nic)
		return shell_error(-ENODEV, "there is no network card");
	while (nic && (nic->ip ^ p->ip) & nic_netmask(nic))
		nic = nic_next(nic);
	if (!nic)
		return shell_error(-ENXIO, "%s is in no network of ours; 'net info' shows them",
				   p->text);
	if (nic->ip == p->ip)
		return shell_error(-EINVAL, "%s is our own address", p->text);
	p->nic = nic;
	return 0;
}

static int resolve(struct ping *p)
{
	int err = -ETIMEDOUT;

	for (unsigned int i = 0; i < ARP_TRIES && err == -ETIMEDOUT; i++) {
		err = net_resolve(p->nic, p->ip, p->mac);
		if (err && console_interrupted())
			return shell_error(-EINTR, "interrupted");
	}
	if (err == -ETIMEDOUT)
		return shell_error(err, "nobody has the address %s (%u ARP requests, no answer)",
				   p->text, ARP_TRIES);
	return err ? shell_error(err, "nic %u: asking for %s failed (%s)", p->nic->nic, p->text,
				 errname(err)) : 0;
}

static int ping_all(struct ping *p, u64 count)
{
	while (p->sent < count && !console_interrupted()) {
		int err = net_ping(p->nic, p->ip, p->mac, p->sent++, &p->ns[p->received]);

		if (!err)
			p->received++;
		else if (err != -ETIMEDOUT)
			return shell_error(err, "nic %u: sending to %s failed (%s)", p->nic->nic,
					   p->text, errname(err));
	}
	return 0;
}

static void show_ping(const struct ping *p)
{
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		for (unsigned int i = 0; i < p->received; i++)
			shell_printf("answer from %s after %llu us\n", p->text,
				     (unsigned long long)(p->ns[i] / NSEC_PER_USEC));
		shell_printf("%u sent, %u received\n", p->sent, p->received);
		return;
	}
	json_open(j, "{");
	json_key(j, "address"), json_string(j, p->text);
	json_key(j, "sent"), json_uint(j, p->sent);
	json_key(j, "received"), json_uint(j, p->received);
	json_key(j, "ns"), json_open(j, "[");
	for (unsigned int i = 0; i < p->received; i++)
		json_uint(j, p->ns[i]);
	json_close(j, "]");
	json_close(j, "}");
}

static int net_ping_command(const char *address, u64 count)
{
	struct ping *p = kzalloc(sizeof(*p));
	const char *end;
	int err = 0;

	if (!p)
		return -ENOMEM;
	end = net_parse_ip(address, &p->ip);
	if (!end || *end)
		err = shell_error(-EINVAL, "'%s' is not an address like 10.0.2.2", address);
	ip_text(p->text, p->ip);
	net_lock();			/* so the NIC stays, even if it is pulled out */
	err = err ? err : find_nic(p);
	err = err ? err : resolve(p);
	err = err ? err : ping_all(p, count);
	net_unlock();
	if (!err) {
		show_ping(p);
		err = p->received < count;
	}
	kfree(p);
	return err;
}

/* ---- The command ---------------------------------------------------------------------------- */

static int run_net(int argc, char **argv)
{
	u64 count = 4;

	if (argc == 2 && !strcmp(argv[1], "info"))
		return net_info();
	if (argc < 3 || argc > 4 || strcmp(argv[1], "ping"))
		return shell_usage("net");
	if (argc == 4 && shell_parse_u64(argv[3], "COUNT", &count))
		return -EINVAL;
	if (!count || count > MAX_PINGS)
		return shell_error(-EINVAL, "COUNT is 1 to %u", MAX_PINGS);
	return net_ping_command(argv[2], count);
}

static const struct shell_command net_command = {
	.name = "net",
	.usage = "net info [--json]\n"
		 "net ping ADDRESS [COUNT] [--json]",
	.help = "network cards and their counters; ask another host for an answer",
	.run = run_net,
};
SHELL_COMMAND(net_command);
