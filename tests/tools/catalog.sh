#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# catalog.sh SOURCE-DIRECTORY ids|journalctl: the texts for journalctl -x.
#   ids         each id that the daemon sends has a text and is in the man page, and no other
#   journalctl  journalctl takes the file, and shows each text
set -u
export LC_ALL=C SYSTEMD_PAGER=cat
catalog=$1/systemd/netcapd.catalog
code=$1/daemon/journal.c
man=$1/docs/netcapd.8
failed=0

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $1"
	failed=1
}

sed -n 's/.*\[JOURNAL_[A-Z_]*\] = "\([0-9a-f]\{32\}\)".*/\1/p' "$code" | sort >"$dir/code"
sed -n 's/^-- \([0-9a-f]\{32\}\)$/\1/p' "$catalog" | sort >"$dir/catalog"
sed -n 's/^\.It \([0-9a-f]\{32\}\)$/\1/p' "$man" | sort >"$dir/man"

ids() {
	[ "$(sort -u "$dir/code" | wc -l)" -ge 10 ] || fail "there are fewer ids in $code than kinds of entries"
	diff "$dir/code" "$dir/catalog" || fail "the ids of the code and of the catalog differ"
	diff "$dir/code" "$dir/man" || fail "the ids of the code and of the man page differ"
	for field in $(grep -o '@[A-Z_]*@' "$catalog" | tr -d @ | sort -u); do
		grep -q "\"$field\"" "$1"/daemon/*.c || fail "the catalog shows $field, which the daemon does not send"
	done
	for field in $(grep -oh '"NETCAP_[A-Z_]*"' "$1"/daemon/*.c | tr -d '"' | sort -u); do
		grep -q "$field" "$man" || fail "$field is not in the man page"
	done
}

show() {
	mkdir -p "$dir/usr/lib/systemd/catalog"
	cp "$catalog" "$dir/usr/lib/systemd/catalog/"
	journalctl --root="$dir" --update-catalog || fail "journalctl does not take the catalog"
	while read -r id; do
		journalctl --root="$dir" --dump-catalog "$id" >"$dir/shown" || fail "journalctl does not find $id"
		grep -q '^Subject: .' "$dir/shown" && grep -q '^Defined-By: netcapd$' "$dir/shown" ||
			fail "the text of $id has no subject, or is not netcapd's"
		[ "$(sed '1,/^$/d' "$dir/shown" | wc -w)" -gt 20 ] || fail "$id has no text"
	done <"$dir/code"
}

case $2 in
ids)
	ids "$1"
	;;
journalctl)
	if ! command -v journalctl >/dev/null; then
		echo "Skipped: journalctl is not installed."
		exit 77
	fi
	show
	;;
esac
exit $failed
