/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions with trace points in user space, as they are asked for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "limit.h"
#include "spec.h"

#define LAYOUT                                                                                                     \
	"\"mbufLayout\":{\"buf_addr\":0,\"data_off\":16,\"port\":22,\"ol_flags\":24,\"pkt_len\":36,\"data_len\":40," \
	"\"vlan_tci\":42,\"vlan_tci_outer\":52,\"next\":64}"
#define SITE "{\"point\":0,\"binary\":0,\"offset\":4711,\"packet\":\"8@%rdi\"}"

static int read_spec(struct spec *s, const char *text, const char **field, char *why, size_t size)
{
	struct json_object *object = jsonstrict_parse(text, strlen(text), 8, why, size);
	static char name[64];
	int r;

	if (!object)
		fail_msg("%s: %s", text, why);
	spec_init(s);
	r = spec_from_json(s, object, field, why, size);
	snprintf(name, sizeof(name), "%s", *field);
	*field = name;
	json_object_put(object);
	return r;
}

static void check_refused(const char *text, const char *member, const char *reason)
{
	struct spec s;
	const char *field = "";
	char why[512] = "";

	assert_int_equal(read_spec(&s, text, &field, why, sizeof(why)), -EINVAL);
	assert_string_equal(field, member);
	if (!strstr(why, reason))
		fail_msg("%s: \"%s\" is not in: %s", text, reason, why);
	spec_clear(&s);
}

static void read_good(struct spec *s, const char *text)
{
	const char *field = "";
	char why[512] = "";

	if (read_spec(s, text, &field, why, sizeof(why)))
		fail_msg("%s: %s: %s", text, field, why);
}

static void test_there_and_back(void **state)
{
	static const char text[] =
		"{\"points\":[\"mbuf:f@1@2\",\"icmp_rcv\"],\"target\":1111,\"sites\":[{\"point\":0,\"binary\":3,\"offset\":4711,"
		"\"semaphore\":8,\"return\":true,\"packet\":\"8@%rdi\",\"length\":\"2@%ax\"}]," LAYOUT "}";
	struct json_object *object;
	struct spec s;

	read_good(&s, text);
	assert_true(spec_has_process(&s));
	assert_true(spec_has_kernel(&s));
	assert_int_equal(s.target, 1111);
	assert_int_equal(s.sites.count, 1);
	assert_int_equal(s.sites.items[0].binary, 3);
	assert_int_equal(s.sites.items[0].offset, 4711);
	assert_int_equal(s.sites.items[0].semaphore, 8);
	assert_true(s.sites.items[0].is_return);
	assert_string_equal(s.sites.items[0].packet, "8@%rdi");
	assert_string_equal(s.sites.items[0].length, "2@%ax");
	assert_true(s.has_mbuf);
	assert_int_equal(s.mbuf.next, 64);
	object = spec_to_json(&s);
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), text);
	json_object_put(object);
	spec_clear(&s);
}

static void test_sides(void **state)
{
	struct spec s;

	read_good(&s, "{\"points\":[\"raw:f@1@2\"]}");
	assert_true(spec_has_process(&s));
	assert_false(spec_has_kernel(&s));
	spec_clear(&s);
	read_good(&s, "{\"points\":[\"icmp_rcv\"]}");
	assert_false(spec_has_process(&s));
	spec_clear(&s);
}

static void test_bad_sites(void **state)
{
#define R "{\"points\":[\"raw:f@1@2\"],\"sites\":"
	check_refused(R "7}", "sites", "is an integer: give an array");
	check_refused(R "[7]}", "sites", "the parameters are an integer");
	check_refused(R "[{}]}", "sites", "\"point\" is missing");
	check_refused(R "[{\"point\":1,\"binary\":0,\"offset\":0,\"packet\":\"8@%rdi\"}]}", "sites", "belongs to point 1");
	check_refused(R "[{\"point\":0,\"binary\":16,\"offset\":0,\"packet\":\"8@%rdi\"}]}", "sites", "from 0 to 15");
	check_refused(R "[{\"point\":0,\"binary\":0,\"offset\":-1,\"packet\":\"8@%rdi\"}]}", "sites", "is -1");
	check_refused(R "[{\"point\":0,\"binary\":0,\"offset\":0,\"packet\":\"8@%xmm0\"}]}", "sites", "xmm0");
	check_refused(R "[{\"point\":0,\"binary\":0,\"offset\":0,\"packet\":\"8@%rdi\",\"length\":\"\"}]}", "sites", "0 bytes long");
#undef R
}

static void test_many_sites(void **state)
{
	char *text = malloc(LIMIT_SITES * sizeof(SITE) + 256), *end = text;

	end += sprintf(end, "{\"points\":[\"raw:f@1@2\"],\"sites\":[");
	for (int i = 0; i <= LIMIT_SITES; i++)
		end += sprintf(end, "%s%s", i ? "," : "", SITE);
	sprintf(end, "]}");
	check_refused(text, "sites", "there are 257 sites: give at most 256");
	free(text);
}

static void test_together(void **state)
{
	check_refused("{\"points\":[\"icmp_rcv\"],\"sites\":[" SITE "]}", "sites", "no trace point is in user space");
	check_refused("{\"points\":[\"icmp_rcv\",\"raw:f@1@2\"],\"sites\":[" SITE "]}", "sites", "not in user space");
	check_refused("{\"points\":[\"icmp_rcv\"],\"target\":1}", "target", "no trace point is in user space");
	check_refused("{\"points\":[\"icmp_rcv\"]," LAYOUT "}", "mbufLayout", "no trace point is in user space");
	check_refused("{\"points\":[\"mbuf:f@1\"],\"sites\":[" SITE "]}", "mbufLayout", "is not said");
	check_refused("{\"points\":[\"mbuf:f@1\"],\"mbufLayout\":{}}", "mbufLayout", "buf_addr");
	check_refused("{\"points\":[\"raw:f@1@2\"],\"track\":true}", "track", "cannot be followed");
	check_refused("{\"points\":[\"raw:f@1@2\"],\"gather\":\"track\"}", "gather", "cannot be followed");
	check_refused("{\"points\":[\"raw:f@1@2\",\"icmp_rcv\"],\"gather\":\"pointer\"}", "gather", "by their content only");
	check_refused("{\"points\":[\"raw:f@1@2\"],\"interface\":\"port1\"}", "interface", "of no device");
	check_refused("{\"points\":[\"raw:f@1@2\"],\"gather\":\"pointer\"}", "gather", "in several processes");
	check_refused("{\"points\":[\"raw:f@1@2\"],\"mark\":1}", "mark", "no sk_buff");
	check_refused("{\"points\":[\"raw:f@1@2\"],\"stack\":true}", "stack", "no kernel stack");
	check_refused("{\"points\":[\"raw:f@1@2\"],\"backend\":\"kprobe\"}", "backend", "those of the kernel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_sides),	cmocka_unit_test(test_bad_sites),
		cmocka_unit_test(test_many_sites),     cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
