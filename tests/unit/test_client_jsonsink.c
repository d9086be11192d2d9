/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <unistd.h>
#include "client_packet.h"
#include "exitcode.h"
#include "jsonget.h"

/* What the sink prints for the stream in b, for the caller to free. */
static char *print(const struct buf *b, uint64_t packets)
{
	const struct options o = {.json = true};
	char *text = calloc(1, 65536);
	int code = -1, saved = dup(STDOUT_FILENO);
	struct sink *sink = jsonsink_new(&o, &code);
	FILE *file = tmpfile();

	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	assert_int_equal(code, EXITCODE_OK);
	assert_int_equal(client_feed(sink, b), 0);
	assert_int_equal(sink->finish(sink), 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(sink->packets, packets);
	sink->free(sink);
	assert_true(pread(fileno(file), text, 65535, 0) >= 0);
	fclose(file);
	return text;
}

static void assert_member(struct json_object *o, const char *name, const char *expected)
{
	const char *value = jsonget_string(o, name);

	assert_non_null(value);
	assert_string_equal(value, expected);
}

static void every_member_is_there(void **state)
{
	struct json_object *o;
	struct buf b;
	char *text;

	buf_init(&b, 0);
	client_put_head(&b);
	client_put_packet(&b, 0, 1, 20);
	text = print(&b, 1);
	buf_clear(&b);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
	o = json_tokener_parse(text);
	assert_non_null(o);
	assert_member(o, "time", "2023-11-14T22:13:20.000000001Z");
	assert_true(jsonget_integer(o, "time_ns") == 1700000000000000001);
	assert_member(o, "point", "tracepoint:skb:kfree_skb");
	assert_member(o, "reason", "NETFILTER_DROP");
	assert_member(o, "dev", "eth0");
	assert_member(o, "comm", "nc");
	assert_member(o, "link", "ethernet");
	assert_member(o, "data", "AAAAAAAAAAAAAAAACAAAAAEAAAA=");
	assert_int_equal(jsonget_integer(o, "ifindex"), 2);
	assert_true(jsonget_integer(o, "netns") == 4026531840);
	assert_int_equal(jsonget_integer(o, "cpu"), 1);
	assert_int_equal(jsonget_integer(o, "pid"), 7);
	assert_int_equal(jsonget_integer(o, "protocol"), 0x0800);
	assert_int_equal(jsonget_integer(o, "length"), 20);
	assert_int_equal(jsonget_integer(o, "caplen"), 20);
	assert_null(jsonget_array(o, "stack"));
	assert_false(json_object_object_get_ex(o, "location", NULL));
	json_object_put(o);
	free(text);
}

/* A task may call itself anything; the line must be JSON all the same. */
static void names_with_odd_bytes_stay_json(void **state)
{
	static const char comment[] = "point=p comm=%FF%22%0A%C3%A9 stack=a%20b,c";
	struct pcapng_packet p = {.wire_len = 1, .cap_len = 1, .data = (const uint8_t *)"x",
				  .comment = comment, .comment_len = sizeof(comment) - 1};
	struct json_object *o, *stack;
	struct buf b;
	char *text;

	buf_init(&b, 0);
	client_put_head(&b);
	pcapng_put_packet(&b, &p);
	text = print(&b, 1);
	buf_clear(&b);
	o = json_tokener_parse(text);
	assert_member(o, "comm", "?\"\n\xc3\xa9");
	stack = jsonget_array(o, "stack");
	assert_int_equal(json_object_array_length(stack), 2);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(stack, 0)), "a b");
	json_object_put(o);
	free(text);
}

/* The journey of the only packet in the stream, for the caller to put. */
static struct json_object *printed_journey(const char *journey)
{
	struct json_object *o, *found;
	struct buf b;
	char *text;

	buf_init(&b, 0);
	client_put_head(&b);
	client_put_journey(&b, 0, 1, 20, CLIENT_COMMENT, journey);
	text = print(&b, 1);
	buf_clear(&b);
	o = json_tokener_parse(text);
	free(text);
	assert_true(json_object_object_get_ex(o, "journey", &found));
	json_object_get(found);
	json_object_put(o);
	return found;
}

static void a_journey_has_its_steps(void **state)
{
	struct json_object *j = printed_journey(
		"journey=idle step=tracepoint:net:netif_receive_skb,0,1,dev:eth%FF,ifindex:2,netns:4026531840,"
		"skb:0xffff888012345600 stack=a+0x1,b%20c+0x2 step=fexit:ip_rcv,1500,0,pid:7,reason:NO_SOCKET,"
		"location:f+0x1,ret:-12,took_ns:900 step=x,1800,0,dev:,ifindex:0 more=3 missing=icmp_rcv,tcp_v4_rcv unsure=1");
	struct json_object *steps = jsonget_array(j, "steps"), *step;

	assert_member(j, "end", "idle");
	assert_int_equal(json_object_array_length(steps), 3);
	step = json_object_array_get_idx(steps, 0);
	assert_string_equal(json_object_to_json_string_ext(step, JSON_C_TO_STRING_PLAIN),
			    "{\"point\":\"tracepoint:net:netif_receive_skb\",\"since_first_ns\":0,\"since_last_ns\":0,"
			    "\"cpu\":1,\"dev\":\"eth?\",\"ifindex\":2,\"netns\":4026531840,"
			    "\"skb\":\"0xffff888012345600\",\"stack\":[\"a+0x1\",\"b c+0x2\"]}");
	step = json_object_array_get_idx(steps, 1);
	assert_string_equal(json_object_to_json_string_ext(step, JSON_C_TO_STRING_PLAIN),
			    "{\"point\":\"fexit:ip_rcv\",\"since_first_ns\":1500,\"since_last_ns\":1500,\"cpu\":0,"
			    "\"dev\":\"eth?\",\"ifindex\":2,\"netns\":4026531840,\"pid\":7,\"reason\":\"NO_SOCKET\","
			    "\"location\":\"f+0x1\",\"ret\":\"-12\",\"took_ns\":900,"
			    "\"skb\":\"0xffff888012345600\"}");
	step = json_object_array_get_idx(steps, 2);
	assert_int_equal(jsonget_integer(step, "since_last_ns"), 300);
	assert_null(jsonget_string(step, "dev"));
	assert_int_equal(jsonget_integer(j, "more"), 3);
	assert_string_equal(json_object_to_json_string_ext(jsonget_array(j, "missing"), JSON_C_TO_STRING_PLAIN),
			    "[\"icmp_rcv\",\"tcp_v4_rcv\"]");
	assert_true(jsonget_boolean(j, "unsure"));
	json_object_put(j);
}

static void a_whole_journey_misses_nothing(void **state)
{
	struct json_object *j = printed_journey("journey=freed step=a,0,0");

	assert_string_equal(json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN),
			    "{\"end\":\"freed\",\"steps\":[{\"point\":\"a\",\"since_first_ns\":0,\"since_last_ns\":0,"
			    "\"cpu\":0}],\"missing\":[]}");
	json_object_put(j);
	assert_null(printed_journey("journey=somehow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_journey_has_its_steps),
		cmocka_unit_test(a_whole_journey_misses_nothing),
		cmocka_unit_test(every_member_is_there),
		cmocka_unit_test(names_with_odd_bytes_stay_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
