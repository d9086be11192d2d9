/* SPDX-License-Identifier: BSD-2-Clause */
#include "help.h"

#include <stdbool.h>
#include <string.h>
#include "limit.h"
#include "print.h"

#define EXIT_CODES \
	"Exit codes: 0 all went well; 1 refused or failed; 2 the command line makes no sense;\n" \
	"3 no daemon, or not permitted; 4 the daemon went away in the middle.\n"

#define STRING_OF(n)  STRING_OF_(n)
#define STRING_OF_(n) #n

static const char overview[] =
	"netcapctl shows where in the kernel packets go, and where and why they are dropped; and\n"
	"what packets DPDK applications and other stacks in user space have.\n"
	"\n"
	"Usage: netcapctl [--socket PATH] VERB [OPTIONS]\n"
	"\n"
	"  skb        capture packets at trace points of the kernel\n"
	"  xdp        the same before they are socket buffers, or without: XDP and AF_XDP\n"
	"  mbuf       the same in DPDK applications, at functions that get mbufs\n"
	"  raw        the same in any process, at functions that get a packet's bytes\n"
	"  points     list the trace points that can be captured at\n"
	"  list       list the sessions that are running\n"
	"  stop       end a session\n"
	"  stats      show the counts of sessions, and the daemon's own\n"
	"  features   show what this kernel and these privileges allow\n"
	"  reload     make the service read its configuration anew\n"
	"  drops      show what the kernel dropped since the service started, and why\n"
	"  metrics    print the service's counters for Prometheus\n"
	"  profile    list and show the named lists of trace points that -f @NAME takes\n"
	"  compile    make an object of C for --user-filter and --user-action\n"
	"\n"
	"  netcapctl help VERB says more; netcapctl --version says which version this is.\n"
	"\n"
	"The first thing to try, which shows each packet that the kernel drops, with its reason:\n"
	"\n"
	"  sudo netcapctl skb -f tracepoint:skb:kfree_skb\n"
	"\n"
	"The work is done by the service netcapd; users in the group netcap may use it. With no\n"
	"service running, root gets a private netcapd that lives as long as the command.\n"
	"  --socket PATH   the service's socket (default " DEFAULT_SOCKET_PATH ")\n"
	"\n" EXIT_CODES;

static const char skb_what[] =
	"netcapctl skb -f LIST [OPTIONS]: capture packets at trace points of the kernel.\n"
	"\n"
	"Where:\n"
	"  -f, --function LIST      trace points, separated by commas: [MODULE:]FUNCTION or\n"
	"                           tracepoint:GROUP:NAME. @N behind one says which argument is\n"
	"                           the packet, from 1; it is found by itself where it is left\n"
	"                           out. Patterns ('tcp_*') mean all that match, all means all\n"
	"                           functions. netcapctl points lists them. fexit:FUNCTION\n"
	"                           adds what it returned, and when. prog:NAME is a BPF program\n"
	"                           of tc, progexit:NAME its return with the verdict. A second\n"
	"                           @N is the argument that --user-filter and --user-action\n"
	"                           get. @NAME is a\n"
	"                           profile, a named list of them: netcapctl profile lists those\n"
	"  --backend B              how functions are attached: auto (default), fentry,\n"
	"                           kprobe.multi or kprobe; so do fentry:FUNCTION and\n"
	"                           kprobe:FUNCTION for one of them\n"
	"  --force                  more than 256 trace points without a filter: everything is\n"
	"                           captured many times\n"
	"\n";

static const char xdp_what[] =
	"netcapctl xdp -f LIST [OPTIONS]: capture packets that are no socket buffers yet, or never\n"
	"become any: those of XDP programs and of AF_XDP sockets.\n"
	"\n"
	"Where:\n"
	"  -f, --function LIST      trace points, separated by commas: [MODULE:]FUNCTION, of those\n"
	"                           that get a struct xdp_buff or xdp_frame. @N behind one says\n"
	"                           which argument that is, from 1; it is found by itself where\n"
	"                           it is left out. Patterns ('xdp_*') mean all that match, all\n"
	"                           means all functions. netcapctl points --xdp lists them.\n"
	"                           fexit:FUNCTION adds what it returned, and when. prog:NAME is an\n"
	"                           XDP program, progexit:NAME its return with the verdict. @NAME\n"
	"                           is a profile, a named list of them, which may be one's own:\n"
	"                           see netcapctl help profile\n"
	"  --backend, --force       as for netcapctl skb\n"
	"\n";

static const char mbuf_what[] =
	"netcapctl mbuf -f LIST --pid PID [OPTIONS]: capture packets in a DPDK application, at its\n"
	"functions that get a struct rte_mbuf.\n"
	"\n"
	"Where:\n"
	"  -f, --function LIST      trace points, separated by commas:\n"
	"                             FUNCTION@N         argument N, from 1, is an mbuf\n"
	"                             FUNCTION@N@M       argument N is an array of them, M how many\n"
	"                             uretprobe:FUNCTION@N\n"
	"                                                FUNCTION fills the array of argument N and\n"
	"                                                returns how many, as functions that receive\n"
	"                             usdt:[PROVIDER:]PROBE@N[@M]\n"
	"                                                a probe that is built into the program\n";

static const char mbuf_layout[] =
	"  --mbuf-layout LAYOUT     what an mbuf looks like, if neither the program nor its version\n"
	"                           of DPDK says so: buf_addr=0,data_off=16,... (netcapctl(1))\n";

static const char raw_what[] =
	"netcapctl raw -f LIST --pid PID [OPTIONS]: capture packets in a process, at its functions\n"
	"that get their bytes, which begin with an Ethernet header.\n"
	"\n"
	"Where:\n"
	"  -f, --function LIST      trace points, separated by commas:\n"
	"                             FUNCTION@N@M       argument N, from 1, is where the bytes are,\n"
	"                                                M how many\n"
	"                             uretprobe:FUNCTION@N\n"
	"                                                FUNCTION fills the buffer of argument N and\n"
	"                                                returns how many\n"
	"                             usdt:[PROVIDER:]PROBE@N@M\n"
	"                                                a probe that is built into the program\n";

static const char user_space[] =
	"                           FUNCTION may have a library in front, as libfoo.so:FUNCTION, may\n"
	"                           be a name of C++ (ns::Class::method), SYMBOL+0x10 or 0xADDRESS.\n"
	"                           Trace points of the kernel may be in the list, by\n"
	"                           tracepoint:, fentry: or kprobe:, or with mbuf: and raw: in that\n"
	"                           of netcapctl skb\n"
	"  --pid PID                the process\n"
	"  --binary PATH            all processes that execute this program or library\n"
	"All of it is for administrators. docs/user-space.md is a tutorial.\n";

static const char which_packets[] =
	"Which packets (all that are given must hold):\n"
	"  -e, --expression EXPR    tcpdump filter expression (pcap-filter(7)), in quotes\n"
	"  -i, --interface DEV      only packets of this device, in the namespace of --netns, or\n"
	"                           else in that of this command\n"
	"  --netns NAME|PATH|INODE  only packets in this network namespace\n"
	"  --mark VALUE[/MASK]      only packets with this mark (32 bits, 0x for hexadecimal); not\n"
	"                           for netcapctl xdp\n"
	"  --pid PID                only while a task of this process runs; with trace points in user\n"
	"                           space, their process\n"
	"  --comm NAME              only while a task of this name runs\n"
	"  --user-filter FILE       only packets that a filter in C wants, too: FILE.c, or FILE.o of\n"
	"                           netcapctl compile. For administrators; docs/user-code.md\n"
	"  --track                  follow each packet that matched once: all of its later events\n"
	"                           are captured, whatever it has become: after NAT, in a tunnel\n"
	"                           and behind it, in other namespaces, as a clone, until it is\n"
	"                           freed. The events of one packet have the same track=N\n"
	"  --track-size N           how many packets and clones at a time, " STRING_OF(LIMIT_TRACK_MIN) " to\n"
	"                           " STRING_OF(LIMIT_TRACK_MAX) " (default " STRING_OF(DEFAULT_TRACK_SIZE) ")\n"
	"\n"
	"How much:\n"
	"  -c, --count N            end after N packets\n"
	"  --capture-max-size BYTES bytes kept of each packet, 1 to " STRING_OF(LIMIT_SNAPLEN)
	"\n"
	"                           (default " STRING_OF(DEFAULT_SNAPLEN) ")\n"
	"  -S, --stack-dump         the kernel stack of each packet\n"
	"  --fake-hdr[=WHEN]        make headers that the stack has not written yet, before the\n"
	"                           filter runs: auto (default up to 256 trace points),\n"
	"                           always or never\n"
	"  --inner                  packets are those in tunnels (IP in IP, GRE, VXLAN, Geneve)\n"
	"  --skb-data               packets are Ethernet and begin at skb->data,\n"
	"  --skb-data-offset N      or N bytes from there (may be negative)\n"
	"  --ring-size BYTES        buffer between kernel and daemon, " STRING_OF(LIMIT_RING_MIN)
	" to " STRING_OF(LIMIT_RING_MAX) "\n"
	"                           (default " STRING_OF(DEFAULT_RING_BYTES) "); larger if packets"
	" are lost\n"
	"\n";

static const char gather[] =
	"The ways of packets, where they wait and where they vanish:\n"
	"  -G, --gather             one packet once, with the times at which it came to each of the\n"
	"                           trace points of -f, and those that it did NOT come to, when it is\n"
	"                           freed or was not seen for a while; at the end how long packets\n"
	"                           took between trace points. --slower-than, --histogram and\n"
	"                           --summary mean --gather, too\n"
	"  --slower-than TIME       only packets that took longer from their first trace point to\n"
	"                           another: 250us, 1.5ms, 2s\n"
	"  --histogram              no packets, only how long they took: counted in the kernel, on\n"
	"                           standard output. With --json one line of JSON\n"
	"  --summary                how long they took until now, each second while packets come\n"
	"  --gather-timeout TIME    not seen for so long, a packet is done: milliseconds, or 500ms,\n"
	"                           2s (default " STRING_OF(DEFAULT_GATHER_TIMEOUT)
	", or twice --slower-than if that is more)\n"
	"  --gather-buffer-size N   so many packets at a time, " STRING_OF(LIMIT_GATHER_MIN)
	" to " STRING_OF(LIMIT_GATHER_MAX) " (default " STRING_OF(DEFAULT_GATHER_SIZE) ")\n"
	"  --gather-distinguish-by-pointer, --gather-distinguish-by-content\n"
	"                           what makes two events those of one packet: the address of the skb,\n"
	"                           or its bytes. Else it is followed as by --track; trace points of\n"
	"                           XDP (xdp:FUNCTION, xdp:prog:NAME, netcapctl xdp) and in user\n"
	"                           space have the bytes only\n"
	"  --gather-output-color C  " PRINT_COLORS ", for these lines\n"
	"\n";

static const char how[] =
	"What to do with them (printed by tcpdump, metadata beneath, if none of these is given):\n"
	"  -t, --tcpdump-flags TEXT tcpdump's flags for printing (default \"-nn\")\n"
	"  --stack-dump-color C     " PRINT_COLORS ", on a terminal\n"
	"  --user-action FILE       show what an action in C writes of each packet beneath it\n"
	"  --user-output-color C    in this colour, on a terminal\n"
	"  --user-log               if the kernel refuses such code, all that its verifier said\n"
	"  --json                   one JSON object a line\n"
	"  --group                  with --track: the events of a packet together, each with the\n"
	"                           time since the last, when it is freed or nothing has come of\n"
	"                           it for a second. A file holds them in that order, no times\n"
	"  -w, --write-file FILE    a pcapng file with the metadata as comments, which Wireshark\n"
	"                           shows; - is standard output. Classic pcap, without metadata,\n"
	"                           if FILE ends in .pcap\n"
	"  --format pcapng|pcap     the format of FILE, whatever its name\n"
	"  --write-file-rotate N    FILE holds the last N packets at the end. On the way FILE and\n"
	"                           FILE.older hold up to N each, so even kill -9 leaves them\n"
	"  --dry-run                attach nothing; show what would be, and the filter's programs\n"
	"\n"
	"  --socket PATH            the service's socket (default " DEFAULT_SOCKET_PATH ")\n"
	"\n"
	"Ctrl-C ends the capture; what was captured until then is still shown, then a summary "
	"with\n"
	"  hits = filtered + captured + lost + limited\n"
	"for each trace point. A second Ctrl-C exits at once.\n"
	"\n"
	"Examples:\n"
	"  Pings, where the kernel receives them:\n"
	"    netcapctl skb -f icmp_rcv -e icmp\n"
	"  Where a packet goes, among all functions:\n"
	"    netcapctl skb -f all -e \"host 192.0.2.1 and icmp\" -c 100\n"
	"  Packets to port 9000 that are dropped, the reason, and the stack of who drops them:\n"
	"    netcapctl skb -f tracepoint:skb:kfree_skb -e \"tcp port 9000\" -S\n"
	"  Where pings get lost or wait on their way in:\n"
	"    netcapctl skb -f tracepoint:net:netif_receive_skb,ip_local_deliver,icmp_rcv \\\n"
	"        -e \"icmp and host 192.0.2.1\" --gather\n"
	"  What comes in on eth0, with Ethernet headers, 10 packets:\n"
	"    netcapctl skb -f tracepoint:net:netif_receive_skb -i eth0 -t \"-nne\" -c 10\n"
	"  The last 1,000 drops, whole packets, into a file:\n"
	"    netcapctl skb -f tracepoint:skb:kfree_skb --capture-max-size 65535 \\\n"
	"        -w drops.pcapng --write-file-rotate 1000\n"
	"  Drops in the network namespace blue, for a program:\n"
	"    netcapctl skb -f tracepoint:skb:kfree_skb --netns blue --json | jq .reason\n"
	"  The way of a ping through the kernel, at the trace points of a profile:\n"
	"    netcapctl skb -f @icmp-echo -e icmp\n"
	"  What AF_XDP sockets receive in copy mode:\n"
	"    netcapctl xdp -f __xsk_rcv\n"
	"  What a DPDK application gets in bursts:\n"
	"    netcapctl mbuf -f vec_func@1@2 -e \"tcp and port 80\" -t \"-nnve\" --pid 1111\n"
	"\n" EXIT_CODES;

static const char drops_text[] =
	"netcapctl drops [OPTIONS]: show what the kernel dropped since the service started, with the\n"
	"reason, the function that dropped it, its device and network namespace, how many packets,\n"
	"how many a second in the last minute, when the last one, and the last 30 minutes as bars\n"
	"(each row by its own highest). Most packets come first; yellow rows are dropping now.\n"
	"  --by WHAT           sum by reason, location, dev, netns or proto\n"
	"  --since TIME        only what was dropped since then: 90s, 15m, 2h or 3d ago, the last\n"
	"                      03:00 (or 03:00:30), or '2026-11-25 03:00'\n"
	"  --until TIME        and before then\n"
	"  --top N             so many rows (default 20 on a terminal, else all); 0 is all\n"
	"  --layers            all counters of layers that lose packets without a reason (devices,\n"
	"                      softnet, qdiscs, protocols), not only those that counted something\n"
	"  --explain           what the reasons in the table mean, and what to look at next\n"
	"  --explain REASON    the same for one reason, without asking the service\n"
	"  --follow            a line each second for each kind of packet dropped, until Ctrl-C\n"
	"  -w FILE             write the dropped packets that the service kept samples of, with why\n"
	"                      and where, to a pcapng file (.pcap: classic); - is standard output\n"
	"  --packets           print them, by tcpdump; both go with --since and --until only\n"
	"  --json              the daemon's reply as it is, with --follow one a line\n"
	"\n"
	"Examples:\n"
	"  What went wrong last night:\n"
	"    netcapctl drops --since 03:00 --until 04:00 --explain\n"
	"  Which devices lose packets now:\n"
	"    netcapctl drops --by dev --since 90s\n"
	"  Which packets were they, and who dropped them:\n"
	"    netcapctl drops --packets --since 10m\n";

static const char profile_text[] =
	"netcapctl profile [--json]: list the profiles, which are named lists of trace points.\n"
	"netcapctl profile show NAME [--xdp] [--json]: show the trace points of one, in the order in\n"
	"which packets pass them, what is said of each, and which of them can be traced on this\n"
	"machine, if the daemon can be asked; with --xdp for netcapctl xdp.\n"
	"\n"
	"netcapctl skb -f @NAME captures at them, -f @NAME,@OTHER,icmp_rcv at others, too. What cannot\n"
	"be traced is listed as it starts, with the reason, and the rest runs.\n"
	"\n"
	"A profile is a file NAME.profile, in the first of these directories that has one:\n"
	"  ~/.config/netcap/profiles     one's own ($XDG_CONFIG_HOME/netcap/profiles)\n"
	"  /etc/netcapd/profiles         those of this machine\n"
	"  share/netcapd/profiles        those that come with netcapd\n"
	"or in those of $NETCAP_PROFILES, separated by colons, in place of all of these.\n"
	"\n"
	"  # The first comment says what it is for.\n"
	"  tracepoint:net:netif_receive_skb   # one trace point a line, as -f takes it\n"
	"  ip_rcv_core | ip_rcv               # the first of these that can be traced\n"
	"  ?icmp_echo                         # left out without a word where it cannot be\n";

static const struct {
	const char *verb, *text;
} verbs[] = {
	{"list",
	 "netcapctl list [--json]: list the sessions that are running, with their id, owner, age,\n"
	 "counts, filter and trace points. --json prints the daemon's reply as it is.\n"},
	{"stop",
	 "netcapctl stop ID: end the session with this id (netcapctl list shows them). One's own\n"
	 "sessions, or anyone's for root. Whoever started it gets its summary as if by Ctrl-C.\n"},
	{"stats",
	 "netcapctl stats [ID] [--json]: show the counts of a session, or of all of them and the\n"
	 "daemon's own age and memory, for each trace point:\n"
	 "  hits       packets that reached the trace point\n"
	 "  filtered   of these, packets that were not asked for\n"
	 "  captured   packets handed to whoever started the session\n"
	 "  ring       packets lost because the buffer behind the kernel was full\n"
	 "  client     packets lost because they were not taken fast enough\n"
	 "  limited    packets after the count limit (-c)\n"
	 "  missed     beside the hits: the kernel did not run the program\n"},
	{"points",
	 "netcapctl points [GLOB] [--xdp] [--json]: list the tracepoints of this kernel, its\n"
	 "functions that get a packet, and which argument it is; with --xdp those for netcapctl xdp.\n"
	 "GLOB is a shell pattern (in quotes):\n"
	 "  netcapctl points 'tracepoint:net:*'\n"
	 "  netcapctl points 'ip_*'\n"
	 "A trace point that cannot be captured at is listed with its reason.\n"},
	{"features",
	 "netcapctl features [--json]: show what this kernel and these privileges allow, and what\n"
	 "to change where something is missing.\n"},
	{"reload",
	 "netcapctl reload: make netcapd read its configuration anew, /etc/netcapd/netcapd.json and\n"
	 "the drop-ins in /etc/netcapd/netcapd.json.d. Sessions go on. If something is wrong in it,\n"
	 "this says what and where, and the old configuration stays. For administrators.\n"},
	{"drops", drops_text},
	{"profile", profile_text},
	{"compile",
	 "netcapctl compile FILE.c -o FILE.o [--btf FILE]: make an object of a filter or an action in\n"
	 "C. It runs on other hosts and kernels, by --user-filter and --user-action. Needs clang.\n"
	 "  -o, --output FILE.o   the object\n"
	 "  --btf FILE            compile for the kernel whose types are in FILE (a vmlinux), not\n"
	 "                        for this one\n"},
	{"metrics",
	 "netcapctl metrics [--output FILE]: print the service's counters as OpenMetrics text.\n"
	 "  --output FILE   replace FILE by it in one step, readable for all: for the textfile\n"
	 "                  collector of node_exporter, which reads *.prom\n"},
};

void help_overview(FILE *out)
{
	fputs(overview, out);
}

void help_verb(const char *verb)
{
	bool process = !strcmp(verb, "mbuf") || !strcmp(verb, "raw");

	if (!strcmp(verb, "skb") || !strcmp(verb, "xdp") || process) {
		fputs(*verb == 's' ? skb_what : *verb == 'x' ? xdp_what : *verb == 'm' ? mbuf_what : raw_what, stdout);
		if (process)
			fputs(user_space, stdout);
		if (*verb == 'm')
			fputs(mbuf_layout, stdout);
		if (process)
			putchar('\n');
		fputs(which_packets, stdout);
		fputs(gather, stdout);
		fputs(how, stdout);
		return;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!strcmp(verbs[i].verb, verb))
			printf("%s\n  --socket PATH   the service's socket (default %s)\n\n%s",
			       verbs[i].text, DEFAULT_SOCKET_PATH, EXIT_CODES);
	}
}
