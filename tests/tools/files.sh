#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# files.sh SAMPLES: the files that pcapng.c writes, read by tshark, capinfos and tcpdump.
set -u
export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/sbin:/sbin

for tool in tshark capinfos tcpdump; do
	if ! command -v "$tool" >/dev/null; then
		echo "Skipped: $tool is not installed."
		exit 77
	fi
done

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
	echo "FAILED: $1"
	failed=1
}

# same WHAT: $dir/got must be what standard input says.
same() {
	cat >"$dir/want"
	diff -u "$dir/want" "$dir/got" || fail "$1"
}

# run COMMAND...: its output to $dir/got; it must succeed and have nothing to complain about.
run() {
	"$@" >"$dir/got" 2>"$dir/complaints" || fail "$* exits with an error"
	grep -v -e '^Running as user "root"' -e '^reading from file ' "$dir/complaints" &&
		fail "$* complains"
}

"$1" "$dir" || fail "the samples could not be written"

run tshark -n -r "$dir/sample.pcapng" -T fields -e frame.time_epoch -e frame.encap_type \
	-e frame.interface_description -e frame.len -e frame.cap_len \
	-e udp.dstport -e frame.comment
same "tshark reads another packet than was written" <<END
1700000000.123456789	1	tracepoint:skb:kfree_skb	1046	46	9000	point=tracepoint:skb:kfree_skb reason=NETFILTER_DROP cpu=0 pid=0 tid=0 comm=n%20c protocol=0x800 stack=kfree_skb+0x1,nf_hook_slow+0xa3
1700000000.123456790	7	tracepoint:skb:kfree_skb	1032	32	9000	point=tracepoint:skb:kfree_skb reason=NETFILTER_DROP cpu=0 pid=0 tid=0 comm=n%20c protocol=0x800 stack=kfree_skb+0x1,nf_hook_slow+0xa3
1700000000.123456791	45	tracepoint:net:net_dev_queue	1005	5		point=tracepoint:net:net_dev_queue reason=NETFILTER_DROP cpu=0 pid=0 tid=0 comm=n%20c protocol=0x800 stack=kfree_skb+0x1,nf_hook_slow+0xa3
END

run capinfos -M "$dir/sample.pcapng"
sed -n -e '/^File timestamp precision/p' -e '/^Capture application/p' -e '/^Number of interfaces/p' \
	-e '/^Interface/p' -e '/^ .* = /p' "$dir/got" | grep -v 'Time ' >"$dir/lines"
mv "$dir/lines" "$dir/got"
same "capinfos reads other interfaces than were written" <<END
File timestamp precision:  nanoseconds (9)
Capture application: netcapd sample
Number of interfaces in file: 3
Interface #0 info:
                     Name = eth0
                     Description = tracepoint:skb:kfree_skb
                     Encapsulation = Ethernet (1 - ether)
                     Capture length = 256
                     Filter string = udp port 9000
                     Number of stat entries = 1
                     Number of packets = 1
Interface #1 info:
                     Name = eth0
                     Description = tracepoint:skb:kfree_skb
                     Encapsulation = Raw IP (7 - rawip)
                     Capture length = 256
                     Filter string = udp port 9000
                     Number of stat entries = 1
                     Number of packets = 1
Interface #2 info:
                     Description = tracepoint:net:net_dev_queue
                     Encapsulation = USER 0 (45 - user0)
                     Capture length = 256
                     Number of stat entries = 1
                     Number of packets = 1
END

run tcpdump --nano -tt -nn -r "$dir/sample.pcap"
same "tcpdump reads another packet than was written" <<END
1700000000.123456789 IP 192.0.2.1.1000 > 192.0.2.2.9000: UDP, length 4
1700000000.123456790 IP 192.0.2.1.1000 > 192.0.2.2.9000: UDP, length 4
END
exit $failed
