/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "usersource.h"

static struct usersource parsed(const char *text)
{
	struct usersource s;

	assert_int_equal(usersource_parse(&s, strdup(text), strlen(text)), 0);
	return s;
}

static void test_functions(void **state)
{
	struct usersource s =
		parsed("// int none(void) {}\n"
		       "/* int nor(void) { } */\n"
		       "static int declared(int);\n"
		       "#define MACRO(x) { x }\n"
		       "static inline int\nfirst(void *a, int (*b)(int))\n{ if (a) { second(); } return 0; }\n"
		       "const char *text = \"third(void) {\"; int v = call(1) ;\n"
		       "static int fourth(void) { return '{'; }\n");

	assert_int_equal(s.functions.count, 2);
	assert_int_equal(usersource_find(&s.functions, "first")->line, 6);
	assert_int_equal(usersource_find(&s.functions, "fourth")->line, 9);
	usersource_clear(&s);
}

static void test_types_and_headers(void **state)
{
	struct usersource s = parsed("#include <linux/tcp.h>\n"
				     "  #  include <net/sock.h> // socket\n"
				     "#include \"own.h\"\n"
				     "struct _tcphdr { int a; };\n"
				     "struct sock *pointer; struct other;\n"
				     "typedef struct { int x; } pair;\n"
				     "enum colour { RED };\n"
				     "typedef unsigned int number;\n"
				     "union both { int a; } b;\n");

	assert_int_equal(s.headers.count, 2);
	assert_string_equal(s.headers.items[0].text, "linux/tcp.h");
	assert_string_equal(s.headers.items[1].text, "net/sock.h");
	assert_int_equal(s.types.count, 5);
	assert_non_null(usersource_find(&s.types, "_tcphdr"));
	assert_non_null(usersource_find(&s.types, "pair"));
	assert_non_null(usersource_find(&s.types, "colour"));
	assert_non_null(usersource_find(&s.types, "number"));
	assert_non_null(usersource_find(&s.types, "both"));
	assert_false(s.has_output);
	usersource_clear(&s);
}

static void test_formats(void **state)
{
	struct usersource s = parsed("int a; // format: %d\n"
				     "struct  xcap_user_extend {\n"
				     "	int         a; // format: 0x%x\n"
				     "	uint32_t    b; //\n"
				     "	int64_t     c;\n"
				     "	// format: %q\n"
				     "	uint8_t     x1; //   format :   %c   \n"
				     "	uint8_t     x2, x3; /* format: 0x%x */\n"
				     "	char name[16]; // format: %u\n"
				     "	u32 low : 3;  // format: %o\n"
				     "	struct { int inner; } in; // format: %i\n"
				     "	int last; // formats are not here\n"
				     "};\n"
				     "struct next { int y; // format: %d\n};\n");

	assert_true(s.has_output);
	assert_string_equal(s.formats, "a=0x%x\nx1=%c\nx2=0x%x\nx3=0x%x\nname=%u\nlow=%o\nin=%i\n");
	usersource_clear(&s);
}

static void test_ends_in_the_middle(void **state)
{
	static const char *const texts[] = { "/*", "\"abc",	 "'", "#include <", "struct x {",
					     "f(", "// format:", "#", "\\",	    "/" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct usersource s = parsed(texts[i]);

		assert_int_equal(s.functions.count, 0);
		usersource_clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_types_and_headers),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_ends_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
